//! Values for a program's own tests: replies, outcomes and errors that no server made, and the
//! parts of those that a server made.
use crate::support::sending::facts;
use smtplib::error::TlsReason;
use smtplib::protocol::Step;
use smtplib::{Address, Delivery, Error, Outcome, RecipientOutcome, RecipientStatus, Reply};

fn recipient(name: &str, status: RecipientStatus, reply: Option<&str>) -> RecipientOutcome {
    let address = Address::new(name, "example.org").unwrap();
    let reply = reply.map(|text| text.parse().unwrap());
    RecipientOutcome::new(address, status, reply)
}

fn outcome() -> Outcome {
    let recipients = [
        recipient("ann", RecipientStatus::Accepted, Some("250 ok")),
        recipient("bob", RecipientStatus::Refused, Some("550 no")),
        recipient("eve", RecipientStatus::Unknown, None),
    ];
    Outcome::new(recipients, Some(Reply::new(250, "ok").unwrap()))
}

// The parts of an outcome are those from which it was made.
#[test]
fn outcomes_are_made_and_taken_apart() {
    let outcome = outcome();
    assert!(!outcome.is_complete());
    assert_eq!(outcome.accepted().count(), 1);
    assert_eq!(outcome.refused().count(), 1);
    assert_eq!(outcome.reply().unwrap().to_string(), "250 ok");
    let parts = outcome.clone().into_recipients().into_iter();
    let parts: Vec<_> = parts.map(RecipientOutcome::into_parts).collect();
    assert_eq!(parts[1].0.to_string(), "bob@example.org");
    assert_eq!(parts[1].1, RecipientStatus::Refused);
    assert_eq!(parts[1].2.as_ref().unwrap().code(), 550);
    let again = parts
        .into_iter()
        .map(|(address, status, reply)| RecipientOutcome::new(address, status, reply));
    assert_eq!(Outcome::new(again, outcome.reply().cloned()), outcome);
}

// Every kind of failure can be made, and its methods return what they return for one from a server.
#[test]
fn errors_are_made() {
    let reply = |text: &str| -> Reply { text.parse().unwrap() };
    for (error, expected) in [
        (
            Error::auth_failed("plain", reply("535 5.7.8 no")),
            "not delivered, permanent, 535, at AUTH",
        ),
        (
            Error::DataRefused(Box::new(outcome())),
            "not delivered, 250",
        ),
        (
            Error::disconnected(Step::Mail, Some(reply("421 bye"))),
            "not delivered, transient, closed, 421, at MAIL",
        ),
        (
            Error::gave_up(3, Error::timeout(Step::Connect)),
            "not delivered, transient, timeout, closed, at the connection attempt",
        ),
        (
            Error::interrupted(outcome(), Error::timeout(Step::EndOfData)),
            "unknown, timeout, closed, 550, at the end of the message",
        ),
        (
            Error::io(Step::Mail, std::io::ErrorKind::NetworkDown.into()),
            "not delivered, transient, closed, at MAIL",
        ),
        (Error::plaintext_auth(), "not delivered, permanent"),
        (
            Error::SenderRefused(reply("450 later")),
            "not delivered, transient, 450, at MAIL",
        ),
        (
            Error::tls(Step::Handshake, TlsReason::Expired),
            "not delivered, closed, at the TLS handshake",
        ),
        (Error::too_large(10, 5), "not delivered, permanent"),
        (
            Error::unknown_host("mx.example.rog"),
            "not delivered, permanent, closed, at the connection attempt",
        ),
    ] {
        assert_eq!(facts(&error), expected, "{error:?}");
    }
    let error = Error::interrupted(outcome(), Error::timeout(Step::EndOfData));
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.into_outcome(), Some(outcome()));
    let error = Error::tls(Step::Handshake, TlsReason::WrongName);
    assert!(error.to_string().contains("tls_server_name"), "{error}");
}
