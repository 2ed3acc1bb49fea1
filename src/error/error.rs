//! [`Error`]: what failed, where, and what it means for the message.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::address::AddressError;
use crate::auth::dialog::AuthError;
use crate::auth::error::{AuthReason, CredentialsError};
use crate::command_error::CommandError;
use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::tls::TlsError;
use crate::exchange::error::{ContentError, Inadmissible, Unsupported};
use crate::message::error::MessageError;
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::protocol::error::ProtocolError;
use crate::reply::{Code, Reply};
use crate::step::Step;

pub(crate) use crate::error::gave_up::GaveUp;
pub(crate) use crate::error::interrupted::Interrupted;

/// The result of a call that talks to a server.
///
/// ```no_run
/// fn check() -> smtplib::Result<()> {
///     smtplib::Mailer::from_env("SMTP_URL")?.check()
/// }
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed, where, and whether the message may have been delivered in spite of it.
///
/// There is one variant for each decision you may need to make. [`Display`](std::fmt::Display) says
/// all that is known in one sentence, so that printing the error is enough.
/// [`source`](StdError::source) returns only what the sentence does not say. After a failed send,
/// [`delivery`](Self::delivery) says whether the message was certainly not delivered.
///
/// **Try later: yes.** The same call can succeed later.
///
/// - [`Busy`](Self::Busy): all connections of a [`Mailer`](crate::Mailer) were in use for too
///   long. Wait longer, or allow more connections.
/// - [`Closed`](Self::Closed): an earlier failure has closed this connection. Connect again.
/// - [`Timeout`](Self::Timeout): the server took too long. Try again.
/// - [`Token`](Self::Token): the function for the access token failed. Check the function.
///
/// **Try later: by the reply.** Yes if the [`reply`](Self::reply) is 4yz, no if it is 5yz or if
/// there is none. The exceptions are in the list.
///
/// - [`AuthFailed`](Self::AuthFailed): logging in failed. Ask for the password again; after 4yz
///   wait.
/// - [`DataRefused`](Self::DataRefused): the server refused the message itself. After 5yz change
///   the message.
/// - [`Disconnected`](Self::Disconnected): the server closed the connection. Connect again. Without
///   a reply, or before the next command: yes.
/// - [`RecipientsRefused`](Self::RecipientsRefused): the server refused all recipients, or one
///   where all were required. Look at the outcome.
/// - [`Refused`](Self::Refused): the server refused another step, or says goodbye. See the step.
///   After a refused RSET: yes.
/// - [`SenderRefused`](Self::SenderRefused): the server refused the sender. Send as the user who
///   has logged in.
///
/// **Try later: by the failure.** Yes if the failure inside is worth another try.
///
/// - [`GaveUp`](Self::GaveUp): the last of several attempts with [`Retry`](crate::Retry) failed.
///   See the last failure.
/// - [`Interrupted`](Self::Interrupted): the connection failed or was closed after the server
///   replied about a recipient, or after the message may have been delivered. Look at the outcome,
///   and send to the rest; after `Delivery::Unknown` check first.
///
/// **Try later: by the kind.** No for the kinds `AddrNotAvailable`, `InvalidInput`,
/// `PermissionDenied` and `Unsupported`, yes for all other kinds.
///
/// - [`Io`](Self::Io): the network failed, or the server could not be reached. See the reason,
///   and connect again.
///
/// **Try later: by the reason.** Yes if the connection broke after the handshake
/// ([`TlsReason::Other`]), or if the server fell back to plain text ([`TlsReason::InClear`]).
/// During the handshake that text must be a 4yz reply. All other reasons need a change.
///
/// - [`Tls`](Self::Tls): TLS could not be set up, or broke. See [`TlsError::reason`].
///
/// **Try later: no.** Something has to change first.
///
/// - [`Address`](Self::Address): a text is not an address. Correct the address.
/// - [`Command`](Self::Command): a text cannot be sent as a command. Correct the call.
/// - [`Config`](Self::Config): the configuration cannot work. Correct the configuration.
/// - [`Content`](Self::Content): the message has lines or bytes that SMTP cannot carry. Encode
///   that part.
/// - [`Credentials`](Self::Credentials): the user name or password cannot be sent. Correct them.
/// - [`Message`](Self::Message): the message could not be built, or an attachment could not be
///   read. Correct the field, or check the file.
/// - [`NoRecipients`](Self::NoRecipients): the message has no recipients. Add a recipient.
/// - [`PlaintextAuth`](Self::PlaintextAuth): logging in would show the password. Use TLS.
/// - [`Protocol`](Self::Protocol): the server broke the rules of the protocol. Check host and
///   port, then tell the server's owner.
/// - [`Source`](Self::Source): the message could not be read to its end. Check the reader.
/// - [`TooLarge`](Self::TooLarge): the message is larger than the server takes. Make it smaller.
/// - [`UnknownHost`](Self::UnknownHost): there is no host of this name. Correct the host.
/// - [`Unsupported`](Self::Unsupported): the server lacks an extension that is needed. Do without
///   it, or use another server.
///
/// "Try later" is what [`is_transient`](Self::is_transient) returns. If the message may
/// have been delivered, it is always no.
///
/// ```
/// use smtplib::{Error, Mailer, Message};
///
/// fn send(mailer: &Mailer, message: &Message) {
///     match mailer.send(message) {
///         Ok(_) => println!("sent"),
///         Err(error) if error.is_transient() => println!("try again later: {error}"),
///         Err(Error::AuthFailed(_)) => println!("check user name and password"),
///         Err(error) => println!("{error}"),
///     }
/// }
/// ```
///
/// [`TlsReason::InClear`]: crate::error::TlsReason::InClear
/// [`TlsReason::Other`]: crate::error::TlsReason::Other
#[non_exhaustive]
pub enum Error {
    /// A text is not an address; nothing was sent.
    #[non_exhaustive]
    Address {
        /// The text.
        address: Box<str>,
        /// Why it is not an address.
        reason: AddressError,
    },
    /// Logging in failed (`SMTPAuthenticationError`).
    AuthFailed(Box<AuthError>),
    /// No connection of a [`Mailer`](crate::Mailer) became free in time; nothing was sent.
    #[non_exhaustive]
    Busy {
        /// How long the caller has waited.
        waited: Duration,
        /// How many connections there are.
        connections: usize,
    },
    /// An earlier failure has closed the connection; nothing was sent. Open another one.
    Closed,
    /// A text cannot be sent as a command; nothing was sent.
    Command(CommandError),
    /// The configuration cannot work; nothing was sent.
    Config(ConfigError),
    /// The message has lines or bytes that SMTP cannot carry; nothing was delivered.
    Content(ContentError),
    /// The user name or password is empty, or has a character that the mechanism cannot carry.
    /// Nothing was sent.
    Credentials(CredentialsError),
    /// The server refused the message itself (`SMTPDataError`): [`Outcome::reply`] says why.
    DataRefused(Box<Outcome>),
    /// The server closed the connection (`SMTPServerDisconnected`).
    #[non_exhaustive]
    Disconnected {
        /// The step that failed.
        step: Step,
        /// The reply that came before the close, for instance 421 and its text; `None` if none did.
        last_words: Option<Box<Reply>>,
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The last attempt of a [`Mailer`](crate::Mailer) with [`Retry`](crate::Retry) failed, and no
    /// recipient is known to have the message.
    GaveUp(Box<GaveUp>),
    /// The connection failed or was closed after the server replied about a recipient, or after the
    /// message may have been delivered. It holds the cause and the result for each recipient.
    Interrupted(Box<Interrupted>),
    /// Reading from or writing to the network failed.
    #[non_exhaustive]
    Io {
        /// The step that failed.
        step: Step,
        /// The cause.
        source: io::Error,
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The message could not be built, or an attachment could not be read; nothing was sent.
    Message(MessageError),
    /// The message has no recipients; nothing was sent.
    NoRecipients,
    /// The login would show the password or token, because the connection has no TLS and no
    /// protected [`Transport`](crate::connection::Transport). Nothing was sent.
    #[non_exhaustive]
    PlaintextAuth {
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The server broke the rules of the protocol.
    #[non_exhaustive]
    Protocol {
        /// The step that failed.
        step: Step,
        /// The rule that was broken.
        source: ProtocolError,
        /// The line that broke the rules, at most 500 characters of it; it may be empty.
        line: Box<str>,
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The server refused every recipient, or one where all were required
    /// (`SMTPRecipientsRefused`).
    RecipientsRefused(Box<Outcome>),
    /// The server refused another step (`SMTPConnectError`, `SMTPHeloError`), or is closing the
    /// connection (421).
    #[non_exhaustive]
    Refused {
        /// The step that was refused.
        step: Step,
        /// The server's reply.
        reply: Reply,
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The server refused the sender (`SMTPSenderRefused`).
    SenderRefused(Reply),
    /// The message could not be read to its end, and the server has accepted nothing. If a part was
    /// already sent, the connection was closed, and this is the cause of an
    /// [`Interrupted`](Self::Interrupted).
    Source(io::Error),
    /// The server took too long.
    #[non_exhaustive]
    Timeout {
        /// The step that failed.
        step: Step,
        /// Whether a part of the reply had arrived.
        is_begun: bool,
        /// The server, if the failure was in connecting.
        server: Option<Box<Endpoint>>,
    },
    /// TLS could not be set up: its configuration, the handshake, or the server's certificate.
    Tls(Box<TlsError>),
    /// The function of [`Credentials::token_from`](crate::Credentials::token_from) failed; nothing
    /// was sent.
    Token(Box<dyn StdError + Send + Sync>),
    /// The message is larger than the server takes (RFC 1870); nothing was sent.
    #[non_exhaustive]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// How many bytes the server takes.
        limit: u64,
    },
    /// The name look-up found no host of this name.
    #[non_exhaustive]
    UnknownHost {
        /// The name.
        host: Box<str>,
    },
    /// The server lacks an extension that is needed (`SMTPNotSupportedError`); nothing was sent.
    Unsupported(Unsupported),
}

/// Whether the server may have accepted a message in spite of an error.
///
/// ```
/// use smtplib::protocol::Step;
/// use smtplib::{Delivery, Error};
///
/// assert_eq!(Error::timeout(Step::Connect).delivery(), Delivery::NotDelivered);
/// assert_eq!(Error::timeout(Step::EndOfData).delivery(), Delivery::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// The server has certainly not accepted the message, except for recipients listed as accepted.
    NotDelivered,
    /// The server may have accepted the message, because no valid reply came: sending again may
    /// duplicate it (RFC 1047).
    Unknown,
}

impl Error {
    /// A text that is not an address.
    pub(crate) fn address((address, reason): (Box<str>, AddressError)) -> Self {
        Self::Address { address, reason }
    }

    /// Returns whether the server may have accepted the message in spite of the error.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        let is_unknown = match self {
            Self::Disconnected { step, .. }
            | Self::Io { step, .. }
            | Self::Protocol { step, .. }
            | Self::Timeout { step, .. } => *step == Step::EndOfData,
            Self::Tls(error) => error.step() == Step::EndOfData,
            Self::Interrupted(interrupted) => interrupted
                .outcome
                .recipients()
                .iter()
                .any(|recipient| recipient.status() == RecipientStatus::Unknown),
            Self::GaveUp(last) => return last.failure.delivery(),
            _ => false,
        };
        if is_unknown {
            Delivery::Unknown
        } else {
            Delivery::NotDelivered
        }
    }

    /// Returns how many times a [`Mailer`](crate::Mailer) has tried the message.
    ///
    /// It is 1 unless the error is [`GaveUp`](Self::GaveUp) or has an [`outcome`](Self::outcome).
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::GaveUp(last) => last.attempts,
            _ => self.outcome().map_or(1, Outcome::attempts),
        }
    }

    /// Returns the server's reply that caused the error, if there is one.
    ///
    /// If recipients were refused, it is the first of their replies that agrees with
    /// [`is_transient`](Self::is_transient).
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::AuthFailed(failure) => failure.reply(),
            Self::DataRefused(outcome) => outcome.reply(),
            Self::Disconnected { last_words, .. } => last_words.as_deref(),
            Self::GaveUp(last) => last.failure.reply(),
            Self::Interrupted(interrupted) => interrupted.reply(),
            Self::RecipientsRefused(outcome) => deciding_refusal(outcome),
            Self::Refused { reply, .. } | Self::SenderRefused(reply) => Some(reply),
            _ => None,
        }
    }

    /// Returns the code of [`reply`](Self::reply).
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.reply().map(Reply::code)
    }

    /// Returns the result for each recipient, if the transaction came that far.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::DataRefused(outcome) | Self::RecipientsRefused(outcome) => Some(outcome),
            Self::GaveUp(last) => last.outcome.as_ref(),
            Self::Interrupted(interrupted) => Some(&interrupted.outcome),
            _ => None,
        }
    }

    /// Turns the error into the result for each recipient, if the transaction came that far.
    #[must_use]
    pub fn into_outcome(self) -> Option<Outcome> {
        match self {
            Self::DataRefused(outcome) | Self::RecipientsRefused(outcome) => Some(*outcome),
            Self::GaveUp(last) => last.outcome,
            Self::Interrupted(interrupted) => Some(interrupted.outcome),
            _ => None,
        }
    }

    /// Returns the server, for failures of [`Config::connect`](crate::Config::connect).
    #[must_use]
    pub fn server(&self) -> Option<&Endpoint> {
        match self {
            Self::AuthFailed(failure) => failure.server.as_deref(),
            Self::Disconnected { server, .. }
            | Self::Io { server, .. }
            | Self::PlaintextAuth { server }
            | Self::Protocol { server, .. }
            | Self::Refused { server, .. }
            | Self::Timeout { server, .. } => server.as_deref(),
            Self::GaveUp(last) => last.failure.server(),
            Self::Tls(failure) => failure.server.as_deref(),
            Self::Unsupported(what) => what.server(),
            _ => None,
        }
    }

    /// Returns the step of the session that failed, if it is known.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::AuthFailed(_) => Some(Step::Auth),
            Self::Disconnected { step, .. }
            | Self::Io { step, .. }
            | Self::Protocol { step, .. }
            | Self::Refused { step, .. }
            | Self::Timeout { step, .. } => Some(*step),
            Self::GaveUp(last) => last.failure.step(),
            Self::Interrupted(interrupted) => interrupted.failure.step(),
            Self::SenderRefused(_) => Some(Step::Mail),
            Self::Tls(error) => Some(error.step()),
            Self::UnknownHost { .. } => Some(Step::Connect),
            _ => None,
        }
    }

    /// Returns true if a later attempt makes sense and cannot deliver the message twice.
    ///
    /// It is true after a 4yz reply, a timeout or a lost connection, unless a recipient has the
    /// message or may have it. It is also true if all recipients were refused, one of them with
    /// 4yz.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let mut accepted = self.outcome().into_iter().flat_map(Outcome::accepted);
        if self.delivery() == Delivery::Unknown || accepted.next().is_some() {
            return false;
        }
        match self {
            Self::Busy { .. } | Self::Closed | Self::Timeout { .. } | Self::Token(_) => true,
            Self::GaveUp(last) => last.failure.is_transient(),
            Self::Interrupted(interrupted) => interrupted.failure.is_transient(),
            Self::Tls(error) => error.is_transient(),
            Self::Io { source, .. } => is_worth_another_try(source.kind()),
            // Nothing was asked of the server yet, so that what it says is about the connection.
            Self::Disconnected {
                step: Step::Idle, ..
            } => true,
            Self::Disconnected { last_words, .. } => {
                !last_words.as_deref().is_some_and(Reply::is_permanent)
            }
            // The fault is the connection's, not the message's.
            Self::Refused {
                step: Step::Reset, ..
            } => true,
            _ => self.reply().is_some_and(Reply::is_transient),
        }
    }

    /// Returns true if the same call will certainly fail again.
    ///
    /// It is true after a 5yz reply, or if something on this side must change. Both this and
    /// [`is_transient`](Self::is_transient) are false if the message may have been delivered, or if
    /// the cause is unclear.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        let is_unclear = match self {
            Self::Source(_) | Self::Protocol { .. } | Self::Tls(_) => true,
            Self::GaveUp(last) => return last.failure.is_permanent(),
            Self::Interrupted(interrupted) => !interrupted.failure.is_permanent(),
            _ => self.reply().is_some_and(|reply| !reply.is_permanent()),
        };
        self.delivery() == Delivery::NotDelivered && !self.is_transient() && !is_unclear
    }

    /// Returns true if a time limit has passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::GaveUp(last) => last.failure.is_timeout(),
            Self::Interrupted(interrupted) => interrupted.failure.is_timeout(),
            Self::Busy { .. } | Self::Timeout { .. } => true,
            _ => false,
        }
    }

    /// Returns true if the error has closed the connection.
    ///
    /// A server can also close the connection after a refusal.
    /// [`SmtpConnection::is_reusable`](crate::SmtpConnection::is_reusable) says whether it can send
    /// another message.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Closed
            | Self::Disconnected { .. }
            | Self::Interrupted(_)
            | Self::Io { .. }
            | Self::Protocol { .. }
            | Self::Timeout { .. }
            | Self::Tls(_)
            | Self::UnknownHost { .. } => true,
            Self::AuthFailed(failure) => failure.reason() == AuthReason::ServerUnproven,
            Self::GaveUp(last) => last.failure.is_closed(),
            Self::Refused {
                step: Step::Greeting | Step::Reset,
                ..
            } => true,
            _ => self.code() == Some(Code::SERVICE_CLOSING),
        }
    }
}

