//! A configuration as a URL: what each part does on the wire, and what is refused.
use crate::peer::{Peer, Script, TestCa};
use crate::support::session::{failure, hello, nobody, said, session, soon};
use smtplib::config::Protocol;
use smtplib::error::ConfigError;
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Error, Security};
use std::path::PathBuf;
use std::time::Duration;

fn parse(url: &str) -> Config {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refused(url: &str) -> ConfigError {
    match url.parse::<Config>() {
        Ok(config) => panic!("{url}: {config:?}"),
        Err(error) => error,
    }
}

/// A URL of this peer, with `tail` after the port.
fn at(peer: &Peer, scheme: &str, credentials: &str, tail: &str) -> Config {
    let (host, port) = (peer.host(), peer.port());
    let config = parse(&format!("{scheme}://{credentials}{host}:{port}{tail}"));
    config.tls_connector(TestCa::get().connector())
}

// 8314-01: STARTTLS is the default, and without it there is no connection.
#[test]
fn smtp_means_starttls() {
    for tail in ["", "/", "?", "?tls=required&hello=client.example"] {
        let peer = Script::new(
            "S: 220 mx\nC~: EHLO *\nS: 250-mx\nS: 250 AUTH PLAIN\nC: QUIT\nS: 221 bye\nCclose",
        )
        .listen();
        let error = failure(&at(&peer, "smtp", "tim:tanstaaf@", tail));
        assert_eq!(
            said(&error),
            "the server does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)",
            "{tail}"
        );
        peer.finish();
    }
}

#[test]
fn smtps_means_tls_from_the_first_octet() {
    let peer = session(&["AUTH PLAIN"], "C: AUTH PLAIN AHRpbUBhAHA6L0Ao\nS: 235 ok").listen_tls();
    let config = at(
        &peer,
        "SMTPS",
        "tim%40a:p%3A%2F%40(@",
        "?hello=client.example",
    );
    assert!(config.connect().unwrap().is_tls());
    peer.finish();
}

#[test]
fn tls_can_be_left_to_the_server_or_left_out() {
    let rest = format!("C: STARTTLS\nS: 220 go\nTLS\n{}", hello(&[]));
    let peer = session(&["STARTTLS"], &rest).listen();
    let config = at(&peer, "smtp", "", "?tls=opportunistic&hello=client.example");
    assert!(config.connect().unwrap().is_tls());
    peer.finish();

    let peer = session(&["STARTTLS"], "").listen();
    let config = at(&peer, "smtp", "", "?tls=none&hello=client.example");
    assert!(!config.connect().unwrap().is_tls());
    peer.finish();
}

// 2033-01, 2033-06
#[test]
fn lmtp_over_tcp_and_over_a_unix_socket() {
    let script = || Script::new("S: 220 mx\nC~: LHLO *\nS: 250 mx");
    let peer = script().listen();
    drop(at(&peer, "lmtp", "", "?tls=none").connect().unwrap());
    peer.finish();

    #[cfg(unix)]
    {
        let peer = script().listen_unix();
        let path = peer.path().to_str().unwrap().replace('o', "%6F");
        drop(parse(&format!("lmtp+unix://{path}")).connect().unwrap());
        peer.finish();
        let error = refused("lmtp+unix:///run/lmtp?tls=required");
        assert_eq!(error, ConfigError::TlsOnUnixSocket);
    }
}

// 4422-04: only these mechanisms, in this order. With a bearer mechanism the password is a token.
#[test]
fn mechanisms() {
    let login = "C: AUTH LOGIN\nS: 334\nC: dGlt\nS: 334\nC: dGFuc3RhYWY=\nS: 235 ok";
    let peer = session(&["AUTH PLAIN LOGIN"], login).listen_tls();
    let tail = "?hello=client.example&auth=login,plain";
    drop(at(&peer, "smtps", "tim:tanstaaf@", tail).connect().unwrap());
    peer.finish();

    let xoauth2 = "C: AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdG9rZW4BAQ==\nS: 235 ok";
    let peer = session(&["AUTH PLAIN XOAUTH2"], xoauth2).listen_tls();
    let tail = "?hello=client.example&auth=xoauth2";
    drop(at(&peer, "smtps", "tim:token@", tail).connect().unwrap());
    peer.finish();
}

// 5321-38
#[test]
fn ipv6_stands_in_brackets() {
    let peer = session(&[], "").listen_v6();
    let url = format!("smtp://[::1]:{}?tls=none&hello=client.example", peer.port());
    drop(parse(&url).connect().unwrap());
    peer.finish();
    for url in [
        "smtp://[::1",
        "smtp://[::1]x",
        "smtp://[mx]",
        "smtp://::1",
        "smtp://[]",
    ] {
        assert!(
            matches!(refused(url), ConfigError::Host | ConfigError::Port),
            "{url}"
        );
    }
}

// 5321-56: each budget by its name.
#[test]
fn budgets() {
    for (option, script, step) in [
        ("greeting_timeout=1000ms", "stall 200ms", Step::Greeting),
        (
            "command_timeout=1s",
            "S: 220 mx\nC~: EHLO *\nstall 200ms",
            Step::Hello,
        ),
        ("timeout=1s", "stall 200ms", Step::Greeting),
        ("deadline=1s", "stall 200ms", Step::Greeting),
    ] {
        let peer = Script::new(&format!("{script}\nCclose")).listen();
        let config = at(&peer, "smtp", "", &format!("?tls=none&{option}"));
        let error = soon(|| config.connect()).unwrap_err();
        assert!(
            matches!(error, Error::Timeout { step: at, .. } if at == step),
            "{option}: {error:?}"
        );
        peer.finish();
    }
    for option in [
        "timeout=30",
        "timeout=30s",
        "connect_timeout=1&handshake_timeout=2&greeting_timeout=3&command_timeout=4",
        "data_timeout=5&body_timeout=6&end_of_data_timeout=7&quit_timeout=8",
        "deadline=99999999",
    ] {
        let config = parse(&format!("smtp://mx.example.org?{option}"));
        assert_ne!(
            format!("{config:?}"),
            format!("{:?}", parse("smtp://mx.example.org"))
        );
    }
}

// What is not in the table is an error (T10), and it names the wrong part.
#[test]
fn what_is_wrong_is_named() {
    let value = |name: &str| ConfigError::Value(name.into());
    let unknown = |name: &str| ConfigError::UnknownOption(name.into());
    for (url, expected) in [
        ("", ConfigError::Scheme),
        ("mx.example.org", ConfigError::Scheme),
        ("http://mx.example.org", ConfigError::Scheme),
        ("://mx.example.org", ConfigError::Scheme),
        (" smtp://mx.example.org", ConfigError::Scheme),
        ("smtp://", ConfigError::Host),
        ("smtp://?tls=none", ConfigError::Host),
        ("smtp://:25", ConfigError::Host),
        ("smtp://tim@", ConfigError::Host),
        ("smtp://mx/path", ConfigError::Host),
        ("smtp://mx#fragment", ConfigError::Host),
        ("smtp://m x", ConfigError::Host),
        ("smtp://mx%0d%0aRSET", ConfigError::Host),
        ("smtp://mx%00", ConfigError::Host),
        ("lmtp+unix://relative", ConfigError::Host),
        ("smtp://mx:", ConfigError::Port),
        ("smtp://mx:0", ConfigError::Port),
        ("smtp://mx:65536", ConfigError::Port),
        ("smtp://mx:+25", ConfigError::Port),
        ("smtp://mx:-25", ConfigError::Port),
        ("smtp://mx:bogus", ConfigError::Port),
        ("smtp://mx:25:25", ConfigError::Port),
        ("smtp://tim:100%@mx", ConfigError::Percent),
        ("smtp://tim:%2@mx", ConfigError::Percent),
        ("smtp://tim:%zz@mx", ConfigError::Percent),
        ("smtp://tim:%+1@mx", ConfigError::Percent),
        ("smtp://tim:%ff@mx", ConfigError::Percent),
        ("smtp://tim:%c3\u{e9}@mx", ConfigError::Percent),
        ("smtp://mx?tls=requird", value("tls")),
        ("smtp://mx?tls=", value("tls")),
        ("smtp://mx?tls", value("tls")),
        ("smtps://mx?tls=none", value("tls")),
        ("smtps://mx?tls=required", value("tls")),
        ("smtp://mx?auth=", value("auth")),
        ("smtp://mx?auth=plian", value("auth")),
        ("smtp://tim:x@mx?auth=plain,xoauth2", value("auth")),
        ("smtp://mx?auth=xoauth2", value("auth")),
        ("smtp://mx?hello=two%20words", value("hello")),
        ("smtp://mx?hello=a%0d%0aRSET", value("hello")),
        ("smtp://mx?timeout=0", value("timeout")),
        ("smtp://mx?timeout=-1", value("timeout")),
        ("smtp://mx?timeout=+1", value("timeout")),
        ("smtp://mx?timeout=1.5", value("timeout")),
        ("smtp://mx?timeout=none", value("timeout")),
        ("smtp://mx?timeout=", value("timeout")),
        ("smtp://mx?timeout=999999999", value("timeout")),
        ("smtp://mx?deadline=0ms", value("deadline")),
        ("smtp://mx?starttls_timeout=1", unknown("starttls_timeout")),
        ("smtp://mx?TLS=none", unknown("TLS")),
        ("smtp://mx?ssl=true", unknown("ssl")),
    ] {
        assert_eq!(refused(url), expected, "{url}");
    }
}

#[test]
fn what_is_wrong_with_tls_and_lists_is_named() {
    let value = |name: &str| ConfigError::Value(name.into());
    let twice = |name: &str| ConfigError::Twice(name.into());
    for (url, expected) in [
        // Field E11
        ("smtp://mx?tls=required&tls=none", twice("tls")),
        ("smtp://mx?timeout=1&timeout=1", twice("timeout")),
        ("smtp://mx?ca=", value("ca")),
        ("smtp://mx?ca=/x,,/y", value("ca")),
        ("smtp://mx?cert=", value("cert")),
        ("smtp://mx?key=/x", value("key")),
        ("smtp://mx?server_name=", value("server_name")),
        ("smtp://mx?ignore=", value("ignore")),
        ("smtp://mx?ignore=a%20b", value("ignore")),
        ("smtp://mx?ca=/x&roots=none", value("roots")),
        ("smtp://mx?roots=only", ConfigError::NoRoots),
    ] {
        assert_eq!(refused(url), expected, "{url}");
    }
}

// Z2: whatever is wrong with a URL, the error shows nothing that may be a password.
#[test]
fn no_password_is_in_an_error() {
    for url in [
        "smtp://tim:geheim@",
        "smtp://tim:geheim@mx:bogus",
        "smtp://tim:geheim@mx/path",
        "smtp://tim:geheim%@mx",
        "smtp://tim:geheim@mx?tls=geheim",
        "smtp://tim:geheim@mx?ssl=geheim",
        "smtp://tim:1?geheim@mx",
        "smtp://tim:1?a&geheim@mx",
        "smtp://tim:1?geheim=1@mx",
        "smtp://tim:ge#heim@geheim@",
        "tim:geheim@mx",
        "geheim://mx",
        "smtp://mx?auth=geheim",
        "smtp://mx?timeout=geheim",
    ] {
        let error = refused(url);
        let shown = format!("{error} {error:?} {:?}", Error::from(error.clone()));
        assert!(!shown.contains("geheim"), "{url}: {shown}");
    }
    assert_eq!(refused("smtp://tim:1?geheim@mx"), ConfigError::QuestionMark);
}

// Z1: a configuration does not show it either.
#[test]
fn no_password_is_in_a_configuration() {
    let peer = nobody();
    let config = parse("smtp://tim:tanstaaf@mx.example.org:587");
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("mx.example.org") && shown.contains("tim"));
    assert!(!shown.contains("tanstaaf") && shown.contains("***"));
    // A password that is not encoded does not become part of the host, because the last @ counts.
    let config = parse("smtp://tim:p@ss/w#rd@mx.example.org");
    assert!(!format!("{config:?}").contains("ss/w#rd"));
    peer.finish();
}

