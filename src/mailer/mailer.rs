//! [`Mailer`]: what a program holds to send mail from any thread.

use std::borrow::Cow;
use std::env;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::config::{Config, ConfigError};
use crate::connection::cargo::Consignment;
use crate::envelope::Envelope;
use crate::error::Result;
use crate::mailer::attempts::{Attempts, Next};
use crate::mailer::options::Options;
use crate::mailer::pool::Pool;
use crate::message::Message;
use crate::net::stream::deadline_in;
use crate::outcome::Outcome;
use crate::places::outbox::Outbox;
use crate::recipients::IntoRecipients;

/// How long [`Mailer::close`] waits for all farewells together.
const GOODBYE: Duration = Duration::from_secs(5);

/// Sends mail from any thread, and keeps connections for the next message.
///
/// Make one when the program starts, and clone it wherever it is needed: clones share everything.
/// Nothing is connected before the first message.
///
/// ```no_run
/// use smtplib::{Mailer, Message};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // smtp://alice:secret@mail.example.com
/// let mailer = Mailer::from_env("SMTP_URL")?;
///
/// let message = Message::builder()
///     .from("Alice <alice@example.com>")
///     .to("bob@example.org")
///     .subject("Your new password")
///     .text("Choose one here: https://example.com/reset\n")
///     .build()?;
/// let outcome = mailer.send(&message)?;
/// for recipient in outcome.refused() {
///     eprintln!("{recipient}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Connections
///
/// | option | default |
/// |---|---|
/// | [`connections`](Self::connections) at a time | 4 |
/// | [`idle_time`](Self::idle_time) | 60 seconds |
/// | [`max_age`](Self::max_age) | 10 minutes |
/// | [`messages_per_connection`](Self::messages_per_connection) | 100 |
/// | [`rate`](Self::rate) of messages | no limit |
/// | [`max_wait`](Self::max_wait) for a free connection | 30 seconds |
/// | [`retry`](Self::retry) | none |
///
/// The connection that was used last is used next. Before a message goes out the socket is asked
/// whether the server has closed it; after 30 seconds of silence the server is asked, too. After a
/// failure a connection is never used again. When the last clone is dropped, each kept connection
/// says QUIT and is closed at once; [`close`](Self::close) waits for the farewells.
///
/// # Trying again
///
/// A kept connection may have gone stale: the server has closed it, or says 421. The message then
/// goes over a new connection, once, if it was certainly not delivered. Any other failure is returned,
/// and [`Error::is_transient`] tells whether a later attempt makes sense. For scripts there is
/// [`retry`](Self::retry). [`Outcome::attempts`] tells how many times a message was tried.
///
/// [`Error::is_transient`]: crate::Error::is_transient
#[derive(Clone)]
#[must_use]
pub struct Mailer {
    pub(super) pool: Arc<Pool>,
}

impl Mailer {
    /// Returns a mailer that connects by this configuration.
    pub fn new(config: Config) -> Self {
        Self::with_options(config, Options::default())
    }

    /// Returns a mailer by the URL in this environment variable; [`Config`] has a table of URLs.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config): the variable is not set, or the URL cannot be understood.
    pub fn from_env(variable: &str) -> Result<Self> {
        let url = env::var(variable).map_err(|_| ConfigError::Variable(variable.into()))?;
        Ok(url.parse()?)
    }

    /// Returns a mailer that keeps its messages in memory, and the place where they are: for tests of
    /// programs that send mail.
    ///
    /// Everything is checked as on the way to a server. [`Outbox`] can refuse addresses and fail.
    ///
    /// ```
    /// use smtplib::{Mailer, Message};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mailer, outbox) = Mailer::outbox();
    /// outbox.refuse("bob@example.org", 550, "5.1.1 no such user");
    ///
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .to(["ann@example.org", "bob@example.org"])
    ///     .subject("Lunch?")
    ///     .text("Noon at the usual place?\n")
    ///     .build()?;
    /// assert_eq!(mailer.send(&message)?.refused().count(), 1);
    /// assert_eq!(outbox.take()[0].subject(), "Lunch?");
    /// # Ok(())
    /// # }
    /// ```
    pub fn outbox() -> (Self, Outbox) {
        let outbox = Outbox::new();
        (Self::new(outbox.config()), outbox)
    }

