//! RFC 2920: many commands in one segment, and every reply in its place.
use crate::peer::{Script, Server};
use crate::support::sending::{
    connect, connect_tls, facts, fates, fates_in, listen, script, send_hi, taken,
};
use smtplib::{Error, Outcome};
use std::time::{Duration, Instant};

const TWO: [&str; 2] = ["ann@example.org", "bob@example.org"];

/// Two recipients and DATA, in one segment.
const GROUP: &str = "
    Cgroup
    C: MAIL FROM:<me@client.example>
    C: RCPT TO:<ann@example.org>
    C: RCPT TO:<bob@example.org>
    C: DATA
    ";

/// Sends to two recipients. The group gets these replies.
fn send_to_two(answers: &str) -> (Result<Outcome, Error>, bool) {
    let peer = listen(&["PIPELINING"], &format!("{GROUP}{answers}"));
    let mut smtp = connect(&peer);
    let result = send_hi(&mut smtp, &TWO);
    let is_reusable = smtp.is_reusable();
    drop(smtp);
    peer.finish();
    (result, is_reusable)
}

// 2920-01, 2920-02: everything up to DATA at once, and the message after 354.
#[test]
fn one_group_and_one_message() {
    let (result, is_reusable) = send_to_two(
        "
        C-silence 20ms
        S: 250 sender ok
        S: 250 ann ok
        S: 250 bob ok
        S: 354 go
        C| Hi!
        C| .
        S: 250 taken
        ",
    );
    assert_eq!(
        fates(&result.unwrap()),
        [
            "ann@example.org Accepted 250 taken",
            "bob@example.org Accepted 250 taken"
        ]
    );
    assert!(is_reusable);
}

// 2920-01: an earlier offer in EHLO is no permission now.
#[test]
fn without_the_offer_each_command_waits() {
    let peer = listen(
        &["PIPELINING"],
        "
        C: EHLO client.example
        S: 250 mx.example.org
        C: MAIL FROM:<me@client.example>
        C-silence 10ms
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        C-silence 10ms
        S: 250 ok
        C: DATA
        C-silence 10ms
        S: 354 go
        Cdata 5
        S: 250 taken
        ",
    );
    let mut smtp = connect(&peer);
    smtp.ehlo().unwrap();
    taken(send_hi(&mut smtp, &TWO[..1]));
    peer.finish();
}

// 2920-03, dialog 47: replies of several lines in one segment, cut at every place.
#[test]
fn replies_may_be_cut_anywhere() {
    let dialog = "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: RCPT TO:<bob@example.org>
        C: DATA
        S: 250-2.1.0 sender
        S: 250 2.1.0 ok
        S: 550-5.1.1 no
        S: 550 5.1.1 such user
        S: 250
        S: 354-go
        S: 354 ahead
        Cdata 5
        S: 250-2.0.0 taken
        S: 250 2.0.0 as 1234
        ";
    let longest = script(&["PIPELINING"], dialog).longest_block();
    for at in 1..longest {
        let peer = script(&["PIPELINING"], dialog).split_at(at).listen();
        let outcome = send_hi(&mut connect(&peer), &TWO).unwrap();
        assert_eq!(
            fates(&outcome),
            [
                "ann@example.org Refused 550 5.1.1 no / such user",
                "bob@example.org Accepted 250 2.0.0 taken / as 1234",
            ],
            "cut at {at}"
        );
        peer.finish();
    }
    assert!(longest > 90, "the block is {longest} octets");
}

// Dialogs 3 and 47, R9: byte by byte.
#[test]
fn replies_may_come_octet_by_octet() {
    let peer = script(
        &["PIPELINING"],
        &format!("{GROUP}S: 250 ok\nS: 550 no\nS: 250 ok\nS: 354 go\nCdata 5\nS: 250 taken\n"),
    )
    .split(1)
    .listen();
    let outcome = send_hi(&mut connect(&peer), &TWO).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Refused 550 no",
            "bob@example.org Accepted 250 taken"
        ]
    );
    peer.finish();
}

// 2920-04, dialog 45, V2: the server waits for a message from a sender that it refused.
#[test]
fn behind_a_refused_sender_the_message_is_a_lone_dot() {
    let (result, is_reusable) = send_to_two(
        "
        S: 550 5.7.1 not you
        S: 503 5.5.1 no sender
        S: 503 5.5.1 no sender
        S: 354 go
        Craw: .\\r\\n
        S: 554 5.5.1 no message
        ",
    );
    let error = result.unwrap_err();
    assert!(matches!(error, Error::SenderRefused(_)));
    assert_eq!(
        error.to_string(),
        "the server refused the sender: 550 5.7.1 not you"
    );
    assert_eq!(facts(&error), "not delivered, permanent, 550, at MAIL");
    assert!(is_reusable);
}

