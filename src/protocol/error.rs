//! [`ProtocolError`]: how a server can break the protocol.

use std::error::Error as StdError;
use std::fmt;

use crate::reply::Code;

/// How the server broke the rules of the protocol. The connection is then closed.
///
/// ```
/// use smtplib::Error;
/// use smtplib::error::ProtocolError;
/// use smtplib::protocol::Step;
///
/// let error = Error::protocol(Step::Greeting, ProtocolError::BadCode);
/// assert!(matches!(error, Error::Protocol { source: ProtocolError::BadCode, .. }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A line does not begin with a reply code and a space or a hyphen.
    BadCode,
    /// A line has a CR or LF that is not part of CRLF, or a NUL.
    BadLine,
    /// The lines of one reply have different codes.
    CodeMismatch,
    /// The server sent data between its reply to STARTTLS and the TLS handshake. An attacker could
    /// have put it there.
    DataBeforeTls,
    /// A line of a reply is too long.
    LineTooLong,
    /// A reply has too many lines or bytes.
    ReplyTooLong,
    /// The code is not a valid reply to this command, such as 250 to DATA.
    UnexpectedCode(Code),
    /// The server sent a reply without a command.
    Unsolicited,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadCode => f.write_str("a line does not begin with a reply code"),
            Self::BadLine => f.write_str("a line has a stray CR, LF or NUL in it"),
            Self::CodeMismatch => f.write_str("the lines of one reply have different codes"),
            Self::DataBeforeTls => {
                f.write_str("the server sent data between STARTTLS and the TLS handshake")
            }
            Self::LineTooLong => f.write_str("a line of the reply is too long"),
            Self::ReplyTooLong => f.write_str("the reply has too many lines"),
            Self::UnexpectedCode(code) => write!(f, "{code} is not a reply to this command"),
            Self::Unsolicited => f.write_str("the server sent a reply without a command"),
        }
    }
}

impl StdError for ProtocolError {}
