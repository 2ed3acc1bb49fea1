//! The options of a [`Mailer`], as they are set.

use std::time::Duration;

use crate::mailer::Mailer;
use crate::mailer::options::Options;
use crate::mailer::retry::Retry;

/// Set options before the first message. Earlier clones keep their options and their connections.
impl Mailer {
    /// Sets the largest number of connections at a time; the default is 4, and 0 counts as 1.
    ///
    /// Many servers allow only a few connections from one client.
    pub fn connections(self, most: usize) -> Self {
        self.with(|options| options.connections = most.max(1))
    }

    /// Sets how long an idle connection is kept for the next message; the default is 60 seconds.
    ///
    /// With zero, each message gets a new connection. There is no background thread: connections
    /// that were idle for too long are closed when the mailer is used next.
    pub fn idle_time(self, most: Duration) -> Self {
        self.with(|options| options.idle = most)
    }

    /// Sets how old a connection may become before it is replaced; the default is 10 minutes.
    ///
    /// A message that is being sent is never cut off.
    pub fn max_age(self, most: Duration) -> Self {
        self.with(|options| options.age = most)
    }

    /// Sets how many messages one connection sends before it is replaced; the default is 100, and 0
    /// counts as 1.
    ///
    /// A higher number makes [`send_all`](Self::send_all) faster if the server allows it.
    pub fn messages_per_connection(self, most: u64) -> Self {
        self.with(|options| options.messages = most.max(1))
    }

    /// Sends at most this many messages in this time, spread evenly; by default there is no limit.
    ///
    /// The limit counts for all clones together, and callers wait for their turn. 0 messages count
    /// as 1.
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

    /// Sets how long a caller waits for a free connection; the default is 30 seconds.
    ///
    /// After that the error is [`Error::Busy`](crate::Error::Busy).
    ///
    /// Callers get connections in the order in which they asked. If you call [`send`](Self::send)
    /// while you go through the results of [`send_all`](Self::send_all), you need a second
    /// connection.
    pub fn max_wait(self, most: Duration) -> Self {
        self.with(|options| options.patience = most)
    }

    /// Tries again after a temporary failure; by default only a stale kept connection is replaced.
    ///
    /// [`Retry`] has an example.
    pub fn retry(self, retry: Retry) -> Self {
        self.with(|options| options.retry = Some(retry))
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.pool.options.clone();
        change(&mut options);
        Self::with_options(self.pool.config.clone(), options)
    }
}
