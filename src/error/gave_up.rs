//! [`GaveUp`]: the last failure of several.

use std::error::Error as StdError;

use crate::error::error::Error;
use crate::outcome::Outcome;

/// A message that every attempt has failed to deliver to anybody.
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

    /// Returns what is known of each recipient from all attempts, if one came that far.
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
