//! The greeting, and everything that is not one.
use crate::peer::Script;
use crate::support::session::{SHORT, config, failure, opening, said, soon};
use smtplib::Error;
use smtplib::error::ProtocolError;
use smtplib::protocol::Step;

// 5321-09, 5321-47, dialog 2
#[test]
fn nothing_is_said_before_the_greeting_has_ended() {
    let script = "
        S: 220-mx.example.org ESMTP
        C-silence 20ms
        S: 220-No spam, please.
        C-silence 20ms
        S: 220 Ready.
        C: EHLO client.example
        S: 250 mx.example.org
        C: QUIT
        S: 221 bye
        Cclose";
    let peer = Script::new(script).listen();
    let smtp = config(&peer).connect().unwrap();
    let text = "mx.example.org ESMTP\nNo spam, please.\nReady.";
    assert_eq!(smtp.greeting().text(), text);
    assert_eq!(smtp.greeting().code(), 220);
    assert!(smtp.capabilities().iter().next().is_none());
    smtp.quit();
    peer.finish();
}

// R9, dialog 3: a segment can end anywhere.
#[test]
fn replies_may_come_in_any_pieces() {
    let text = opening(&["SIZE 1000", "HELP"]) + "\nC: NOOP\nS: 250 ok\nC: QUIT\nS: 221 bye";
    let whole = || Script::new(&text);
    let cuts = (1..whole().longest_block()).map(|at| whole().split_at(at));
    for script in cuts.chain([whole().split(1)]) {
        let peer = script.listen();
        let mut smtp = config(&peer).connect().unwrap();
        assert_eq!(smtp.capabilities().size_limit(), Some(1000));
        assert!(smtp.capabilities().has("HELP"));
        smtp.noop().unwrap();
        assert_eq!(smtp.quit().unwrap().to_string(), "221 bye");
        peer.finish();
    }
}

// 5321-10, 5321-31, 5321bis-01, R3, R13, dialog 4: only 220 is accepted, and after any other code
// QUIT is sent.
#[test]
fn any_other_greeting_is_a_refusal() {
    for greeting in [
        "554 5.7.1 go away",
        "521 takes no mail",
        "450 later",
        "250 ok",
        "221 bye",
        "354 go ahead",
    ] {
        let peer = Script::new(&format!("S: {greeting}\nC: QUIT\nS: 221 bye\nCclose")).listen();
        let error = failure(&config(&peer));
        assert_eq!(
            said(&error),
            format!("the server refused the connection: {greeting}")
        );
        assert_eq!(error.step(), Some(Step::Greeting));
        assert_eq!(error.is_transient(), greeting.starts_with('4'));
        assert_eq!(error.is_permanent(), greeting.starts_with('5'));
        assert!(error.is_closed());
        peer.finish();
    }
}

// 5321-15: to a server that is closing nothing more is sent.
#[test]
fn a_greeting_of_421_ends_it_at_once() {
    let peer = Script::new("S: 421 4.3.2 shutting down\nCclose").listen();
    let error = failure(&config(&peer));
    let sentence = "the server refused the connection: 421 4.3.2 shutting down";
    assert_eq!(said(&error), sentence);
    assert!(error.is_transient() && error.is_closed());
    peer.finish();
}

// Field E5: a farewell in the segment of the greeting, or of the reply to EHLO.
#[test]
fn a_farewell_behind_a_welcome() {
    let facts = |error: &Error| {
        let is_farewell = error.is_transient() && error.is_closed();
        is_farewell && error.code().is_some_and(|code| code == 421)
    };
    let farewell = "S+ 421 4.3.2 going down\nCclose";
    let peer = Script::new(&format!("S: 220 mx.example.org\n{farewell}")).listen();
    let error = failure(&config(&peer));
    assert_eq!(
        said(&error),
        "the server closed the connection at EHLO, saying: 421 4.3.2 going down"
    );
    assert!(facts(&error), "{error:?}");
    peer.finish();

    let peer = Script::new(&format!("{}\n{farewell}", opening(&["SIZE 1000"]))).listen();
    let mut smtp = config(&peer).connect().unwrap();
    assert_eq!(smtp.capabilities().size_limit(), Some(1000));
    let error = smtp.noop().unwrap_err();
    assert_eq!(
        said(&error),
        "the server closed the connection before the next command, saying: 421 4.3.2 going down"
    );
    assert!(facts(&error), "{error:?}");
    assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
    peer.finish();
}

// 5321-56, L4, dialog 5
#[test]
fn a_server_that_says_nothing_is_left() {
    let peer = Script::new("stall 300ms\nCclose").listen();
    let error = failure(&config(&peer).timeout(SHORT));
    assert_eq!(
        said(&error),
        "the server sent no greeting in time: does this port speak TLS from the first byte?"
    );
    assert!(error.is_timeout() && error.is_transient() && !error.is_permanent());
    peer.finish();
}

