//! What the program ends with unless all went well.

use smtplib::error::Unsupported;
use smtplib::{Delivery, Error, Outcome};

/// The values of sysexits.h.
#[derive(Clone, Copy)]
pub(crate) enum Status {
    Usage = 64,
    Data = 65,
    NoInput = 66,
    NoUser = 67,
    NoHost = 68,
    Unavailable = 69,
    Io = 74,
    Temporary = 75,
    Protocol = 76,
    NoPermission = 77,
    Config = 78,
}

/// What the program ends with unless all went well.
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) lines: Vec<String>,
}

impl Status {
    /// A failure for this reason.
    pub(crate) fn because(self, reason: impl ToString) -> Failure {
        let lines = vec![reason.to_string()];
        Failure {
            status: self,
            lines,
        }
    }

    /// What an error of the library means for whoever runs the program.
    fn of(error: &Error) -> Self {
        match error {
            _ if error.delivery() == Delivery::Unknown => Self::Io,
            Error::Interrupted(interrupted) => Self::of(interrupted.failure()),
            Error::UnknownHost { .. } => Self::NoHost,
            Error::RecipientsRefused(outcome) => Self::of_refused(outcome),
            Error::Message(_) | Error::Source(_) => Self::NoInput,
            _ if error.is_transient() => Self::Temporary,
            Error::Address { .. } | Error::Command(_) | Error::NoRecipients => Self::Usage,
            Error::Content(_) | Error::DataRefused(_) | Error::TooLarge { .. } => Self::Data,
            Error::Unsupported(Unsupported::EightBit | Unsupported::Header) => Self::Data,
            Error::Protocol { .. } => Self::Protocol,
            Error::AuthFailed(_) | Error::SenderRefused(_) => Self::NoPermission,
            Error::Refused { .. } | Error::Disconnected { .. } => Self::Unavailable,
            _ => Self::Config,
        }
    }

    /// What it means that not all recipients were accepted.
    pub(crate) fn of_refused(outcome: &Outcome) -> Self {
        if outcome.worth_retrying().next().is_some() {
            Self::Temporary
        } else {
            Self::NoUser
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut lines = error.outcome().map(refusals).unwrap_or_default();
        match &error {
            // The lines have said it all.
            Error::RecipientsRefused(_) => {}
            Error::Interrupted(interrupted) => lines.push(interrupted.failure().to_string()),
            _ => lines.push(error.to_string()),
        }
        if error.delivery() == Delivery::Unknown {
            lines.push("the message may have arrived: sending it again may duplicate it".into());
        }
        Self {
            status: Status::of(&error),
            lines,
        }
    }
}

/// Each recipient who was not accepted, with the reason, and whether another try makes sense.
pub(crate) fn refusals(outcome: &Outcome) -> Vec<String> {
    let refused = outcome
        .recipients()
        .iter()
        .filter(|recipient| !recipient.is_accepted());
    refused
        .map(|recipient| {
            let again = if recipient.is_worth_retrying() {
                " (try again later)"
            } else {
                ""
            };
            format!("{recipient}{again}")
        })
        .collect()
}