// 2920-05, V2: all recipients are refused, but not DATA. The reply to the lone dot means nothing.
#[test]
fn behind_refused_recipients_the_message_is_a_lone_dot() {
    for (verdict, is_open) in [
        ("S: 250 thank you", true),
        ("S: 554 no valid recipients", true),
        ("S: 421 bye", false),
        ("S: 354 more", false),
        ("S: nonsense", false),
        ("RST", false),
        ("EOF", false),
    ] {
        let (result, is_reusable) = send_to_two(&format!(
            "
            S: 250 ok
            S: 550 5.1.1 no ann
            S: 450 4.2.1 no bob
            S: 354 go
            Craw: .\\r\\n
            {verdict}
            "
        ));
        let error = result.unwrap_err();
        assert!(matches!(error, Error::RecipientsRefused(_)), "{verdict}");
        assert_eq!(
            fates_in(&error),
            [
                "ann@example.org Refused 550 5.1.1 no ann",
                "bob@example.org Refused 450 4.2.1 no bob",
            ]
        );
        assert_eq!(facts(&error), "not delivered, transient, 450", "{verdict}");
        assert_eq!(is_reusable, is_open, "{verdict}");
    }
}

// 2920-04: a recipient accepted after a refused sender must not get an empty message.
#[test]
fn no_dot_where_somebody_would_get_an_empty_message() {
    let (result, is_reusable) = send_to_two(
        "
        S: 550 5.7.1 not you
        S: 250 ok
        S: 503 5.5.1 no sender
        S: 354 go
        Cclose
        ",
    );
    assert!(matches!(result, Err(Error::SenderRefused(_))));
    assert!(!is_reusable);
}

// 5321-13, dialog 46: all recipients and DATA are refused: nothing more is sent, and RSET comes
// with the next MAIL.
#[test]
fn all_refused_and_data_refused() {
    let peer = listen(
        &["PIPELINING"],
        &format!(
            "{GROUP}
            S: 250 ok
            S: 550 5.1.1 no ann
            S: 550 5.1.1 no bob
            S: 554 5.5.1 no valid recipients
            Cgroup
            C: RSET
            C: MAIL FROM:<me@client.example>
            C: RCPT TO:<ann@example.org>
            C: DATA
            S: 250 ok
            S: 250 ok
            S: 250 ok
            S: 354 go
            Cdata 5
            S: 250 taken
            "
        ),
    );
    let mut smtp = connect(&peer);
    let error = send_hi(&mut smtp, &TWO).unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)));
    assert_eq!(facts(&error), "not delivered, permanent, 550");
    taken(send_hi(&mut smtp, &TWO[..1]));
    peer.finish();
}

// V6, dialog 49: 421 in the middle: nothing is read or sent after it.
#[test]
fn a_farewell_in_the_middle() {
    let (result, is_reusable) = send_to_two(
        "
        S: 250 ok
        S: 550 5.1.1 no ann
        S: 421 4.3.2 shutting down
        Cclose
        ",
    );
    let error = result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused RCPT: 421 4.3.2 shutting down (the result for 1 of 2 recipients is known, first refused: <ann@example.org>: 550 5.1.1 no ann)"
    );
    assert_eq!(
        facts(&error),
        "not delivered, transient, closed, 421, at RCPT"
    );
    assert_eq!(
        fates_in(&error),
        [
            "ann@example.org Refused 550 5.1.1 no ann",
            "bob@example.org NotSent 421 4.3.2 shutting down",
        ]
    );
    assert!(!is_reusable);
}

// 2920-03, B15: the server refuses the sender and closes: the error is the refusal, not the
// closing.
#[test]
fn a_refusal_outlives_the_connection() {
    for end in [
        "EOF\nCclose",
        "RST",
        "S: 421 bye\nCclose",
        "S: garbage\nCclose",
    ] {
        let (result, is_reusable) = send_to_two(&format!("S: 550 5.7.1 blocked\n{end}\n"));
        let error = result.unwrap_err();
        // A reset can destroy what was sent before it. Then the client has not seen the refusal.
        if end != "RST" {
            assert!(matches!(error, Error::SenderRefused(_)), "{end}: {error}");
            assert_eq!(facts(&error), "not delivered, permanent, 550, at MAIL");
        }
        assert!(!is_reusable);
    }
}

