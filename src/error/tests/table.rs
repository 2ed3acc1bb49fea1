//! The table in the documentation of [`Error`] is true.

use std::collections::BTreeMap;

use super::*;

/// Variant, and what stands under "try later?".
fn rows() -> BTreeMap<&'static str, &'static str> {
    let source = include_str!("../../error.rs");
    let rows = source.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("/// | `")?.split('|').map(str::trim);
        let variant = cells.next()?.strip_suffix('`')?;
        let (_means, later, action) = (cells.next()?, cells.next()?, cells.next()?);
        assert!(!action.is_empty(), "{variant}: nothing to do");
        Some((variant, later))
    });
    rows.collect()
}

fn variant(error: &Error) -> String {
    let shown = format!("{error:?}");
    let end = shown.find(|c: char| !c.is_alphanumeric());
    shown[..end.unwrap_or(shown.len())].to_owned()
}

/// One or more errors of every variant.
fn every_variant() -> Vec<Error> {
    let more = [
        Error::Message(message_error()),
        refused(Step::Hello, "450 later"),
        refused(Step::Hello, "550 no"),
        Error::SenderRefused(reply("450 later")),
        Error::DataRefused(Box::new(outcome(&[refusal("451 later")]))),
        auth_failed(AuthReason::Refused, Some("454 later"), None),
        disconnected(Step::Body, Some("421 bye")),
        Error::io(Step::Connect, io::ErrorKind::PermissionDenied.into()),
    ];
    let told = sentences().into_iter().map(|(error, _)| error);
    told.chain(more).collect()
}

fn message_error() -> MessageError {
    crate::message::Message::builder()
        .header("no name", "x")
        .build()
        .unwrap_err()
}

// Issue 7: each variant answers, and answers as the table says.
#[test]
fn the_table_of_errors_is_true() {
    let rows = rows();
    let mut seen: Vec<String> = Vec::new();
    for error in every_variant() {
        let name = variant(&error);
        let later = rows.get(name.as_str());
        let later = *later.unwrap_or_else(|| panic!("{name} is not in the table"));
        let is_transient = error.is_transient();
        assert!(!(is_transient && error.is_permanent()), "{error:?}");
        if error.delivery() == Delivery::Unknown {
            assert!(!is_transient && !error.is_permanent(), "{error:?}");
        } else {
            check(later, &error);
        }
        assert_eq!(error.code(), error.reply().map(Reply::code));
        seen.push(name);
    }
    for variant in rows.keys() {
        assert!(
            seen.iter().any(|name| name == variant),
            "{variant} is made up"
        );
    }
}

fn check(later: &str, error: &Error) {
    let is_transient = error.is_transient();
    match (later, error) {
        ("yes", _) => assert!(is_transient, "{error:?}"),
        ("no", _) => assert!(!is_transient, "{error:?}"),
        (
            "by the reply",
            Error::Disconnected {
                step: Step::Idle, ..
            },
        ) => assert!(is_transient),
        (
            "by the reply",
            Error::Disconnected {
                last_words: None, ..
            },
        ) => assert!(is_transient),
        ("by the reply", error) => {
            let is_4yz = error.reply().is_some_and(Reply::is_transient);
            assert_eq!(is_transient, is_4yz, "{error:?}");
        }
        ("by the failure", Error::Interrupted(interrupted)) => {
            assert_eq!(
                is_transient,
                interrupted.failure().is_transient(),
                "{error:?}"
            );
        }
        ("by the failure", Error::GaveUp(last)) => {
            assert_eq!(is_transient, last.failure().is_transient(), "{error:?}");
        }
        ("by the reason", Error::Tls(_)) => {}
        ("by the kind", Error::Io { source, .. }) => {
            let is_final = source.kind() == io::ErrorKind::PermissionDenied;
            assert_eq!(is_transient, !is_final, "{error:?}");
        }
        (later, error) => panic!("{later} for {error:?}"),
    }
}