    pub(super) fn with_options(config: Config, options: Options) -> Self {
        Self {
            pool: Arc::new(Pool::new(config, options)),
        }
    }

    /// Returns the configuration of the connections.
    pub fn config(&self) -> &Config {
        &self.pool.config
    }

    /// Sends a message to everybody its header names.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`](crate::Error::Busy) if no connection becomes free in time; otherwise as [`Config::connect`] and
    /// [`SmtpConnection::send_message`](crate::SmtpConnection::send_message).
    pub fn send(&self, message: &Message) -> Result<Outcome> {
        self.deliver(message.into())
    }

    /// Sends a message to those on the envelope, whatever its header says.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_to(&self, envelope: &Envelope, message: &Message) -> Result<Outcome> {
        self.deliver(Consignment::of_message(Cow::Borrowed(envelope), message))
    }

    /// Sends a message that is text or bytes, as
    /// [`SmtpConnection::sendmail`](crate::SmtpConnection::sendmail) does.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`](crate::Error::Busy) if no connection becomes free in time; otherwise as [`Config::connect`] and
    /// [`SmtpConnection::sendmail`](crate::SmtpConnection::sendmail).
    pub fn sendmail<T, K>(&self, from: &str, to: T, message: impl AsRef<[u8]>) -> Result<Outcome>
    where
        T: IntoRecipients<K>,
    {
        let envelope = Envelope::parse(from, to)?;
        self.deliver(Consignment::of_octets(
            Cow::Owned(envelope),
            message.as_ref(),
        ))
    }

    fn deliver(&self, message: Consignment<'_>) -> Result<Outcome> {
        let retry = self.pool.options.retry.as_ref();
        let mut attempts = Attempts::new(message, Instant::now());
        loop {
            let result = self.pool.deliver(attempts.message());
            match attempts.note(result, retry, Instant::now()) {
                Next::Done(result) => return result,
                Next::Again(pause) => {
                    self.pool.note_again(Some(pause));
                    thread::sleep(pause);
                }
            }
        }
    }

    /// Connects, logs in and says goodbye: for the start of a program, so that a wrong password shows
    /// before the first message.
    ///
    /// # Errors
    ///
    /// As [`Config::connect`].
    pub fn check(&self) -> Result<()> {
        let connection = self.pool.config.connect()?;
        connection.quit();
        Ok(())
    }

    /// Says QUIT on all connections that are kept, and waits up to 5 seconds for the farewells.
    ///
    /// Connections that are in use are closed after what they are sending, which may be a batch. The
    /// mailer can still be used, and opens new connections then.
    pub fn close(&self) {
        let deadline = deadline_in(GOODBYE);
        let mut kept = self.pool.clear();
        for kept in &mut kept {
            kept.connection.say_goodbye(deadline);
        }
        for kept in &mut kept {
            kept.connection.hear_goodbye();
        }
    }
}

impl From<Config> for Mailer {
    fn from(config: Config) -> Self {
        Self::new(config)
    }
}

impl FromStr for Mailer {
    type Err = ConfigError;

    /// Reads a URL; [`Config`] has a table of them.
    fn from_str(url: &str) -> Result<Self, ConfigError> {
        url.parse().map(Self::new)
    }
}

impl TryFrom<&str> for Mailer {
    type Error = ConfigError;

    fn try_from(url: &str) -> Result<Self, ConfigError> {
        url.parse()
    }
}

impl TryFrom<String> for Mailer {
    type Error = ConfigError;

    fn try_from(url: String) -> Result<Self, ConfigError> {
        url.parse()
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("server", &self.pool.config.endpoint().as_str())
            .field("options", &self.pool.options)
            .field("idle", &self.pool.idle_count())
            .finish_non_exhaustive()
    }
}