// 5321-63, L3: the budget is for the whole greeting, not for each byte.
#[test]
fn a_server_that_drips_is_left() {
    for drip in ["S.. 20ms forever raw: x", "S.. 150ms: 220 mx.example.org"] {
        let peer = Script::new(&format!("{drip}\nCclose")).listen();
        let error = failure(&config(&peer).timeout(SHORT));
        assert!(
            matches!(
                error,
                Error::Timeout {
                    step: Step::Greeting,
                    ..
                }
            ),
            "{error:?}"
        );
        peer.finish();
    }
}

// Dialog 6, L6
#[test]
fn a_connection_that_ends_without_a_greeting() {
    for end in [
        "EOF",
        "RST",
        "Sraw: 220-mx\nEOF",
        "S: 220-mx.example.org\nEOF",
    ] {
        let peer = Script::new(&format!("{end}\nCclose")).listen();
        let error = failure(&config(&peer));
        let sentence = "the server closed the connection at the greeting";
        assert_eq!(said(&error), sentence, "{end}");
        assert!(error.is_transient() && error.is_closed() && error.reply().is_none());
        peer.finish();
    }
}

// 5321-41, 5321-45, 5321-46, R4, R5, R6, R11, dialog 59; a greeting of 199 is Python's
// testFailingHELO.
#[test]
fn what_is_no_reply_ends_the_connection() {
    use ProtocolError::{BadCode, BadLine, CodeMismatch};
    for (octets, expected) in [
        (r"199 no such code\r\n", BadCode),
        (r"600 no such code\r\n", BadCode),
        (r"2200 mx\r\n", BadCode),
        (r"22 mx\r\n", BadCode),
        (r"220\tmx\r\n", BadCode),
        (r" 220 mx\r\n", BadCode),
        (r"\r\n", BadCode),
        (r"HTTP/1.1 400 Bad Request\r\n", BadCode),
        (r"SSH-2.0-OpenSSH_9.2\r\n", BadCode),
        (r"\x16\x03\x01\x02\x00\x01\r\n", BadLine),
        (r"\xd9\xa2\xd9\xa2\xd9\xa0 mx\r\n", BadCode),
        (r"220-mx\r\n250 no\r\n", CodeMismatch),
        (r"554-mx\r\n220 yes\r\n", CodeMismatch),
        (r"220 mx\n", BadLine),
        (r"220 m\rx\r\n", BadLine),
        (r"220 m\0x\r\n", BadLine),
    ] {
        let peer = Script::new(&format!("Sraw: {octets}\nCclose")).listen();
        let error = failure(&config(&peer));
        let Error::Protocol { step, source, .. } = error else {
            panic!("{octets}: {error:?}");
        };
        assert_eq!((step, source), (Step::Greeting, expected), "{octets}");
        peer.finish();
    }
}

// 5321-42, R7, R8: unusual but harmless greetings.
#[test]
fn odd_greetings_that_are_greetings() {
    for (octets, text) in [
        (r"220\r\n", ""),
        (r"220 \r\n", ""),
        (r"220-\r\n220\r\n", "\n"),
        (r"220 caf\xe9\r\n", "caf\u{fffd}"),
        (r"220 \x1b[2Jmx\r\n", "\u{1b}[2Jmx"),
    ] {
        let script = format!("Sraw: {octets}\nC: EHLO client.example\nS: 250 mx.example.org");
        let peer = Script::new(&script).listen();
        let smtp = config(&peer).connect().unwrap();
        assert_eq!(smtp.greeting().text(), text, "{octets}");
        assert!(!smtp.greeting().to_string().contains('\u{1b}'));
        drop(smtp);
        peer.finish();
    }
}

// 5321-53, R1, dialog 59: the peer asserts that the client closes before 16 MiB.
#[test]
fn endless_greetings_are_cut_off() {
    let line = "x".repeat(1000);
    for (script, expected) in [
        (format!("Sforever raw: {line}"), ProtocolError::LineTooLong),
        (format!("Sforever: 220-{line}"), ProtocolError::ReplyTooLong),
        ("Sforever: 220-".to_owned(), ProtocolError::ReplyTooLong),
        // Python's testLineTooLong
        (
            format!("S: 220 {}", "a".repeat(16 * 1024)),
            ProtocolError::LineTooLong,
        ),
    ] {
        let peer = Script::new(&format!("{script}\nCclose")).listen();
        let error = soon(|| failure(&config(&peer)));
        assert!(
            matches!(error, Error::Protocol { source, .. } if source == expected),
            "{error:?}"
        );
        peer.finish();
    }
}

// 5321-53: a long but harmless greeting.
#[test]
fn a_long_greeting_is_read_whole() {
    let text = "x".repeat(4000);
    let script = format!("S*20: 220-{text}\nS: 220 end\nC: EHLO client.example\nS: 250 mx");
    let peer = Script::new(&script).listen();
    let smtp = config(&peer).connect().unwrap();
    assert_eq!(smtp.greeting().lines().count(), 21);
    drop(smtp);
    peer.finish();
}
