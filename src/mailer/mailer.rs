//! [`Mailer`]: sends mail from any thread.

use std::borrow::Cow;
use std::env;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::address::try_from_text;
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

/// How long [`Mailer::close`] waits for all replies to QUIT together.
const GOODBYE: Duration = Duration::from_secs(5);

/// Sends mail from any thread, and keeps connections for the next message.
///
/// Make one when the program starts, and clone it wherever you need it. All clones share the same
/// connections. No connection is opened before the first message.
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
/// The connection that was used last is used next. Before a message on an idle connection, the
/// mailer checks whether the server has closed the socket. After 30 idle seconds it also sends NOOP. A connection is
/// never used again after it failed. When the last clone is dropped, each kept connection sends
/// QUIT and is closed at once. [`close`](Self::close) waits for the replies to QUIT.
///
/// # Trying again
///
/// A kept connection may be stale: the server has closed it, or replies with 421. If the message
/// was certainly not delivered, it is then sent once more over a new connection. Every other
/// failure is returned, and [`Error::is_transient`] says whether a later attempt makes sense.
/// Scripts can set [`retry`](Self::retry). [`Outcome::attempts`] is the number of times a message
/// was tried.
///
/// [`Error::is_transient`]: crate::Error::is_transient
#[derive(Clone)]
#[must_use]
pub struct Mailer {
    pub(super) pool: Arc<Pool>,
}

impl Mailer {
    /// Makes a mailer that connects with this configuration.
    pub fn new(config: Config) -> Self {
        Self::with_options(config, Options::default())
    }

    /// Makes a mailer from the URL in this environment variable; [`Config`] has a table of URLs.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config): the variable is not set, or the URL cannot be understood.
    pub fn from_env(variable: &str) -> Result<Self> {
        let url = env::var(variable).map_err(|_| ConfigError::Variable(variable.into()))?;
        Ok(url.parse()?)
    }

    /// Makes a mailer for tests that keeps its messages in memory, and the [`Outbox`] that holds
    /// them.
    ///
    /// Everything is checked as if a server were there. The outbox can refuse addresses, and it can
    /// make the next message fail.
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

    /// Sends a message to all recipients in its header.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`](crate::Error::Busy) if no connection becomes free in time; otherwise as [`Config::connect`] and
    /// [`SmtpConnection::send_message`](crate::SmtpConnection::send_message).
    pub fn send(&self, message: &Message) -> Result<Outcome> {
        self.deliver(message.into())
    }

    /// Sends a message to the recipients in the envelope, whatever the header says.
    ///
    /// ```no_run
    /// use smtplib::{Envelope, Mailer, Message};
    ///
    /// # fn send(mailer: &Mailer, message: &Message) -> smtplib::Result<()> {
    /// let envelope = Envelope::parse("bounces@example.com", ["ann@example.org", "bob@example.org"])?;
    /// let outcome = mailer.send_to(&envelope, message)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_to(&self, envelope: &Envelope, message: &Message) -> Result<Outcome> {
        self.deliver(Consignment::of_message(Cow::Borrowed(envelope), message))
    }

    /// Sends a finished message, given as text or bytes, like
    /// [`SmtpConnection::sendmail`](crate::SmtpConnection::sendmail).
    ///
    /// ```no_run
    /// # fn send(mailer: &smtplib::Mailer) -> smtplib::Result<()> {
    /// let text = "Subject: Lunch?\n\nNoon at the usual place?\n";
    /// let outcome = mailer.sendmail("alice@example.com", "bob@example.org", text)?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Connects, logs in and disconnects, to check the configuration.
    ///
    /// Call it when the program starts, so that a wrong password is found before the first message.
    ///
    /// # Errors
    ///
    /// As [`Config::connect`].
    pub fn check(&self) -> Result<()> {
        let connection = self.pool.config.connect()?;
        connection.quit();
        Ok(())
    }

    /// Sends QUIT on all kept connections, and waits up to 5 seconds for the replies.
    ///
    /// Connections in use are closed after the message or batch that they are sending. The mailer
    /// can still be used afterwards, and then opens new connections.
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

try_from_text!(Mailer, ConfigError);

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("server", &self.pool.config.endpoint().as_str())
            .field("options", &self.pool.options)
            .field("idle", &self.pool.idle_count())
            .finish_non_exhaustive()
    }
}
