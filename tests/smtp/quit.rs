//! The end of a connection: by QUIT, without it, and by the server.
use crate::peer::Script;
use crate::support::session::{
    SHORT, config, connect_watched, implicit, session, soon, wait_for_input,
};
use smtplib::Error;
use smtplib::config::Timeouts;
use smtplib::error::ProtocolError;
use std::time::Duration;

// 5321-31, Python's testBasic
#[test]
fn quit_returns_the_farewell() {
    let peer = session(
        &[],
        "C: QUIT\nS: 221-so long\nS: 221 2.0.0 bye\nEOF\nCclose",
    )
    .listen();
    let farewell = config(&peer).connect().unwrap().quit().unwrap();
    assert_eq!(farewell.to_string(), "221 so long / bye");
    peer.finish();
}

// L2, C5, 8314-11, dialog 58, Python's test_with_statement_QUIT_failure: the reply to QUIT decides
// nothing.
#[test]
fn quit_cannot_fail() {
    for (end, farewell) in [
        ("S: 221", Some("221")),
        ("S: 221 bye\nEOF-bare", Some("221 bye")),
        ("S: 421 QUIT FAILED", Some("421 QUIT FAILED")),
        ("S: 500 what?", Some("500 what?")),
        ("S: 354 go ahead", Some("354 go ahead")),
        ("EOF", None),
        ("EOF-bare", None),
        ("RST", None),
        ("Sraw: 22", None),
        ("Sraw: 221 bye\nEOF", None),
        (r"Sraw: \x00\xff\x13\r\n", None),
        ("Sforever: 221-bye", None),
        ("S.. 20ms forever raw: 221", None),
        ("stall 300ms", None),
    ] {
        let rest = format!("C: QUIT\n{end}\nCclose");
        let peers = [
            session(&[], &rest).listen(),
            session(&[], &rest).listen_tls(),
        ];
        for (peer, config) in peers.into_iter().zip([config, implicit]) {
            let budget = farewell.map_or(SHORT / 4, |_| Duration::from_secs(5));
            let timeouts = Timeouts::default().quit(budget);
            let smtp = config(&peer).timeouts(timeouts).connect().unwrap();
            let reply = soon(|| smtp.quit()).map(|reply| reply.to_string());
            assert_eq!(reply.as_deref(), farewell, "{end}");
            peer.finish();
        }
    }
}

// Dropping closes without QUIT, and does not wait.
#[test]
fn dropping_closes() {
    let peer = session(&[], "Cclose").listen();
    let smtp = config(&peer).connect().unwrap();
    soon(|| drop(smtp));
    peer.finish();
}

// 5321-15, L7, B14, dialog 69: the farewell was there before the next command, so nothing of it was
// sent.
#[test]
fn a_farewell_on_an_idle_connection_is_noticed() {
    let rest = "S~20ms: 421 4.4.2 idle for too long\nEOF\nCclose";
    let peers = [session(&[], rest).listen(), session(&[], rest).listen_tls()];
    for (peer, config) in peers.into_iter().zip([config, implicit]) {
        let (mut smtp, watched) = connect_watched(&peer, &config(&peer));
        wait_for_input(&watched);
        let error = smtp.noop().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server closed the connection before the next command, saying: 421 4.4.2 idle for too long"
        );
        assert!(error.is_transient() && error.is_closed());
        assert_eq!(error.code().unwrap(), 421);
        assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
        peer.finish();
    }
}

// B14: the farewell may come with the last reply, or just before the end.
#[test]
fn a_farewell_may_come_with_a_reply() {
    for rest in [
        "C: NOOP\nS: 250 ok\nS+ 421 4.3.2 shutting down\nCclose",
        "C: NOOP\nS: 250 ok\nS+ 421 4.3.2 shutting down\nEOF\nCclose",
        "C: NOOP\nSraw: 250 ok\\r\\n421 4.3.2 shutti\nS~20ms: ng down\nCclose",
    ] {
        let peer = session(&[], rest).listen();
        let (mut smtp, watched) = connect_watched(&peer, &config(&peer));
        smtp.noop().unwrap();
        if rest.contains("EOF") || rest.contains("S~") {
            wait_for_input(&watched);
        }
        let error = smtp.noop().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server closed the connection before the next command, saying: 421 4.3.2 shutting down"
        );
        assert!(error.is_transient() && error.is_closed());
        peer.finish();
    }
}

// L6, L7
#[test]
fn an_end_on_an_idle_connection_is_noticed() {
    for end in ["EOF", "EOF-bare", "RST"] {
        let rest = format!("stall 20ms\n{end}\nCclose");
        let peers = [
            session(&[], &rest).listen(),
            session(&[], &rest).listen_tls(),
        ];
        for (peer, config) in peers.into_iter().zip([config, implicit]) {
            let (mut smtp, watched) = connect_watched(&peer, &config(&peer));
            wait_for_input(&watched);
            let error = smtp.noop().unwrap_err();
            let sentence = "the server closed the connection before the next command";
            assert_eq!(error.to_string(), sentence, "{end}");
            assert!(error.is_transient());
            peer.finish();
        }
    }
}

// 5321-49, R10, B14: any reply without a command.
#[test]
fn chatter_on_an_idle_connection_is_noticed() {
    for chatter in ["S~20ms: 250 ok", "Sraw: 25", "S~20ms: hello?"] {
        let rest = format!("stall 20ms\n{chatter}\nCclose");
        let peers = [
            session(&[], &rest).listen(),
            session(&[], &rest).listen_tls(),
        ];
        for (peer, config) in peers.into_iter().zip([config, implicit]) {
            let (mut smtp, watched) = connect_watched(&peer, &config(&peer));
            wait_for_input(&watched);
            let error = smtp.noop().unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Protocol {
                        source: ProtocolError::Unsolicited,
                        ..
                    }
                ),
                "{chatter}: {error:?}"
            );
            assert!(error.is_closed());
            peer.finish();
        }
    }
}

// 5321-30: the socket is checked, and the server is not asked. NOOP asks the server.
#[test]
fn a_connection_knows_whether_it_can_be_used() {
    let rest = "C: NOOP\nS: 250 ok\nS~40ms: 421 bye\nCclose";
    let peer = session(&[], rest).listen();
    let (mut smtp, watched) = connect_watched(&peer, &config(&peer));
    assert!(smtp.is_reusable());
    smtp.noop().unwrap();
    wait_for_input(&watched);
    assert!(!smtp.is_reusable());
    assert!(smtp.quit().is_none());
    peer.finish();
}

// L4: QUIT has its own budget, even if the budget for commands is larger.
#[test]
fn quit_has_a_budget_of_its_own() {
    let peer = session(&[], "C: QUIT\nS.. 20ms forever raw: 2\nCclose").listen();
    let timeouts = Timeouts::all(Duration::from_secs(60)).quit(SHORT);
    let smtp = config(&peer).timeouts(timeouts).connect().unwrap();
    assert!(soon(|| smtp.quit()).is_none());
    peer.finish();
}

// Two sessions, one after the other, from one configuration.
#[test]
fn a_configuration_connects_as_often_as_one_likes() {
    let one = "S: 220 mx\nC: EHLO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye\nCclose";
    let peer = Script::sessions([one, one]).listen();
    let config = config(&peer);
    for _ in 0..2 {
        config.connect().unwrap().quit();
    }
    peer.finish();
}
