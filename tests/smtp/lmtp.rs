//! RFC 2033: LHLO, and one reply for each recipient after the message.
use crate::peer::{Script, Server};
use crate::support::sending::{facts, fates, fates_in, lmtp, lmtp_session, send_hi};
use crate::support::session::said;
use smtplib::{Config, Error, Outcome, Security};
use std::time::Duration;

const THREE: [&str; 3] = ["ann@example.org", "bob@example.org", "cyd@example.org"];

/// Sends to three recipients. The second is refused at RCPT, and the dialog continues with `rest`.
/// Returns also whether the connection can still be used.
fn send_to_three(rest: &str) -> (Result<Outcome, Error>, bool) {
    let dialog = format!(
        "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: RCPT TO:<bob@example.org>
        C: RCPT TO:<cyd@example.org>
        C: DATA
        S: 250 ok
        S: 250 ann ok
        S: 550 5.1.1 no bob
        S: 250 cyd ok
        S: 354 go
        Cdata 5
        {rest}
        "
    );
    let peer = Script::new(&lmtp_session(&["PIPELINING"], &dialog)).listen();
    let mut smtp = lmtp(&peer);
    let result = send_hi(&mut smtp, &THREE);
    let is_reusable = smtp.is_reusable();
    drop(smtp);
    peer.finish();
    (result, is_reusable)
}

// 2033-01, 2033-02, 5321-17, V8, V9, dialog 68: a reply for each accepted recipient, in order.
#[test]
fn each_recipient_has_a_reply_of_its_own() {
    let (result, is_reusable) = send_to_three("S: 250 2.1.5 ann has it\nS: 250 2.1.5 cyd has it");
    let outcome = result.unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 2.1.5 ann has it",
            "bob@example.org Refused 550 5.1.1 no bob",
            "cyd@example.org Accepted 250 2.1.5 cyd has it",
        ]
    );
    assert_eq!(outcome.reply().unwrap().text(), "2.1.5 cyd has it");
    assert!(is_reusable);
}

// 2033-04: one mailbox is full; the others have the message.
#[test]
fn one_refusal_behind_the_message_fails_nobody_else() {
    for (replies, expected) in [
        (
            "S: 452 4.2.2 ann is full\nS: 250 cyd has it",
            [
                "ann@example.org Refused 452 4.2.2 ann is full",
                "bob@example.org Refused 550 5.1.1 no bob",
                "cyd@example.org Accepted 250 cyd has it",
            ],
        ),
        (
            "S: 250-ann\nS: 250 has it\nS: 552 5.2.2 cyd is full",
            [
                "ann@example.org Accepted 250 ann / has it",
                "bob@example.org Refused 550 5.1.1 no bob",
                "cyd@example.org Refused 552 5.2.2 cyd is full",
            ],
        ),
    ] {
        let (result, is_reusable) = send_to_three(replies);
        assert_eq!(fates(&result.unwrap()), expected);
        assert!(is_reusable);
    }
}

// 2033-04: all are refused, some before and some after the message.
#[test]
fn refused_by_all_behind_the_message() {
    let (result, is_reusable) = send_to_three("S: 450 ann later\nS: 554 cyd never");
    let error = result.unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)));
    assert_eq!(
        error.to_string(),
        "the server refused all recipients, first <ann@example.org>: 450 ann later"
    );
    assert_eq!(
        fates_in(&error),
        [
            "ann@example.org Refused 450 ann later",
            "bob@example.org Refused 550 5.1.1 no bob",
            "cyd@example.org Refused 554 cyd never",
        ]
    );
    assert_eq!(facts(&error), "not delivered, transient, 450");
    assert!(is_reusable);
}

