//! The connection fails at every step, in every way: what the caller learns, and whether the
//! message may have been accepted.
use crate::peer::{Peer, TestCa};
use crate::support::sending::{
    budgets, config, connect, facts, fates, fates_in, listen, script, send_hi,
};
use crate::support::session::{connect_watched, wait_for_input};
use smtplib::protocol::Step;
use smtplib::{Config, Delivery, Error, Outcome, Security, SmtpConnection};
use std::thread;
use std::time::{Duration, Instant};

const TWO: [&str; 2] = ["ann@example.org", "bob@example.org"];

/// A transaction in lock-step, command by command.
const DIALOG: [(&str, &str, Step); 5] = [
    ("C: MAIL FROM:<me@client.example>", "S: 250 ok", Step::Mail),
    ("C: RCPT TO:<ann@example.org>", "S: 250 ok", Step::Rcpt),
    ("C: RCPT TO:<bob@example.org>", "S: 550 no", Step::Rcpt),
    ("C: DATA", "S: 354 go", Step::Data),
    ("Cdata 5", "S: 250 taken", Step::EndOfData),
];

/// The results for the recipients if it runs to its end.
const TAKEN: [&str; 2] = [
    "ann@example.org Accepted 250 taken",
    "bob@example.org Refused 550 no",
];

/// The dialog up to the command with this number, with `end` instead of its reply.
fn broken_at(number: usize, end: &str) -> String {
    let mut text: String = DIALOG[..number]
        .iter()
        .map(|(command, reply, _)| format!("{command}\n{reply}\n"))
        .collect();
    text.push_str(&format!("{}\n{end}\n", DIALOG[number].0));
    text
}

/// What is known about the recipients if the dialog ends there.
fn expected_fates(number: usize) -> Vec<&'static str> {
    match number {
        0 | 1 => vec![],
        2 => vec![
            "ann@example.org NotSent 250 ok",
            "bob@example.org NotSent -",
        ],
        3 => vec![
            "ann@example.org NotSent 250 ok",
            "bob@example.org Refused 550 no",
        ],
        _ => vec![
            "ann@example.org Unknown 250 ok",
            "bob@example.org Refused 550 no",
        ],
    }
}

/// The code of the earlier refusal, which an error that ends the dialog knows (field C9).
fn refusal(number: usize) -> &'static str {
    if number >= 3 { ", 550" } else { "" }
}

/// Runs a dialog that ends in an error, and asserts that the connection is closed.
fn fails(peer: Peer) -> Error {
    let mut smtp = connect(&peer);
    let error = send_hi(&mut smtp, &TWO).unwrap_err();
    assert_dead(&mut smtp);
    peer.finish();
    error
}

fn assert_dead(smtp: &mut SmtpConnection) {
    assert!(!smtp.is_reusable());
    assert!(matches!(send_hi(smtp, &TWO), Err(Error::Closed)));
    assert!(matches!(smtp.noop(), Err(Error::Closed)));
}

// 5321-16, 5321-64, L1, L6, dialog 56: closed instead of a reply. Only after the dot may the
// message have been accepted.
#[test]
fn closed_before_each_reply() {
    for end in ["EOF\nCclose", "close"] {
        for (number, (_, _, step)) in DIALOG.iter().enumerate() {
            let error = fails(listen(&[], &broken_at(number, end)));
            let expected = match step {
                Step::EndOfData => "unknown, closed, 550, at the end of the message".into(),
                _ => format!(
                    "not delivered, transient, closed{}, at {step}",
                    refusal(number)
                ),
            };
            assert_eq!(facts(&error), expected, "{step} {end}");
            assert_eq!(fates_in(&error), expected_fates(number), "{step}");
        }
    }
}

// 5321-16: the same by a reset.
#[test]
fn reset_before_each_reply() {
    for (number, (_, _, step)) in DIALOG.iter().enumerate() {
        let error = fails(listen(&[], &broken_at(number, "RST")));
        let is_unknown = *step == Step::EndOfData;
        assert_eq!(error.delivery() == Delivery::Unknown, is_unknown, "{step}");
        assert_eq!(error.step(), Some(*step));
        assert_eq!(error.is_transient(), !is_unknown);
        assert!(error.is_closed() && !error.is_permanent());
        assert_eq!(fates_in(&error), expected_fates(number), "{step}");
    }
}

