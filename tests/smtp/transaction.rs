//! MAIL, RCPT and DATA by hand.
use crate::peer::Server;
use crate::support::sending::{
    config, connect, facts, fates, fates_in, listen, lmtp, lmtp_session, send_hi,
};
use crate::support::session::{connect_watched, wait_for_input};
use smtplib::protocol::{Parameter, Step};
use smtplib::{Delivery, Error};
use std::io::Write;
use std::thread;
use std::time::Duration;

fn parameter(text: &str) -> Parameter {
    text.parse().unwrap()
}

// 5321-22, 5321-48, Python's mail(), rcpt(), data(): each waits for its reply, whatever EHLO
// offers, and returns it.
#[test]
fn each_command_has_its_answer() {
    let peer = listen(
        &["PIPELINING"],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 2.1.0 ok
        C: RCPT TO:<ann@example.org>
        S: 250 2.1.5 welcome, ann
        C: RCPT TO:<bob@example.org>
        S: 550 5.1.1 no bob
        C: RCPT TO:<cyd@example.org>
        S: 251 2.1.5 will forward
        C: DATA
        S: 354 go
        C| Hi!
        C| .
        S: 250 2.0.0 taken
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    assert_eq!(
        transaction.rcpt("ann@example.org").unwrap().to_string(),
        "250 2.1.5 welcome, ann"
    );
    assert_eq!(transaction.rcpt("bob@example.org").unwrap().code(), 550);
    assert_eq!(transaction.rcpt("<cyd@example.org>").unwrap().code(), 251);
    let outcome = transaction.data("Hi!".as_bytes()).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 2.0.0 taken",
            "bob@example.org Refused 550 5.1.1 no bob",
            "cyd@example.org Accepted 250 2.0.0 taken",
        ]
    );
    assert!(smtp.is_reusable());
    drop(smtp);
    peer.finish();
}

// 5321-13, 5321-27: no recipient was accepted: no DATA, and RSET before the next transaction.
#[test]
fn no_data_for_nobody() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 550 no ann
        C: RSET
        S: 250 ok
        C: MAIL FROM:<>
        S: 250 ok
        C: RSET
        S: 250 ok
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    let error = transaction.data("Hi!".as_bytes()).unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)));
    assert_eq!(fates_in(&error), ["ann@example.org Refused 550 no ann"]);
    // I8: without any recipient nothing is sent.
    let transaction = smtp.mail("<>").unwrap();
    let error = transaction.data("Hi!".as_bytes()).unwrap_err();
    assert!(matches!(error, Error::NoRecipients));
    assert_eq!(
        error.to_string(),
        "the message has no recipients: add at least one"
    );
    smtp.rset().unwrap();
    peer.finish();
}

// 5321-40: MAIL cannot be sent inside an open transaction. A dropped transaction is cancelled
// before the next.
#[test]
fn a_dropped_transaction_is_called_off() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RSET
        S: 250 ok
        C: MAIL FROM:<you@client.example>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        S: 250 taken
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    drop(transaction);
    let mut transaction = smtp.mail("you@client.example").unwrap();
    transaction.rcpt("bob@example.org").unwrap();
    let mut writer = transaction.data_writer().unwrap();
    writeln!(writer, "Hi!").unwrap();
    let outcome = writer.finish().unwrap();
    assert_eq!(fates(&outcome), ["bob@example.org Accepted 250 taken"]);
    peer.finish();
}

// The same at once, and only once.
#[test]
fn a_transaction_can_be_reset_by_hand() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RSET
        S: 250 ok
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RSET
        S: 500 what
        Cclose
        ",
    );
    let mut smtp = connect(&peer);
    let reply = smtp.mail("me@client.example").unwrap().reset().unwrap();
    assert_eq!(reply.code(), 250);
    let error = smtp.mail("me@client.example").unwrap().reset().unwrap_err();
    assert_eq!(error.to_string(), "the server refused RSET: 500 what");
    assert_eq!(
        facts(&error),
        "not delivered, transient, closed, 500, at RSET"
    );
    assert!(!smtp.is_reusable());
    peer.finish();
}

