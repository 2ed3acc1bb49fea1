//! A configuration as a value: one that cannot work is an error before anything is sent.
use crate::support::session::{config, failure, nobody, session};
use smtplib::config::Timeouts;
use smtplib::error::ConfigError;
use smtplib::{Config, Credentials, Error, Security, SmtpConnection};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn reason(config: &Config) -> ConfigError {
    match failure(config) {
        Error::Config(reason) => reason,
        other => panic!("{other:?}"),
    }
}

// Python's testTimeoutZero
#[test]
fn no_budget_is_zero() {
    let peer = nobody();
    let zero = Duration::ZERO;
    for config in [
        config(&peer).timeout(zero),
        config(&peer).timeouts(Timeouts::default().quit(zero)),
        config(&peer).timeouts(Timeouts::default().end_of_data(zero)),
        config(&peer).deadline(zero),
    ] {
        assert_eq!(reason(&config), ConfigError::ZeroTimeout);
    }
    peer.finish();
}

// I1, Python's testNonnumericPort: a text that is not a host is not looked up.
#[test]
fn a_host_that_is_none() {
    for host in [
        "",
        "mx.example.org:587",
        "[::1]",
        "mx\r\nRSET",
        "smtp://mx",
        "a b",
    ] {
        assert_eq!(reason(&Config::new(host)), ConfigError::Host, "{host:?}");
        let error = SmtpConnection::connect(host, 25).unwrap_err();
        assert!(
            matches!(error, Error::Config(ConfigError::Host)),
            "{error:?}"
        );
    }
}

// A configuration that cannot work does not touch the caller's own socket either.
#[test]
fn a_socket_of_the_callers_own_is_not_touched() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let config = Config::new("mx.example.org")
        .security(Security::None)
        .mechanisms(["PLAIN"])
        .credentials(Credentials::password("tim", "tanstaaf"));
    let error = SmtpConnection::from_tcp_stream(stream, &config).unwrap_err();
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
}

// The setters can come in any order, and the last value counts.
#[test]
fn setters_do_not_depend_on_their_order() {
    let peer = session(&[], "").listen();
    let config = Config::new(peer.host())
        .security(Security::ImplicitTls)
        .port(1)
        .hello_name("other.example")
        .security(Security::None)
        .hello_name("client.example")
        .port(peer.port());
    drop(config.connect().unwrap());
    peer.finish();
}

// Configurations can be shared between threads, and connections can move between them.
#[test]
fn configurations_and_connections_can_go_anywhere() {
    fn is_shared<T: Send + Sync>() {}
    fn is_sent<T: Send>() {}
    is_shared::<Config>();
    is_shared::<Credentials>();
    is_sent::<SmtpConnection>();

    let script = "S: 220 mx\nC: EHLO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye";
    let peer = crate::peer::Script::sessions([script, script]).listen();
    let config = config(&peer);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| config.connect().unwrap().quit().unwrap());
        }
    });
    peer.finish();
}

// The `Debug` of a connection.
#[test]
fn debug_is_short() {
    let peer = session(&["SIZE 1000"], "").listen();
    let smtp = config(&peer).connect().unwrap();
    assert_eq!(
        format!("{smtp:?}"),
        format!(
            "SmtpConnection {{ server: \"127.0.0.1:{}\", protocol: Smtp, is_tls: false, is_closed: false, .. }}",
            peer.port()
        )
    );
    drop(smtp);
    peer.finish();
}