// 5321-56, 5321-58 to 5321-60, 5321-62, 5321-64: silence instead of a reply.
#[test]
fn silence_instead_of_each_reply() {
    thread::scope(|scope| {
        for number in 0..DIALOG.len() {
            scope.spawn(move || silence_instead_of(number));
        }
    });
}

fn silence_instead_of(number: usize) {
    let peer = listen(&[], &broken_at(number, "Cclose"));
    let short = Duration::from_secs(1);
    let mut smtp = config(&peer).timeout(short).connect().unwrap();
    let begin = Instant::now();
    let error = send_hi(&mut smtp, &TWO).unwrap_err();
    assert!((short..Duration::from_secs(5)).contains(&begin.elapsed()));
    let expected = match DIALOG[number].2 {
        Step::EndOfData => "unknown, timeout, closed, 550, at the end of the message".into(),
        step => format!(
            "not delivered, transient, timeout, closed{}, at {step}",
            refusal(number)
        ),
    };
    assert_eq!(facts(&error), expected);
    assert_eq!(fates_in(&error), expected_fates(number));
    assert_dead(&mut smtp);
    peer.finish();
}

// L1: half a reply is not a reply.
#[test]
fn half_a_reply_and_then_the_end() {
    for (number, (_, reply, step)) in DIALOG.iter().enumerate() {
        let reply = reply.trim_start_matches("S: ");
        let halves = [
            format!("Sraw: {reply}"),
            format!("Sraw: {reply}\\r"),
            "Sraw: 2".into(),
            format!("S: {}-{}", &reply[..3], &reply[4..]),
        ];
        for half in halves {
            let error = fails(listen(
                &[],
                &broken_at(number, &format!("{half}\nEOF\nCclose")),
            ));
            let is_unknown = *step == Step::EndOfData;
            assert_eq!(error.delivery() == Delivery::Unknown, is_unknown, "{half}");
            assert_eq!(error.step(), Some(*step), "{half}");
            assert_eq!(fates_in(&error), expected_fates(number), "{half}");
        }
    }
}

// Dialog 59: nonsense instead of a reply.
#[test]
fn nonsense_instead_of_each_reply() {
    for (number, (_, _, step)) in DIALOG.iter().enumerate() {
        for nonsense in [
            "S: hello",
            "S: 2500 x",
            "Sraw: 250 a\\0b\\r\\n",
            "S: 250-a\nS: 550 b",
        ] {
            let error = fails(listen(
                &[],
                &broken_at(number, &format!("{nonsense}\nCclose")),
            ));
            let is_unknown = *step == Step::EndOfData;
            assert_eq!(error.delivery() == Delivery::Unknown, is_unknown);
            assert_eq!(error.step(), Some(*step), "{nonsense}");
            assert!(error.is_closed() && !error.is_permanent() && !error.is_transient());
            assert_eq!(fates_in(&error), expected_fates(number));
        }
    }
}

// L1: closed or reset after each reply, before the next command, which notices it.
#[test]
fn closed_behind_each_reply() {
    for (number, (command, reply, _)) in DIALOG.iter().enumerate().take(4) {
        for end in ["EOF", "RST"] {
            let mut dialog: String = DIALOG[..number]
                .iter()
                .map(|(command, reply, _)| format!("{command}\n{reply}\n"))
                .collect();
            dialog.push_str(&format!("{command}\n{reply}\n{end}\nCignore\n"));
            let error = fails(listen(&[], &dialog));
            // The end of data may have been sent when the reset is noticed.
            let is_unknown = error.step() == Some(Step::EndOfData);
            assert_eq!(error.delivery() == Delivery::Unknown, is_unknown, "{end}");
            assert!(!is_unknown || number == 3, "{end} behind {command}");
            assert!(error.is_closed());
        }
    }
}

// L2: what happens after the 250 changes nothing.
#[test]
fn closed_behind_the_last_reply() {
    for end in ["EOF", "close", "S+ 421 bye\nclose", "Sraw: garbage"] {
        let mut dialog: String = DIALOG
            .iter()
            .map(|(command, reply, _)| format!("{command}\n{reply}\n"))
            .collect();
        dialog.push_str(end);
        let peer = listen(&[], &dialog);
        let mut smtp = connect(&peer);
        let outcome = send_hi(&mut smtp, &TWO).unwrap();
        assert_eq!(fates(&outcome), TAKEN);
        smtp.quit();
        drop(peer.outcome());
    }
}

