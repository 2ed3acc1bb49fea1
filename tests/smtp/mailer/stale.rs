//! A kept connection that has gone stale: the message goes over another one, once, if certainly no
//! recipient has it.
use super::{LEAVES, carries, connections, mailer, message, send, sent};
use crate::support::sending::{config, facts, fates, session};
use smtplib::{Config, Delivery, Error, Mailer, Security};
use std::sync::mpsc;
use std::time::Duration;

/// How a connection goes stale after its first message.
const ENDS: [&str; 11] = [
    "S: 250 nobody has asked\nCignore\n",
    "Sraw: 42\nCignore\n",
    "EOF\nCignore\n",
    "RST\n",
    "S: 421 idle for too long\nEOF\nCignore\n",
    "S: 451 4.4.2 time-out\nEOF\nCignore\n",
    "C: MAIL FROM:<me@client.example>\nS: 421 too many messages\nEOF\nCignore\n",
    "C: MAIL FROM:<me@client.example>\nEOF\nCignore\n",
    "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 421 bye\nCclose\n",
    "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA\nRST\n",
    "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\nCdata\nS: 421 bye\nCclose\n",
];

#[test]
fn what_went_stale_is_replaced_once() {
    for end in ENDS {
        let first = session(&[], &(message("250 one") + end));
        let peer = connections([first, carries(1)]);
        let mailer = mailer(&peer);
        sent(&mailer);
        // The end may not have arrived yet. Then the first command finds it.
        let outcome = send(&mailer).unwrap_or_else(|error| panic!("{end}: {error:?}"));
        assert_eq!(
            fates(&outcome),
            ["ann@example.org Accepted 250 taken"],
            "{end}"
        );
        assert_eq!(outcome.attempts(), 2, "{end}");
        drop(mailer);
        peer.finish();
    }
}

#[test]
fn an_error_counts_the_tries() {
    let refusal = "C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 550 no
        ";
    let peer = connections([
        session(&[], &(message("250 one") + "EOF\nCignore\n")),
        session(&[], &(refusal.to_owned() + LEAVES)),
    ]);
    let mailer = mailer(&peer);
    sent(&mailer);
    let error = send(&mailer).unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)), "{error:?}");
    assert_eq!(error.attempts(), 2);
    drop(mailer);
    peer.finish();
}

#[test]
fn the_trace_tells_of_it() {
    let peer = connections([
        session(&[], &(message("250 one") + "EOF\nCignore\n")),
        carries(1),
    ]);
    let (lines, heard) = mpsc::channel();
    let mailer =
        Mailer::new(config(&peer).trace(move |line| lines.send(line.to_string()).unwrap()));
    sent(&mailer);
    sent(&mailer);
    let told = heard
        .try_iter()
        .filter(|line| line.contains("gone stale"))
        .count();
    assert_eq!(told, 1);
    drop(mailer);
    peer.finish();
}

// If a new connection fails, the caller gets the error.
#[test]
fn a_new_connection_is_not_replaced() {
    for end in &ENDS[6..] {
        let peer = connections([session(&[], end)]);
        let error = send(&mailer(&peer)).unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotDelivered, "{end}");
        peer.finish();
    }
}

#[test]
fn a_second_stale_connection_is_the_end() {
    let first = session(&[], &(message("250 one") + "EOF\nCignore\n"));
    let peer = connections([first, "S: 421 busy\nCclose or QUIT\n".into()]);
    let mailer = mailer(&peer);
    sent(&mailer);
    let error = send(&mailer).unwrap_err();
    assert!(
        error.is_transient() && error.code().is_some_and(|code| code == 421),
        "{error:?}"
    );
    peer.finish();
}

// After the end of the message the result is unknown, so no second connection is opened.
#[test]
fn what_may_have_been_taken_is_not_sent_again() {
    for end in ["EOF\nCclose\n", "RST\n"] {
        let lost = message("250 taken").replace("S: 250 taken", end);
        let peer = connections([session(&[], &(message("250 one") + &lost))]);
        let mailer = mailer(&peer);
        sent(&mailer);
        let error = send(&mailer).unwrap_err();
        assert!(facts(&error).starts_with("unknown"), "{error:?}");
        drop(mailer);
        peer.finish();
    }
}

// LMTP: Ann has it, and the connection is lost before Bob's reply.
#[test]
fn what_somebody_has_is_not_sent_again() {
    let one = "C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata
        S: 250 ann has it
        ";
    let dialog = format!(
        "S: 220 mx.example.org\nC: LHLO client.example\nS: 250 mx.example.org\n{one}S: 250 bob, too\n{one}S: 421 bye\nCclose\n"
    );
    let peer = connections([dialog]);
    let config = Config::lmtp(peer.host(), peer.port())
        .security(Security::None)
        .hello_name("client.example");
    let mailer = Mailer::new(config);
    let to = ["ann@example.org", "bob@example.org"];
    let send = || mailer.sendmail("me@client.example", to, "Hi!\r\n");
    assert!(send().unwrap().is_complete());
    let outcome = send().unwrap();
    assert_eq!((outcome.accepted().count(), outcome.attempts()), (1, 1));
    drop(mailer);
    peer.finish();
}

#[test]
fn a_timeout_is_the_callers_to_judge() {
    let silent = "C: MAIL FROM:<me@client.example>\nCclose\n";
    let peer = connections([session(&[], &(message("250 one") + silent))]);
    let mailer = Mailer::new(config(&peer).timeout(Duration::from_secs(1)));
    sent(&mailer);
    let error = send(&mailer).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    drop(mailer);
    peer.finish();
}

// RSET is refused, so the connection is the cause.
#[test]
fn a_connection_that_cannot_be_reset_is_replaced() {
    let refused =
        "C: MAIL FROM:<me@client.example>\nS: 550 no\nC: RSET\nS: 550 no\nCclose or QUIT\n";
    let peer = connections([session(&[], refused), carries(1)]);
    let mailer = mailer(&peer);
    assert!(matches!(
        send(&mailer).unwrap_err(),
        Error::SenderRefused(_)
    ));
    assert_eq!(send(&mailer).unwrap().attempts(), 2);
    drop(mailer);
    peer.finish();
}

// RFC 9422: the limit of messages that the server announces is obeyed, so that it need not refuse
// one.
#[test]
fn a_limit_of_the_server_is_obeyed() {
    let one = |offers: &[&str]| session(offers, &(message("250 taken") + LEAVES));
    let offers = ["LIMITS MAILMAX=1"];
    let peer = connections([one(&offers), one(&offers)]);
    let mailer = mailer(&peer);
    for _ in 0..2 {
        assert_eq!(send(&mailer).unwrap().attempts(), 1);
    }
    drop(mailer);
    peer.finish();
}