// 2920-02: parameters of a recipient and 8-bit text do not break the group. DATA is its last
// command.
#[test]
fn data_ends_the_group() {
    let recipients: Vec<String> = (0..250).map(|n| format!("r{n}@example.org")).collect();
    let peer = Server::new().offer("PIPELINING").script().listen();
    let mut smtp = connect(&peer);
    let outcome = smtp
        .sendmail("me@client.example", &recipients, "Hi!\r\n")
        .unwrap();
    assert!(outcome.is_complete());
    drop(smtp);
    let exchanged = peer.finish();
    let commands = exchanged.commands();
    assert_eq!(commands.len(), 1 + 1 + 250 + 1);
    assert_eq!(commands.last(), Some(&"DATA"));
    assert_eq!(exchanged.body(0).message(), b"Hi!\r\n");
}

/// Sends to 2,000 recipients, of which every tenth is refused, and checks all results.
fn send_to_2000(smtp: &mut smtplib::SmtpConnection) {
    let recipients: Vec<String> = (0..2000)
        .map(|n| {
            let kind = if n % 10 == 7 { "no" } else { "yes" };
            format!("{kind}-{n}@example.org")
        })
        .collect();
    let begin = Instant::now();
    let outcome = smtp
        .sendmail("me@client.example", &recipients, "Hi!\r\n")
        .unwrap();
    assert!(begin.elapsed() < Duration::from_secs(20));
    let got = outcome.recipients();
    assert_eq!(got.len(), 2000);
    for (asked, got) in recipients.iter().zip(got) {
        assert_eq!(*asked, got.address().to_string());
        assert_eq!(got.is_accepted(), asked.starts_with("yes"));
    }
    assert_eq!(outcome.refused().count(), 200);
}

fn choosy() -> Server {
    Server::new()
        .offer("PIPELINING")
        .on("RCPT TO:<no-", "550 5.1.1 no such user")
}

// 5321-23, 2920-06, V4, dialog 48: the server replies only after it has read everything, with small
// windows.
#[test]
fn two_thousand_recipients_and_a_server_that_reads_first() {
    let script = choosy().answer_after_drain().script();
    let peer = script.recv_buffer(4096).listen();
    let mut smtp = connect(&peer);
    send_to_2000(&mut smtp);
    drop(smtp);
    peer.finish();
}

#[test]
fn two_thousand_recipients_within_tls() {
    let script = choosy().answer_after_drain().script();
    let peer = script.recv_buffer(4096).listen_tls();
    let mut smtp = connect_tls(&peer);
    send_to_2000(&mut smtp);
    drop(smtp);
    peer.finish();
}

// V4: the server replies to each command at once, with long replies, and reads on only after its
// reply was written.
#[test]
fn two_thousand_recipients_and_a_server_that_never_reads_ahead() {
    let long = "x".repeat(400);
    let peer = Script::handler(move |conn| {
        conn.reply("220 mx.example.org")?;
        conn.expect("EHLO client.example")?;
        conn.reply("250-mx.example.org\r\n250 PIPELINING")?;
        loop {
            let line = conn.read_line()?;
            match line.get(..4) {
                Some("DATA") => {
                    conn.reply("354 go ahead")?;
                    conn.read_data()?;
                    conn.reply("250 taken")?;
                    return conn.expect_close();
                }
                _ if line.contains("<no-") => conn.reply(&format!("550 5.1.1 {long}"))?,
                _ => conn.reply(&format!("250 2.1.5 {long}"))?,
            }
        }
    })
    .recv_buffer(4096)
    .listen();
    let mut smtp = connect(&peer);
    send_to_2000(&mut smtp);
    drop(smtp);
    peer.finish();
}

// 5321-24, V5, R10: a surplus reply shifts all replies. This is found before the message, because
// DATA needs 354.
#[test]
fn a_surplus_reply_never_turns_a_refusal_into_a_message() {
    let (result, is_reusable) = send_to_two(
        "
        S: 250 ok
        S: 250 surplus
        S: 550 5.1.1 no ann
        S: 250 ok
        S: 354 go
        Cclose
        ",
    );
    let error = result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server broke the protocol at DATA: 250 is not a reply to this command"
    );
    assert_eq!(facts(&error), "not delivered, closed, at DATA");
    assert!(!is_reusable);
}
