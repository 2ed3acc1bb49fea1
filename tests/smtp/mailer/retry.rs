//! Trying again by a policy: what is tried again, for whom, and how it ends.
use super::{LEAVES, carries, connections, message, send};
use crate::peer::{Peer, Refusing};
use crate::support::sending::{config, fates, session};
use smtplib::{Config, Delivery, Error, Mailer, Outcome, Retry, Security};
use std::sync::mpsc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn retry(attempts: u32) -> Retry {
    Retry::new(attempts).pauses(2 * MS, 5 * MS)
}

fn mailer(peer: &Peer, attempts: u32) -> Mailer {
    Mailer::new(config(peer)).retry(retry(attempts))
}

fn send_to_two(mailer: &Mailer) -> Result<Outcome, Error> {
    let to = ["ann@example.org", "bob@example.org"];
    mailer.sendmail("me@client.example", to, "Hi!\r\n")
}

/// MAIL, and RCPT for each of these with its reply.
fn envelope(replies: &[(&str, &str)]) -> String {
    let recipients = replies
        .iter()
        .map(|(name, reply)| format!("C: RCPT TO:<{name}@example.org>\nS: {reply}\n"));
    format!(
        "C: MAIL FROM:<me@client.example>\nS: 250 ok\n{}",
        recipients.collect::<String>()
    )
}

const DATA: &str = "C: DATA\nS: 354 go\nCdata\nS: 250 taken\n";
const RSET: &str = "C: RSET\nS: 250 ok\n";

#[test]
fn a_refusal_for_now_is_tried_again() {
    let dialog = "C: MAIL FROM:<me@client.example>\nS: 450 later\n".to_owned();
    let dialog = dialog.clone() + RSET + &dialog + RSET + &message("250 taken") + LEAVES;
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 3);
    let outcome = send(&mailer).unwrap();
    assert!(outcome.is_complete());
    assert_eq!(outcome.attempts(), 3);
    drop(mailer);
    peer.finish();
}

#[test]
fn a_refusal_for_good_is_not() {
    let dialog = "C: MAIL FROM:<me@client.example>\nS: 550 no\n".to_owned() + LEAVES;
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 3);
    let error = send(&mailer).unwrap_err();
    assert!(matches!(error, Error::SenderRefused(_)), "{error:?}");
    assert_eq!(error.attempts(), 1);
    drop(mailer);
    peer.finish();
}

// A recipient that has the message does not get it again.
#[test]
fn only_those_who_are_left_are_sent_to_again() {
    let dialog = envelope(&[("ann", "250 ok"), ("bob", "451 later")])
        + DATA
        + &envelope(&[("bob", "250 ok")])
        + DATA
        + LEAVES;
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 3);
    let outcome = send_to_two(&mailer).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 taken",
            "bob@example.org Accepted 250 taken"
        ]
    );
    assert_eq!(outcome.attempts(), 2);
    drop(mailer);
    peer.finish();
}

#[test]
fn those_refused_for_good_are_left_alone() {
    let dialog = envelope(&[("ann", "550 no"), ("bob", "451 later")])
        + RSET
        + &envelope(&[("bob", "250 ok")])
        + DATA
        + LEAVES;
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 3);
    let outcome = send_to_two(&mailer).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Refused 550 no",
            "bob@example.org Accepted 250 taken"
        ]
    );
    drop(mailer);
    peer.finish();
}

#[test]
fn where_all_are_required_all_go_again() {
    let dialog = envelope(&[("ann", "250 ok"), ("bob", "451 later")])
        + RSET
        + &envelope(&[("ann", "250 ok"), ("bob", "250 ok")])
        + DATA
        + LEAVES;
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 3);
    let to = ["ann@example.org", "bob@example.org"];
    let envelope = smtplib::Envelope::parse("me@client.example", to).unwrap();
    let message = smtplib::Message::builder()
        .from("me@client.example")
        .text("Hi!\n")
        .build()
        .unwrap();
    let outcome = mailer
        .send_to(&envelope.require_all(true), &message)
        .unwrap();
    assert!(outcome.is_complete() && outcome.attempts() == 2);
    drop(mailer);
    peer.finish();
}

// At the end one recipient has it: a success in which one recipient is missing.
#[test]
fn a_partial_success_is_one() {
    let later = envelope(&[("bob", "451 still later")]);
    let dialog = envelope(&[("ann", "250 ok"), ("bob", "451 later")]) + DATA + &later + LEAVES;
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 2);
    let outcome = send_to_two(&mailer).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 taken",
            "bob@example.org Refused 451 still later"
        ]
    );
    assert_eq!(outcome.attempts(), 2);
    drop(mailer);
    peer.finish();
}

