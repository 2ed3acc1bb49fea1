//! [`Rest`]: the messages of a batch that were not taken yet.

use std::ops::DerefMut;
use std::time::{Duration, Instant};

use crate::connection::SmtpConnection;
use crate::connection::run::Run;

/// An iterator that took longer than this for a message may do so again.
const SLOW: Duration = Duration::from_millis(5);
/// After this time the server may have closed the connection.
const LONG: Duration = Duration::from_secs(1);

/// The messages of a batch that were not taken yet.
#[derive(Debug)]
pub(crate) struct Rest<I> {
    pub(crate) messages: I,
    is_slow: bool,
}

impl<I> Rest<I> {
    pub(crate) fn new(messages: I) -> Self {
        Self {
            messages,
            is_slow: false,
        }
    }
}

impl<I: Iterator> Rest<I> {
    /// Whether the next message may take long. Then what is in memory is written first, or a message
    /// would wait for the next one.
    ///
    /// An iterator that reads a channel can wait for an hour. One that promises another message, as a
    /// list does, is trusted until it is slow.
    pub(crate) fn may_wait(&self) -> bool {
        self.is_slow || self.messages.size_hint().0 == 0
    }

    /// Takes the next message, for a connection if there is one. The time that this takes does not count
    /// for its deadline.
    pub(crate) fn next<C>(&mut self, run: Option<&mut Run<'_, C>>) -> Option<I::Item>
    where
        C: DerefMut<Target = SmtpConnection>,
    {
        let begun = Instant::now();
        let message = self.messages.next();
        let waited = begun.elapsed();
        self.is_slow = waited > SLOW;
        if let (true, Some(run)) = (self.is_slow, run) {
            run.arm();
            if waited > LONG {
                run.check_idle();
            }
        }
        message
    }
}
