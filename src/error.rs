//! [`Error`]: what went wrong, where, and what it means for the message.

mod tls;

use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::address::AddressError;
use crate::auth::dialog::AuthError;
use crate::auth::error::{AuthReason, CredentialsError};
use crate::command_error::CommandError;
use crate::config::ConfigError;
use crate::exchange::error::{ContentError, Inadmissible, Unsupported};
use crate::message::error::MessageError;
use crate::outcome::{Outcome, RecipientStatus};
use crate::protocol::error::ProtocolError;
use crate::reply::{Code, Escaped, Reply};
use crate::step::Step;

pub use crate::error::tls::{TlsError, TlsReason};

/// The result of everything that talks to a server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong; the variants follow what a caller decides.
///
/// After a failed send, [`delivery`](Self::delivery) tells whether the message was certainly not
/// taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A text is not an address; nothing was sent.
    Address {
        /// The text.
        address: Box<str>,
        /// What is wrong with it.
        reason: AddressError,
    },
    /// Logging in failed (`SMTPAuthenticationError`).
    AuthFailed(Box<AuthError>),
    /// The connection was closed by an earlier failure, and nothing was sent; open another one.
    Closed,
    /// A text cannot be sent as a command; nothing was sent.
    Command(CommandError),
    /// The configuration cannot work; nothing was sent.
    Config(ConfigError),
    /// The message is not fit to be sent as it is; nothing of it was taken.
    Content(ContentError),
    /// The credentials cannot be sent; nothing was.
    Credentials(CredentialsError),
    /// The server refused the message itself (`SMTPDataError`): [`Outcome::reply`] is its answer.
    DataRefused(Box<Outcome>),
    /// The server closed the connection (`SMTPServerDisconnected`).
    Disconnected {
        /// Where.
        step: Step,
        /// What the server said before, for instance 421 and why.
        last_words: Option<Box<Reply>>,
    },
    /// The connection failed, or had to be cut, after a recipient had an answer: the cause, and
    /// what is known of each.
    Interrupted(Box<Interrupted>),
    /// Reading from or writing to the network failed.
    Io {
        /// Where.
        step: Step,
        /// Why.
        source: io::Error,
    },
    /// A part of the message cannot be had, such as an attachment that is not there any more;
    /// nothing was sent.
    Message(MessageError),
    /// There is nobody to send to; nothing was sent.
    NoRecipients,
    /// Logging in would show the password or token to everybody on the way, because the connection
    /// has no TLS.
    PlaintextAuth,
    /// The server broke the rules of the protocol.
    Protocol {
        /// Where.
        step: Step,
        /// How.
        source: ProtocolError,
    },
    /// The server refused every recipient, or one where all were required
    /// (`SMTPRecipientsRefused`).
    RecipientsRefused(Box<Outcome>),
    /// The server refused a step that is not about sender, recipients or message
    /// (`SMTPConnectError`, `SMTPHeloError`), or is closing the connection (421).
    Refused {
        /// Which.
        step: Step,
        /// Its answer.
        reply: Reply,
    },
    /// The server refused the sender (`SMTPSenderRefused`).
    SenderRefused(Reply),
    /// The message could not be read to its end, and the server has taken nothing. If its beginning
    /// had been sent, the connection was cut, and this is the cause of an
    /// [`Interrupted`](Self::Interrupted).
    Source(io::Error),
    /// The peer took too long.
    Timeout(Step),
    /// TLS could not be set up, or broke: its configuration, the handshake, a certificate.
    Tls(Box<TlsError>),
    /// The function of [`Credentials::token_from`](crate::Credentials::token_from) failed; nothing
    /// was sent.
    Token(Box<dyn StdError + Send + Sync>),
    /// The message is larger than the server takes (RFC 1870); nothing was sent.
    TooLarge {
        /// Its size in octets.
        size: u64,
        /// How many octets the server takes.
        limit: u64,
    },
    /// The server lacks an extension that is needed (`SMTPNotSupportedError`); nothing was sent.
    Unsupported(Unsupported),
}

/// Whether a message that could not be sent may have been taken all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// The server has certainly not taken the message for any recipient who is not listed as
    /// accepted.
    NotDelivered,
    /// The end of the message may have reached the server, and no answer came: sending again may
    /// duplicate it (RFC 1047).
    Unknown,
}

impl Error {
    /// A text that is not an address.
    pub(crate) fn address((address, reason): (Box<str>, AddressError)) -> Self {
        Self::Address { address, reason }
    }

