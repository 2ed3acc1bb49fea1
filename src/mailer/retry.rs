//! [`Retry`]: how often to try again, and how long to wait in between.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// How often a [`Mailer`](crate::Mailer) tries again, and how long it waits in between.
///
/// Use it in scripts and jobs without a queue. The call takes as long as all attempts and pauses
/// together. A message is tried again after a 4yz reply, a failed connection or a timeout, and only
/// for the recipients who have not got it. It is never tried again when it may have been delivered
/// ([`Delivery::Unknown`](crate::Delivery::Unknown)).
///
/// ```
/// use std::time::Duration;
/// use smtplib::{Config, Mailer, Retry};
///
/// let mailer = Mailer::new(Config::new("mail.example.com")).retry(
///     Retry::new(5)
///         .pauses(Duration::from_secs(2), Duration::from_secs(60))
///         .deadline(Duration::from_secs(300)),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Retry {
    attempts: u32,
    first: Duration,
    longest: Duration,
    deadline: Option<Duration>,
}

impl Retry {
    /// Allows this many attempts in total; 0 and 1 both mean that nothing is tried again.
    ///
    /// If no recipient has got the message after several attempts, the error is
    /// [`Error::GaveUp`](crate::Error::GaveUp), with the last failure inside.
    pub fn new(attempts: u32) -> Self {
        Self {
            attempts,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            deadline: None,
        }
    }

    /// Sets the first pause and the longest; the defaults are 1 second and 60 seconds.
    ///
    /// Each pause is twice as long as the one before. Each is shortened by a random part, up to a
    /// half, so that many programs do not come back at the same moment. Servers that greylist
    /// accept a message after some minutes.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// Plans no attempt for later than this after the start of the first; by default there is no
    /// limit.
    ///
    /// After that you get the last result, which is [`Error::GaveUp`](crate::Error::GaveUp) as with
    /// [`new`](Self::new). An attempt that has begun is not cut short. It begins by waiting for its turn
    /// ([`Mailer::rate`](crate::Mailer::rate)) and for a free connection
    /// ([`Mailer::max_wait`](crate::Mailer::max_wait)), so it may be late by that much.
    pub fn deadline(mut self, budget: Duration) -> Self {
        self.deadline = Some(budget);
        self
    }

    /// The pause after this many failures; none if no attempt is left or the time is over.
    pub(crate) fn pause(&self, failures: u32, elapsed: Duration) -> Option<Duration> {
        if failures >= self.attempts {
            return None;
        }
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1));
        let pause = self.first.saturating_mul(doubled.unwrap_or(u32::MAX));
        let pause = shortened_at_random(pause.min(self.longest));
        let is_in_time = |deadline| elapsed.saturating_add(pause) < deadline;
        self.deadline.is_none_or(is_in_time).then_some(pause)
    }
}

/// Between half of it and all of it.
fn shortened_at_random(pause: Duration) -> Duration {
    // The keys of std's hasher are random.
    let share = RandomState::new().hash_one(0_u8) % 1024;
    let share = u32::try_from(share).unwrap_or_default();
    pause / 2 + pause / 2048 * share
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_grow_and_stop_growing() {
        let retry = Retry::new(10).pauses(2 * S, 20 * S);
        for (failures, full) in [(1, 2), (2, 4), (3, 8), (4, 16), (5, 20), (9, 20)] {
            let pause = retry.pause(failures, Duration::ZERO).unwrap();
            assert!(
                pause >= full * S / 2 && pause <= full * S,
                "{failures}: {pause:?}"
            );
        }
        assert_eq!(retry.pause(10, Duration::ZERO), None);
    }

    #[test]
    fn no_number_of_failures_overflows() {
        let retry = Retry::new(u32::MAX).pauses(S, Duration::MAX);
        for failures in [31, 32, 33, 1000, u32::MAX - 1] {
            assert!(retry.pause(failures, Duration::ZERO).unwrap() > 1_000_000 * S);
        }
    }

    #[test]
    fn nothing_begins_behind_the_deadline() {
        let retry = Retry::new(10).pauses(2 * S, 2 * S).deadline(10 * S);
        assert!(retry.pause(1, 7 * S).is_some());
        assert_eq!(retry.pause(1, 9 * S), None);
        assert_eq!(retry.pause(1, Duration::MAX), None);
    }

    #[test]
    fn pauses_differ() {
        let retry = Retry::new(2).pauses(100 * S, 100 * S);
        let pauses: std::collections::HashSet<_> =
            (0..50).map(|_| retry.pause(1, Duration::ZERO)).collect();
        assert!(pauses.len() > 10);
    }
}
