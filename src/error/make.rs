//! Errors for tests of programs, and the server's place in those of connecting.

use std::io;

use crate::auth::dialog::AuthError;
use crate::auth::error::AuthReason;
use crate::endpoint::Endpoint;
use crate::error::error::Error;
use crate::error::gave_up::GaveUp;
use crate::error::interrupted::Interrupted;
use crate::error::tls::{TlsError, TlsReason};
use crate::outcome::Outcome;
use crate::protocol::error::ProtocolError;
use crate::reply::Reply;
use crate::step::Step;

/// Constructors for tests, and for destinations that you write yourself.
impl Error {
    /// Makes an error: the server refused the login with this mechanism.
    ///
    /// ```
    /// let error = smtplib::Error::auth_failed("PLAIN", "535 5.7.8 no".parse()?);
    /// assert_eq!(error.to_string(), "the server refused the login with PLAIN: 535 5.7.8 no");
    /// # Ok::<(), smtplib::error::ProtocolError>(())
    /// ```
    #[must_use]
    pub fn auth_failed(mechanism: &str, reply: Reply) -> Self {
        Self::AuthFailed(Box::new(AuthError {
            mechanism: mechanism.to_ascii_uppercase(),
            reason: AuthReason::Refused,
            reply: Some(reply),
            detail: None,
            server: None,
            others: Box::default(),
        }))
    }

    /// Makes an error: the server closed the connection.
    #[must_use]
    pub fn disconnected(step: Step, last_words: Option<Reply>) -> Self {
        Self::Disconnected {
            step,
            last_words: last_words.map(Box::new),
            server: None,
        }
    }

    /// Makes an error: the last of this many attempts failed.
    ///
    /// ```
    /// use smtplib::Error;
    /// use smtplib::protocol::Step;
    ///
    /// let error = Error::gave_up(3, Error::timeout(Step::Connect));
    /// assert_eq!(error.attempts(), 3);
    /// ```
    #[must_use]
    pub fn gave_up(attempts: u32, failure: Self) -> Self {
        Self::GaveUp(Box::new(GaveUp {
            attempts,
            failure,
            outcome: None,
        }))
    }

    /// Makes an error: the connection failed or was closed in the middle of a transaction.
    ///
    /// ```
    /// use smtplib::protocol::Step;
    /// use smtplib::{Delivery, Error, Outcome, RecipientOutcome, RecipientStatus};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ann = RecipientOutcome::new("ann@example.org".parse()?, RecipientStatus::Unknown, None);
    /// let error = Error::interrupted(Outcome::new([ann], None), Error::timeout(Step::EndOfData));
    /// assert_eq!(error.delivery(), Delivery::Unknown);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn interrupted(outcome: Outcome, failure: Self) -> Self {
        Self::Interrupted(Box::new(Interrupted { outcome, failure }))
    }

    /// Makes an error: reading from or writing to the network failed.
    #[must_use]
    pub fn io(step: Step, source: io::Error) -> Self {
        Self::Io {
            step,
            source,
            server: None,
        }
    }

    /// Makes an error: the login would show the password.
    #[must_use]
    pub fn plaintext_auth() -> Self {
        Self::PlaintextAuth { server: None }
    }

    /// Makes an error: the server broke the rules of the protocol.
    #[must_use]
    pub fn protocol(step: Step, source: ProtocolError) -> Self {
        Self::Protocol {
            step,
            source,
            line: Box::default(),
            server: None,
        }
    }

    /// Makes an error: the server refused a step.
    #[must_use]
    pub fn refused(step: Step, reply: Reply) -> Self {
        Self::Refused {
            step,
            reply,
            server: None,
        }
    }

    /// Makes an error: the server took too long.
    #[must_use]
    pub fn timeout(step: Step) -> Self {
        Self::Timeout {
            step,
            is_begun: false,
            server: None,
        }
    }

    /// Makes an error: TLS could not be set up, or broke.
    #[must_use]
    pub fn tls(step: Step, reason: TlsReason) -> Self {
        Self::Tls(Box::new(TlsError::because(step, reason)))
    }

    /// Makes an error: the message is larger than the server takes. Both sizes are in bytes.
    #[must_use]
    pub fn too_large(size: u64, limit: u64) -> Self {
        Self::TooLarge { size, limit }
    }

    /// Makes an error: there is no host of this name.
    #[must_use]
    pub fn unknown_host(host: &str) -> Self {
        Self::UnknownHost { host: host.into() }
    }

    /// The same error, naming the server.
    pub(crate) fn at(mut self, endpoint: Endpoint) -> Self {
        let place = match &mut self {
            Self::AuthFailed(failure) => &mut failure.server,
            Self::Disconnected { server, .. }
            | Self::Io { server, .. }
            | Self::PlaintextAuth { server }
            | Self::Protocol { server, .. }
            | Self::Refused { server, .. }
            | Self::Timeout { server, .. } => server,
            Self::Tls(failure) => &mut failure.server,
            Self::Unsupported(what) => match what.server_mut() {
                Some(server) => server,
                None => return self,
            },
            _ => return self,
        };
        *place = Some(Box::new(endpoint));
        self
    }
}

/// For readers and writers: the error is kept inside (`get_ref`, `downcast`), so that `?` loses
/// nothing.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Io { source, .. } | Error::Source(source) => source.kind(),
            Error::Timeout { .. } => io::ErrorKind::TimedOut,
            Error::Closed | Error::Disconnected { .. } => io::ErrorKind::BrokenPipe,
            Error::Content(_) | Error::Protocol { .. } | Error::Unsupported(_) => {
                io::ErrorKind::InvalidData
            }
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl Error {
    /// The same failure for another message on the same connection.
    pub(crate) fn echo(&self) -> Self {
        match self {
            Self::Content(_)
            | Self::Disconnected { .. }
            | Self::Io { .. }
            | Self::Protocol { .. }
            | Self::Timeout { .. }
            | Self::TooLarge { .. }
            | Self::Unsupported(_) => self.again(),
            _ => Self::Closed,
        }
    }

    /// The same failure of a body once more: a writer that fails gives it to its caller, and again
    /// when it is asked to finish.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Closed => Self::Closed,
            Self::Command(source) => Self::Command(*source),
            Self::Content(source) => Self::Content(*source),
            Self::Disconnected {
                step, last_words, ..
            } => Self::disconnected(*step, last_words.as_deref().cloned()),
            Self::Io { step, source, .. } => Self::io(*step, io_again(source)),
            Self::Protocol {
                step, source, line, ..
            } => Self::Protocol {
                step: *step,
                source: *source,
                line: line.clone(),
                server: None,
            },
            Self::Refused { step, reply, .. } => Self::refused(*step, reply.clone()),
            Self::Timeout { step, .. } => Self::timeout(*step),
            Self::TooLarge { size, limit } => Self::TooLarge {
                size: *size,
                limit: *limit,
            },
            Self::Unsupported(what) => Self::Unsupported(what.clone()),
            Self::Source(source) => Self::Source(io_again(source)),
            other => Self::Source(io::Error::other(other.to_string())),
        }
    }
}

fn io_again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