// A user without a password cannot log in, but the builder can complete a URL.
#[test]
fn a_url_and_the_builder() {
    let error = failure(&parse("smtp://tim@mx.example.org"));
    assert_eq!(error.to_string(), "the user name or password is empty");
    let peer = session(&[], "").listen();
    let config = at(&peer, "smtp", "", "?hello=client.example").security(Security::None);
    drop(config.connect().unwrap());
    peer.finish();
}

// The sentence names the allowed values.
#[test]
fn a_wrong_value_names_those_that_are_allowed() {
    for (url, sentence) in [
        (
            "smtp://mx?tls=off",
            "the option \"tls\" must be required, opportunistic or none; leave it out with smtps://",
        ),
        (
            "smtp://mx?timeout=soon",
            "the option \"timeout\" must be a time such as 30 (seconds) or 500ms, up to 99999999 and not 0",
        ),
        (
            "smtp://mx?ignore=a_b",
            "the option \"ignore\" must be keywords of EHLO with commas, such as pipelining,8bitmime",
        ),
        (
            "smtp://mx?key=/x",
            "the option \"key\" must be the path of a PEM file, and a key needs its cert",
        ),
        ("smtp://mx?ssl=true", "there is no option \"ssl\""),
        (
            "smtp://mx?tls=none&tls=none",
            "the option \"tls\" is given twice",
        ),
    ] {
        assert_eq!(refused(url).to_string(), sentence, "{url}");
    }
}

