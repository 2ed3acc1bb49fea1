//! FUTURERELEASE (RFC 4865): mail that the server keeps and sends later.

use core::time::Duration;

use crate::capabilities::Capabilities;
use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::message::date::Date;
use crate::parameter::Parameter;

/// Longest time, in seconds: nine digits (RFC 4865, 4).
const MAX_SECONDS: u64 = 999_999_999;

impl Parameter {
    /// Makes HOLDFOR: the server keeps the message for this time (RFC 4865).
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for less than a second or more than 999,999,999 seconds.
    pub fn hold_for(time: Duration) -> Result<Self, CommandError> {
        let seconds = time.as_secs();
        if !(1..=MAX_SECONDS).contains(&seconds) {
            let wanted = "HOLDFOR must be a time of 1 to 999999999 seconds";
            return Err(CommandError::Option(wanted));
        }
        Ok(Self::known("HOLDFOR", Some(seconds.to_string().into())))
    }

    /// Makes HOLDUNTIL: the server keeps the message until this moment (RFC 4865).
    ///
    /// ```
    /// use smtplib::message::Date;
    /// use smtplib::protocol::Parameter;
    ///
    /// let moment: Date = "Fri, 4 Dec 2026 12:00:00 +0100".parse()?;
    /// let parameter = Parameter::hold_until(moment)?;
    /// assert_eq!(parameter.to_string(), "HOLDUNTIL=2026-12-04T11:00:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for a year before 1900 or after 9999.
    pub fn hold_until(moment: impl Into<Date>) -> Result<Self, CommandError> {
        let moment = moment.into().utc_rfc3339();
        let wanted = "HOLDUNTIL must be a moment of the years 1900 to 9999";
        let moment = moment.ok_or(CommandError::Option(wanted))?;
        Ok(Self::known("HOLDUNTIL", Some(moment.into())))
    }
}

/// Keeping mail for later (FUTURERELEASE, RFC 4865).
impl Envelope {
    /// Asks the server to keep the message for this time; see [`Parameter::hold_for`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use smtplib::Envelope;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let envelope = Envelope::parse("news@example.com", "ann@example.org")?
    ///     .hold_for(Duration::from_secs(3600))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Parameter::hold_for`].
    pub fn hold_for(self, time: Duration) -> Result<Self, CommandError> {
        Ok(self.parameter(Parameter::hold_for(time)?))
    }

    /// Asks the server to keep the message until this moment: a [`Date`] or a `SystemTime`.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use smtplib::Envelope;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tomorrow = SystemTime::now() + Duration::from_secs(24 * 3600);
    /// let envelope = Envelope::parse("news@example.com", "ann@example.org")?.hold_until(tomorrow)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] for a year before 1900 or after 9999.
    pub fn hold_until(self, moment: impl Into<Date>) -> Result<Self, CommandError> {
        Ok(self.parameter(Parameter::hold_until(moment)?))
    }
}

/// The limit of the server, if it does not keep mail for this long. Its offer is `FUTURERELEASE
/// seconds date-time` (RFC 4865, 3).
pub(crate) fn misfit(keyword: &str, value: &str, offers: &Capabilities) -> Option<String> {
    let mut limits = offers.param("FUTURERELEASE")?.split_ascii_whitespace();
    let (most, last) = (limits.next(), limits.next());
    if keyword == "HOLDFOR" {
        let most: u64 = most?.parse().ok()?;
        let is_long = value.parse().is_ok_and(|seconds: u64| seconds > most);
        return is_long.then(|| format!("{most} seconds at most"));
    }
    // Both are dates of RFC 3339. They can be compared as text only in UTC and in the same form.
    let last = last.filter(|last| last.len() == value.len() && last.ends_with('Z'))?;
    (value > last).then(|| format!("{last} at the latest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // 4865-02
    #[test]
    fn for_a_time() {
        let seconds = Duration::from_secs;
        let hold = |time| Parameter::hold_for(time).map(|held| held.to_string());
        assert_eq!(hold(seconds(86_400)).unwrap(), "HOLDFOR=86400");
        for time in [Duration::from_millis(999), seconds(MAX_SECONDS + 1)] {
            assert_eq!(
                hold(time).unwrap_err().to_string(),
                "HOLDFOR must be a time of 1 to 999999999 seconds"
            );
        }
    }
}
