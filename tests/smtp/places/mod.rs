//! Places instead of a server, in the way a program uses them.

// The test programs are shell scripts, which only Unix can run.
#[cfg(unix)]
mod command;
mod maildir;
mod outbox;

use smtplib::config::Protocol;
use smtplib::error::ConfigError;
use smtplib::{Config, Credentials, Error, Message, Security};

/// A message from Alice to Ben and Cleo.
fn message() -> Message {
    Message::builder()
        .from("alice@example.com")
        .to(["ben@example.org", "cleo@example.org"])
        .subject("Größe")
        .text("Grüße\n.\n.. und Punkte\n")
        .build()
        .unwrap()
}

// Settings that only a server can have are errors with their names, wherever they were set.
#[test]
fn settings_for_servers_are_errors() {
    type Set = fn(Config) -> Config;
    let set: [(Set, &str); 7] = [
        (|config| config.security(Security::StartTls), "TLS"),
        (|config| config.tls_server_name("mx"), "the TLS server name"),
        (
            |config| config.danger_accept_invalid_certs(true),
            "the TLS options",
        ),
        (|config| config.protocol(Protocol::Lmtp), "LMTP"),
        (
            |config| config.credentials(Credentials::password("alice", "secret")),
            "the user",
        ),
        (|config| config.mechanisms(["PLAIN"]), "the SASL mechanisms"),
        #[cfg(feature = "local-address")]
        (
            |config| config.local_address(([127, 0, 0, 1], 0)),
            "the local address",
        ),
        #[cfg(not(feature = "local-address"))]
        (|config| config.security(Security::ImplicitTls), "TLS"),
    ];
    for (set, name) in set {
        for config in [Config::maildir("/x"), Config::sendmail_command("/x")] {
            let error = set(config).check().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("a Maildir or a program is not a server: leave out {name}")
            );
        }
    }
    for url in [
        "maildir:///x?tls=required",
        "maildir:///x?tls=opportunistic",
        "sendmail:///x?auth=plain",
        "sendmail:///x?ca=/y",
        "sendmail:///x?server_name=mx",
    ] {
        let error = url.parse::<Config>().unwrap_err();
        assert!(matches!(error, ConfigError::NoServer(_)), "{url}: {error}");
    }
}

#[test]
fn urls_name_a_path() {
    for (url, written) in [
        ("maildir:///var/mail/a%20b", "maildir:///var/mail/a%20b"),
        ("MAILDIR://./mail", "maildir://./mail"),
        (
            "sendmail:///usr/sbin/sendmail?timeout=30&ignore=chunking",
            "sendmail:///usr/sbin/sendmail?ignore=chunking&timeout=30",
        ),
        (
            "maildir:///x?tls=none&hello=me.example",
            "maildir:///x?hello=me.example",
        ),
    ] {
        let config: Config = url.parse().unwrap();
        assert_eq!(config.to_string(), written);
        assert_eq!(config.check().map_err(|error| error.to_string()), Ok(()));
        assert_eq!((config.get_host(), config.get_port()), (None, None));
    }
    assert_eq!(Config::maildir("mail").to_string(), "maildir://./mail");
    for url in ["maildir://mail", "sendmail://", "maildir://host/path"] {
        assert_eq!(
            url.parse::<Config>().unwrap_err(),
            ConfigError::Host,
            "{url}"
        );
    }
    let config: Config = "maildir:///var/mail/alice".parse().unwrap();
    assert_eq!(
        config.get_maildir().unwrap().to_str(),
        Some("/var/mail/alice")
    );
    assert_eq!(config.get_sendmail_command(), None);
    assert_eq!(Config::sendmail_command("/x").get_maildir(), None);
}

#[cfg(feature = "serde")]
#[test]
fn a_table_names_the_scheme_and_the_path() {
    let read = |text: &str| serde_json::from_str::<Config>(text);
    let config = read(r#"{"scheme": "maildir", "path": "/var/mail", "timeout": 7}"#).unwrap();
    assert_eq!(config.to_string(), "maildir:///var/mail?timeout=7");
    let config = read(r#"{"scheme": "sendmail", "path": "/usr/sbin/sendmail"}"#).unwrap();
    assert_eq!(config.to_string(), "sendmail:///usr/sbin/sendmail");
    let error = read(r#"{"scheme": "maildir", "path": "/x", "user": "alice"}"#).unwrap_err();
    assert!(error.to_string().contains("leave out the user"), "{error}");
}

/// The error of a connection that cannot be made.
fn unreachable(config: &Config) -> String {
    match config.connect() {
        Ok(connection) => panic!("{connection:?}"),
        Err(error @ Error::Io { .. }) => error.to_string(),
        Err(error) => panic!("{error:?}"),
    }
}
