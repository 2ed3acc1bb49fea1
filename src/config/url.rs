//! A [`Config`] from a URL.

use std::str::FromStr;

use crate::address::try_from_text;
use crate::auth::credentials::Credentials;
use crate::config::options::Options;
use crate::config::{Config, ConfigError, Protocol, Security};
use crate::secret::Secret;

impl FromStr for Config {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        let (scheme, rest) = url.split_once("://").ok_or(ConfigError::Scheme)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // What stands before an @ is the end of a password that was not encoded: no option, and not
        // to be shown.
        if query.contains('@') {
            return Err(ConfigError::QuestionMark);
        }
        let config = with_server(scheme, rest)?;
        let mut options = Options::default();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let values: Result<Vec<_>, _> = value.split(',').map(decode).collect();
            options.add(name, values?)?;
        }
        let config = options.apply(config)?;
        config.check_values()?;
        Ok(config)
    }
}

try_from_text!(Config, ConfigError);

/// What stands before the options.
pub(super) fn with_server(scheme: &str, rest: &str) -> Result<Config, ConfigError> {
    match scheme.to_ascii_lowercase().as_str() {
        "smtp" => with_authority(rest, Config::new),
        "smtps" => Ok(with_authority(rest, Config::new)?.security(Security::ImplicitTls)),
        "lmtp" => with_authority(rest, lmtp),
        "lmtps" => Ok(with_authority(rest, lmtp)?.security(Security::ImplicitTls)),
        "lmtp+unix" => Ok(Config::lmtp_unix(path(rest)?)),
        "smtp+unix" => Ok(Config::lmtp_unix(path(rest)?).protocol(Protocol::Smtp)),
        "maildir" => Ok(Config::maildir(path_of_place(rest)?)),
        "sendmail" => Ok(Config::sendmail_command(path_of_place(rest)?)),
        _ => Err(ConfigError::Scheme),
    }
}

fn lmtp(host: String) -> Config {
    Config::new(host).protocol(Protocol::Lmtp)
}

fn path(text: &str) -> Result<String, ConfigError> {
    // What begins with a name is a host, and the path is missing.
    if text.starts_with(['/', '.']) {
        decode(text)
    } else {
        Err(ConfigError::Host)
    }
}

fn path_of_place(text: &str) -> Result<String, ConfigError> {
    let path = path(text)?;
    match path.strip_prefix('/') {
        Some(windows) if needs_slash(windows) => Ok(windows.to_owned()),
        _ => Ok(path),
    }
}

/// Whether a path begins where a URL has a slash before it.
pub(super) fn needs_slash(path: &str) -> bool {
    cfg!(windows) && is_rooted_on_windows(path)
}

/// Whether a path begins with a drive, a root or a computer, as `C:/mail`, `\mail` and `\\host\mail`.
fn is_rooted_on_windows(path: &str) -> bool {
    matches!(
        path.as_bytes(),
        [b'A'..=b'Z' | b'a'..=b'z', b':', ..] | [b'\\', ..]
    )
}

