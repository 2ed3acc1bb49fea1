//! [`Error`]: what went wrong, where, and what it means for the message.

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
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what went wrong, where, and what that means for the message.
///
/// There is one variant for each decision you may need to make. [`Display`](std::fmt::Display) says all
/// that is known in one sentence, so that printing the error is enough: what
/// [`source`](StdError::source) returns is not repeated in it. After a failed send,
/// [`delivery`](Self::delivery) tells whether the message was certainly not taken.
///
/// | variant | means | try later? | what to do |
/// |---|---|---|---|
/// | `Address` | a text is not an address | no | correct the address |
/// | `AuthFailed` | logging in failed | by the reply | ask for the password again, after 4yz wait |
/// | `Busy` | all connections of a [`Mailer`](crate::Mailer) were in use for too long | yes | wait longer, or allow more connections |
/// | `Closed` | an earlier failure has closed this connection | yes | connect again |
/// | `Command` | a text cannot be sent as a command | no | correct the call |
/// | `Config` | the configuration cannot work | no | correct the configuration |
/// | `Content` | the message has lines or octets that SMTP cannot carry | no | encode that part |
/// | `Credentials` | the user name or password cannot be sent | no | correct them |
/// | `DataRefused` | the server refused the message itself | by the reply | after 5yz change the message |
/// | `Disconnected` | the server closed the connection | by the reply | connect again, after `Delivery::Unknown` check first |
/// | `GaveUp` | every attempt that [`Retry`](crate::Retry) allows has failed | by the failure | see the last failure |
/// | `Interrupted` | the connection failed after recipients were answered | by the failure | look at the outcome, send to the rest |
/// | `Io` | the network failed, or the server could not be reached | by the kind | see the reason, connect again |
/// | `Message` | an attachment could not be read | no | look after the file |
/// | `NoRecipients` | there is nobody to send to | no | add a recipient |
/// | `PlaintextAuth` | logging in would show the password | no | use TLS |
/// | `Protocol` | the server broke the rules of the protocol | no | check host and port, then tell the server's owner |
/// | `RecipientsRefused` | the server refused all recipients, or one where all were required | by the reply | look at the outcome |
/// | `Refused` | the server refused another step, or says goodbye | by the reply | see the step |
/// | `SenderRefused` | the server refused the sender | by the reply | send as the user who has logged in |
/// | `Source` | the message could not be read to its end | no | look after the source |
/// | `Timeout` | the server took too long | yes | try again, after `Delivery::Unknown` check first |
/// | `Tls` | TLS could not be set up, or broke | by the reason | see [`TlsError::reason`] |
/// | `Token` | no token could be had for logging in | yes | look after the function that gets it |
/// | `TooLarge` | the message is larger than the server takes | no | make it smaller |
/// | `UnknownHost` | there is no host of this name | no | correct the host |
/// | `Unsupported` | the server lacks an extension that is needed | no | do without it, or use another server |
///
/// "Try later?" is what [`is_transient`](Self::is_transient) answers. "By the reply": yes if the
/// [`reply`](Self::reply) is 4yz, no if it is 5yz. "By the reason": yes if the connection broke
/// after the handshake ([`TlsReason::Other`]), or if the server fell back to plain text
/// ([`TlsReason::InClear`]). During the handshake such a text must be a 4yz reply. All other reasons
/// need somebody to change something. "By the kind": no for the kinds `AddrNotAvailable`,
/// `InvalidInput`, `PermissionDenied` and `Unsupported`, yes for all others. Where the message may
/// have been taken, it is always no.
///
/// [`TlsReason::InClear`]: crate::error::TlsReason::InClear
/// [`TlsReason::Other`]: crate::error::TlsReason::Other
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A text is not an address; nothing was sent.
    #[non_exhaustive]
    Address {
        /// The text.
        address: Box<str>,
        /// What is wrong with it.
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
    /// The connection was closed by an earlier failure, and nothing was sent; open another one.
    Closed,
    /// A text cannot be sent as a command; nothing was sent.
    Command(CommandError),
    /// The configuration cannot work; nothing was sent.
    Config(ConfigError),
    /// The message is not fit to be sent as it is; nothing of it was taken.
    Content(ContentError),
    /// The user name or password is empty or has a character that the mechanism cannot carry.
    /// Nothing was sent.
    Credentials(CredentialsError),
    /// The server refused the message itself (`SMTPDataError`): [`Outcome::reply`] is its answer.
    DataRefused(Box<Outcome>),
    /// The server closed the connection (`SMTPServerDisconnected`).
    #[non_exhaustive]
    Disconnected {
        /// Where.
        step: Step,
        /// What the server said before, for instance 421 and why.
        last_words: Option<Box<Reply>>,
        /// Which server, while connecting.
        server: Option<Box<Endpoint>>,
    },
    /// A [`Mailer`](crate::Mailer) with a policy for trying again has failed for the last time, and
    /// nobody has got the message.
    GaveUp(Box<GaveUp>),
    /// The connection failed, or had to be cut, after a recipient had an answer: the cause, and
    /// what is known of each.
    Interrupted(Box<Interrupted>),
    /// Reading from or writing to the network failed.
    #[non_exhaustive]
    Io {
        /// Where.
        step: Step,
        /// Why.
        source: io::Error,
        /// Which server, while connecting.
        server: Option<Box<Endpoint>>,
    },
    /// An attachment could not be read; nothing was sent.
    Message(MessageError),
    /// There is nobody to send to; nothing was sent.
    NoRecipients,
    /// Logging in would show the password or token to everybody on the way, because the connection
    /// has no TLS, and no [`Transport`](crate::connection::Transport) that is protected.
    #[non_exhaustive]
    PlaintextAuth {
        /// Which server, while connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The server broke the rules of the protocol.
    #[non_exhaustive]
    Protocol {
        /// Where.
        step: Step,
        /// How.
        source: ProtocolError,
        /// The line that broke the rules, at most 500 octets of it, as far as one did.
        line: Box<str>,
        /// Which server, while connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The server refused every recipient, or one where all were required
    /// (`SMTPRecipientsRefused`).
    RecipientsRefused(Box<Outcome>),
    /// The server refused a step that is not about sender, recipients or message
    /// (`SMTPConnectError`, `SMTPHeloError`), or is closing the connection (421).
    #[non_exhaustive]
    Refused {
        /// Which.
        step: Step,
        /// Its answer.
        reply: Reply,
        /// Which server, while connecting.
        server: Option<Box<Endpoint>>,
    },
    /// The server refused the sender (`SMTPSenderRefused`).
    SenderRefused(Reply),
    /// The message could not be read to its end, and the server has taken nothing. If its beginning
    /// had been sent, the connection was cut, and this is the cause of an
    /// [`Interrupted`](Self::Interrupted).
    Source(io::Error),
    /// The server took too long.
    #[non_exhaustive]
    Timeout {
        /// Where.
        step: Step,
        /// Whether a part of its reply had come.
        is_begun: bool,
        /// Which server, while connecting.
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
        /// Its size in octets.
        size: u64,
        /// How many octets the server takes.
        limit: u64,
    },
    /// The host's name is unknown to the resolver.
    #[non_exhaustive]
    UnknownHost {
        /// The name.
        host: Box<str>,
    },
    /// The server lacks an extension that is needed (`SMTPNotSupportedError`); nothing was sent.
    Unsupported(Unsupported),
}

/// Tells whether a message that could not be sent may have been accepted all the same.
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

    /// Returns whether the message may have been accepted all the same.
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
    /// It is known for [`GaveUp`](Self::GaveUp) and for errors with an [`outcome`](Self::outcome);
    /// otherwise it is 1.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::GaveUp(last) => last.attempts,
            _ => self.outcome().map_or(1, Outcome::attempts),
        }
    }

    /// Returns the server's reply, if one reply is the reason.
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

    /// Returns what is known of each recipient, if the transaction came that far.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::DataRefused(outcome) | Self::RecipientsRefused(outcome) => Some(outcome),
            Self::GaveUp(last) => last.outcome.as_ref(),
            Self::Interrupted(interrupted) => Some(&interrupted.outcome),
            _ => None,
        }
    }

    /// Takes out what is known of each recipient, if the transaction came that far.
    #[must_use]
    pub fn into_outcome(self) -> Option<Outcome> {
        match self {
            Self::DataRefused(outcome) | Self::RecipientsRefused(outcome) => Some(*outcome),
            Self::GaveUp(last) => last.outcome,
            Self::Interrupted(interrupted) => Some(interrupted.outcome),
            _ => None,
        }
    }

    /// Returns which server it was, for failures of [`Config::connect`](crate::Config::connect).
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

    /// Returns the place in the session, if that is part of the error.
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

    /// Returns true if the same call is worth trying again later, and trying again cannot deliver
    /// the message twice.
    ///
    /// That is so after a 4yz reply, a timeout or a lost connection, unless the message may have
    /// been taken. It is also so if all recipients were refused and one of them with 4yz.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        if self.delivery() == Delivery::Unknown {
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

    /// Returns true if the same call will certainly fail again: after a 5yz reply, or if something on
    /// this side must change.
    ///
    /// Both this and [`is_transient`](Self::is_transient) are false where the message may have been
    /// taken, and where nobody can know.
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

    /// Returns true if this error is the end of the connection.
    ///
    /// A server can also close behind a refusal:
    /// [`SmtpConnection::is_reusable`](crate::SmtpConnection::is_reusable) tells whether the connection
    /// can send another message.
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

/// The sentence says all that there is to say: beyond it lead only the sources of what it tells.
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

/// Those whom the server itself refused, and not those who were not reached.
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

/// Whether a failure of the network can pass by itself.
fn is_worth_another_try(kind: io::ErrorKind) -> bool {
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
