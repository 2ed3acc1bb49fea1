//! [`Interrupted`]: a failure after a part of the replies.

use std::error::Error as StdError;

use crate::error::error::{Error, refusals};
use crate::outcome::{Outcome, RecipientOutcome};
use crate::reply::Reply;

/// A connection that failed or was closed after the server replied about a recipient.
///
/// Or the message may have been delivered, and no reply came.
///
/// ```
/// use smtplib::Error;
///
/// fn report(error: &Error) {
///     if let Error::Interrupted(interrupted) = error {
///         println!("{}", interrupted.failure());
///         for recipient in interrupted.outcome().recipients() {
///             println!("{recipient}");
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Interrupted {
    pub(crate) outcome: Outcome,
    pub(crate) failure: Error,
}

impl Interrupted {
    /// Returns the result for each recipient.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Returns why the connection failed or was closed.
    #[must_use]
    pub fn failure(&self) -> &Error {
        &self.failure
    }
}

impl Interrupted {
    /// The reply that explains it: the server's last words, or else the first refusal.
    pub(super) fn reply(&self) -> Option<&Reply> {
        let refusal = || refusals(&self.outcome).find_map(RecipientOutcome::reply);
        self.failure.reply().or_else(refusal)
    }
}

impl StdError for Interrupted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.failure.source()
    }
}
