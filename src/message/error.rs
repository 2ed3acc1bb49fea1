//! [`MessageError`]: which field of a message is wrong, and why.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::address::{Address, AddressError};

/// Why a message could not be built: the field and the problem.
///
/// ```
/// use smtplib::Message;
///
/// let error = Message::builder()
///     .from("alice@example.com")
///     .subject("Hello\r\nBcc: eve@example.net")
///     .build()
///     .unwrap_err();
/// assert_eq!(error.field(), "Subject");
/// assert_eq!(
///     error.to_string(),
///     "Subject: the character '\\r' cannot stand in a header, leave it out"
/// );
/// ```
pub struct MessageError(Box<Refused>);

#[derive(Debug)]
struct Refused {
    field: Cow<'static, str>,
    problem: MessageProblem,
}

impl MessageError {
    pub(crate) fn new(
        field: impl Into<Cow<'static, str>>,
        problem: impl Into<MessageProblem>,
    ) -> Self {
        Self::of(field.into(), problem.into())
    }

    #[cold]
    fn of(field: Cow<'static, str>, problem: MessageProblem) -> Self {
        Self(Box::new(Refused { field, problem }))
    }

    /// Returns the field that is wrong: the name of a header field, `attachment report.pdf`, `body`
    /// or `boundary`.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// Returns the problem.
    #[must_use]
    pub fn problem(&self) -> &MessageProblem {
        &self.0.problem
    }
}

/// Not derived: that would be compiled in each crate that boxes an error.
impl fmt::Debug for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageError").field(&self.0).finish()
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.field.escape_debug(), self.0.problem)
    }
}

/// The sentence includes the problem, so `source` returns the source of the problem.
impl StdError for MessageError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.problem.source()
    }
}

/// A problem with a field of a message.
///
/// ```
/// use smtplib::Message;
/// use smtplib::error::MessageProblem;
///
/// let error = Message::builder().to("bob@example.org").build().unwrap_err();
/// assert_eq!(error.field(), "From");
/// assert!(matches!(error.problem(), MessageProblem::Missing));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum MessageProblem {
    /// A header field that the library writes itself.
    Automatic,
    /// The boundary has characters other than ASCII letters and digits, is empty or too long, or
    /// occurs in the content.
    Boundary,
    /// Not an id for a part or a list: it is empty, too long, or has spaces or characters outside
    /// ASCII.
    ContentId,
    /// A control character, such as CR, LF or NUL.
    Control(char),
    /// The year is outside 1900 to 9999, or the offset from UTC is a day or more.
    Date,
    /// Not a disposition, such as `inline` or `attachment; size=12`.
    Disposition,
    /// The body was given both as a tree of parts and as text or HTML.
    Duplicate,
    /// A multipart without a part.
    Empty,
    /// The name of a header is not made of visible ASCII without a colon, or is longer than a line.
    HeaderName,
    /// A file could not be read.
    Io(io::Error),
    /// A message within the message has a NUL or a line of more than 998 bytes, and may not be
    /// encoded.
    Lines,
    /// A mailbox or a group.
    Mailbox(MailboxError),
    /// Not a media type such as `application/pdf`, or one that is not allowed here.
    MediaType,
    /// A required field is missing.
    Missing,
    /// Not a message id such as `<id@example.org>`.
    MsgId,
    /// Multiparts or messages are nested too deeply.
    Nesting,
    /// A text is not a date.
    NoDate,
    /// A header of this kind holds ASCII only.
    NotAscii,
    /// One click to unsubscribe was asked for, and no address begins with `https://`.
    OneClick,
    /// A header field that has its own method.
    Reserved(&'static str),
    /// The boundary of a part is not one, occurs in the content, or is the beginning of another.
    PartBoundary,
    /// `Return-Path`, which the last server writes from the envelope.
    ReturnPath,
    /// There are several authors, so `Sender` has to say who sent the message.
    SenderRequired,
    /// A report has bytes above 127, a NUL, a line of more than 998 bytes or, in a signed part, a
    /// blank at the end of a line, and may not be encoded.
    SevenBit,
    /// The address has letters outside ASCII, and the server does not offer SMTPUTF8, or the address
    /// is in the header of a part.
    Smtputf8(Box<Address>),
    /// A value without spaces is longer than a line of a message.
    TooLong,
    /// Not an address of the web, such as `https://example.org/leave`.
    Url,
}

