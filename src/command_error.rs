//! [`CommandError`]: why a text cannot be sent as a command.

use std::error::Error as StdError;
use std::fmt;

/// Why a text cannot be sent as a command.
///
/// ```
/// use smtplib::error::CommandError;
/// use smtplib::protocol::Parameter;
///
/// let error = "RET=HDRS\r\nDATA".parse::<Parameter>().unwrap_err();
/// assert_eq!(error, CommandError::Parameter);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The parameter BODY does not fit the message, or asks for BINARYMIME, which the library
    /// chooses.
    Body,
    /// BURL: the library does not send messages that the server would have to fetch.
    Burl,
    /// The text has a control character, such as CR or LF.
    Control(char),
    /// The text is empty.
    Empty,
    /// The client's name in EHLO is neither a host name nor an address literal.
    HelloName,
    /// The name of a SASL mechanism is not 1 to 20 letters, digits, hyphens and underscores.
    Mechanism,
    /// A parameter of MAIL was given to RCPT, or the other way round.
    Misplaced,
    /// An option cannot have this value; the text says what it can be.
    Option(&'static str),
    /// A parameter of MAIL or RCPT does not follow the grammar of RFC 5321, 4.1.2.
    Parameter,
    /// A parameter of MAIL or RCPT is given twice.
    Repeated,
    /// The command changes the state of the connection, and has its own method.
    Reserved(&'static str),
    /// SIZE is given as a parameter, but the library adds it.
    Size,
    /// The line is longer than SMTP allows.
    #[non_exhaustive]
    TooLong {
        /// How many bytes the line may have, with its CRLF.
        limit: usize,
    },
    /// An address has letters outside ASCII, and MAIL went without the parameter SMTPUTF8 (RFC
    /// 6531, 3.4).
    Utf8,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str(
                "the parameter BODY does not fit the message: leave it out, and the library adds the right one",
            ),
            Self::Burl => f.write_str(
                "BURL is not supported: send the message itself with `send`",
            ),
            Self::Control(c) => write!(f, "a command cannot hold the control character {c:?}"),
            Self::Empty => f.write_str("the command is empty"),
            Self::HelloName => {
                f.write_str("the client's name must be a host name or an address in brackets")
            }
            Self::Mechanism => f.write_str(
                "the name of a mechanism must be 1 to 20 letters, digits, hyphens and underscores",
            ),
            Self::Misplaced => {
                f.write_str("a parameter of MAIL was given to RCPT, or one of RCPT to MAIL")
            }
            Self::Option(wanted) => f.write_str(wanted),
            Self::Parameter => f.write_str(
                "a parameter must be KEYWORD or KEYWORD=value in printable ASCII, without spaces",
            ),
            Self::Repeated => f.write_str("a parameter of MAIL or RCPT is given twice"),
            Self::Reserved(verb) => {
                write!(
                    f,
                    "{verb} changes the state of the connection: use the method made for it"
                )
            }
            Self::Size => f.write_str(
                "the library adds the parameter SIZE: leave it out, or give the length of a reader to `Envelope::size`",
            ),
            Self::TooLong { limit } => write!(f, "the command is longer than {limit} bytes"),
            Self::Utf8 => f.write_str(
                "a recipient with letters outside ASCII needs the parameter SMTPUTF8 at MAIL",
            ),
        }
    }
}

impl StdError for CommandError {}
