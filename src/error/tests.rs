mod reasons;
mod sentences;
mod table;

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use self::sentences::sentences;
use super::*;
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::protocol::parser::ReplyParser;
use crate::reply::Reply;
use crate::step::Step;

fn reply(line: &str) -> Reply {
    let mut parser = ReplyParser::default();
    let reply = parser.push(format!("{line}\r\n").as_bytes()).unwrap();
    reply.expect("one line")
}

fn io_error(text: &str) -> io::Error {
    io::Error::other(text)
}

fn disconnected(step: Step, last_words: Option<&str>) -> Error {
    Error::disconnected(step, last_words.map(reply))
}

fn tls(step: Step, words: &str, in_clear: Option<&str>) -> Error {
    let error = TlsError::new(step, words.into(), false, in_clear.map(reply));
    Error::Tls(Box::new(error))
}

fn refused(step: Step, line: &str) -> Error {
    Error::refused(step, reply(line))
}

fn auth_failed(reason: AuthReason, line: Option<&str>, detail: Option<&str>) -> Error {
    Error::AuthFailed(Box::new(AuthError {
        mechanism: "PLAIN".to_owned(),
        reason,
        reply: line.map(reply),
        detail: detail.map(str::to_owned),
        server: None,
        others: Box::default(),
    }))
}

/// An outcome of recipients `a@x`, `b@x`, ... with these fates.
fn outcome(fates: &[(RecipientStatus, Option<&str>)]) -> Outcome {
    let recipients = fates.iter().zip('a'..).map(|((status, line), name)| {
        let address = format!("{name}@x").parse().unwrap();
        RecipientOutcome {
            status: *status,
            reply: line.map(reply),
            ..RecipientOutcome::unanswered(address)
        }
    });
    Outcome {
        recipients: recipients.collect(),
        reply: fates.iter().rev().find_map(|fate| fate.1).map(reply),
        ignored: Vec::new(),
        attempts: 1,
    }
}

const ACCEPTED: (RecipientStatus, Option<&str>) = (RecipientStatus::Accepted, Some("250 ok"));
const UNKNOWN: (RecipientStatus, Option<&str>) = (RecipientStatus::Unknown, None);

fn refusal(line: &str) -> (RecipientStatus, Option<&str>) {
    (RecipientStatus::Refused, Some(line))
}

fn recipients_refused(fates: &[(RecipientStatus, Option<&str>)]) -> Error {
    Error::RecipientsRefused(Box::new(outcome(fates)))
}

fn interrupted(fates: &[(RecipientStatus, Option<&str>)], cause: Error) -> Error {
    let outcome = outcome(fates);
    Error::Interrupted(Box::new(Interrupted {
        outcome,
        failure: cause,
    }))
}

// An error is moved through every `?`: it should be no larger than what it tells.
#[test]
fn an_error_is_small() {
    assert!(size_of::<Error>() <= 40, "{}", size_of::<Error>());
}

#[test]
fn an_error_can_go_anywhere() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Error>();
}

// Issue 7: the sentence says everything; a chain of errors printed by a program repeats nothing.
#[test]
fn no_sentence_repeats_its_source() {
    for (error, _) in sentences() {
        let mut source = error.source();
        while let Some(reason) = source {
            let words = reason.to_string();
            assert!(!error.to_string().contains(&words), "{error:?}");
            source = reason.source();
        }
    }
    let inner = io::Error::other(Error::io(Step::Mail, io_error("unplugged")));
    let error = interrupted(&[UNKNOWN], Error::io(Step::EndOfData, inner));
    assert!(error.to_string().contains("unplugged"));
    assert!(error.source().is_none());
}

// Field F8: an `io::Error` on the way loses nothing.
#[test]
fn an_io_error_carries_the_error() {
    for (error, kind) in [
        (Error::timeout(Step::Body), io::ErrorKind::TimedOut),
        (
            disconnected(Step::Body, Some("552 too big")),
            io::ErrorKind::BrokenPipe,
        ),
        (Error::Closed, io::ErrorKind::BrokenPipe),
        (ContentError::Nul.into(), io::ErrorKind::InvalidData),
        (Unsupported::EightBit.into(), io::ErrorKind::InvalidData),
        (
            Error::io(Step::Body, io::ErrorKind::NetworkDown.into()),
            io::ErrorKind::NetworkDown,
        ),
    ] {
        let (shown, again) = (format!("{error:?}"), error.again());
        let carrier = io::Error::from(error);
        assert_eq!(carrier.kind(), kind, "{shown}");
        let carried: &Error = carrier.get_ref().unwrap().downcast_ref().unwrap();
        assert_eq!(format!("{carried:?}"), shown);
        assert_eq!(again.to_string(), carrier.to_string());
        assert_eq!(again.is_transient(), carried.is_transient());
    }
}