impl fmt::Display for MessageProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Automatic => "the library writes this header, leave it out",
            Self::Boundary => "give 1 to 40 letters and digits that occur nowhere in the content",
            Self::ContentId => "give an id of visible ASCII characters, such as logo@example.org",
            Self::Control(c) => {
                return write!(
                    f,
                    "the character {c:?} cannot stand in a header, leave it out"
                );
            }
            Self::Date => "give a year from 1900 to 9999 and an offset of less than a day",
            Self::Disposition => {
                "give a disposition such as inline or attachment; size=12, with quotes around values \
                 that need them"
            }
            Self::Duplicate => "give either a tree of parts or text and HTML, not both",
            Self::Empty => "a multipart needs at least one part",
            Self::HeaderName => "give a name of 1 to 76 visible ASCII characters without a colon",
            Self::Io(error) => return write!(f, "the file cannot be read: {error}"),
            Self::Lines => {
                "a message within a message may not be encoded: give it without NUL, in lines of at \
                 most 998 bytes, or attach it as application/octet-stream"
            }
            Self::Mailbox(error) => return error.fmt(f),
            Self::MediaType => "give a media type that can be used here, such as application/pdf",
            Self::Missing => "the message needs one, set it",
            Self::MsgId => "give an id of the form <unique@example.org>",
            Self::Nesting => "the parts are nested too deep, use fewer levels",
            Self::NoDate => "give a date such as Tue, 14 Nov 2023 23:13:20 +0100",
            Self::NotAscii => {
                "this header holds ASCII only: write letters outside it as %C3%AB in an address of \
                 the web, and as xn-- in a domain"
            }
            Self::OneClick => "one click needs an address that begins with https:// (RFC 8058)",
            Self::Reserved(method) => return write!(f, "set this header with `{method}`"),
            Self::PartBoundary => {
                "give a multipart a boundary of 1 to 70 letters, digits and '()+_,-./:=? that occurs \
                 nowhere in the content, and is not the start of another boundary"
            }
            Self::ReturnPath => {
                "the server writes this header: give the address for bounces to \
                 `Envelope::new(sender, …)`"
            }
            Self::SenderRequired => "several authors need a sender, set one of them with `sender`",
            Self::SevenBit => {
                "a report may not be encoded: give it in ASCII, without NUL, in lines of at most 998 \
                 bytes, and in a signed part without blanks at their ends"
            }
            Self::Smtputf8(address) => return fmt_utf8(address, f),
            Self::TooLong => "a value longer than a line of 998 bytes needs spaces to fold at",
            Self::Url => {
                "give an address such as https://example.org/leave or mailto:leave@example.org, \
                 with %20 for a space and %2C for a comma"
            }
        })
    }
}

/// As of [`MessageError`].
impl StdError for MessageProblem {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            _ => None,
        }
    }
}

fn fmt_utf8(address: &Address, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "a server without SMTPUTF8 cannot be given the address <{address}>, use another"
    )
}

impl From<MailboxError> for MessageProblem {
    fn from(error: MailboxError) -> Self {
        match error {
            MailboxError::Control(c) => Self::Control(c),
            error => Self::Mailbox(error),
        }
    }
}

impl From<io::Error> for MessageProblem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Why a text is not a [`Mailbox`](crate::Mailbox), or not a list of them.
///
/// ```
/// use smtplib::Mailbox;
/// use smtplib::error::MailboxError;
///
/// let error = "Doe, Jane <jane@example.org>".parse::<Mailbox>().unwrap_err();
/// assert_eq!(error, MailboxError::Name(','));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailboxError {
    /// The text in the angle brackets, or the whole text, is not an address.
    Address(AddressError),
    /// A control character in a display name, such as CR, LF or NUL.
    Control(char),
    /// The name of a group is empty.
    EmptyName,
    /// An entry of a list is wrong.
    #[non_exhaustive]
    Entry {
        /// The entry.
        entry: Box<str>,
        /// Why it is not a mailbox.
        reason: Box<Self>,
    },
    /// The display name has one of `()<>[]:;@\,"` and no quotes around it.
    Name(char),
    /// A comment in parentheses has no end.
    UnclosedComment,
    /// A group has no semicolon at its end.
    UnclosedGroup,
    /// The quotes around the display name are not closed.
    Unquoted,
}

impl fmt::Display for MailboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Control(c) => {
                write!(
                    f,
                    "the character {c:?} cannot stand in a name, leave it out"
                )
            }
            Self::EmptyName => f.write_str("the group has no name, give it one"),
            Self::Entry { entry, reason } => write!(f, "{entry:?} in the list: {reason}"),
            Self::Name(c) => write!(
                f,
                "the character {c:?} in a display name needs quotes around the name, \
                 or give name and address as a pair"
            ),
            Self::UnclosedComment => f.write_str("a comment in parentheses is not closed"),
            Self::UnclosedGroup => f.write_str("the group has no ; at its end"),
            Self::Unquoted => f.write_str("the quotes around the display name are not closed"),
        }
    }
}

impl StdError for MailboxError {}

impl From<AddressError> for MailboxError {
    fn from(error: AddressError) -> Self {
        Self::Address(error)
    }
}

impl From<Infallible> for MailboxError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Refuses control characters, which could end a header field and begin another.
pub(crate) fn check_controls(text: &str) -> Result<(), MessageProblem> {
    // A tab is white space in a header (RFC 5322, 2.2), and the encoder keeps it.
    match text.chars().find(|c| c.is_control() && *c != '\t') {
        Some(c) => Err(MessageProblem::Control(c)),
        None => Ok(()),
    }
}
