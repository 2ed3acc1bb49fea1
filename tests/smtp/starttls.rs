//! STARTTLS: nothing from before it counts after it, and there is no way back.
use crate::peer::Script;
use crate::support::session::{
    SHORT, config, failure, hello, implicit, said, session, soon, starttls,
};
use smtplib::error::{ProtocolError, TlsReason};
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Error, Security};

/// EHLO with STARTTLS offered and asked for, and this reply to STARTTLS.
fn asked(answer: &str) -> Script {
    session(&["STARTTLS"], &format!("C: STARTTLS\n{answer}"))
}

fn with_password(config: Config) -> Config {
    config.credentials(Credentials::password("tim", "tanstaaf"))
}

// 3207-01, 3207-02, 3207-04, 3207-05, 3207-11, 5321-40, T7, T8, dialog 15
#[test]
fn everything_is_forgotten_and_asked_again() {
    let rest = format!(
        "C: STARTTLS\nS: 220 2.0.0 go ahead\nTLS\n{}\nC: QUIT\nS: 221 bye",
        hello(&["STARTTLS", "SIZE 2000"])
    );
    let peer = session(&["STARTTLS", "SIZE 1000", "AUTH PLAIN", "8BITMIME"], &rest).listen();
    let mut smtp = starttls(&peer).connect().unwrap();
    assert!(smtp.is_tls());
    assert_eq!(smtp.capabilities().size_limit(), Some(2000));
    assert!(!smtp.capabilities().has("AUTH") && !smtp.capabilities().has("8BITMIME"));
    assert!(smtp.peer_certificate().is_some());
    // Field F10
    let error = smtp.starttls().unwrap_err();
    assert_eq!(error.to_string(), "TLS is already on");
    smtp.quit();
    assert_eq!(
        peer.finish().clear(),
        b"EHLO client.example\r\nSTARTTLS\r\n"
    );
}

// Python's starttls(), by hand
#[test]
fn starttls_by_hand() {
    let rest = format!("C: STARTTLS\nS: 220 go\nTLS\n{}", hello(&["AUTH PLAIN"]));
    let peer = session(&["STARTTLS"], &rest).listen();
    let mut smtp = config(&peer).connect().unwrap();
    assert!(!smtp.is_tls() && smtp.peer_certificate().is_none());
    smtp.starttls().unwrap();
    assert!(smtp.is_tls() && smtp.capabilities().has("AUTH"));
    drop(smtp);
    peer.finish();
}

// 3207-08, 8314-04, T2, dialog 16: an attacker can remove the offer from the reply.
#[test]
fn without_the_offer_nothing_is_sent() {
    let peer = session(&["AUTH PLAIN LOGIN"], "Cclose or QUIT").listen();
    let error = failure(&with_password(starttls(&peer)));
    assert_eq!(
        said(&error),
        "the server does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)"
    );
    assert!(error.is_permanent());
    assert_eq!(peer.finish().clear(), b"EHLO client.example\r\nQUIT\r\n");
}

