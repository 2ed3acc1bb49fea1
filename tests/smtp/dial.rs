//! Opening the connection, and how long it may take.
#[cfg(target_os = "linux")]
use crate::peer::Deaf;
use crate::peer::{Refusing, Script};
use crate::support::session::{SHORT, config, config_for, failure, hello, said, session};
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Error, Security, SmtpConnection};
use std::net::TcpStream;
use std::time::Duration;

// Python's testBasic1, over both address families and by name.
#[test]
fn every_kind_of_host() {
    let peer = session(&[], "C: QUIT\nS: 221 bye").listen_v6();
    config(&peer).connect().unwrap().quit();
    peer.finish();
    let peer = session(&[], "C: QUIT\nS: 221 bye").listen();
    config_for("localhost", peer.port())
        .connect()
        .unwrap()
        .quit();
    peer.finish();
}

// Python's SMTP(host, port): the short way.
#[test]
fn the_short_way() {
    let script = "S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250 mx\nC: QUIT\nS: 221 bye";
    let peer = Script::new(script).listen();
    let smtp = SmtpConnection::connect(&peer.host(), peer.port()).unwrap();
    smtp.quit();
    peer.finish();
}

#[test]
fn nobody_is_there() {
    let nobody = Refusing::new().addr();
    let error = failure(&config_for("127.0.0.1", nobody.port()));
    assert!(
        matches!(
            error,
            Error::Io {
                step: Step::Connect,
                ..
            }
        ),
        "{error:?}"
    );
    let sentence = said(&error);
    let begin = "could not connect to the server: ";
    assert!(sentence.starts_with(begin), "{sentence}");
    assert!(error.is_transient() && error.is_closed());
}