// 5321-64, L1: only the end of data leaves a doubt.
#[test]
fn delivery() {
    for step in [Step::Rcpt, Step::Data, Step::Body, Step::EndOfData] {
        let expected = match step {
            Step::EndOfData => Delivery::Unknown,
            _ => Delivery::NotDelivered,
        };
        for error in [
            Error::timeout(step),
            disconnected(step, None),
            Error::io(step, io_error("x")),
            Error::protocol(step, ProtocolError::BadCode),
            tls(step, "bad record", None),
        ] {
            assert_eq!(error.delivery(), expected, "{error:?}");
        }
    }
    let known = interrupted(&[ACCEPTED], Error::timeout(Step::EndOfData));
    assert_eq!(known.delivery(), Delivery::NotDelivered);
    let unknown = interrupted(&[ACCEPTED, UNKNOWN], Error::timeout(Step::EndOfData));
    assert_eq!(unknown.delivery(), Delivery::Unknown);
}

// 5321-65, V10: by method, not by string; in doubt neither.
#[test]
fn transient_and_permanent() {
    let neither = (false, false);
    for (error, expected) in [
        (refused(Step::Mail, "450 later"), (true, false)),
        (refused(Step::Mail, "550 no"), (false, true)),
        (refused(Step::Greeting, "250 what"), neither),
        (Error::SenderRefused(reply("499 x")), (true, false)),
        (Error::timeout(Step::Rcpt), (true, false)),
        (Error::timeout(Step::EndOfData), neither),
        (disconnected(Step::Body, None), (true, false)),
        (disconnected(Step::Body, Some("421 bye")), (true, false)),
        (disconnected(Step::Body, Some("552 too big")), (false, true)),
        (disconnected(Step::EndOfData, None), neither),
        (Error::Closed, (true, false)),
        (Error::Token("no answer".into()), (true, false)),
        (Error::NoRecipients, (false, true)),
        (Error::plaintext_auth(), (false, true)),
        (Error::Source(io_error("x")), neither),
        (
            auth_failed(AuthReason::Refused, Some("454 later"), None),
            (true, false),
        ),
        (
            auth_failed(AuthReason::Refused, Some("535 no"), None),
            (false, true),
        ),
        (
            recipients_refused(&[refusal("450 a"), refusal("451 b")]),
            (true, false),
        ),
        (
            recipients_refused(&[refusal("550 a"), refusal("551 b")]),
            (false, true),
        ),
        // Field E13: the same call reaches the first of them later.
        (
            recipients_refused(&[refusal("551 b"), refusal("450 a")]),
            (true, false),
        ),
        (
            recipients_refused(&[refusal("450 a"), refusal("551 b"), ACCEPTED]),
            (false, true),
        ),
        (
            disconnected(Step::Idle, Some("550 idle too long")),
            (true, false),
        ),
        (
            interrupted(&[ACCEPTED, UNKNOWN], Error::timeout(Step::EndOfData)),
            neither,
        ),
        (
            interrupted(&[refusal("550 no")], refused(Step::Rcpt, "421 bye")),
            (true, false),
        ),
    ] {
        let got = (error.is_transient(), error.is_permanent());
        assert_eq!(got, expected, "{error:?}");
    }
}

// Issue 7: the same of TLS, whose failures are nobody's or the connection's.
#[test]
fn transient_tls() {
    let neither = (false, false);
    for (error, expected) in [
        (tls(Step::Handshake, "no cipher", None), neither),
        (tls(Step::Hello, "alert number 116", None), neither),
        (tls(Step::Mail, "bad record", None), (true, false)),
        (tls(Step::EndOfData, "bad record", None), neither),
        (tls(Step::Handshake, "x", Some("220 mx")), neither),
        (tls(Step::Handshake, "x", Some("421 busy")), (true, false)),
        (tls(Step::Mail, "x", Some("550 no")), (true, false)),
        (tls(Step::EndOfData, "x", Some("421 bye")), neither),
    ] {
        let got = (error.is_transient(), error.is_permanent());
        assert_eq!(got, expected, "{error:?}");
    }
}

#[test]
fn what_an_error_knows() {
    let error = interrupted(&[ACCEPTED], refused(Step::Rcpt, "421 bye"));
    assert_eq!(error.code().unwrap(), 421);
    assert_eq!(error.step(), Some(Step::Rcpt));
    assert_eq!(error.outcome().unwrap().accepted().count(), 1);
    assert!(error.is_closed() && !error.is_timeout());
    assert!(interrupted(&[], Error::timeout(Step::Rcpt)).is_timeout());

    let error = recipients_refused(&[refusal("550 no")]);
    assert!(error.code().unwrap() == 550 && error.step().is_none());
    assert_eq!(error.outcome().unwrap().refused().count(), 1);
    assert!(!error.is_closed());

    assert!(auth_failed(AuthReason::ServerUnproven, Some("235 ok"), None).is_closed());
    assert!(!auth_failed(AuthReason::Refused, Some("535 no"), None).is_closed());
    assert!(refused(Step::Greeting, "554 no").is_closed());
    assert!(!refused(Step::Hello, "550 no").is_closed());
}
