//! DELIVERBY (RFC 2852): a time limit for delivery.

use core::time::Duration;

use crate::capabilities::Capabilities;
use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::parameter::Parameter;

/// Longest time, in seconds: nine digits (RFC 2852, 4).
const MAX_SECONDS: u64 = 999_999_999;

/// How soon a message must arrive, and what happens if it does not (RFC 2852).
///
/// ```
/// use core::time::Duration;
/// use smtplib::protocol::{DeliverBy, Parameter};
///
/// let hour = DeliverBy::or_return(Duration::from_secs(3600))?;
/// assert_eq!(Parameter::from(hour).to_string(), "BY=3600;R");
/// # Ok::<(), smtplib::error::CommandError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliverBy {
    seconds: u64,
    returns: bool,
    is_traced: bool,
}

impl DeliverBy {
    /// Asks servers to return the message to the sender if it has not arrived in time.
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for less than a second or more than 999,999,999 seconds.
    pub fn or_return(time: Duration) -> Result<Self, CommandError> {
        Self::new(time, true, 1)
    }

    /// Asks servers to report to the sender if the message is late, and to keep trying.
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for more than 999,999,999 seconds.
    pub fn or_notify(time: Duration) -> Result<Self, CommandError> {
        Self::new(time, false, 0)
    }

    fn new(time: Duration, returns: bool, least: u64) -> Result<Self, CommandError> {
        let seconds = time.as_secs();
        if !(least..=MAX_SECONDS).contains(&seconds) {
            let wanted = "BY must be a time of 1 to 999999999 seconds";
            return Err(CommandError::Option(wanted));
        }
        Ok(Self {
            seconds,
            returns,
            is_traced: false,
        })
    }

    /// Asks each server on the way to tell the sender when it passes the message on; by default none
    /// does.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.is_traced = true;
        self
    }
}

impl From<DeliverBy> for Parameter {
    fn from(by: DeliverBy) -> Self {
        let mode = if by.returns { "R" } else { "N" };
        let trace = if by.is_traced { "T" } else { "" };
        let value = format!("{};{mode}{trace}", by.seconds);
        Self::known("BY", Some(value.into()))
    }
}

impl Envelope {
    /// Sets how soon the message must arrive (DELIVERBY, RFC 2852); by default there is no limit.
    pub fn deliver_by(self, by: DeliverBy) -> Self {
        self.parameter(by.into())
    }
}

/// The shortest time that the server allows, if `BY=…;R` asks for less (RFC 2852, 2).
pub(crate) fn misfit(value: &str, offers: &Capabilities) -> Option<String> {
    let (seconds, mode) = value.split_once(';')?;
    // The server may add more options behind a comma.
    let least = offers.param("DELIVERBY")?.split(',').next()?;
    let least: u64 = least.trim().parse().ok()?;
    let is_short = seconds.parse().is_ok_and(|seconds: u64| seconds < least);
    (mode.starts_with(['R', 'r']) && is_short).then(|| format!("{least} seconds at least"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2852-01
    #[test]
    fn the_time_and_its_mode() {
        let seconds = Duration::from_secs;
        let text = |by: DeliverBy| Parameter::from(by).to_string();
        assert_eq!(text(DeliverBy::or_return(seconds(1)).unwrap()), "BY=1;R");
        let traced = DeliverBy::or_notify(seconds(0)).unwrap().traced();
        assert_eq!(text(traced), "BY=0;NT");
        assert!(DeliverBy::or_return(seconds(MAX_SECONDS)).is_ok());
        for error in [
            DeliverBy::or_return(Duration::from_millis(999)),
            DeliverBy::or_notify(seconds(MAX_SECONDS + 1)),
        ] {
            assert_eq!(
                error.unwrap_err().to_string(),
                "BY must be a time of 1 to 999999999 seconds"
            );
        }
    }
}