// 2033-08, V8: lost between the replies: the first result stays, and the rest is unknown.
#[test]
fn lost_among_the_replies() {
    for end in [
        "EOF\nCclose",
        "Sraw: 250 cyd\nEOF\nCclose",
        "S: garbage\nCclose",
        "S: 354 go\nCclose",
    ] {
        let (result, is_reusable) = send_to_three(&format!("S: 250 ann has it\n{end}"));
        let error = result.unwrap_err();
        assert_eq!(
            fates_in(&error),
            [
                "ann@example.org Accepted 250 ann has it",
                "bob@example.org Refused 550 5.1.1 no bob",
                "cyd@example.org Unknown 250 cyd ok",
            ],
            "{end}"
        );
        let facts = facts(&error);
        assert!(
            facts.starts_with("unknown, closed, 550, at the end of the message"),
            "{facts}"
        );
        assert!(
            error
                .to_string()
                .ends_with("(the result for 2 of 3 recipients is known, first refused: <bob@example.org>: 550 5.1.1 no bob)"),
            "{error}"
        );
        assert_eq!(error.outcome().unwrap().worth_retrying().count(), 0);
        assert!(!is_reusable);
    }
}

// 2033-08, 5321-64: silence among the replies.
#[test]
fn silence_among_the_replies() {
    let dialog = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        S: 452 ann later
        Cclose
        ";
    let peer = Script::new(&lmtp_session(&[], dialog)).listen();
    let mut smtp = Config::lmtp(peer.host(), peer.port())
        .security(Security::None)
        .hello_name("client.example")
        .timeout(Duration::from_secs(1))
        .connect()
        .unwrap();
    let error = send_hi(&mut smtp, &THREE[..2]).unwrap_err();
    assert_eq!(
        facts(&error),
        "unknown, timeout, closed, 452, at the end of the message"
    );
    assert_eq!(
        fates_in(&error),
        [
            "ann@example.org Refused 452 ann later",
            "bob@example.org Unknown 250 ok",
        ]
    );
    peer.finish();
}

// 5321-15: 421 among the replies is about its recipient and the connection. For the recipients
// after it the result is unknown.
#[test]
fn farewell_among_the_replies() {
    let (result, is_reusable) = send_to_three("S: 421 4.3.2 shutting down\nCclose");
    let error = result.unwrap_err();
    assert_eq!(
        facts(&error),
        "unknown, closed, 421, at the end of the message"
    );
    assert_eq!(
        fates_in(&error),
        [
            "ann@example.org NotSent 421 4.3.2 shutting down",
            "bob@example.org Refused 550 5.1.1 no bob",
            "cyd@example.org Unknown 250 cyd ok",
        ]
    );
    assert!(!is_reusable);
    // After the last reply everything is known: one recipient has it.
    let (result, is_reusable) = send_to_three("S: 250 ann has it\nS: 421 shutting down\nCclose");
    let outcome = result.unwrap();
    // E1: the usual loop over the refused ones finds each of them.
    let refused: Vec<&str> = outcome
        .refused()
        .map(|recipient| recipient.address().local_part())
        .collect();
    assert_eq!(refused, ["bob", "cyd"]);
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 ann has it",
            "bob@example.org Refused 550 5.1.1 no bob",
            "cyd@example.org NotSent 421 shutting down",
        ]
    );
    assert!(!is_reusable);
    // Or no recipient has it.
    let (result, is_reusable) = send_to_three("S: 550 ann never\nS: 421 shutting down\nCclose");
    let error = result.unwrap_err();
    assert_eq!(
        facts(&error),
        "not delivered, transient, closed, 421, at the end of the message"
    );
    assert!(!is_reusable);
}

// 2033-03, V2: no recipient is accepted: no DATA. If DATA was in the group and got 354, no dot is
// sent, because the number of replies to it is not known.
#[test]
fn nobody_accepted() {
    let lock_step = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 550 no ann
        Cclose
        ";
    let refused = "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 ok
        S: 550 no ann
        S: 503 5.5.1 no recipients
        Cclose
        ";
    let trapped = "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 ok
        S: 550 no ann
        S: 354 go
        Cclose
        ";
    for (extensions, dialog, is_open) in [
        (&[][..], lock_step, true),
        (&["PIPELINING"], refused, true),
        (&["PIPELINING"], trapped, false),
    ] {
        let peer = Script::new(&lmtp_session(extensions, dialog)).listen();
        let mut smtp = lmtp(&peer);
        let error = send_hi(&mut smtp, &THREE[..1]).unwrap_err();
        assert!(matches!(error, Error::RecipientsRefused(_)));
        assert_eq!(fates_in(&error), ["ann@example.org Refused 550 no ann"]);
        assert_eq!(smtp.is_reusable(), is_open);
        drop(smtp);
        peer.finish();
    }
}