// 5321-15, V6: 421 instead of each reply: no RSET, no QUIT, no message.
#[test]
fn farewell_instead_of_each_reply() {
    for (number, (_, _, step)) in DIALOG.iter().enumerate() {
        let farewell = broken_at(number, "S: 421 4.3.2 shutting down\nCclose");
        let error = fails(listen(&[], &farewell));
        assert_eq!(
            facts(&error),
            format!("not delivered, transient, closed, 421, at {step}")
        );
        let expected = match number {
            0 => vec![],
            1 => vec![
                "ann@example.org NotSent 421 4.3.2 shutting down",
                "bob@example.org NotSent -",
            ],
            2 => vec![
                "ann@example.org NotSent 250 ok",
                "bob@example.org NotSent 421 4.3.2 shutting down",
            ],
            3 => vec![
                "ann@example.org NotSent 250 ok",
                "bob@example.org Refused 550 no",
            ],
            _ => vec![
                "ann@example.org NotSent 421 4.3.2 shutting down",
                "bob@example.org Refused 550 no",
            ],
        };
        assert_eq!(fates_in(&error), expected);
    }
}

// Python's test_421_from_mail_cmd: without a reply about a recipient, it is the plain error.
#[test]
fn farewell_to_mail() {
    let error = fails(listen(
        &[],
        &broken_at(0, "S: 421 4.3.2 shutting down\nCclose"),
    ));
    assert!(matches!(
        error,
        Error::Refused {
            step: Step::Mail,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "the server refused MAIL: 421 4.3.2 shutting down"
    );
}

/// The sentences of the two errors that matter most.
#[test]
fn sentences() {
    let lost = fails(listen(&[], &broken_at(4, "EOF\nCclose")));
    assert_eq!(
        lost.to_string(),
        "the server closed the connection without saying whether it took the message: sending again may duplicate it (the result for 1 of 2 recipients is known, first refused: <bob@example.org>: 550 no)"
    );
    let peer = listen(
        &[],
        "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
         C: DATA\nS: 354 go\nCdata 5\nCclose\n",
    );
    let brief = budgets(|all| all.end_of_data(Duration::from_millis(100)));
    let mut smtp = config(&peer).timeouts(brief).connect().unwrap();
    let late = send_hi(&mut smtp, &TWO[..1]).unwrap_err();
    assert_eq!(
        late.to_string(),
        "the server did not say in time whether it took the message: sending again may duplicate it"
    );
    peer.finish();
}

/// With TLS from the first byte.
fn tls(config: Config) -> Config {
    config
        .security(Security::ImplicitTls)
        .tls_connector(TestCa::get().connector())
}

/// Sends 4 MiB to Ann. After 354 the server does this.
fn send_much(behind_354: &str, is_tls: bool) -> Result<Outcome, Error> {
    let dialog = format!(
        "C: MAIL FROM:<me@client.example> SIZE=4194304\nS: 250 ok\n\
         C: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\n{behind_354}\n"
    );
    let script = script(&["SIZE"], &dialog).recv_buffer(16 * 1024);
    let brief = budgets(|all| all.body(Duration::from_secs(1)));
    let (peer, mut smtp);
    if is_tls {
        peer = script.listen_tls();
        smtp = tls(config(&peer)).timeouts(brief).connect().unwrap();
    } else {
        peer = script.listen();
        smtp = config(&peer).timeouts(brief).connect().unwrap();
    }
    let message =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(65536);
    let result = smtp.sendmail("me@client.example", ["ann@example.org"], &message);
    assert!(!smtp.is_reusable());
    drop(smtp);
    peer.finish();
    result
}

// B15, L5, dialog 57: the server refuses the message in the middle of it and closes.
#[test]
fn last_words_in_mid_body() {
    for is_tls in [false, true] {
        let read_on = "Coctets 65536\nahead\nS: 552 5.3.4 too big\nEOF\nCignore";
        let error = send_much(read_on, is_tls).unwrap_err();
        assert!(matches!(error, Error::DataRefused(_)), "{error}");
        assert_eq!(
            error.to_string(),
            "the server refused the message: 552 5.3.4 too big"
        );
        assert_eq!(facts(&error), "not delivered, permanent, 552");
        assert_eq!(
            fates_in(&error),
            ["ann@example.org Refused 552 5.3.4 too big"]
        );
    }
}

// L5: the server refuses the message and stops reading: its reply is found after the timeout.
#[test]
fn last_words_behind_a_timeout() {
    for is_tls in [false, true] {
        let stop = "Coctets 65536\nahead\nS: 552 5.3.4 too big\nstop-reading";
        let error = send_much(stop, is_tls).unwrap_err();
        assert_eq!(
            facts(&error),
            "not delivered, permanent, 552",
            "TLS {is_tls}: {error}"
        );
    }
}

// L5: the same, but the server resets the connection: its reply must not be lost.
#[test]
#[cfg(target_os = "linux")]
fn last_words_before_a_reset() {
    for (words, expected) in [
        ("S: 552 5.3.4 too big", "not delivered, permanent, 552"),
        ("S: 452 4.3.1 disk full", "not delivered, transient, 452"),
        (
            "S: 552 5.3.4 too big\nS: 421 bye",
            "not delivered, permanent, 552",
        ),
        (
            "S: 421 4.3.2 shutting down",
            "not delivered, transient, closed, 421, at the message",
        ),
        ("", "not delivered, transient, closed, at the message"),
    ] {
        let error = send_much(&format!("Coctets 65536\nahead\n{words}\nclose"), false).unwrap_err();
        assert_eq!(facts(&error), expected, "{words}");
        let status = if words.contains("52 ") {
            "Refused"
        } else {
            "NotSent"
        };
        assert!(fates_in(&error)[0].contains(status), "{error:?}");
    }
}

// L1: cut off in the message, by a reset or because the server stops reading: no end of data was
// sent.
#[test]
fn lost_in_mid_body() {
    for end in ["Coctets 65536\nRST", "Coctets 65536\nstop-reading"] {
        let error = send_much(end, false).unwrap_err();
        assert_eq!(error.step(), Some(Step::Body), "{end}");
        assert_eq!(error.delivery(), Delivery::NotDelivered);
        assert!(error.is_transient() && error.is_closed());
        assert_eq!(error.is_timeout(), end.contains("stop"), "{error}");
        assert_eq!(fates_in(&error), ["ann@example.org NotSent 250 ok"]);
    }
}

// L6, E9: a server that closes its side in the middle of a message must not accept it: it gets no
// end of data.
#[test]
fn half_closed_in_mid_body() {
    let error = send_much("Coctets 65536\nahead\nEOF\nCignore", false).unwrap_err();
    assert_eq!(
        facts(&error),
        "not delivered, transient, closed, at the message"
    );
    assert_eq!(fates_in(&error), ["ann@example.org NotSent 250 ok"]);
}

// 5321-49, B14, R10: more replies than commands, in the same segment.
#[test]
fn a_surplus_reply_ends_the_dialog() {
    for (number, (_, reply, _)) in DIALOG.iter().enumerate().take(4) {
        let surplus = broken_at(number, &format!("{reply}\nS+ 250 surplus\nCclose"));
        let error = fails(listen(&[], &surplus));
        assert!(
            error
                .to_string()
                .contains("the server sent a reply without a command"),
            "{error}"
        );
        assert_eq!(error.delivery(), Delivery::NotDelivered);
        assert_eq!(
            error.step(),
            Some([Step::Rcpt, Step::Rcpt, Step::Data, Step::Body][number])
        );
    }
}

// Field E5: a farewell in the segment of any reply counts, and the replies before it are kept.
#[test]
fn a_farewell_behind_each_reply() {
    for (number, (_, reply, _)) in DIALOG.iter().enumerate().take(4) {
        let farewell = format!("{reply}\nS+ 421 4.3.2 going down\nCclose");
        let error = fails(listen(&[], &broken_at(number, &farewell)));
        let next = DIALOG[number + 1].2;
        let step = if next == Step::EndOfData {
            Step::Body
        } else {
            next
        };
        assert_eq!(
            facts(&error),
            format!("not delivered, transient, closed, 421, at {step}")
        );
        let ends = "the server closed the connection at";
        let sentence = format!("{ends} {step}, saying: 421 4.3.2 going down");
        assert!(error.to_string().contains(&sentence), "{error}");
        // Nothing of the message was sent.
        let fates = fates_in(&error).join(", ");
        let expected = expected_fates(number + 1).join(", ");
        assert_eq!(fates, expected.replace("Unknown", "NotSent"), "{step}");
    }
}

// 5321-49: after an accepted message, the next call finds a surplus reply.
#[test]
fn a_surplus_reply_to_the_message() {
    let text = broken_at(4, "S: 250 taken\nS+ 250 surplus\nCclose");
    let peer = listen(&[], &text);
    let mut smtp = connect(&peer);
    assert_eq!(fates(&send_hi(&mut smtp, &TWO).unwrap()), TAKEN);
    let error = send_hi(&mut smtp, &TWO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server broke the protocol before the next command: the server sent a reply without a command: \"250 surplus\""
    );
    assert_eq!(facts(&error), "not delivered, closed, at rest");
    assert_dead(&mut smtp);
    peer.finish();
}

// B14, L7, dialog 69: on an idle connection the server says goodbye or only closes: nothing of the
// next message is sent.
#[test]
fn an_idle_connection_is_looked_at_first() {
    let goodbyes = [
        (
            "S: 421 4.4.2 idle for too long",
            "not delivered, transient, closed, 421, at rest",
        ),
        (
            "S: 421-4.4.2 idle\nS: 421 4.4.2 for too long\nEOF",
            "not delivered, transient, closed, 421, at rest",
        ),
        ("EOF", "not delivered, transient, closed, at rest"),
        ("RST", "not delivered, transient, closed, at rest"),
        ("S: 250 noop", "not delivered, closed, at rest"),
        ("Sraw: 42", "not delivered, closed, at rest"),
        // Field E5: half a farewell counts as one.
        (
            "Sraw: 421 4.3.2 going d",
            "not delivered, transient, closed, 421, at rest",
        ),
        (
            "Sraw: 421-4.3.2 going down\\r\\n",
            "not delivered, transient, closed, 421, at rest",
        ),
        // Field C3: any reply without a command before the end.
        (
            "S: 451 4.4.2 Timeout - closing connection\nEOF",
            "not delivered, transient, closed, 451, at rest",
        ),
        (
            "S: 550 5.4.7 idle\nEOF",
            "not delivered, transient, closed, 550, at rest",
        ),
        (
            "S: 221 2.0.0 bye\nEOF",
            "not delivered, transient, closed, 221, at rest",
        ),
        // Without an end it is not a farewell.
        ("S: 451 4.4.2 what", "not delivered, closed, at rest"),
    ];
    thread::scope(|scope| {
        for (goodbye, expected) in goodbyes {
            for is_tls in [false, true] {
                scope.spawn(move || idle(goodbye, is_tls, expected));
            }
        }
    });
}

fn idle(goodbye: &str, is_tls: bool, expected: &str) {
    let tail = if goodbye == "RST" { "" } else { "Cclose" };
    let text = broken_at(4, &format!("S: 250 taken\nstall 1ms\n{goodbye}\n{tail}"));
    let script = script(&[], &text);
    let (peer, configured);
    if is_tls {
        peer = script.listen_tls();
        configured = tls(config(&peer));
    } else {
        peer = script.listen();
        configured = config(&peer);
    }
    let (mut smtp, watched) = connect_watched(&peer, &configured);
    assert_eq!(fates(&send_hi(&mut smtp, &TWO).unwrap()), TAKEN);
    wait_for_input(&watched);
    // Directly after a message the connection is not idle yet.
    thread::sleep(Duration::from_millis(2));
    let error = send_hi(&mut smtp, &TWO).unwrap_err();
    assert_eq!(facts(&error), expected, "{goodbye}");
    assert_dead(&mut smtp);
    peer.finish();
}

// 5321-31: QUIT is sent only on a connection that is open.
#[test]
fn no_quit_on_a_broken_connection() {
    let peer = listen(&[], &broken_at(2, "S: 421 bye\nCclose"));
    let mut smtp = connect(&peer);
    assert!(send_hi(&mut smtp, &TWO).is_err());
    assert_eq!(smtp.quit(), None);
    peer.finish();
}