// Field D8: the timeout of a step overrides the general one, in any order.
#[test]
fn the_timeout_of_a_step_is_for_the_step() {
    for url in [
        "smtp://mx?connect_timeout=5&timeout=30",
        "smtp://mx?timeout=30&connect_timeout=5",
    ] {
        let config = parse(url);
        let timeouts = config.get_timeouts();
        assert_eq!(timeouts.budget(Step::Connect).as_secs(), 5, "{url}");
        assert_eq!(timeouts.budget(Step::EndOfData).as_secs(), 30, "{url}");
    }
}

// The getters return what the setters were given.
#[test]
fn a_configuration_can_be_read_back() {
    let config = parse(
        "smtps://tim:tanstaaf@mx.example.org:2465?auth=login&hello=me.example&ignore=dsn&server_name=other.example&deadline=9",
    );
    assert_eq!(config.get_host(), Some("mx.example.org"));
    assert_eq!(config.get_port(), Some(2465));
    assert_eq!(config.get_unix_path(), None);
    assert_eq!(config.get_security(), Security::ImplicitTls);
    assert_eq!(config.get_protocol(), Protocol::Smtp);
    assert_eq!(config.get_credentials().unwrap().user(), "tim");
    assert_eq!(config.get_mechanisms().unwrap(), ["LOGIN"]);
    assert_eq!(config.get_hello_name(), Some("me.example"));
    assert_eq!(config.get_ignored(), ["DSN"]);
    assert_eq!(config.get_tls_server_name(), Some("other.example"));
    assert_eq!(config.get_deadline(), Some(Duration::from_secs(9)));
    let config = parse("lmtp+unix:///run/lmtp");
    assert_eq!(config.get_unix_path(), Some("/run/lmtp".as_ref()));
    assert_eq!((config.get_host(), config.get_port()), (None, None));
    assert_eq!(Config::new("mx").get_tls_server_name(), Some("mx"));
    let config = parse("smtp://mx?ca=/a.pem,/b.pem&roots=only&cert=/c.pem&key=/k.pem");
    assert_eq!(
        config.get_root_certificate_files(),
        ["/a.pem", "/b.pem"].map(PathBuf::from)
    );
    assert!(config.get_only_given_roots());
    let identity = config.get_client_identity_files();
    assert_eq!(identity, Some(("/c.pem".as_ref(), "/k.pem".as_ref())));
    for is_on in [false, true] {
        let config = Config::new("mx")
            .danger_accept_invalid_certs(is_on)
            .danger_accept_invalid_hostnames(is_on)
            .danger_allow_plaintext_auth(is_on);
        assert_eq!(config.get_danger_accept_invalid_certs(), is_on);
        assert_eq!(config.get_danger_accept_invalid_hostnames(), is_on);
        assert_eq!(config.get_danger_allow_plaintext_auth(), is_on);
    }
    let config = Config::new("mx");
    assert!(!config.has_tls_connector() && !config.has_transport());
    let config = config
        .tls_connector(TestCa::get().connector())
        .transport(|_, _| {
            Err::<smtplib::connection::TcpTransport, _>(std::io::ErrorKind::NotFound.into())
        });
    assert!(config.has_tls_connector() && config.has_transport());
    assert_eq!(Config::try_from("smtp://mx").unwrap().get_port(), Some(587));
    assert!(Config::try_from("http://mx".to_owned()).is_err());
}