impl Config {
    /// Asks for the password if there is a user without one, as in `smtp://alice@mail.example.com`.
    ///
    /// `ask` gets the user name. It is not called if there is no user, or if the password is known
    /// already.
    ///
    /// ```
    /// use smtplib::Config;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config: Config = "smtp://alice@mail.example.com".parse()?;
    /// let config = config.ask_password(|user| {
    ///     assert_eq!(user, "alice");
    ///     Ok::<_, std::io::Error>("secret") // typed by the user, or from a keyring
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `ask`.
    pub fn ask_password<T: Into<Secret>, E>(
        mut self,
        ask: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Self, E> {
        if let Some(credentials) = self.credentials.as_mut().filter(|c| !c.has_secret()) {
            let secret = ask(credentials.user())?;
            credentials.set_secret(secret.into());
        }
        Ok(self)
    }
}

/// `user:password@host:port`, perhaps with a slash behind it.
fn with_authority(
    authority: &str,
    new: impl FnOnce(String) -> Config,
) -> Result<Config, ConfigError> {
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    // The last @ ends the credentials: a password that was not encoded must not become part of the
    // host.
    let (credentials, server) = match authority.rsplit_once('@') {
        Some((credentials, server)) => (Some(credentials), server),
        None => (None, authority),
    };
    let (host, port) = split_port(server)?;
    let mut config = new(decode(host)?);
    if let Some(port) = port {
        config = config.port(port_number(port).ok_or(ConfigError::Port)?);
    }
    match credentials {
        Some(credentials) => with_credentials(config, credentials),
        None => Ok(config),
    }
}

/// Host and port; an IPv6 address stands in brackets, which do not belong to it.
fn split_port(server: &str) -> Result<(&str, Option<&str>), ConfigError> {
    let Some(rest) = server.strip_prefix('[') else {
        return match server.split_once(':') {
            Some((host, port)) => Ok((host, Some(port))),
            None => Ok((server, None)),
        };
    };
    let (host, rest) = rest.split_once(']').ok_or(ConfigError::Host)?;
    if !host.contains(':') {
        return Err(ConfigError::Host);
    }
    match (rest, rest.strip_prefix(':')) {
        ("", _) => Ok((host, None)),
        (_, Some(port)) => Ok((host, Some(port))),
        _ => Err(ConfigError::Host),
    }
}

fn port_number(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|number| *number > 0 && is_number)
}

fn with_credentials(config: Config, credentials: &str) -> Result<Config, ConfigError> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    Ok(config.credentials(Credentials::password(decode(user)?, decode(password)?)))
}

/// Takes the percent encoding off (RFC 3986, 2.1).
fn decode(text: &str) -> Result<String, ConfigError> {
    let mut parts = text.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part
            .get(..2)
            .filter(|digits| digits.bytes().all(|o| o.is_ascii_hexdigit()));
        let octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        octets.push(octet.ok_or(ConfigError::Percent)?);
        octets.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
    }
    String::from_utf8(octets).map_err(|_| ConfigError::Percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn a_missing_password_is_asked_for_and_the_kind_of_secret_stays() {
        for (url, expected) in [
            ("smtp://alice@host", Credentials::password("alice", "typed")),
            (
                "smtp://alice:@host",
                Credentials::password("alice", "typed"),
            ),
            (
                "smtp://alice@host?auth=xoauth2",
                Credentials::bearer("alice", "typed"),
            ),
        ] {
            let config: Config = url.parse().unwrap();
            let config = config
                .ask_password(|_| Ok::<_, Infallible>("typed"))
                .unwrap();
            assert_eq!(config.credentials, Some(expected), "{url}");
        }
    }

    #[test]
    fn the_roots_of_windows() {
        for path in [r"C:\mail", "c:/mail", "z:", r"\mail", r"\\host\mail"] {
            assert!(is_rooted_on_windows(path), "{path}");
            assert_eq!(needs_slash(path), cfg!(windows));
            let config = Config::maildir(path);
            let read: Config = config.to_string().parse().unwrap();
            if cfg!(windows) {
                assert_eq!(read.server, config.server, "{config}");
            }
        }
        for path in ["", "mail", "/mail", "./mail", "1:/mail", "mail:/x"] {
            assert!(!is_rooted_on_windows(path), "{path}");
        }
    }

    #[test]
    fn nobody_is_asked_without_need() {
        for url in ["smtp://host", "smtp://alice:secret@host"] {
            let config: Config = url.parse().unwrap();
            let credentials = config.credentials.clone();
            let config = config.ask_password(|_| Err::<&str, _>("asked")).unwrap();
            assert_eq!(config.credentials, credentials, "{url}");
        }
    }

    #[test]
    fn who_cannot_answer_says_why() {
        let config: Config = "smtp://alice@host".parse().unwrap();
        let error = config.ask_password(|user| Err::<&str, _>(format!("{user} is out")));
        assert_eq!(error.unwrap_err(), "alice is out");
    }
}
