//! [`Options`]: how a mailer keeps and uses its connections.

use std::time::Duration;

use crate::mailer::retry::Retry;

/// How a mailer keeps and uses its connections.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Most connections at a time.
    pub(crate) connections: usize,
    /// How long a connection may wait for its next message.
    pub(crate) idle: Duration,
    /// How old a connection may become.
    pub(crate) age: Duration,
    /// Most messages on one connection.
    pub(crate) messages: u64,
    /// The time from one message to the next.
    pub(crate) interval: Option<Duration>,
    /// How long a caller waits for a free connection.
    pub(crate) patience: Duration,
    pub(crate) retry: Option<Retry>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 4,
            idle: Duration::from_secs(60),
            age: Duration::from_secs(600),
            messages: 100,
            interval: None,
            patience: Duration::from_secs(30),
            retry: None,
        }
    }
}