// The URL is as short as possible, and has no password.
#[test]
fn a_configuration_is_written_as_a_url() {
    for (url, written) in [
        ("smtp://mx", "smtp://mx"),
        ("SMTP://mx:587/", "smtp://mx:587"),
        (
            "smtp://tim%40a:tanst@af@mx?tls=required",
            "smtp://tim%40a@mx",
        ),
        ("smtp://mx?tls=none&tls_=", ""),
        ("smtp://mx?tls=opportunistic", "smtp://mx?tls=opportunistic"),
        ("smtps://[::1]", "smtps://[::1]"),
        ("smtp://[fe80::1%25eth0]:25", "smtp://[fe80::1%25eth0]:25"),
        ("lmtp://mx", "lmtp://mx"),
        ("lmtps://mx", "lmtps://mx"),
        ("lmtp+unix:///run/%6Cmtp%20x", "lmtp+unix:///run/lmtp%20x"),
        ("smtp+unix:///run/x", "smtp+unix:///run/x"),
        (
            "smtp://tim@mx?auth=XOAUTH2,oauthbearer",
            "smtp://tim@mx?auth=xoauth2,oauthbearer",
        ),
        (
            "smtp://mx?key=/k&roots=only&cert=/c&ca=/a,/b%2Cc",
            "smtp://mx?ca=/a,/b%2Cc&roots=only&cert=/c&key=/k",
        ),
        ("smtp://mx?cert=/c", "smtp://mx?cert=/c&key=/c"),
        (
            "smtp://mx?body_timeout=500ms&timeout=30s",
            "smtp://mx?timeout=30&body_timeout=500ms",
        ),
        ("smtp://mx?data_timeout=7", "smtp://mx?data_timeout=7"),
        (
            "smtp://mx?hello=[192.0.2.1]&ignore=DSN,dsn&server_name=a&deadline=1000ms",
            "smtp://mx?server_name=a&ignore=dsn&hello=[192.0.2.1]&deadline=1",
        ),
    ] {
        let Ok(config) = url.parse::<Config>() else {
            assert_eq!(written, "", "{url}");
            continue;
        };
        assert_eq!(config.to_string(), written, "{url}");
        assert_eq!(parse(written).to_string(), written);
    }
    let token = Config::new("mx").credentials(Credentials::bearer("tim", "tanstaaf"));
    let written = "smtp://tim@mx?auth=oauthbearer,xoauth2";
    assert_eq!(token.to_string(), written);
    assert!(!format!("{token}").contains("tanstaaf"));
}

