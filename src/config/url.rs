//! A [`Config`] from a URL.

use std::str::FromStr;
use std::time::Duration;

use crate::auth::credentials::Credentials;
use crate::config::{Config, ConfigError, Security, Timeouts};
use crate::protocol::command::HelloName;
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
        let config = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => with_authority(rest, Self::new)?,
            "smtps" => with_authority(rest, Self::new)?.security(Security::ImplicitTls),
            "lmtp" => with_authority(rest, |host| Self::lmtp(host, 24))?,
            "lmtp+unix" if rest.starts_with('/') => Self::lmtp_unix(decode(rest)?),
            "lmtp+unix" => return Err(ConfigError::Host),
            _ => return Err(ConfigError::Scheme),
        };
        let mut options = query.split('&').filter(|option| !option.is_empty());
        let config = options.try_fold(config, with_option)?;
        config.check()?;
        Ok(config)
    }
}

impl Config {
    /// Asks for the password if there is a user without one, as in `smtp://alice@mail.example.com`.
    ///
    /// `ask` is given the user name. It is not called when nobody logs in, or with a password that
    /// is known already.
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

fn with_option(config: Config, option: &str) -> Result<Config, ConfigError> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let value = decode(value)?;
    let bad_value = || ConfigError::Value(name.into());
    if let Some(step) = name.strip_suffix("timeout") {
        let budget = duration(&value).ok_or_else(bad_value)?;
        return with_timeout(config, step, budget)
            .ok_or_else(|| ConfigError::UnknownOption(name.into()));
    }
    match name {
        "auth" if !value.is_empty() => with_mechanisms(config, &value).ok_or_else(bad_value),
        "deadline" => Ok(config.deadline(duration(&value).ok_or_else(bad_value)?)),
        "hello" if value.parse::<HelloName>().is_ok() => Ok(config.hello_name(value)),
        "tls" if config.security != Security::ImplicitTls => {
            let security = security(&value).ok_or_else(bad_value)?;
            Ok(config.security(security))
        }
        "auth" | "hello" | "tls" => Err(bad_value()),
        _ => Err(ConfigError::UnknownOption(name.into())),
    }
}

/// A bearer mechanism says that the password of the URL is a token.
fn with_mechanisms(mut config: Config, value: &str) -> Option<Config> {
    let names: Vec<String> = value.split(',').map(str::to_ascii_uppercase).collect();
    if !names.iter().all(|name| Credentials::is_mechanism(name)) {
        return None;
    }
    let is_bearer = |name: &String| matches!(name.as_str(), "OAUTHBEARER" | "XOAUTH2");
    let bearers = names.iter().filter(|name| is_bearer(name)).count();
    if bearers > 0 {
        let credentials = config
            .credentials
            .take()
            .filter(|_| bearers == names.len())?;
        config.credentials = Some(credentials.into_bearer());
    }
    Some(config.mechanisms(names))
}

fn with_timeout(mut config: Config, step: &str, budget: Duration) -> Option<Config> {
    let timeouts = config.timeouts.clone();
    config.timeouts = match step {
        "" => Timeouts::all(budget),
        "connect_" => timeouts.connect(budget),
        "handshake_" => timeouts.handshake(budget),
        "greeting_" => timeouts.greeting(budget),
        "command_" => timeouts.command(budget),
        "data_" => timeouts.data(budget),
        "body_" => timeouts.body(budget),
        "end_of_data_" => timeouts.end_of_data(budget),
        "quit_" => timeouts.quit(budget),
        _ => return None,
    };
    Some(config)
}

fn security(value: &str) -> Option<Security> {
    match value {
        "none" => Some(Security::None),
        "opportunistic" => Some(Security::Opportunistic),
        "required" => Some(Security::StartTls),
        _ => None,
    }
}

/// Seconds, or milliseconds with `ms` behind them.
fn duration(value: &str) -> Option<Duration> {
    let (digits, unit): (_, fn(u64) -> Duration) = match value.strip_suffix("ms") {
        Some(digits) => (digits, Duration::from_millis),
        None => (
            value.strip_suffix('s').unwrap_or(value),
            Duration::from_secs,
        ),
    };
    // Eight digits of seconds are three years: no sum of such budgets overflows a clock.
    let is_number = digits.len() <= 8 && digits.bytes().all(|octet| octet.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    Some(unit(number)).filter(|budget| !budget.is_zero())
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