// Dialog 39: `mail` returns the refusal of MAIL, and the connection can still be used.
#[test]
fn a_refused_sender() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 552 5.3.4 too much
        C: RSET
        S: 250 ok
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        ",
    );
    let mut smtp = connect(&peer);
    let error = smtp.mail("me@client.example").unwrap_err();
    assert!(matches!(error, Error::SenderRefused(_)));
    assert_eq!(facts(&error), "not delivered, permanent, 552, at MAIL");
    drop(smtp.mail("me@client.example").unwrap());
    drop(smtp);
    peer.finish();
}

// Dialogs 50 and 51, 5321-24: DATA is refused, or gets a code that is not valid for it.
#[test]
fn no_message_without_354() {
    for (reply, expected) in [
        ("451 4.3.0 later", "not delivered, transient, 451"),
        ("554 5.5.1 no", "not delivered, permanent, 554"),
        ("250 ok", "not delivered, closed, at DATA"),
        ("334 go", "not delivered, closed, at DATA"),
        ("355 go", "not delivered, closed, at DATA"),
        ("421 bye", "not delivered, transient, closed, 421, at DATA"),
    ] {
        let dialog = format!(
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
             C: DATA\nS: {reply}\nCclose\n"
        );
        let peer = listen(&[], &dialog);
        let mut smtp = connect(&peer);
        let error = send_hi(&mut smtp, &["ann@example.org"]).unwrap_err();
        assert_eq!(facts(&error), expected);
        drop(smtp);
        peer.finish();
        let peer = listen(&[], &dialog);
        let mut smtp = connect(&peer);
        let mut transaction = smtp.mail("me@client.example").unwrap();
        transaction.rcpt("ann@example.org").unwrap();
        let error = transaction.data_writer().unwrap_err();
        assert_eq!(facts(&error), expected);
        assert_eq!(smtp.is_reusable(), !error.is_closed());
        drop(smtp);
        peer.finish();
    }
}

// 5321-24: codes that are not valid for MAIL and RCPT.
#[test]
fn codes_that_are_no_answers() {
    for code in ["354", "334", "300"] {
        for (dialog, step) in [
            (
                format!("C: MAIL FROM:<me@client.example>\nS: {code} what\nCclose\n"),
                Step::Mail,
            ),
            (
                format!(
                    "C: MAIL FROM:<me@client.example>\nS: 250 ok\n\
                     C: RCPT TO:<ann@example.org>\nS: {code} what\nCclose\n"
                ),
                Step::Rcpt,
            ),
        ] {
            let peer = listen(&[], &dialog);
            let mut smtp = connect(&peer);
            let error = send_hi(&mut smtp, &["ann@example.org"]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "the server broke the protocol at {step}: {code} is not a reply to this command"
                )
            );
            assert_eq!(facts(&error), format!("not delivered, closed, at {step}"));
            peer.finish();
        }
    }
}

// 5321-15: 421 to a recipient ends the transaction and the connection. Every further call is an
// error and sends nothing.
#[test]
fn a_farewell_by_hand() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 421 4.3.2 shutting down
        Cclose
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    let error = transaction.rcpt("ann@example.org").unwrap_err();
    assert_eq!(
        facts(&error),
        "not delivered, transient, closed, 421, at RCPT"
    );
    assert_eq!(
        fates_in(&error),
        ["ann@example.org NotSent 421 4.3.2 shutting down"]
    );
    assert!(matches!(
        transaction.rcpt("bob@example.org"),
        Err(Error::Closed)
    ));
    drop(transaction);
    assert!(matches!(smtp.mail("<>"), Err(Error::Closed)));
    peer.finish();
}