#[cfg(unix)]
#[test]
fn no_socket_at_this_path() {
    let error = failure(&Config::lmtp_unix("/nonexistent/lmtp"));
    let Error::Io {
        step: Step::Connect,
        source,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
}

// L4: an address that never replies.
#[cfg(target_os = "linux")]
#[test]
fn nobody_answers() {
    let deaf = Deaf::new();
    let error = failure(&config_for("127.0.0.1", deaf.addr().port()).timeout(SHORT));
    let sentence = "could not connect to the server in time";
    assert_eq!(said(&error), sentence);
    let patient = config_for("127.0.0.1", deaf.addr().port()).deadline(SHORT);
    assert!(matches!(
        failure(&patient),
        Error::Timeout {
            step: Step::Connect,
            ..
        }
    ));
}

// The deadline is for all of connecting, logging in included: each step is fast enough, but not all
// together.
#[test]
fn a_deadline_bounds_the_whole() {
    for (offer, rest) in [
        (
            "AUTH PLAIN",
            "C~: AUTH PLAIN *\nS.. 15ms: 235 2.7.0 welcome",
        ),
        ("STARTTLS", "C: STARTTLS\nS.. 15ms: 220 2.0.0 go ahead"),
    ] {
        let script = format!(
            "
            S~150ms: 220 mx.example.org
            C: EHLO client.example
            S~150ms: 250-mx.example.org
            S: 250 {offer}
            {rest}
            Cclose"
        );
        let peer = Script::new(&script).listen();
        let config = config(&peer)
            .security(match offer {
                "STARTTLS" => Security::StartTls,
                _ => Security::None,
            })
            .credentials(Credentials::password("tim", "tanstaaf"))
            .danger_allow_plaintext_auth(true);
        let error = failure(&config.deadline(Duration::from_millis(400)));
        assert!(error.is_timeout(), "{error:?}");
        peer.finish();
    }
}

// The handshake has no more time than the deadline leaves.
#[test]
fn a_deadline_bounds_the_handshake() {
    let rest = "C: STARTTLS\nS: 220 go ahead\nChello\nCclose";
    let peer = session(&["STARTTLS"], rest).listen();
    let config = config(&peer).security(Security::StartTls);
    let error = failure(&config.deadline(2 * SHORT));
    assert!(error.is_timeout(), "{error:?}");
    peer.finish();
}

// Each call has its own deadline.
#[test]
fn a_deadline_begins_anew_with_each_call() {
    let rest = "
        C: NOOP
        S~800ms: 250 ok
        C: NOOP
        S~800ms: 250 ok
        C: NOOP
        Cclose";
    let peer = session(&[], rest).listen();
    let config = config(&peer).deadline(Duration::from_millis(1500));
    let mut smtp = config.connect().unwrap();
    smtp.noop().unwrap();
    smtp.noop().unwrap();
    assert!(smtp.noop().unwrap_err().is_timeout());
    peer.finish();
}

// 5321-56: a budget may be endless.
#[test]
fn a_budget_that_no_clock_can_hold() {
    let rest = "C: NOOP\nS: 250 ok\nC: QUIT\nS: 221 bye";
    let peer = session(&[], rest).listen();
    let config = config(&peer).timeout(Duration::MAX).deadline(Duration::MAX);
    let mut smtp = config.connect().unwrap();
    smtp.noop().unwrap();
    assert!(smtp.quit().is_some());
    peer.finish();
}

// T11: the caller's own socket, without TLS, with STARTTLS, and with TLS from the first byte.
#[test]
fn a_socket_of_the_callers_own() {
    let peer = session(&[], "C: QUIT\nS: 221 bye").listen();
    let stream = TcpStream::connect(peer.addr()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let plain = config(&peer);
    SmtpConnection::from_tcp_stream(stream, &plain)
        .unwrap()
        .quit();
    peer.finish();

    let rest = format!("C: STARTTLS\nS: 220 go\nTLS\n{}", hello(&[]));
    let peer = session(&["STARTTLS"], &rest).listen();
    let stream = TcpStream::connect(peer.addr()).unwrap();
    // The certificate is verified for the host, wherever the stream goes.
    let starttls = config_for("mx.example.org", 1).security(Security::StartTls);
    assert!(
        SmtpConnection::from_tcp_stream(stream, &starttls)
            .unwrap()
            .is_tls()
    );
    peer.finish();

    let peer = session(&[], "").listen_tls();
    let stream = TcpStream::connect(peer.addr()).unwrap();
    let implicit = config_for("localhost", 1).security(Security::ImplicitTls);
    assert!(
        SmtpConnection::from_tcp_stream(stream, &implicit)
            .unwrap()
            .is_tls()
    );
    peer.finish();
}

// T11: the caller's own socket does not weaken what the configuration asks for.
#[test]
fn a_socket_of_the_callers_own_is_no_way_around_tls() {
    let peer = session(&["AUTH PLAIN"], "C: QUIT\nS: 221 bye\nCclose").listen();
    let stream = TcpStream::connect(peer.addr()).unwrap();
    let config = config_for("mx.example.org", 1).security(Security::StartTls);
    let config = config.credentials(Credentials::password("tim", "tanstaaf"));
    let error = SmtpConnection::from_tcp_stream(stream, &config).unwrap_err();
    assert_eq!(
        said(&error),
        "the server does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)"
    );
    peer.finish();
}

// Python's testSourceAddress
#[cfg(feature = "local-address")]
#[test]
fn connections_come_from_the_local_address() {
    use std::net::{IpAddr, Ipv4Addr};

    let local = IpAddr::from(Ipv4Addr::new(127, 0, 0, 7));
    let script = "S: 220 mx\nC: EHLO [127.0.0.7]\nS: 250 mx";
    let peer = Script::new(script).listen();
    let config = Config::new(peer.host())
        .port(peer.port())
        .security(Security::None);
    drop(config.local_address((local, 0)).connect().unwrap());
    peer.finish();
}

// From an IPv4 address only the IPv4 addresses of a host can be reached.
#[cfg(feature = "local-address")]
#[test]
fn a_local_address_chooses_the_family() {
    let peer = session(&[], "").listen();
    let config = config_for("localhost", peer.port());
    drop(config.local_address(([127, 0, 0, 1], 0)).connect().unwrap());
    peer.finish();

    let config = config_for("::1", 1).local_address(([127, 0, 0, 1], 0));
    assert_eq!(
        failure(&config).to_string(),
        "could not connect to [::1]:1: the host has no address that can be reached"
    );
}
