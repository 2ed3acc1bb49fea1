//! TLS of this crate on the caller's own transport.
use crate::peer::{Peer, Script, TestCa};
use crate::support::own::{Calls, Nature, Own};
use crate::support::sending::{facts, send_hi, taken};
use crate::support::session::{SHORT, config_for, hello, said, session, soon, wait_for_input};
use smtplib::config::Timeouts;
use smtplib::error::TlsReason;
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Error, Security, SmtpConnection};
use std::io;
use std::net::TcpStream;
use std::time::Instant;

/// A configuration for the name in the certificate, which is not the peer's address.
fn own_config(security: Security) -> Config {
    config_for("mx.example.org", 2525).security(security)
}

fn own(peer: &Peer, calls: &Calls) -> Own {
    Own::new(TcpStream::connect(peer.addr()).unwrap(), calls)
}

fn fails(peer: &Peer, calls: &Calls, config: &Config) -> Error {
    soon(|| SmtpConnection::from_transport(own(peer, calls), config)).unwrap_err()
}

/// EHLO with STARTTLS offered and asked for, and then the rest.
fn asked(rest: &str) -> Script {
    session(
        &["STARTTLS"],
        &format!("C: STARTTLS\nS: 220 go ahead\n{rest}"),
    )
}

const SENDING: &str = "
    C: MAIL FROM:<me@client.example>
    S: 250 ok
    C: RCPT TO:<ann@example.org>
    S: 250 ok
    C: DATA
    S: 354 go ahead
    C| Hi!
    C| .
    S: 250 taken
    C: QUIT
    S: 221 bye
    Cclose";

// 3207-01, 8314-01, T11: TLS through a channel such as one of SSH.
#[test]
fn tls_above_a_transport() {
    let login = "C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==\nS: 235 2.7.0 welcome";
    let upgraded = format!("TLS\n{}\n{login}\n{SENDING}", hello(&["AUTH PLAIN"]));
    let implicit = format!("{login}\n{SENDING}");
    for (security, peer) in [
        (Security::StartTls, asked(&upgraded).listen()),
        (Security::Opportunistic, asked(&upgraded).listen()),
        (
            Security::ImplicitTls,
            session(&["AUTH PLAIN"], &implicit).listen_tls(),
        ),
    ] {
        let (calls, address) = (Calls::default(), peer.addr());
        let noted = calls.clone();
        let config = own_config(security)
            .credentials(Credentials::password("tim", "tanstaaf"))
            .transport(move |_, _| Ok(Own::new(TcpStream::connect(address)?, &noted)));
        let mut smtp = config.connect().unwrap();
        assert!(smtp.is_tls() && smtp.peer_certificate().is_some());
        taken(send_hi(&mut smtp, &["ann@example.org"]));
        smtp.quit();
        let clear = peer.finish().clear();
        assert!(!String::from_utf8_lossy(&clear).contains("AUTH"));
        assert_eq!(calls.take().split_off(4), ["shutdown", "drop"]);
    }
}

// The certificate of TLS counts, not the one of the transport. TLS is used even if the transport is
// protected.
#[test]
fn tls_above_a_protected_transport() {
    let peer = asked(&format!("TLS\n{}", hello(&[]))).listen();
    let own = own(&peer, &Calls::default()).with(Nature {
        certificate: Some(b"another".to_vec()),
        end_point: Some(b"another".to_vec()),
        ..Nature::protected()
    });
    let smtp = SmtpConnection::from_transport(own, &own_config(Security::StartTls)).unwrap();
    let certificate = smtp.peer_certificate().unwrap();
    assert_ne!(certificate, b"another");
    drop(smtp);
    peer.finish();

    let peer = session(&[], "Cclose or QUIT").listen();
    let own = self::own(&peer, &Calls::default()).with(Nature::protected());
    let error = SmtpConnection::from_transport(own, &own_config(Security::StartTls)).unwrap_err();
    assert_eq!(
        said(&error),
        "the server does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)"
    );
    peer.finish();
}

// STARTTLS by hand. The second EHLO has the transport's address, too.
#[test]
fn starttls_by_hand() {
    let script = "
        S: 220 mx.example.org
        C: EHLO [192.0.2.7]
        S: 250-mx.example.org
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go ahead
        TLS
        C: EHLO [192.0.2.7]
        S: 250 mx.example.org";
    let peer = Script::new(script).listen();
    let own = own(&peer, &Calls::default()).with(Nature {
        local_ip: Some([192, 0, 2, 7].into()),
        ..Nature::default()
    });
    let config = Config::new("mx.example.org")
        .security(Security::None)
        .tls_connector(TestCa::get().connector());
    let mut smtp = SmtpConnection::from_transport(own, &config).unwrap();
    smtp.starttls().unwrap();
    assert_eq!(
        smtp.starttls().unwrap_err().to_string(),
        "TLS is already on"
    );
    drop(smtp);
    peer.finish();
}

