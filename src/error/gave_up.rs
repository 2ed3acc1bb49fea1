//! [`GaveUp`]: the last failure of several.

use std::error::Error as StdError;

use crate::error::error::Error;
use crate::outcome::Outcome;

/// The last error of a [`Mailer`](crate::Mailer) with [`Retry`](crate::Retry), if no recipient is
/// known to have the message.
///
/// ```
/// use smtplib::Error;
/// use smtplib::protocol::Step;
///
/// let error = Error::gave_up(4, Error::timeout(Step::Connect));
/// assert_eq!(error.to_string(), "gave up after 4 attempts: could not connect to the server in time");
/// ```
#[derive(Debug)]
pub struct GaveUp {
    pub(crate) attempts: u32,
    pub(crate) failure: Error,
    pub(crate) outcome: Option<Outcome>,
}

impl GaveUp {
    /// Returns how many times the message was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns why the last attempt failed.
    #[must_use]
    pub fn failure(&self) -> &Error {
        &self.failure
    }

    /// Returns the result for each recipient from all attempts, if one came that far.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }
}

impl StdError for GaveUp {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.failure.source()
    }
}