// F1: after the end of the connection, further calls report that end, not missing recipients.
#[test]
fn data_behind_the_end_of_the_connection() {
    for end in ["S: 421 4.3.2 shutting down\nCclose", "close"] {
        let dialog = format!(
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\n{end}\n"
        );
        let peer = listen(&[], &dialog);
        let mut smtp = connect(&peer);
        let mut transaction = smtp.mail("me@client.example").unwrap();
        let error = transaction.rcpt("ann@example.org").unwrap_err();
        assert!(error.is_transient() && error.is_closed());
        let error = transaction.data("Hi!".as_bytes()).unwrap_err();
        assert_eq!(facts(&error), "not delivered, transient, closed");
        peer.finish();
    }
}

// 5321-49, R10, B14: a reply that comes between two calls is found before the next command, and not
// taken as the reply to it.
#[test]
fn between_two_calls() {
    for (word, expected) in [
        (
            "S: 421 4.4.2 too slow\nCclose",
            "not delivered, transient, closed, 421, at rest",
        ),
        ("S: 250 surplus\nCclose", "not delivered, closed, at rest"),
        (
            "S: 451 4.4.2 idle for too long\nEOF\nCclose",
            "not delivered, transient, closed, 451, at rest",
        ),
        (
            "S: 550 5.4.7 idle for too long\nEOF\nCclose",
            "not delivered, transient, closed, 550, at rest",
        ),
        ("EOF\nCclose", "not delivered, transient, closed, at rest"),
    ] {
        let dialog = format!(
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
             stall 1ms\n{word}\n"
        );
        for is_data in [false, true] {
            let peer = listen(&[], &dialog);
            let (mut smtp, watched) = connect_watched(&peer, &config(&peer));
            let mut transaction = smtp.mail("me@client.example").unwrap();
            transaction.rcpt("ann@example.org").unwrap();
            wait_for_input(&watched);
            let error = if is_data {
                transaction.data("Hi!".as_bytes()).unwrap_err()
            } else {
                transaction.rcpt("bob@example.org").unwrap_err()
            };
            assert_eq!(facts(&error), expected, "{word}");
            assert_eq!(fates_in(&error), ["ann@example.org NotSent 250 ok"]);
            assert!(!smtp.is_reusable());
            peer.finish();
        }
    }
}

// I1, 5321-33: an address or parameter that cannot be sent does not end the transaction.
#[test]
fn a_bad_recipient_is_nobodys_end() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        S: 250 taken
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    for bad in [
        "",
        "<>",
        "ann",
        "ann@example.org\r\nRSET",
        "a b@example.org",
    ] {
        let error = transaction.rcpt(bad).unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{bad:?}");
        assert!(!error.is_closed() && error.is_permanent());
    }
    let error = transaction
        .rcpt_with("bob@example.org", [parameter("NOTIFY=NEVER")])
        .unwrap_err();
    assert_eq!(error.to_string(), "the server does not offer DSN");
    transaction.rcpt("ann@example.org").unwrap();
    let outcome = transaction.data("Hi!".as_bytes()).unwrap();
    assert_eq!(fates(&outcome), ["ann@example.org Accepted 250 taken"]);
    peer.finish();
}