// Ann has it, and for Bob the result is unknown.
#[test]
fn unknown_is_never_tried_again() {
    let dialog = envelope(&[("ann", "250 ok"), ("bob", "451 later")])
        + DATA
        + &envelope(&[("bob", "250 ok")])
        + "C: DATA\nS: 354 go\nCdata\nEOF\nCclose\n";
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 5);
    let error = send_to_two(&mailer).unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(matches!(error, Error::Interrupted(_)), "{error:?}");
    assert_eq!(
        fates(error.outcome().unwrap()),
        [
            "ann@example.org Accepted 250 taken",
            "bob@example.org Unknown 250 ok"
        ]
    );
    assert_eq!(error.attempts(), 2);
    peer.finish();
}

#[test]
fn it_gives_up() {
    let later = envelope(&[("ann", "550 no"), ("bob", "451 later")]) + RSET;
    let dialog = later + &envelope(&[("bob", "452 full")]) + LEAVES;
    let peer = connections([session(&[], &dialog)]);
    let mailer = mailer(&peer, 2);
    let error = send_to_two(&mailer).unwrap_err();
    let Error::GaveUp(last) = &error else {
        panic!("{error:?}");
    };
    assert_eq!((last.attempts(), error.attempts()), (2, 2));
    assert!(matches!(last.failure(), Error::RecipientsRefused(_)));
    assert_eq!(
        fates(error.outcome().unwrap()),
        [
            "ann@example.org Refused 550 no",
            "bob@example.org Refused 452 full"
        ]
    );
    assert!(error.is_transient() && error.code().is_some_and(|code| code == 452));
    drop(mailer);
    peer.finish();
}

#[test]
fn a_server_that_is_not_there_is_tried_again() {
    let refusing = Refusing::new();
    let (lines, heard) = mpsc::channel();
    let config = Config::new("127.0.0.1")
        .port(refusing.addr().port())
        .security(Security::None)
        .trace(move |line| lines.send(line.to_string()).unwrap());
    let mailer = Mailer::new(config).retry(retry(3));
    let error = send(&mailer).unwrap_err();
    assert_eq!(error.attempts(), 3);
    assert!(error.outcome().is_none() && error.server().is_some());
    let heard: Vec<String> = heard.try_iter().collect();
    let connecting = heard
        .iter()
        .filter(|line| line.contains("connecting"))
        .count();
    assert_eq!(connecting, 3);
    let again = heard
        .iter()
        .filter(|line| line.starts_with("*: the message is sent again in "));
    assert_eq!(again.count(), 2, "{heard:?}");
}

#[test]
fn it_stops_at_the_deadline() {
    let refusing = Refusing::new();
    let config = Config::new("127.0.0.1")
        .port(refusing.addr().port())
        .security(Security::None);
    let policy = Retry::new(1_000_000).pauses(MS, MS).deadline(30 * MS);
    let error = send(&Mailer::new(config).retry(policy)).unwrap_err();
    assert!((2..1000).contains(&error.attempts()), "{error:?}");
}

#[test]
fn one_attempt_is_no_policy() {
    let dialog = "C: MAIL FROM:<me@client.example>\nS: 450 later\n".to_owned() + LEAVES;
    for attempts in [0, 1] {
        let peer = connections([session(&[], &dialog)]);
        let mailer = mailer(&peer, attempts);
        assert!(matches!(
            send(&mailer).unwrap_err(),
            Error::SenderRefused(_)
        ));
        drop(mailer);
        peer.finish();
    }
}

#[test]
fn a_lost_connection_is_tried_again() {
    let lost = session(&[], "C: MAIL FROM:<me@client.example>\nRST\n");
    let peer = connections([lost.clone(), lost, carries(1)]);
    let mailer = mailer(&peer, 3);
    assert_eq!(send(&mailer).unwrap().attempts(), 3);
    drop(mailer);
    peer.finish();
}

// The message was the reason for closing the connection, and another connection would end in the
// same way.
#[test]
fn a_message_that_cannot_be_read_is_not_tried_again() {
    let cut = envelope(&[("ann", "250 ok")]) + "C: DATA\nS: 354 go\nCignore\n";
    let peer = connections([session(&[], &cut)]);
    let mailer = mailer(&peer, 5);
    let short = smtplib::Attachment::streamed("a.bin", 200_000, || Ok(std::io::empty()));
    let message = smtplib::Message::builder()
        .from("me@client.example")
        .to("ann@example.org")
        .attach(short)
        .build()
        .unwrap();
    let error = mailer.send(&message).unwrap_err();
    assert!(matches!(error, Error::Interrupted(_)), "{error:?}");
    assert_eq!((error.attempts(), error.is_transient()), (1, false));
    peer.finish();
}
