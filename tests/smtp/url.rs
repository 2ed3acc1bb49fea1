//! A configuration as a URL: what each part does on the wire, and what is no part of it.
use crate::peer::{Peer, Script, TestCa};
use crate::support::session::{failure, hello, nobody, said, session, soon};
use smtplib::{Config, ConfigError, Error, Security, Step};

fn parse(url: &str) -> Config {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refused(url: &str) -> ConfigError {
    match url.parse::<Config>() {
        Ok(config) => panic!("{url}: {config:?}"),
        Err(error) => error,
    }
}

/// A URL of this peer, with `tail` behind the port.
fn at(peer: &Peer, scheme: &str, credentials: &str, tail: &str) -> Config {
    let (host, port) = (peer.host(), peer.port());
    let config = parse(&format!("{scheme}://{credentials}{host}:{port}{tail}"));
    config.tls_connector(TestCa::get().connector())
}

// 8314-01: STARTTLS unless it is said otherwise, and the way back is closed.
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

// 4422-04: only these, in this order; a bearer mechanism makes a token of the password.
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
        ("greeting_timeout=100ms", "stall 200ms", Step::Greeting),
        (
            "command_timeout=100ms",
            "S: 220 mx\nC~: EHLO *\nstall 200ms",
            Step::Hello,
        ),
        ("timeout=100ms", "stall 200ms", Step::Greeting),
        ("deadline=100ms", "stall 200ms", Step::Greeting),
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

// What is not in the table is an error (T10), and the error names the part that is wrong.
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

// Z2: whatever is wrong with a URL, the error shows nothing of what may be a password.
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

// Z1: nor in what a configuration shows of itself.
#[test]
fn no_password_is_in_a_configuration() {
    let peer = nobody();
    let config = parse("smtp://tim:tanstaaf@mx.example.org:587");
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("mx.example.org") && shown.contains("tim"));
    assert!(!shown.contains("tanstaaf") && shown.contains("***"));
    // A password that was not encoded is no part of the host; the last @ is the one that counts.
    let config = parse("smtp://tim:p@ss/w#rd@mx.example.org");
    assert!(!format!("{config:?}").contains("ss/w#rd"));
    peer.finish();
}

// A user without a password cannot log in, and a URL can be completed by the builder.
#[test]
fn a_url_and_the_builder() {
    let error = failure(&parse("smtp://tim@mx.example.org"));
    assert_eq!(error.to_string(), "the user name or password is empty");
    let peer = session(&[], "").listen();
    let config = at(&peer, "smtp", "", "?hello=client.example").security(Security::None);
    drop(config.connect().unwrap());
    peer.finish();
}
