//! [`Rest`]: the messages of a batch that were not taken yet, and the pauses between them.

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
    /// When the caller last got a result.
    left: Instant,
}

impl<I> Rest<I> {
    pub(crate) fn new(messages: I) -> Self {
        Self {
            messages,
            is_slow: false,
            left: Instant::now(),
        }
    }

    /// Begins a call of the caller's, for a connection if there is one. The time since the last call
    /// does not count for its deadline.
    pub(crate) fn enter<C>(&self, run: Option<&mut Run<'_, C>>)
    where
        C: DerefMut<Target = SmtpConnection>,
    {
        if let Some(run) = run {
            go_on(run, self.left.elapsed());
        }
    }

    /// Ends a call of the caller's.
    pub(crate) fn leave(&mut self) {
        self.left = Instant::now();
    }
}

/// Goes on after a pause.
fn go_on<C>(run: &mut Run<'_, C>, pause: Duration)
where
    C: DerefMut<Target = SmtpConnection>,
{
    run.arm();
    if pause > LONG {
        run.check_idle();
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
            go_on(run, waited);
        }
        message
    }
}
