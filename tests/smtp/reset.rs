//! RSET: it is due after a failed transaction, sent before the next one, and never hides the first
//! error.
use crate::support::sending::{connect, facts, fates, listen, send_hi, taken};
use smtplib::{Credentials, Error};

const ANN: [&str; 1] = ["ann@example.org"];

/// A transaction that works, in lock-step.
const WORKS: &str = "
    C: MAIL FROM:<me@client.example>
    S: 250 ok
    C: RCPT TO:<ann@example.org>
    S: 250 ok
    C: DATA
    S: 354 go
    Cdata 5
    S: 250 taken
    ";

/// How a transaction can be refused, and what the caller gets.
const REFUSALS: [(&str, &str); 4] = [
    (
        "C: MAIL FROM:<me@client.example>\nS: 550 5.7.1 not you\n",
        "the server refused the sender: 550 5.7.1 not you",
    ),
    (
        "C: MAIL FROM:<me@client.example>\nS: 451 later\n",
        "the server refused the sender: 451 later",
    ),
    (
        "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 550 no\n",
        "the server refused the recipient <ann@example.org>: 550 no",
    ),
    (
        "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
         C: DATA\nS: 451 4.3.0 disk full\n",
        "the server refused the message: 451 4.3.0 disk full",
    ),
];

// 5321-27, B4, dialogs 39, 43, 50: after a refused command RSET is sent first, its reply is read,
// and then the next message is sent.
#[test]
fn a_refused_transaction_is_called_off_before_the_next() {
    for (refusal, sentence) in REFUSALS {
        let peer = listen(&[], &format!("{refusal}C: RSET\nS: 250 ok\n{WORKS}"));
        let mut smtp = connect(&peer);
        let error = send_hi(&mut smtp, &ANN).unwrap_err();
        assert_eq!(error.to_string(), sentence);
        assert!(!error.is_closed() && smtp.is_reusable());
        let outcome = send_hi(&mut smtp, &ANN).unwrap();
        assert_eq!(fates(&outcome), ["ann@example.org Accepted 250 taken"]);
        peer.finish();
    }
}

// B4, dialog 55: a message that was accepted or refused has ended its transaction, so no RSET is
// sent.
#[test]
fn a_message_that_was_answered_owes_nothing() {
    let peer = listen(
        &[],
        &format!(
            "{WORKS}{}{WORKS}",
            WORKS.replace("250 taken", "554 5.7.1 spam")
        ),
    );
    let mut smtp = connect(&peer);
    taken(send_hi(&mut smtp, &ANN));
    let error = send_hi(&mut smtp, &ANN).unwrap_err();
    assert!(matches!(error, Error::DataRefused(_)));
    assert_eq!(
        error.to_string(),
        "the server refused the message: 554 5.7.1 spam"
    );
    assert_eq!(facts(&error), "not delivered, permanent, 554");
    taken(send_hi(&mut smtp, &ANN));
    peer.finish();
}

// Dialog 40, Python's test__rest_from_mail_cmd: the server refuses and closes: the caller gets the
// refusal.
#[test]
fn the_first_error_is_told_whatever_follows() {
    for (refusal, sentence) in REFUSALS {
        for end in ["EOF", "RST"] {
            let peer = listen(&[], &format!("{refusal}stall 5ms\n{end}\nCignore\n"));
            let mut smtp = connect(&peer);
            let error = send_hi(&mut smtp, &ANN).unwrap_err();
            assert_eq!(error.to_string(), sentence);
            drop(smtp);
            peer.finish();
        }
    }
}

