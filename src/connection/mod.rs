//! [`SmtpConnection`]: a connection and what it knows.

mod hello;
mod login;
mod message;
mod open;
pub(crate) mod send;
pub(crate) mod transaction;
mod verbs;

use std::fmt;

use crate::capabilities::Capabilities;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::net::stream::deadline_in;
use crate::net::wire::Wire;
use crate::protocol::error::ProtocolError;
use crate::reply::{Code, Reply};
use crate::step::Step;
use crate::trace::{Trace, TraceLine};

/// A connection to an SMTP or LMTP server.
///
/// It is made by [`Config::connect`], which does everything a configuration asks for, or step by
/// step as in Python:
///
/// ```no_run
/// use smtplib::SmtpConnection;
///
/// # fn main() -> Result<(), smtplib::Error> {
/// let mut smtp = SmtpConnection::connect("mail.example.com", 587)?;
/// smtp.starttls()?;
/// smtp.login("alice", "secret")?;
/// let outcome = smtp.sendmail(
///     "alice@example.com",
///     ["bob@example.org"],
///     "Subject: Lunch?\n\nNoon at the usual place?\n",
/// )?;
/// println!("{} refused", outcome.refused().count());
/// smtp.quit();
/// # Ok(())
/// # }
/// ```
///
/// After an I/O error, a timeout, a violation of the protocol or the code 421 the connection is
/// closed for good, and every further call is [`Error::Closed`]. Dropping it closes it without a
/// word; [`quit`](Self::quit) says goodbye.
pub struct SmtpConnection {
    pub(crate) wire: Wire,
    pub(crate) config: Box<Config>,
    greeting: Reply,
    pub(crate) capabilities: Capabilities,
    /// RSET has to go before the next transaction.
    pub(crate) is_reset_owed: bool,
}

impl SmtpConnection {
    /// The server's first words.
    #[must_use]
    pub fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// What the server offers, by its newest answer to EHLO; nothing if it only knows HELO.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether TLS protects the connection.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.wire.stream().is_tls()
    }

    /// The server's certificate in DER, if TLS protects the connection.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.wire.stream().peer_certificate()
    }

    /// Whether another message may go this way: the connection is open, and the server has not said
    /// goodbye meanwhile.
    ///
    /// It asks the socket, not the server.
    pub fn is_reusable(&mut self) -> bool {
        self.begin().is_ok()
    }

    /// Shows every line of the dialog from here on to this function: Python's `set_debuglevel()`.
    pub fn set_trace(&mut self, sink: impl Fn(TraceLine<'_>) + Send + Sync + 'static) {
        self.wire.trace = Trace::new(sink);
    }

    /// Begins a call of the user's on an idle connection.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.wire
            .begin_call(self.config.deadline.map(deadline_in))?;
        self.wire.check_idle()
    }

    pub(crate) fn refused(&mut self, step: Step, reply: Reply) -> Error {
        self.close_on_421(reply.code());
        Error::refused(step, reply)
    }

    pub(crate) fn protocol(&mut self, step: Step, source: ProtocolError) -> Error {
        self.wire.abort();
        Error::protocol(step, source)
    }

    pub(crate) fn close_on_421(&mut self, code: Code) {
        if code == Code::SERVICE_CLOSING {
            self.wire.close();
        }
    }
}

impl fmt::Debug for SmtpConnection {
    /// What the network said and what messages held stays out of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConnection")
            .field("server", &self.config.endpoint().as_str())
            .field("protocol", &self.config.protocol)
            .field("is_tls", &self.is_tls())
            .field("is_closed", &self.wire.is_closed())
            .finish_non_exhaustive()
    }
}
