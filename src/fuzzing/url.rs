//! A URL gives a configuration or an error, and neither shows the password. A URL made from parts
//! gives the same parts.

use std::net::Ipv6Addr;
use std::path::Path;

use crate::auth::credentials::Credentials;
use crate::config::{Config, ConfigError, Protocol, Security, Server};
use crate::fuzzing::cutter::Cutter;

/// A text that is in the password and nowhere else.
const MARK: &str = "Tanstaaf7q";

/// The first byte chooses the scheme and the options of a URL that is made here. Two of the fields
/// are the text before and after the password in a URL of any text. All three are also the user,
/// the password and the host of the URL that is made.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    let choice = cutter.octet();
    let (before, behind, host) = (cutter.text(), cutter.text(), cutter.text());
    check_text(&before);
    check_secrecy(&before, &behind);
    check_parts(choice, &before, &behind, &host);
    check_unix(&before);
    check_places(&before);
    check_options(choice, &before, &behind);
}

fn check_text(url: &str) {
    match url.parse::<Config>() {
        Ok(config) => {
            assert!(!format!("{config:?}").contains(char::is_control));
            check_written(&config);
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error}"),
    }
}

/// A password after `user:` and before `@` is not shown, whatever is around it.
fn check_secrecy(before: &str, behind: &str) {
    let url = format!("{before}:{MARK}@{behind}");
    if before.contains(MARK) || behind.contains(MARK) {
        return;
    }
    let shown = match url.parse::<Config>() {
        // A path is only a path, and has no password in it.
        Ok(config) if !matches!(config.server, Server::Tcp { .. }) => return,
        Ok(config) => format!("{config:?} {:?}", config.check_values()),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!shown.contains(MARK), "{url:?}: {shown}");
}

fn check_parts(choice: u8, user: &str, password: &str, host: &str) {
    let (scheme, protocol, is_implicit) = [
        ("smtp", Protocol::Smtp, false),
        ("SMTPS", Protocol::Smtp, true),
        ("lmtp", Protocol::Lmtp, false),
    ][usize::from(choice % 3)];
    let port = 1 + u16::from(choice) * 256;
    let user_info = format!("{}:{}", encode(user), encode(password));
    let name = match host.parse::<Ipv6Addr>() {
        Ok(_) => format!("[{host}]"),
        Err(_) => encode(host),
    };
    let url = format!("{scheme}://{user_info}@{name}:{port}/?hello=me.example&timeout=7&tls=none");
    let url = if is_implicit {
        url.replace("&tls=none", "")
    } else {
        url
    };
    let config = match url.parse::<Config>() {
        Ok(config) => config,
        Err(error) => {
            return assert!(
                error == ConfigError::Host && !is_host(host),
                "{url:?}: {error}"
            );
        }
    };
    let server = Server::Tcp {
        host: host.to_owned(),
        port: Some(port),
    };
    assert_eq!((&config.server, config.protocol), (&server, protocol));
    assert_eq!(
        config.credentials,
        Some(Credentials::password(user, password))
    );
    assert_eq!(config.security == Security::ImplicitTls, is_implicit);
    assert_eq!(config.security == Security::None, !is_implicit);
    assert_eq!(config.hello_name.as_deref(), Some("me.example"));
    assert_eq!(config.timeouts.command.as_secs(), 7);
    check_written(&config);
}

/// A configuration written as a URL is read as the same configuration, except the password, which
/// `Debug` does not show either.
fn check_written(config: &Config) {
    let url = config.to_string();
    let read: Config = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(format!("{read:?}"), format!("{config:?}"), "{url}");
    assert_eq!(read.to_string(), url);
}

/// Every option at once, with any text where an option allows any text.
fn check_options(choice: u8, one: &str, other: &str) {
    let millis = 1 + u32::from(choice) * 500;
    let (one, other) = (encode(one), encode(other));
    let url = format!(
        "lmtps://{one}@mx?auth=xoauth2&ca={one},{other}&cert={one}&key={other}&roots=only&\
         server_name={other}&ignore=dsn,x-{choice}&hello=me.example&body_timeout={millis}ms&\
         timeout={choice}&deadline={millis}ms"
    );
    if let Ok(config) = url.parse::<Config>() {
        check_written(&config);
    }
}

fn check_unix(path: &str) {
    let config: Config = format!("lmtp+unix:///{}", encode(path)).parse().unwrap();
    let path = format!("/{path}");
    assert!(matches!(config.server, Server::Unix(_)));
    assert_eq!(config.get_unix_path(), Some(Path::new(&path)));
    assert_eq!(
        (config.protocol, config.security),
        (Protocol::Lmtp, Security::None)
    );
    check_written(&config);
}

/// Maildirs and programs have a path, and no password.
fn check_places(path: &str) {
    if cfg!(windows) && path.contains([':', '\\']) {
        // The path may begin with a drive or a root.
        return;
    }
    let read = |scheme: &str| -> Config {
        let url = format!("{scheme}:///{}?timeout=7", encode(path));
        url.parse().unwrap()
    };
    let path = format!("/{path}");
    let (maildir, command) = (read("maildir"), read("SENDMAIL"));
    assert_eq!(maildir.get_maildir(), Some(Path::new(&path)));
    assert_eq!(command.get_sendmail_command(), Some(Path::new(&path)));
    for config in [maildir, command] {
        assert_eq!((config.get_host(), config.get_unix_path()), (None, None));
        check_written(&config);
        for option in [
            "tls=required",
            "server_name=mx",
            "roots=only&ca=/x",
            "auth=plain",
        ] {
            let url = format!("{config}&{option}");
            let error = url.parse::<Config>().unwrap_err();
            assert!(matches!(error, ConfigError::NoServer(_)), "{url}: {error}");
        }
    }
}

/// Whether a host is a name, or an IPv6 address, perhaps with a zone (RFC 4007, 11).
fn is_host(host: &str) -> bool {
    let is_stray = |c: char| c.is_control() || c.is_whitespace() || "/?#@[]".contains(c);
    let (address, _) = host.split_once('%').unwrap_or((host, ""));
    let is_known = !host.contains(':') || address.parse::<Ipv6Addr>().is_ok();
    is_known && !host.is_empty() && !host.contains(is_stray)
}

/// Percent-encodes everything but letters and digits (RFC 3986, 2.1).
fn encode(text: &str) -> String {
    let encode = |octet: u8| match octet {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(octet).to_string(),
        _ => format!("%{octet:02x}"),
    };
    text.bytes().map(encode).collect()
}
