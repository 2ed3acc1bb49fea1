//! The end of a transaction as a result for the caller.

use crate::error::{Delivery, Error, Interrupted, Result};
use crate::exchange::ledger::Verdict;
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::protocol::error::ProtocolError;
use crate::step::Step;

/// The result of a transaction that came to an end, or the reason why it did not.
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
            // Before the message, nobody can say which of the answers belong to whom; 354 has
            // proved that they do.
            Err(match step {
                Step::EndOfData => interrupted(outcome, error),
                _ if has_unknown(&outcome) => interrupted(outcome, error),
                _ => error,
            })
        }
    }
}

/// The failure, with what is known of the recipients if any of them had an answer or may have got
/// the message.
pub(crate) fn interrupted(outcome: Outcome, failure: Error) -> Error {
    let has_answer = outcome.recipients().iter().any(|r| r.reply().is_some());
    let is_unknown = has_unknown(&outcome);
    // The connection failed after an earlier message: this one cannot have been taken.
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