/// The sentence includes the cause, so `source` returns only the source of that cause.
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::GaveUp(last) => last.source(),
            Self::Interrupted(interrupted) => interrupted.source(),
            Self::Io { source, .. } | Self::Source(source) => source.source(),
            Self::Message(source) => source.source(),
            Self::Token(source) => source.source(),
            _ => None,
        }
    }
}

/// The recipients that the server itself refused, without those that were not reached.
pub(super) fn refusals(outcome: &Outcome) -> impl Iterator<Item = &RecipientOutcome> {
    let recipients = outcome.recipients().iter();
    recipients.filter(|recipient| recipient.status() == RecipientStatus::Refused)
}

/// The first reply to a recipient that agrees with what the error as a whole means: if anybody may
/// be taken later, the same call is worth another try; where all were required, only if all may.
fn deciding_refusal(outcome: &Outcome) -> Option<&Reply> {
    let replies = || refusals(outcome).filter_map(RecipientOutcome::reply);
    let are_all_refused = refusals(outcome).count() == outcome.recipients().len();
    let decides: fn(&&Reply) -> bool = if are_all_refused {
        |reply| reply.is_transient()
    } else {
        |reply| reply.is_permanent()
    };
    replies().find(decides).or_else(|| replies().next())
}

/// Whether a failure of the network can be temporary.
pub(crate) fn is_worth_another_try(kind: io::ErrorKind) -> bool {
    !matches!(
        kind,
        io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::Unsupported
    )
}

macro_rules! from {
    ($($variant:ident($source:ty)),* $(,)?) => {$(
        impl From<$source> for Error {
            fn from(source: $source) -> Self {
                Self::$variant(source)
            }
        }
    )*};
}

from! {
    Command(CommandError),
    Config(ConfigError),
    Content(ContentError),
    Credentials(CredentialsError),
    Message(MessageError),
    Unsupported(Unsupported),
}

impl From<Inadmissible> for Error {
    fn from(reason: Inadmissible) -> Self {
        match reason {
            Inadmissible::Command(source) => Self::Command(source),
            Inadmissible::Content(source) => Self::Content(source),
            Inadmissible::TooLarge { size, limit } => Self::TooLarge { size, limit },
            Inadmissible::Unsupported(source) => Self::Unsupported(source),
        }
    }
}