// 5321-07, 5321-21: the caller's parameters, each after one space, in the order given.
#[test]
fn parameters_by_hand() {
    let peer = listen(
        &["DSN", "8BITMIME"],
        "
        C: MAIL FROM:<me@client.example> RET=HDRS ENVID=42 BODY=8BITMIME
        S: 250 ok
        C: RCPT TO:<ann@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;ann@example.org
        S: 250 ok
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp
        .mail_with(
            "me@client.example",
            [parameter("ret=HDRS"), parameter("ENVID=42")],
        )
        .unwrap();
    transaction
        .rcpt_with(
            "ann@example.org",
            [
                parameter("NOTIFY=SUCCESS,FAILURE"),
                parameter("ORCPT=rfc822;ann@example.org"),
            ],
        )
        .unwrap();
    drop(transaction);
    drop(smtp);
    peer.finish();
}

// 5321-06, 6531-02, 6531-03: bytes above 127 in RCPT only if MAIL has said SMTPUTF8.
#[test]
fn a_utf8_recipient_by_hand() {
    let peer = listen(
        &["SMTPUTF8", "8BITMIME"],
        "
        C: MAIL FROM:<me@client.example> BODY=8BITMIME
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RSET
        S: 250 ok
        C: MAIL FROM:<me@client.example> SMTPUTF8 BODY=8BITMIME
        S: 250 ok
        C: RCPT TO:<zoë@example.org>
        S: 250 ok
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    let error = transaction.rcpt("zoë@example.org").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a recipient with letters outside ASCII needs the parameter SMTPUTF8 at MAIL"
    );
    transaction.rcpt("ann@example.org").unwrap();
    drop(transaction);
    let mut transaction = smtp
        .mail_with("me@client.example", [parameter("SMTPUTF8")])
        .unwrap();
    transaction.rcpt("zoë@example.org").unwrap();
    drop(transaction);
    drop(smtp);
    peer.finish();

    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    let error = transaction.rcpt("zoë@example.org").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server does not offer SMTPUTF8, which <zoë@example.org> needs"
    );
    drop(transaction);
    drop(smtp);
    peer.finish();
}

// 2033-02: by hand over LMTP, each recipient has its reply to the message.
#[test]
fn lmtp_by_hand() {
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
        S: 452 bob is full
        ";
    let peer = crate::peer::Script::new(&lmtp_session(&[], dialog)).listen();
    let mut smtp = lmtp(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    transaction.rcpt("bob@example.org").unwrap();
    let outcome = transaction.data("Hi!".as_bytes()).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 ann has it",
            "bob@example.org Refused 452 bob is full",
        ]
    );
    peer.finish();
}

// L1: also by hand, only the end of data makes the difference.
#[test]
fn lost_by_hand() {
    for (dialog, delivery) in [
        ("C: DATA\nEOF\nCclose", Delivery::NotDelivered),
        ("C: DATA\nS: 354 go\nCdata\nEOF\nCclose", Delivery::Unknown),
    ] {
        let dialog = format!(
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n{dialog}\n"
        );
        let peer = listen(&[], &dialog);
        let mut smtp = connect(&peer);
        let mut transaction = smtp.mail("me@client.example").unwrap();
        transaction.rcpt("ann@example.org").unwrap();
        let error = transaction.data("Hi!".as_bytes()).unwrap_err();
        assert_eq!(error.delivery(), delivery);
        assert!(error.is_closed());
        peer.finish();
    }
}

// L5: a server that refuses the message while it is being written by hand.
#[test]
#[cfg(target_os = "linux")]
fn last_words_by_hand() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Coctets 65536
        ahead
        S: 552 5.3.4 too big
        close
        ",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    let mut writer = transaction.data_writer().unwrap();
    let mut octets = 0;
    while octets < 16 << 20 && writer.write_all(&[b'\n'; 4096]).is_ok() {
        octets += 4096;
    }
    let error = writer.finish().unwrap_err();
    assert!(matches!(error, Error::DataRefused(_)), "{error}");
    assert_eq!(facts(&error), "not delivered, permanent, 552");
    assert!(!smtp.is_reusable());
    peer.finish();
}

// Each call has its own deadline: the time between two calls does not count.
#[test]
fn a_deadline_for_each_call() {
    let peer = Server::new().script().listen();
    let mut smtp = config(&peer)
        .deadline(Duration::from_secs(2))
        .connect()
        .unwrap();
    let mut transaction = smtp.mail("me@client.example").unwrap();
    for to in ["ann@example.org", "bob@example.org", "cyd@example.org"] {
        thread::sleep(Duration::from_millis(700));
        transaction.rcpt(to).unwrap();
    }
    let outcome = transaction.data("Hi!".as_bytes()).unwrap();
    assert!(outcome.is_complete());
    let transaction = smtp.mail("me@client.example").unwrap();
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(transaction.reset().unwrap().code(), 250);
    drop(smtp);
    peer.finish();
}
