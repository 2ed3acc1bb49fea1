//! The table in the documentation of [`Error`] is true.

use std::collections::BTreeMap;

use super::*;

/// Variant, and what stands under "try later?".
fn rows() -> BTreeMap<&'static str, &'static str> {
    let source = include_str!("../error.rs");
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
    ];
    let told = sentences().into_iter().map(|(error, _)| error);
    told.chain(more)
        .chain(of_tls())
        .chain(of_the_network())
        .collect()
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

/// What the documentation says of each reason.
fn passes_by_itself(why: &TlsError) -> bool {
    let is_handshake = why.step() == Step::Handshake;
    match why.reason() {
        TlsReason::Other => !is_handshake,
        TlsReason::InClear => match &why.in_clear {
            Some(reply) if is_handshake => reply.is_transient(),
            _ => true,
        },
        TlsReason::ClientCertificate
        | TlsReason::Expired
        | TlsReason::NotYetValid
        | TlsReason::NotTls
        | TlsReason::ProtocolTooOld
        | TlsReason::UnknownIssuer
        | TlsReason::WrongName
        | TlsReason::Refused => false,
    }
}

/// The kinds that the documentation names.
const FINAL_KINDS: [io::ErrorKind; 4] = [
    io::ErrorKind::AddrNotAvailable,
    io::ErrorKind::InvalidInput,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::Unsupported,
];

/// Each reason, in the handshake and behind it.
fn of_tls() -> Vec<Error> {
    let reasons = [
        TlsReason::ClientCertificate,
        TlsReason::Expired,
        TlsReason::NotYetValid,
        TlsReason::NotTls,
        TlsReason::ProtocolTooOld,
        TlsReason::UnknownIssuer,
        TlsReason::WrongName,
        TlsReason::InClear,
        TlsReason::Refused,
        TlsReason::Other,
    ];
    let steps = [Step::Handshake, Step::Mail];
    let made = reasons
        .into_iter()
        .flat_map(|reason| steps.map(|step| Error::tls(step, reason)));
    let said = ["220 mx", "421 busy", "550 no"]
        .into_iter()
        .flat_map(|line| steps.map(|step| tls(step, "x", Some(line))));
    made.chain(said).collect()
}

fn of_the_network() -> impl Iterator<Item = Error> {
    let others = [
        io::ErrorKind::AddrInUse,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::Other,
    ];
    let kinds = FINAL_KINDS.into_iter().chain(others);
    kinds.map(|kind| Error::io(Step::Connect, kind.into()))
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
        ("by the reason", Error::Tls(why)) => {
            assert_eq!(is_transient, passes_by_itself(why), "{error:?}");
        }
        ("by the kind", Error::Io { source, .. }) => {
            let is_final = FINAL_KINDS.contains(&source.kind());
            assert_eq!(is_transient, !is_final, "{error:?}");
        }
        (later, error) => panic!("{later} for {error:?}"),
    }
}
