//! The options of a [`Mailer`], as they are set.

use std::time::Duration;

use crate::mailer::Mailer;
use crate::mailer::options::Options;
use crate::mailer::retry::Retry;

/// Options are set before the first message. A clone that was made before keeps its own, and its own
/// connections.
impl Mailer {
    /// Sets how many connections there may be at a time; the default is 4, and 0 counts as 1.
    ///
    /// Each carries one message at a time. Many servers allow only a few connections from one
    /// client.
    pub fn connections(self, most: usize) -> Self {
        self.with(|options| options.connections = most.max(1))
    }

    /// Sets how long a connection is kept for another message; the default is 60 seconds.
    ///
    /// With zero, each message gets a connection of its own. There is no background thread: what has
    /// been idle for too long is closed when the mailer is used next.
    pub fn idle_time(self, most: Duration) -> Self {
        self.with(|options| options.idle = most)
    }

    /// Sets how old a connection may become; the default is 10 minutes. A message that is being sent
    /// is never cut off by it.
    pub fn max_age(self, most: Duration) -> Self {
        self.with(|options| options.age = most)
    }

    /// Sets how many messages go over one connection before it is replaced; the default is 100, and
    /// 0 counts as 1.
    ///
    /// A higher number makes [`send_all`](Self::send_all) faster if the server allows it.
    pub fn messages_per_connection(self, most: u64) -> Self {
        self.with(|options| options.messages = most.max(1))
    }

    /// Sends at most so many messages in this time, spread evenly; by default there is no such
    /// limit, and 0 messages count as 1.
    ///
    /// All clones count together. Callers wait for their turn.
    ///
    /// ```
    /// use std::time::Duration;
    /// use smtplib::{Config, Mailer};
    ///
    /// // 14 messages in a second.
    /// let mailer = Mailer::new(Config::new("mail.example.com")).rate(14, Duration::from_secs(1));
    /// ```
    pub fn rate(self, messages: u32, time: Duration) -> Self {
        self.with(|options| options.interval = Some(time / messages.max(1)))
    }

    /// Sets how long a caller waits for a free connection; the default is 30 seconds. After that the
    /// error is [`Error::Busy`](crate::Error::Busy).
    ///
    /// Callers get their connections in the order in which they came. Whoever calls
    /// [`send`](Self::send) while going through the results of [`send_all`](Self::send_all) needs a
    /// second connection.
    pub fn max_wait(self, most: Duration) -> Self {
        self.with(|options| options.patience = most)
    }

    /// Tries again when a message or a connection fails for now; by default nothing is tried again
    /// but what a kept connection could not take.
    pub fn retry(self, retry: Retry) -> Self {
        self.with(|options| options.retry = Some(retry))
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.pool.options.clone();
        change(&mut options);
        Self::with_options(self.pool.config.clone(), options)
    }
}