// A private authority from files, without the caller's own connector.
#[test]
fn certificates_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ca = file("ca.pem", TestCa::get().root_pem());
    let client = TestCa::get().client();
    let both = file("me.pem", &format!("{}\n{}", client.certificate, client.key));
    let peer = session(&[], "C: QUIT\nS: 221 bye").listen_tls();
    let options = format!("ca={ca}&roots=only&cert={both}&hello=client.example");
    let url = format!("smtps://{}:{}?{options}", peer.host(), peer.port());
    let config = parse(&url);
    config.check().unwrap();
    config.connect().unwrap().quit();
    peer.finish();

    let sentence = |config: &Config| config.check().unwrap_err().to_string();
    let missing = parse("smtp://mx?ca=/nonexistent/ca.pem");
    assert_eq!(
        sentence(&missing),
        "the file /nonexistent/ca.pem cannot be read: entity not found"
    );
    let text = file("text.pem", "no certificate");
    let expected = format!("the file {text} is not PEM");
    assert_eq!(sentence(&parse(&format!("smtp://mx?ca={text}"))), expected);
    // Also if TLS begins later, by hand.
    let plain = parse(&format!("smtp://mx?tls=none&ca={text}"));
    assert_eq!(sentence(&plain), expected);
}

// Field D7: neither is ignored silently.
#[test]
fn a_connector_and_certificates_do_not_mix() {
    let config = Config::new("mx")
        .tls_connector(TestCa::get().connector())
        .root_certificates(TestCa::get().root_pem());
    let error = failure(&config);
    assert!(
        matches!(error, Error::Config(ConfigError::Connector)),
        "{error:?}"
    );
}