// 3207-06, C2: after a failed handshake the connection is closed, and the error has the server's
// reason.
#[test]
fn a_handshake_that_fails() {
    let reset = "the server closed the connection at the TLS handshake";
    let clear = "the TLS handshake with the server failed: the server replied without TLS: 250 AUTH LOGIN; does this port expect STARTTLS?";
    let late = "the server took too long at the TLS handshake";
    let drip =
        r"S.. 20ms raw: \x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03\x01\x02\x03\x04\x05\x06\x07";
    for (rest, sentence) in [
        ("Chello\nEOF\nCclose", reset),
        ("Chello\nRST\nCclose", reset),
        ("Chello\nS: 250 AUTH LOGIN\nCclose", clear),
        ("Chello\nstall 300ms\nCclose", late),
        (&format!("Chello\n{drip}\nCclose"), late),
    ] {
        let calls = Calls::default();
        let peer = asked(rest).listen();
        let patience = match sentence == late {
            true => SHORT,
            false => 4 * SHORT,
        };
        let timeouts = Timeouts::default().handshake(patience);
        let config = own_config(Security::StartTls).timeouts(timeouts);
        let error = fails(&peer, &calls, &config);
        assert_eq!(said(&error), sentence, "{rest}");
        assert_eq!(calls.count("shutdown"), 1, "{rest}");
        assert_eq!(calls.count("drop"), 1, "{rest}");
        peer.finish();
    }
}

// T6: the certificate is verified as usual, for the host and not for the transport's address.
#[test]
fn a_certificate_for_another_name() {
    let peer = asked("TLS-refused wrong-name").listen();
    let error = fails(&peer, &Calls::default(), &own_config(Security::StartTls));
    let Error::Tls(why) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(why.reason(), TlsReason::WrongName);
    peer.finish();

    let peer = Script::new("TLS-refused good").listen();
    let config = config_for("mail.example", 465).security(Security::ImplicitTls);
    let error = fails(&peer, &Calls::default(), &config);
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    peer.finish();
}

// L3: a timeout is reported as a timeout, whatever the TLS library makes of it.
#[test]
fn a_read_ends_at_the_deadline() {
    for stall in ["stall 300ms", "S.. 20ms forever raw: 2"] {
        let calls = Calls::default();
        let peer = session(&[], &format!("C: NOOP\n{stall}\nCclose")).listen_tls();
        let timeouts = Timeouts::default().command(SHORT);
        let config = own_config(Security::ImplicitTls).timeouts(timeouts);
        let mut smtp = SmtpConnection::from_transport(own(&peer, &calls), &config).unwrap();
        let begun = Instant::now();
        let error = soon(|| smtp.noop()).unwrap_err();
        assert!(begun.elapsed() >= SHORT);
        assert_eq!(
            facts(&error),
            "not delivered, transient, timeout, closed, at the command"
        );
        assert_eq!(calls.count("shutdown"), 1);
        peer.finish();
    }
}

#[test]
fn a_write_ends_at_the_deadline() {
    let rest = SENDING.split("C|").next().unwrap();
    let peer = session(&[], &format!("{rest}stop-reading"));
    let peer = peer.recv_buffer(4096).listen_tls();
    let timeouts = Timeouts::default().body(SHORT);
    let config = own_config(Security::ImplicitTls).timeouts(timeouts);
    let mut smtp = SmtpConnection::from_transport(own(&peer, &Calls::default()), &config).unwrap();
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    let error = soon(|| transaction.data(io::repeat(b'\n'))).unwrap_err();
    assert_eq!(
        facts(&error),
        "not delivered, transient, timeout, closed, at the message"
    );
    drop(smtp);
    peer.finish();
}

// L7, B14
#[test]
fn a_farewell_on_an_idle_transport_is_noticed() {
    let rest = "C: NOOP\nS: 250 ok\nS~20ms: 421 4.4.2 idle\nEOF\nCclose";
    let (calls, peer) = (Calls::default(), session(&[], rest).listen_tls());
    let own = own(&peer, &calls);
    let watched = own.socket.try_clone().unwrap();
    let config = own_config(Security::ImplicitTls);
    let mut smtp = SmtpConnection::from_transport(own, &config).unwrap();
    assert!(soon(|| smtp.is_reusable()));
    smtp.noop().unwrap();
    wait_for_input(&watched);
    let error = smtp.noop().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server closed the connection before the next command, saying: 421 4.4.2 idle"
    );
    assert_eq!(calls.count("shutdown"), 1);
    assert_eq!(error.step(), Some(Step::Idle));
    peer.finish();
}
