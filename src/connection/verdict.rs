//! The end of a transaction as a result for the caller.

use crate::error::{Delivery, Error, Interrupted, Result};
use crate::exchange::ledger::Verdict;
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::protocol::error::ProtocolError;
use crate::step::Step;

/// The result of a transaction, or the reason why it has none.
pub(crate) fn judge(
    verdict: Option<Verdict>,
    outcome: Outcome,
    failure: Option<Error>,
) -> Result<Outcome> {
    let Some(verdict) = verdict else {
        return Err(interrupted(outcome, failure.unwrap_or(Error::Closed)));
    };
    match verdict {
        Verdict::Sent => Ok(outcome),
        Verdict::SenderRefused(reply) => Err(Error::SenderRefused(reply)),
        Verdict::RecipientsRefused => Err(Error::RecipientsRefused(Box::new(outcome))),
        Verdict::DataRefused => Err(Error::DataRefused(Box::new(outcome))),
        Verdict::Broken(step, reply) => Err(interrupted(outcome, Error::refused(step, reply))),
        Verdict::Unexpected(step, code) => {
            let source = ProtocolError::UnexpectedCode(code);
            let error = Error::protocol(step, source);
            // A wrong code before the message makes it doubtful which reply belongs to which
            // command, so the replies are left out. At the end of the message they are certain,
            // because 354 came in its place.
            Err(match step {
                Step::EndOfData => interrupted(outcome, error),
                _ if has_unknown(&outcome) => interrupted(outcome, error),
                _ => error,
            })
        }
    }
}

/// The failure, with the result for each recipient if the server replied about one or may have
/// accepted the message.
pub(crate) fn interrupted(outcome: Outcome, failure: Error) -> Error {
    let has_answer = outcome.recipients().iter().any(|r| r.reply().is_some());
    let is_unknown = has_unknown(&outcome);
    // The connection failed because of an earlier message, so the server cannot have accepted this
    // one.
    let failure = match failure.delivery() {
        Delivery::Unknown if !is_unknown => Error::Closed,
        _ => failure,
    };
    if has_answer || is_unknown {
        Error::Interrupted(Box::new(Interrupted { outcome, failure }))
    } else {
        failure
    }
}

pub(crate) fn has_unknown(outcome: &Outcome) -> bool {
    let mut statuses = outcome.recipients().iter().map(RecipientOutcome::status);
    statuses.any(|status| status == RecipientStatus::Unknown)
}