#[cfg(feature = "local-address")]
#[test]
fn a_local_address() {
    for (url, written) in [
        ("smtp://mx?local=192.0.2.1", "smtp://mx?local=192.0.2.1"),
        ("smtp://mx?local=::1", "smtp://mx?local=::1"),
        ("smtp://mx?local=[::1]:99", "smtp://mx?local=[::1]:99"),
    ] {
        assert_eq!(parse(url).to_string(), written);
    }
    let error = refused("smtp://mx?local=host");
    assert_eq!(error, ConfigError::Value("local".into()));
}

#[cfg(not(feature = "local-address"))]
#[test]
fn a_local_address_needs_its_feature() {
    assert_eq!(
        refused("smtp://mx?local=192.0.2.1").to_string(),
        "an option needs the feature local-address of this library"
    );
}

// As a text, and as a table with the same names.
#[cfg(feature = "serde")]
#[test]
fn a_configuration_in_a_file() {
    let read = |text: &str| serde_json::from_str::<Config>(text);
    let config = read(r#""smtp://tim:tanstaaf@mx?tls=none""#).unwrap();
    assert_eq!(
        serde_json::to_string(&config).unwrap(),
        r#""smtp://tim@mx?tls=none""#
    );
    for (table, written) in [
        (r#"{"host": "mx"}"#, "smtp://mx"),
        (
            r#"{"scheme": "smtps", "host": "::1", "port": 2465, "user": "tim", "password": "a,b@:/"}"#,
            "smtps://tim@[::1]:2465",
        ),
        (
            r#"{"path": "/run/lmtp", "timeout": 30, "ignore": ["dsn", "x-y"]}"#,
            "lmtp+unix:///run/lmtp?ignore=dsn,x-y&timeout=30",
        ),
        (
            r#"{"host": "mx", "tls": "none", "ca": ["/a,b", "/c"], "auth": "plain,login", "connect_timeout": "500ms"}"#,
            "smtp://mx?tls=none&ca=/a%2Cb,/c&auth=plain,login&connect_timeout=500ms",
        ),
        (
            r#"{"scheme": "maildir", "path": "mail/a b"}"#,
            "maildir://./mail/a%20b",
        ),
        (
            r#"{"scheme": "sendmail", "path": "../bin/sendmail"}"#,
            "sendmail://../bin/sendmail",
        ),
        (r#"{"path": "lmtp"}"#, "lmtp+unix://./lmtp"),
        (
            r#"{"host": "mx", "user": "tim", "password": "token", "auth": "xoauth2"}"#,
            "smtp://tim@mx?auth=xoauth2",
        ),
    ] {
        let config = read(table).unwrap_or_else(|error| panic!("{table}: {error}"));
        assert_eq!(config.to_string(), written, "{table}");
    }
    let config = read(r#"{"host": "mx", "user": "tim", "password": "a,b@:/"}"#).unwrap();
    let expected = Credentials::password("tim", "a,b@:/");
    assert_eq!(config.get_credentials(), Some(&expected));
}

#[cfg(feature = "serde")]
#[test]
fn what_is_no_configuration_in_a_file() {
    let read = |text: &str| serde_json::from_str::<Config>(text);
    for (text, sentence) in [
        (
            "7",
            "invalid type: integer `7`, expected the URL of a mail server, or a table with host, port, user and so on",
        ),
        (r#""http://mx""#, "the URL must begin with smtp://"),
        (r#"{"tls": "none"}"#, "the host must be a name"),
        (
            r#"{"host": "mx", "ssl": "x"}"#,
            "there is no option \"ssl\"",
        ),
        (
            r#"{"host": "mx", "tls": "off"}"#,
            "the option \"tls\" must be required",
        ),
        (
            r#"{"host": "mx", "host": "mx"}"#,
            "the option \"host\" is given twice",
        ),
        (r#"{"host": "mx", "port": 0}"#, "the port is not a number"),
        (
            r#"{"host": "mx", "path": "/run/lmtp"}"#,
            "the option \"path\" must be a path, without a host and a port",
        ),
        (
            r#"{"port": 24, "path": "/run/lmtp"}"#,
            "the option \"path\" must be a path, without a host and a port",
        ),
        (r#"{"path": ""}"#, "the option \"path\" must be a path"),
        (
            r#"{"scheme": "smtp", "path": "mx"}"#,
            "the host must be a name",
        ),
        (
            r#"{"host": "mx", "password": "tanstaaf"}"#,
            "there is a password but no user",
        ),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(sentence), "{text}: {error}");
        assert!(!error.contains("tanstaaf"));
    }
}

// A password that lacks its quotes is not shown.
#[cfg(feature = "serde")]
#[test]
fn no_value_of_a_file_is_shown() {
    for (value, sentence) in [
        (
            "1234.5",
            "invalid type: a number with a fraction, expected a text, a number, or an array of texts",
        ),
        (
            "-1e99",
            "invalid type: a number with a fraction, expected a text",
        ),
        (
            "true",
            "invalid type: a boolean, expected a text, a number, or an array of texts",
        ),
        ("[1234]", "invalid type: a number, expected a text"),
        ("[-1234]", "invalid type: a number, expected a text"),
        ("[1234.5]", "invalid type: a number, expected a text"),
        ("[true]", "invalid type: a boolean, expected a text"),
        ("{\"1234\": 1234}", "invalid type: map, expected a text"),
        ("[[1234]]", "invalid type: sequence, expected a text"),
        ("null", "invalid type: null, expected a text"),
    ] {
        let table = format!(r#"{{"host": "mx", "user": "tim", "password": {value}}}"#);
        let value: serde_json::Value = serde_json::from_str(&table).unwrap();
        for error in [
            serde_json::from_str::<Config>(&table).unwrap_err(),
            serde_json::from_value::<Config>(value).unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(error.starts_with(sentence), "{table}: {error}");
            assert!(!error.contains("1234"), "{error}");
        }
    }
    for (value, password) in [
        ("1234", "1234"),
        ("-1234", "-1234"),
        (r#"["1234"]"#, "1234"),
    ] {
        let table = format!(r#"{{"host": "mx", "user": "tim", "password": {value}}}"#);
        let config: Config = serde_json::from_str(&table).unwrap();
        let expected = Credentials::password("tim", password);
        assert_eq!(config.get_credentials(), Some(&expected));
    }
}