    /// Whether the message may have been taken all the same.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        let is_unknown = match self {
            Self::Disconnected { step, .. }
            | Self::Io { step, .. }
            | Self::Protocol { step, .. }
            | Self::Timeout(step) => *step == Step::EndOfData,
            Self::Tls(error) => error.step == Step::EndOfData,
            Self::Interrupted(interrupted) => interrupted
                .outcome
                .recipients()
                .iter()
                .any(|recipient| recipient.status() == RecipientStatus::Unknown),
            _ => false,
        };
        if is_unknown {
            Delivery::Unknown
        } else {
            Delivery::NotDelivered
        }
    }

    /// The server's answer, where one answer is the reason.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::AuthFailed(failure) => failure.reply(),
            Self::DataRefused(outcome) => outcome.reply(),
            Self::Disconnected { last_words, .. } => last_words.as_deref(),
            Self::Interrupted(interrupted) => interrupted.failure.reply(),
            Self::Refused { reply, .. } | Self::SenderRefused(reply) => Some(reply),
            _ => None,
        }
    }

    /// The code of [`reply`](Self::reply).
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.reply().map(Reply::code)
    }

    /// What is known of each recipient, where the transaction came that far.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::DataRefused(outcome) | Self::RecipientsRefused(outcome) => Some(outcome),
            Self::Interrupted(interrupted) => Some(&interrupted.outcome),
            _ => None,
        }
    }

    /// The place in the session, where that is part of the error.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::AuthFailed(_) => Some(Step::Auth),
            Self::Disconnected { step, .. }
            | Self::Io { step, .. }
            | Self::Protocol { step, .. }
            | Self::Refused { step, .. }
            | Self::Timeout(step) => Some(*step),
            Self::Interrupted(interrupted) => interrupted.failure.step(),
            Self::SenderRefused(_) => Some(Step::Mail),
            Self::Tls(error) => Some(error.step),
            _ => None,
        }
    }

    /// Whether the same may succeed later, and nothing speaks against trying: the message was
    /// certainly not taken, and the reason is a 4yz reply (for all recipients), a timeout or a
    /// lost connection.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        if self.delivery() == Delivery::Unknown {
            return false;
        }
        match self {
            Self::RecipientsRefused(outcome) => outcome
                .turned_down()
                .all(|recipient| recipient.reply().is_some_and(Reply::is_transient)),
            Self::Interrupted(interrupted) => interrupted.failure.is_transient(),
            Self::Closed | Self::Io { .. } | Self::Timeout(_) | Self::Token(_) => true,
            Self::Tls(error) => error.is_transient(),
            // The fault is the connection's, not the message's.
            Self::Refused { step, .. } if *step == Step::Reset => true,
            Self::Disconnected { last_words, .. } => {
                !last_words.as_deref().is_some_and(Reply::is_permanent)
            }
            _ => self.reply().is_some_and(Reply::is_transient),
        }
    }

    /// Whether the same will fail again: a 5yz reply (for all recipients), or something on this
    /// side that must change.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Source(_) | Self::Protocol { .. } | Self::Tls(_) => false,
            Self::RecipientsRefused(outcome) => outcome
                .turned_down()
                .all(|recipient| recipient.reply().is_some_and(Reply::is_permanent)),
            Self::Interrupted(interrupted) => interrupted.failure.is_permanent(),
            Self::Closed | Self::Io { .. } | Self::Timeout(_) | Self::Token(_) => false,
            Self::Refused { step, .. } if *step == Step::Reset => false,
            Self::Disconnected { last_words, .. } => {
                last_words.as_deref().is_some_and(Reply::is_permanent)
            }
            _ => self.reply().is_none_or(Reply::is_permanent),
        }
    }

    /// The same failure for another message on the same connection.
    pub(crate) fn echo(&self) -> Self {
        match self {
            Self::Disconnected { step, last_words } => Self::Disconnected {
                step: *step,
                last_words: last_words.clone(),
            },
            Self::Io { step, source } => Self::Io {
                step: *step,
                source: io::Error::new(source.kind(), source.to_string()),
            },
            Self::Protocol { step, source } => Self::Protocol {
                step: *step,
                source: *source,
            },
            Self::Timeout(step) => Self::Timeout(*step),
            Self::Content(source) => Self::Content(*source),
            Self::TooLarge { size, limit } => Self::TooLarge {
                size: *size,
                limit: *limit,
            },
            Self::Unsupported(source) => Self::Unsupported(source.clone()),
            _ => Self::Closed,
        }
    }

    /// Whether a budget of time ran out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Interrupted(interrupted) => interrupted.failure.is_timeout(),
            Self::Timeout(_) => true,
            _ => false,
        }
    }

    /// Whether this error is the end of the connection. A server can also close behind a refusal;
    /// whether another message may go the same way is for
    /// [`SmtpConnection::is_reusable`](crate::SmtpConnection::is_reusable) to tell.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Closed
            | Self::Disconnected { .. }
            | Self::Interrupted(_)
            | Self::Io { .. }
            | Self::Protocol { .. }
            | Self::Timeout(_)
            | Self::Tls(_) => true,
            Self::AuthFailed(failure) => failure.reason() == AuthReason::ServerUnproven,
            Self::Refused {
                step: Step::Greeting | Step::Reset,
                ..
            } => true,
            _ => self.code() == Some(Code::SERVICE_CLOSING),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, reason } => {
                write!(f, "\"{}\" is not an address: {reason}", Escaped(address))
            }
            Self::AuthFailed(failure) => failure.fmt(f),
            Self::Closed => f.write_str("the connection is closed: open another one"),
            Self::Command(source) => source.fmt(f),
            Self::Config(source) => source.fmt(f),
            Self::Content(source) => source.fmt(f),
            Self::Credentials(source) => source.fmt(f),
            Self::DataRefused(outcome) => match outcome.reply() {
                Some(reply) => write!(f, "the server refused the message: {reply}"),
                None => f.write_str("the server refused the message"),
            },
            Self::Disconnected { step, last_words: Some(reply) } => {
                write!(f, "the server closed the connection at {step}, saying: {reply}")
            }
            Self::Disconnected { step: Step::EndOfData, last_words: None } => f.write_str(
                "the server closed the connection without saying whether it took the message: sending again may duplicate it",
            ),
            Self::Disconnected { step: Step::Auth, last_words: None } => f.write_str(
                "the server closed the connection at AUTH: most likely it does not know this user name and password",
            ),
            Self::Disconnected { step, last_words: None } => {
                write!(f, "the server closed the connection at {step}")
            }
            Self::Interrupted(interrupted) => interrupted.fmt(f),
            Self::Io { step, source } => write!(f, "the connection failed at {step}: {source}"),
            Self::Message(source) => source.fmt(f),
            Self::NoRecipients => f.write_str("the message has no recipients"),
            Self::PlaintextAuth => f.write_str(
                "logging in without TLS would show the password to everybody on the way: use implicit TLS, or STARTTLS where it is offered",
            ),
            Self::Protocol { step, source } => {
                write!(f, "the server broke the protocol at {step}: {source}")
            }
            Self::RecipientsRefused(outcome) => fmt_refused(outcome, f),
            Self::Refused { step: Step::Greeting, reply } => {
                write!(f, "the server refused the connection: {reply}")
            }
            Self::Refused { step, reply } => write!(f, "the server refused {step}: {reply}"),
            Self::SenderRefused(reply) if wants_login(reply) => write!(
                f,
                "the server refused the sender: {reply}; it wants a login first: give credentials"
            ),
            Self::SenderRefused(reply) => write!(f, "the server refused the sender: {reply}"),
            Self::Source(source) => write!(f, "the message could not be read: {source}"),
            Self::Timeout(step) => fmt_timeout(*step, f),
            Self::Tls(source) => source.fmt(f),
            Self::Token(source) => {
                write!(f, "the token for logging in could not be had: {source}")
            }
            Self::TooLarge { size, limit } => {
                write!(f, "the message has {size} octets and the server takes {limit}")
            }
            Self::Unsupported(source) => source.fmt(f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Address { reason, .. } => Some(reason),
            Self::AuthFailed(source) => Some(source),
            Self::Command(source) => Some(source),
            Self::Config(source) => Some(source),
            Self::Content(source) => Some(source),
            Self::Credentials(source) => Some(source),
            Self::Interrupted(source) => Some(source),
            Self::Io { source, .. } | Self::Source(source) => Some(source),
            Self::Message(source) => Some(source),
            Self::Protocol { source, .. } => Some(source),
            Self::Tls(error) => error.source(),
            Self::Token(source) => Some(source.as_ref()),
            Self::Unsupported(source) => Some(source),
            _ => None,
        }
    }
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