#[test]
fn without_the_offer_a_connection_by_hand_goes_on() {
    let peer = session(&["HELP"], "C: NOOP\nS: 250 ok").listen();
    let mut smtp = config(&peer).connect().unwrap();
    let error = smtp.starttls().unwrap_err();
    assert_eq!(error.to_string(), "the server does not offer STARTTLS");
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// 3207-07, R3, T3, dialog 17: only 220 means yes.
#[test]
fn a_refusal_is_an_error() {
    for reply in [
        "454 4.7.0 not now",
        "501 5.5.4 no",
        "502 5.5.1 no",
        "250 2.0.0 ok",
        "221 bye",
    ] {
        for security in [Security::StartTls, Security::Opportunistic] {
            let peer = asked(&format!("S: {reply}\nCclose or QUIT")).listen();
            let error = failure(&with_password(config(&peer).security(security)));
            let sentence = format!("the server refused STARTTLS: {reply}");
            assert_eq!(said(&error), sentence);
            assert_eq!(error.is_transient(), reply.starts_with('4'));
            let clear = b"EHLO client.example\r\nSTARTTLS\r\nQUIT\r\n";
            assert_eq!(peer.finish().clear(), clear);
        }
    }
    for reply in ["334 ", "354 go ahead"] {
        let peer = asked(&format!("S: {reply}\nCclose")).listen();
        let error = failure(&starttls(&peer));
        assert_eq!(
            said(&error),
            format!(
                "the server broke the protocol at STARTTLS: {} is not a reply to this command",
                &reply[..3]
            )
        );
        peer.finish();
    }
}

// 3207-07: by hand the caller decides what to do after a refusal.
#[test]
fn after_a_refusal_a_connection_by_hand_goes_on() {
    let peer = asked("S: 454 4.7.0 not now\nC: NOOP\nS: 250 ok").listen();
    let mut smtp = config(&peer).connect().unwrap();
    let error = smtp.starttls().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused STARTTLS: 454 4.7.0 not now"
    );
    assert!(!error.is_closed() && !smtp.is_tls());
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// 3207-03, T1, dialog 18: whole replies, half a line and a single byte.
#[test]
fn what_comes_with_the_220_is_an_attack() {
    for injected in [
        "S+ 250-mx.example.org\nS+ 250 AUTH LOGIN",
        "S+ 250 2.0.0 ok",
        "Sraw: 250-AUTH LOG",
        "Sraw: 2",
        r"Sraw: \x16",
    ] {
        let peer = asked(&format!("S: 220 go ahead\n{injected}\nCclose")).listen();
        let error = failure(&with_password(starttls(&peer)));
        assert_eq!(
            said(&error),
            "the server broke the protocol at STARTTLS: the server sent data between STARTTLS and the TLS handshake"
        );
        assert!(error.is_closed());
        assert_eq!(
            peer.finish().clear(),
            b"EHLO client.example\r\nSTARTTLS\r\n"
        );
    }
}

// RFC 8446, 6: a server that has none of our TLS versions may say so before it reads anything. That
// is not an attack.
#[test]
fn an_alert_before_the_handshake_is_a_refusal() {
    let alert = r"Sraw: \x15\x03\x01\x00\x02\x02\x46";
    let peer = asked(&format!("S: 220 go ahead\n{alert}\nCclose")).listen();
    let error = failure(&with_password(starttls(&peer)));
    assert_eq!(
        said(&error),
        "the TLS handshake with the server failed: the server refused TLS: it may support only versions before 1.2"
    );
    let Error::Tls(why) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(why.reason(), TlsReason::Refused);
    assert_eq!(why.step(), Step::Handshake);
    assert!(error.is_closed() && !error.is_transient());
    peer.finish();
}

// T1: text that comes a moment later is read by the TLS library, which refuses it.
#[test]
fn plain_text_instead_of_the_handshake_is_an_error() {
    let peer = asked("S: 220 go ahead\nChello\nS: 250 AUTH LOGIN\nCclose").listen();
    let error = failure(&with_password(starttls(&peer)));
    assert_eq!(
        said(&error),
        "the TLS handshake with the server failed: the server replied without TLS: 250 AUTH LOGIN; does this port expect STARTTLS?"
    );
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    peer.finish();
}

// T4: a reply that was there before the command.
#[test]
fn a_220_in_advance_is_an_attack() {
    let script = "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 STARTTLS
        S+ 220 go ahead
        Cclose";
    let peer = Script::new(script).listen();
    let error = failure(&starttls(&peer));
    assert!(
        matches!(
            error,
            Error::Protocol {
                step: Step::StartTls,
                source: ProtocolError::Unsolicited,
                ..
            }
        ),
        "{error:?}"
    );
    peer.finish();
}

// 3207-06, C2, dialog 19
#[test]
fn a_handshake_that_ends_ends_everything() {
    for end in ["EOF", "RST", "close"] {
        let peer = asked(&format!("S: 220 go ahead\nChello\n{end}\nCclose")).listen();
        let error = failure(&with_password(starttls(&peer)));
        let sentence = "the server closed the connection at the TLS handshake";
        assert_eq!(said(&error), sentence, "{end}");
        assert!(error.is_closed() && error.step() == Some(Step::Handshake));
        assert!(error.is_transient(), "{end}");
        let clear = peer.finish().clear();
        assert!(!clear.windows(4).any(|word| word == b"AUTH"));
    }
}

// 3207-06: nothing is sent in the clear after a failed handshake, not even by hand.
#[test]
fn after_a_failed_handshake_the_connection_is_closed() {
    let peer = asked("S: 220 go ahead\nTLS-refused self-signed").listen();
    let mut smtp = config(&peer).connect().unwrap();
    assert!(matches!(smtp.starttls().unwrap_err(), Error::Tls(_)));
    assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
    assert!(matches!(
        smtp.login("tim", "tanstaaf").unwrap_err(),
        Error::Closed
    ));
    assert!(!smtp.is_tls());
    peer.finish();
}

// C6, L3, L4
#[test]
fn a_handshake_that_stalls_or_drips_is_left() {
    for stall in [
        "stall 300ms",
        r"S.. 20ms raw: \x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03\x01\x02\x03\x04\x05\x06\x07",
    ] {
        let peer = asked(&format!("S: 220 go ahead\nChello\n{stall}\nCclose")).listen();
        let error = failure(&starttls(&peer).timeout(SHORT));
        let sentence = "the server took too long at the TLS handshake";
        assert_eq!(said(&error), sentence, "{stall}");
        assert!(error.is_timeout() && error.is_closed());
        peer.finish();
    }
}

// Dialog 21: what was offered in the clear does not come back after HELO.
#[test]
fn helo_inside_tls_offers_nothing() {
    let rest = "
        C: STARTTLS
        S: 220 go ahead
        TLS
        C: EHLO client.example
        S: 502 5.5.1 no
        C: HELO client.example
        S: 250 mx.example.org
        C: QUIT
        S: 221 bye";
    let peer = session(&["STARTTLS", "SIZE 1", "AUTH PLAIN"], rest).listen();
    let smtp = starttls(&peer).connect().unwrap();
    assert!(smtp.is_tls());
    assert_eq!(smtp.capabilities().iter().count(), 0);
    smtp.quit();
    peer.finish();
}

// T7, U1: AUTH that was offered before TLS does not count.
#[test]
fn auth_in_the_clear_is_no_offer() {
    let rest = format!(
        "C: STARTTLS\nS: 220 go\nTLS\n{}\nC: QUIT\nS: 221 bye\nCclose",
        hello(&["SIZE 1"])
    );
    let peer = session(&["STARTTLS", "AUTH PLAIN"], &rest).listen();
    let error = failure(&with_password(starttls(&peer)));
    assert_eq!(
        said(&error),
        "the server does not offer AUTH: use another port or server, or no credentials"
    );
    peer.finish();
}

// 3207-08: opportunistic TLS must be chosen explicitly.
#[test]
fn opportunistic_takes_what_is_there() {
    let rest = format!("C: STARTTLS\nS: 220 go\nTLS\n{}", hello(&[]));
    let peer = session(&["STARTTLS"], &rest).listen();
    let smtp = config(&peer)
        .security(Security::Opportunistic)
        .connect()
        .unwrap();
    assert!(smtp.is_tls());
    drop(smtp);
    peer.finish();

    let peer = session(&["SIZE 1"], "").listen();
    let smtp = config(&peer)
        .security(Security::Opportunistic)
        .connect()
        .unwrap();
    assert!(!smtp.is_tls());
    drop(smtp);
    peer.finish();
}

// 3207-08, T5, T6: it never gives away a password and never accepts a wrong certificate.
#[test]
fn opportunistic_gives_no_secret_away() {
    let peer = session(&["AUTH PLAIN"], "Cclose or QUIT").listen();
    let opportunistic = config(&peer).security(Security::Opportunistic);
    let error = failure(&with_password(opportunistic));
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
    assert_eq!(peer.finish().clear(), b"EHLO client.example\r\nQUIT\r\n");

    let peer = asked("S: 220 go ahead\nTLS-refused wrong-name").listen();
    let opportunistic = config(&peer).security(Security::Opportunistic);
    let error = failure(&opportunistic);
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    peer.finish();
}

// Nothing leaves the machine, and there is no name to verify.
#[cfg(unix)]
#[test]
fn no_tls_on_a_unix_socket() {
    let script = "
        S: 220 mx.example.org
        C: LHLO client.example
        S: 250-mx.example.org
        S: 250 STARTTLS
        C: NOOP
        S: 250 ok";
    let peer = Script::new(script).listen_unix();
    let lmtp = Config::lmtp_unix(peer.path()).hello_name("client.example");
    let mut smtp = lmtp.connect().unwrap();
    let error = smtp.starttls().unwrap_err();
    let sentence = "a Unix socket has no TLS: use Security::None";
    assert_eq!(error.to_string(), sentence);
    smtp.noop().unwrap();
    drop(smtp);
    let error = failure(&lmtp.security(Security::StartTls));
    assert_eq!(error.to_string(), sentence);
    peer.finish();
}

// 8314-01, 8314-04: TLS from the first byte, and no byte of SMTP in the clear.
#[test]
fn tls_from_the_first_octet() {
    let peer = session(&["STARTTLS", "AUTH PLAIN"], "C: QUIT\nS: 221 bye").listen_tls();
    let smtp = implicit(&peer).connect().unwrap();
    assert!(smtp.is_tls() && smtp.capabilities().has("AUTH"));
    smtp.quit();
    assert_eq!(peer.finish().clear(), b"");
}

// C7: TLS with a server that speaks plain text.
#[test]
fn tls_from_the_first_octet_to_a_server_that_speaks_first() {
    let peer = Script::new("Chello\nS: 220 mx.example.org ESMTP\nCclose").listen();
    let error = failure(&implicit(&peer));
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    assert_eq!(
        said(&error),
        "the TLS handshake with the server failed: the server replied without TLS: 220 mx.example.org ESMTP; does this port expect STARTTLS?"
    );
    peer.finish();
}

// C7: plain text with a server that speaks TLS.
#[test]
fn plain_text_to_a_server_that_speaks_tls() {
    let peer = Script::new("S: 220 never seen").listen_tls();
    let error = soon(|| failure(&config(&peer).timeout(SHORT)));
    assert_eq!(
        said(&error),
        "the server sent no greeting in time: does this port speak TLS from the first byte?"
    );
    assert!(peer.outcome().is_err(), "there was no TLS");
}

// 8314-11, C4: an end without TLS's `close_notify`, in the middle of a reply and before one.
#[test]
fn a_reply_cut_off_inside_tls_is_none() {
    for end in ["S: 250-mx\nEOF-bare", "EOF-bare", "S: 250-mx\nEOF", "EOF"] {
        let script = format!("S: 220 mx\nC: EHLO client.example\n{end}\nCclose");
        let peer = Script::new(&script).listen_tls();
        let error = failure(&implicit(&peer));
        let sentence = "the server closed the connection at EHLO";
        assert_eq!(said(&error), sentence, "{end}");
        peer.finish();
    }
}

// L3: inside TLS, too, the budget is for the whole step.
#[test]
fn a_server_that_drips_inside_tls_is_left() {
    let peer = Script::new("S.. 20ms forever raw: x\nCclose").listen_tls();
    let error = failure(&implicit(&peer).timeout(SHORT));
    assert!(
        matches!(
            error,
            Error::Timeout {
                step: Step::Greeting | Step::Handshake,
                ..
            }
        ),
        "{error:?}"
    );
    peer.finish();
}