// Dialog 41: RSET is refused: the connection is closed, the message is not the cause, and nothing
// of it was sent.
#[test]
fn a_refused_reset_closes() {
    for pipelining in [false, true] {
        let (refused, first) = REFUSALS[0];
        let dialog = if pipelining {
            "Cgroup\nC: MAIL FROM:<me@client.example>\nC: RCPT TO:<ann@example.org>\nC: DATA\n\
             S: 550 5.7.1 not you\nS: 503 no\nS: 503 no\n\
             Cgroup\nC: RSET\nC: MAIL FROM:<me@client.example>\nC: RCPT TO:<ann@example.org>\n\
             C: DATA\nS: 503 5.5.1 not now\nCclose\n"
                .to_owned()
        } else {
            format!("{refused}C: RSET\nS: 503 5.5.1 not now\nCclose\n")
        };
        let extensions: &[&str] = if pipelining { &["PIPELINING"] } else { &[] };
        let peer = listen(extensions, &dialog);
        let mut smtp = connect(&peer);
        assert_eq!(send_hi(&mut smtp, &ANN).unwrap_err().to_string(), first);
        let error = send_hi(&mut smtp, &ANN).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server refused RSET: 503 5.5.1 not now"
        );
        assert_eq!(
            facts(&error),
            "not delivered, transient, closed, 503, at RSET"
        );
        assert!(!smtp.is_reusable());
        peer.finish();
    }
}

// 5321-28, B4: RSET by hand: the offers stay known, and RSET is not sent again.
#[test]
fn reset_by_hand() {
    let peer = listen(
        &["SIZE 1000"],
        &format!(
            "{}C: RSET\nS: 250 ok\n{}",
            REFUSALS[2].0.replace("example>\nS", "example> SIZE=5\nS"),
            WORKS.replace(
                "example>\n    S: 250 ok\n    C: RCPT",
                "example> SIZE=5\n    S: 250 ok\n    C: RCPT"
            )
        ),
    );
    let mut smtp = connect(&peer);
    assert!(send_hi(&mut smtp, &ANN).is_err());
    smtp.rset().unwrap();
    assert_eq!(smtp.capabilities().size_limit(), Some(1000));
    taken(send_hi(&mut smtp, &ANN));
    peer.finish();
}

// 5321-19: EHLO cancels a transaction, too (RFC 5321, 4.1.4).
#[test]
fn ehlo_pays_the_debt() {
    let peer = listen(
        &[],
        &format!(
            "{}C: EHLO client.example\nS: 250 mx.example.org\n{WORKS}",
            REFUSALS[3].0
        ),
    );
    let mut smtp = connect(&peer);
    assert!(send_hi(&mut smtp, &ANN).is_err());
    smtp.ehlo().unwrap();
    taken(send_hi(&mut smtp, &ANN));
    peer.finish();
}

// RFC 4954, 4 (4954-02): the reply to RCPT is "authenticate first". AUTH inside the transaction
// would be refused.
#[test]
fn auth_comes_behind_the_reset() {
    let peer = listen(
        &["AUTH PLAIN"],
        &format!(
            "
            C: MAIL FROM:<me@client.example>
            S: 250 ok
            C: RCPT TO:<ann@example.org>
            S: 530 5.7.0 authenticate first
            C: RSET
            S: 250 ok
            C: AUTH PLAIN AG1lAHNlY3JldA==
            S: 235 2.7.0 welcome
            {WORKS}
            "
        ),
    );
    let mut smtp = crate::support::sending::config(&peer)
        .danger_allow_plaintext_auth(true)
        .connect()
        .unwrap();
    assert!(send_hi(&mut smtp, &ANN).is_err());
    smtp.login_with(&Credentials::password("me", "secret"))
        .unwrap();
    taken(send_hi(&mut smtp, &ANN));
    peer.finish();
}

// B4: QUIT needs no RSET before it.
#[test]
fn quit_owes_nothing() {
    let peer = listen(
        &[],
        &format!("{}C: QUIT\nS: 221 bye\nCclose\n", REFUSALS[2].0),
    );
    let mut smtp = connect(&peer);
    assert!(send_hi(&mut smtp, &ANN).is_err());
    assert_eq!(smtp.quit().unwrap().code(), 221);
    peer.finish();
}
