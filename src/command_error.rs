//! [`CommandError`]: why a text cannot be sent as a command.

use std::error::Error as StdError;
use std::fmt;

/// Why a text cannot be sent as a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// BODY says of a message what it is not, or asks for BINARYMIME, which the library does by itself.
    Body,
    /// BURL: the library does not send messages that the server would have to fetch.
    Burl,
    /// A control character, CR and LF among them, stands in it.
    Control(char),
    /// There is nothing to send.
    Empty,
    /// The client's name in EHLO is neither a host name nor an address literal.
    HelloName,
    /// The name of a SASL mechanism is not 1 to 20 letters, digits, hyphens and underscores.
    Mechanism,
    /// A parameter of MAIL stands at RCPT, or the other way round.
    Misplaced,
    /// An option cannot have this value; the text says what it can be.
    Option(&'static str),
    /// A parameter of MAIL or RCPT does not follow the grammar of RFC 5321, 4.1.2.
    Parameter,
    /// A parameter of MAIL or RCPT stands twice.
    Repeated,
    /// The command has a method of its own, because it changes the state of the connection.
    Reserved(&'static str),
    /// SIZE is given as a parameter, although it comes by itself.
    Size,
    /// The line is longer than SMTP allows.
    #[non_exhaustive]
    TooLong {
        /// How many octets the line may have, with its CRLF.
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
                "the parameter BODY does not fit the message: leave it out, it comes by itself",
            ),
            Self::Burl => f.write_str(
                "BURL lets the server fetch the message from elsewhere, and this library sends it: use send",
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
                f.write_str("a parameter of MAIL stands at RCPT, or one of RCPT at MAIL")
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
                "the parameter SIZE comes by itself: leave it out, or give the length of a reader to `Envelope::size`",
            ),
            Self::TooLong { limit } => write!(f, "the command is longer than {limit} octets"),
            Self::Utf8 => f.write_str(
                "a recipient with letters outside ASCII needs the parameter SMTPUTF8 at MAIL",
            ),
        }
    }
}

impl StdError for CommandError {}