// A message refused as a whole at DATA has one reply, as in SMTP.
#[test]
fn data_refused() {
    let dialog = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 451 4.3.0 not now
        C: RSET
        S: 250 ok
        ";
    let peer = Script::new(&lmtp_session(&[], dialog)).listen();
    let mut smtp = lmtp(&peer);
    let error = send_hi(&mut smtp, &THREE[..1]).unwrap_err();
    assert_eq!(facts(&error), "not delivered, transient, 451");
    smtp.rset().unwrap();
    peer.finish();
}

// The next call finds a surplus reply: the accepted recipients have theirs.
#[test]
fn more_replies_than_recipients() {
    let (result, is_reusable) =
        send_to_three("S: 250 ann has it\nS: 250 cyd has it\nS+ 250 who else\nCclose");
    assert!(result.is_ok());
    assert!(!is_reusable);
}

// 2033-02: the second message on the connection has its own recipients.
#[test]
fn the_next_message_begins_anew() {
    let dialog = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        S: 250 ann has it
        S: 250 bob has it
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        S: 450 bob later
        ";
    let peer = Script::new(&lmtp_session(&[], dialog)).listen();
    let mut smtp = lmtp(&peer);
    assert!(send_hi(&mut smtp, &THREE[..2]).unwrap().is_complete());
    let error = send_hi(&mut smtp, &THREE[1..2]).unwrap_err();
    assert_eq!(fates_in(&error), ["bob@example.org Refused 450 bob later"]);
    assert_eq!(facts(&error), "not delivered, transient, 450");
    peer.finish();
}

// 2033-06: over a Unix socket, with many recipients and small buffers.
#[test]
#[cfg(unix)]
fn over_a_unix_socket() {
    let server = Server::new()
        .offer("PIPELINING")
        .offer("ENHANCEDSTATUSCODES")
        .on("RCPT TO:<no-", "550 5.1.1 no such mailbox");
    let peer = server.script().listen_unix();
    let mut smtp = Config::lmtp_unix(peer.path())
        .hello_name("client.example")
        .connect()
        .unwrap();
    let recipients: Vec<String> = (0..300)
        .map(|n| format!("{}-{n}@example.org", if n % 3 == 0 { "no" } else { "yes" }))
        .collect();
    let message = "Subject: many\n\n.\n".repeat(10_000);
    let outcome = smtp
        .sendmail("me@client.example", &recipients, &message)
        .unwrap();
    assert_eq!(outcome.accepted().count(), 200);
    assert_eq!(outcome.refused().count(), 100);
    assert_eq!(smtp.quit().unwrap().code(), 221);
    let exchanged = peer.finish();
    assert_eq!(exchanged.commands()[0], "LHLO client.example");
    assert_eq!(
        exchanged.body(0).message(),
        message.replace('\n', "\r\n").as_bytes()
    );
}

// 2033-01: LMTP never falls back to EHLO or HELO.
#[test]
fn no_way_back_to_smtp() {
    let peer = Script::new(
        "
        S: 220 mx.example.org
        C: LHLO client.example
        S: 500 5.5.1 this is SMTP
        Cclose or QUIT
        ",
    )
    .listen();
    let result = Config::lmtp(peer.host(), peer.port())
        .security(Security::None)
        .hello_name("client.example")
        .connect();
    assert_eq!(
        said(&result.unwrap_err()),
        "the server refused LHLO: 500 5.5.1 this is SMTP; does this port speak SMTP?"
    );
    peer.finish();
}