/// 530 is said before a login (RFC 4954, 6), and before STARTTLS (RFC 3207, 4).
fn wants_login(reply: &Reply) -> bool {
    reply.code() == 530 && !reply.text().to_ascii_uppercase().contains("TLS")
}

/// Who was refused and why; many are counted, not listed.
fn fmt_refused(outcome: &Outcome, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let count = outcome.recipients().len();
    let mut refused = outcome.turned_down();
    let (Some(first), more) = (refused.next(), refused.count()) else {
        return f.write_str("the server refused all recipients");
    };
    if more + 1 == count {
        f.write_str("the server refused ")?;
        f.write_str(if count == 1 {
            "the recipient "
        } else {
            "all recipients, first "
        })?;
    } else {
        write!(
            f,
            "the server refused {} of {count} recipients, first ",
            more + 1
        )?;
    }
    match first.reply() {
        Some(reply) => write!(f, "<{}>: {reply}", first.address()),
        None => write!(f, "<{}>", first.address()),
    }
}

fn fmt_timeout(step: Step, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match step {
        Step::Greeting => f.write_str(
            "the server sent no greeting in time: does this port speak TLS from the first octet?",
        ),
        Step::EndOfData => f.write_str(
            "the server did not say in time whether it took the message: sending again may duplicate it",
        ),
        _ => write!(f, "the server took too long at {step}"),
    }
}

/// A connection that failed, or had to be cut, after a recipient had an answer.
#[derive(Debug)]
pub struct Interrupted {
    pub(crate) outcome: Outcome,
    pub(crate) failure: Error,
}

impl Interrupted {
    /// What is known of each recipient.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Why the connection failed, or had to be cut.
    #[must_use]
    pub fn failure(&self) -> &Error {
        &self.failure
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.outcome.recipients().len();
        let known = self.outcome.accepted().count() + self.outcome.turned_down().count();
        self.failure.fmt(f)?;
        if known == 0 {
            return Ok(());
        }
        write!(f, " (the fate of {known} of {count} recipients is known)")
    }
}

impl StdError for Interrupted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.failure)
    }
}

#[cfg(test)]
mod tests;
