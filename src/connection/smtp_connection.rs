//! [`SmtpConnection`]: a connection and what it knows.

use std::fmt;

use crate::auth::user::User;
use crate::capabilities::Capabilities;
use crate::config::{Config, Protocol};
use crate::error::{Error, Result};
use crate::exchange::{Exchange, Policy};
use crate::net::stream::deadline_in;
use crate::net::wire::Wire;
use crate::protocol::error::ProtocolError;
use crate::reply::{Code, Reply};
use crate::step::Step;
use crate::trace::{Trace, TraceLine};

/// A connection to an SMTP or LMTP server.
///
/// [`Config::connect`] makes one, with TLS and login as configured. You can also make it step by
/// step, as in Python:
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
/// A [`Mailer`](crate::Mailer) holds connections for you, and replaces those that fail.
///
/// After an I/O error, a timeout, a violation of the protocol or the code 421, the connection is
/// closed. Every further call returns [`Error::Closed`]. [`quit`](Self::quit) sends QUIT and closes
/// it. Dropping it closes it without QUIT.
pub struct SmtpConnection {
    pub(crate) wire: Wire,
    pub(crate) config: Box<Config>,
    pub(super) greeting: Reply,
    pub(crate) capabilities: Capabilities,
    pub(crate) state: State,
    /// The memory of an exchange that is over, for the next one.
    pub(super) spare: Exchange,
    pub(crate) user: User,
}

/// State that transactions leave.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// RSET must be sent before the next transaction.
    pub(super) is_reset_owed: bool,
    /// A message was accepted since the connection or its TLS began.
    pub(super) is_proven: bool,
    /// How many transactions have begun.
    pub(super) transactions: u64,
}

impl SmtpConnection {
    /// Returns the server's greeting, its first reply.
    #[must_use]
    pub fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// Returns the extensions in the server's last reply to EHLO; empty if the server knows only
    /// HELO.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Returns true if TLS protects the connection, or your own
    /// [`Transport`](crate::connection::Transport) says that it is protected.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        let stream = self.wire.stream();
        stream.is_tls() || stream.is_protected_below()
    }

    /// Returns the server's certificate in DER, from TLS or from your own
    /// [`Transport`](crate::connection::Transport), if there is one.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let smtp = smtplib::Config::new("mail.example.com").connect()?;
    /// if let Some(certificate) = smtp.peer_certificate() {
    ///     std::fs::write("server.der", certificate)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.wire.stream().peer_certificate()
    }

    /// Returns true if this connection can send another message: it is open, and the server has not
    /// said goodbye.
    ///
    /// It checks the socket and sends nothing. [`noop`](Self::noop) asks the server.
    pub fn is_reusable(&mut self) -> bool {
        self.begin().is_ok() && self.has_transaction_left()
    }

    /// Calls this function with every further line of the dialog: Python's `set_debuglevel()`.
    ///
    /// [`Config::trace`] also shows the lines of connecting. By default there is no trace.
    ///
    /// ```no_run
    /// # fn main() -> smtplib::Result<()> {
    /// let mut smtp = smtplib::Config::new("mail.example.com").connect()?;
    /// smtp.set_trace(|line| eprintln!("{line}"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_trace(&mut self, sink: impl Fn(TraceLine<'_>) + Send + Sync + 'static) {
        self.wire.trace = Trace::new(sink);
    }

    /// Whether another transaction may begin, as far as this side knows.
    pub(crate) fn is_open(&self) -> bool {
        !self.wire.is_closed() && self.has_transaction_left()
    }

    /// How many transactions have begun.
    pub(crate) fn transactions(&self) -> u64 {
        self.state.transactions
    }

    /// Begins a call on an idle connection.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.arm()?;
        self.wire.check_idle()
    }

    /// Begins a call that sends a message. Directly after another message the socket is not
    /// checked: what the server says at that moment could cross the next command anyway. It is
    /// checked if the message may be sent with its envelope, because on a connection that has ended
    /// its result would be unknown.
    pub(crate) fn begin_message(&mut self) -> Result<()> {
        self.arm()?;
        let may_go_early = self.state.is_proven && self.capabilities.chunking();
        let is_behind_another = self.state.transactions > 0 && self.wire.is_busy();
        if is_behind_another && !may_go_early {
            self.wire.check_quiet(Step::Idle)
        } else {
            self.wire.check_idle()
        }
    }

    /// Starts the deadline of a call.
    pub(super) fn arm(&mut self) -> Result<()> {
        self.wire.begin_call(self.config.deadline.map(deadline_in))
    }

    /// Begins an exchange, with the server's offers and the state that earlier transactions left.
    /// [`settle`](Self::settle) ends it.
    pub(super) fn begin_exchange(&mut self, across: bool) -> Exchange {
        let policy = Policy {
            pipelining: self.capabilities.pipelining(),
            across: across && self.capabilities.pipelining(),
            lmtp: self.config.protocol == Protocol::Lmtp,
        };
        let State {
            is_reset_owed,
            is_proven,
            ..
        } = self.state;
        // Until the exchange has ended well.
        self.state.is_reset_owed = true;
        let spare = std::mem::take(&mut self.spare);
        spare.under(policy).resume(is_reset_owed, is_proven)
    }

    /// Remembers what an exchange leaves behind.
    pub(super) fn settle(&mut self, exchange: Exchange) {
        self.state.is_reset_owed = exchange.is_reset_owed();
        self.state.is_proven = exchange.is_proven();
        self.spare = exchange.emptied();
    }

    /// Whether the server takes another transaction on this connection (RFC 9422, MAILMAX).
    pub(super) fn has_transaction_left(&self) -> bool {
        let most = self.capabilities.limits().mail_max;
        most.is_none_or(|most| self.state.transactions < most)
    }

    /// Says goodbye if the server takes no further transaction.
    pub(super) fn claim_transaction(&mut self) -> Result<()> {
        if self.has_transaction_left() {
            return Ok(());
        }
        self.wire.leave();
        Err(Error::Closed)
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
    /// It shows neither server replies nor messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConnection")
            .field("server", &self.config.endpoint().as_str())
            .field("protocol", &self.config.protocol)
            .field("is_tls", &self.is_tls())
            .field("is_closed", &self.wire.is_closed())
            .finish_non_exhaustive()
    }
}
