//! Command lines: the only place where text becomes one, so that no argument can hold a second
//! command.

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use crate::address::{Address, is_address_literal};

/// Longest command line with its CRLF, before extensions raise it (RFC 5321, 4.5.3.1.4).
pub(crate) const MAX_COMMAND: usize = 512;

/// Commands that change what the connection has to know; each has a method of its own.
const RESERVED: [&str; 11] = [
    "AUTH", "BDAT", "DATA", "EHLO", "HELO", "LHLO", "MAIL", "QUIT", "RCPT", "RSET", "STARTTLS",
];

/// `EHLO name`, `HELO name` or `LHLO name`.
pub(crate) fn hello(verb: &str, name: &HelloName) -> Vec<u8> {
    format!("{verb} {}\r\n", name.0).into_bytes()
}

/// `MAIL FROM:<sender>` with its parameters; no sender is the null reverse-path `<>`.
pub(crate) fn mail(
    sender: Option<&Address>,
    parameters: &[Parameter],
) -> Result<Vec<u8>, CommandError> {
    let path = sender.map(Address::to_string).unwrap_or_default();
    with_parameters(format!("MAIL FROM:<{path}>"), parameters)
}

/// `RCPT TO:<recipient>` with its parameters.
pub(crate) fn rcpt(recipient: &Address, parameters: &[Parameter]) -> Result<Vec<u8>, CommandError> {
    with_parameters(format!("RCPT TO:<{recipient}>"), parameters)
}

/// A line of the caller's own making, such as `NOOP` or `XCLIENT ADDR=192.0.2.1`.
pub(crate) fn custom(line: &str) -> Result<Vec<u8>, CommandError> {
    let verb = line
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase();
    if verb.is_empty() {
        return Err(CommandError::Empty);
    }
    match RESERVED.iter().find(|reserved| **reserved == verb) {
        Some(reserved) => Err(CommandError::Reserved(reserved)),
        None => finish(line.to_owned(), MAX_COMMAND),
    }
}

fn with_parameters(mut line: String, parameters: &[Parameter]) -> Result<Vec<u8>, CommandError> {
    let mut limit = MAX_COMMAND;
    for parameter in parameters {
        line.push(' ');
        line.push_str(&parameter.to_string());
        limit += parameter.allowance();
    }
    finish(line, limit)
}

/// The choke point: one line, one CRLF, at the end.
fn finish(line: String, limit: usize) -> Result<Vec<u8>, CommandError> {
    if let Some(c) = line.chars().find(|c| c.is_control()) {
        return Err(CommandError::Control(c));
    }
    let mut octets = line.into_bytes();
    octets.extend_from_slice(b"\r\n");
    if octets.len() > limit {
        Err(CommandError::TooLong { limit })
    } else {
        Ok(octets)
    }
}

/// What a client calls itself in EHLO: a host name or an address literal, all ASCII (RFC 5321,
/// 4.1.4; RFC 6531, 3.7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HelloName(String);

impl FromStr for HelloName {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|o| o.is_ascii_alphanumeric() || o == b'-' || o == b'_')
        };
        let is_name = text.len() <= 255 && text.split('.').all(is_label);
        if is_name || is_address_literal(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CommandError::HelloName)
        }
    }
}

/// A parameter of MAIL or RCPT, such as `RET=HDRS` or `NOTIFY=NEVER` (RFC 5321, 4.1.2).
///
/// It is sent only to a server that offers the extension it belongs to.
///
/// ```
/// use smtplib::Parameter;
///
/// let parameter: Parameter = "NOTIFY=SUCCESS,DELAY".parse()?;
/// assert_eq!(parameter.keyword(), "NOTIFY");
/// assert!("RET=HDRS\r\nDATA".parse::<Parameter>().is_err());
/// # Ok::<(), smtplib::CommandError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    keyword: String,
    value: Option<String>,
}

impl Parameter {
    /// A parameter from its keyword and, if it has one, its value.
    ///
    /// # Errors
    ///
    /// [`CommandError::Parameter`] if one of them is not what the grammar allows: the value must be
    /// printable ASCII without spaces and `=`. Encode it first (xtext, RFC 3461, 4) where the
    /// extension says so.
    pub fn new(keyword: &str, value: Option<&str>) -> Result<Self, CommandError> {
        let is_keyword = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && keyword
                .bytes()
                .all(|o| o.is_ascii_alphanumeric() || o == b'-');
        // `=` belongs to no value by the grammar, yet base64 and UTF-8 forms of later extensions
        // avoid it, too.
        let is_value = |value: &str| {
            !value.is_empty() && value.bytes().all(|o| o.is_ascii_graphic() && o != b'=')
        };
        if !is_keyword || !value.is_none_or(is_value) {
            return Err(CommandError::Parameter);
        }
        Ok(Self {
            keyword: keyword.to_ascii_uppercase(),
            value: value.map(str::to_owned),
        })
    }

    /// A parameter of the library's own making.
    pub(crate) fn known(keyword: &str, value: Option<String>) -> Self {
        Self {
            keyword: keyword.to_owned(),
            value,
        }
    }

    /// The keyword, in upper case.
    #[must_use]
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// The value behind the `=`.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The keyword of the extension that a server must offer before this may be sent (RFC 5321,
    /// 2.2.1).
    pub(crate) fn extension(&self) -> &str {
        match self.keyword.as_str() {
            "BODY" if self.value.as_deref() == Some("BINARYMIME") => "BINARYMIME",
            "BODY" => "8BITMIME",
            "RET" | "ENVID" | "NOTIFY" | "ORCPT" => "DSN",
            "BY" => "DELIVERBY",
            "HOLDFOR" | "HOLDUNTIL" => "FUTURERELEASE",
            keyword => keyword,
        }
    }

    /// By how much the parameter lengthens the longest command line.
    fn allowance(&self) -> usize {
        match self.keyword.as_str() {
            "SIZE" => 26,                  // RFC 1870, 3
            "BODY" => 17,                  // RFC 6152, 2
            "SMTPUTF8" => 10,              // RFC 6531, 3.1
            "RET" => 8,                    // RFC 3461, 4.3
            "ENVID" => 107,                // RFC 3461, 4.4
            "NOTIFY" => 28,                // RFC 3461, 4.1
            "ORCPT" | "AUTH" => 500,       // RFC 3461, 4.2; RFC 4954, 5
            "BY" => 17,                    // RFC 2852, 4
            "HOLDFOR" | "HOLDUNTIL" => 34, // RFC 4865, 4
            "MT-PRIORITY" => 15,           // RFC 6710, 3
            _ => 0,
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keyword)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Parameter {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        match text.split_once('=') {
            Some((keyword, value)) => Self::new(keyword, Some(value)),
            None => Self::new(text, None),
        }
    }
}

/// Why a text cannot be sent as a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// BODY says of a message what it is not, or asks for BINARYMIME, which the library does by itself.
    Body,
    /// A control character, CR and LF among them, stands in it.
    Control(char),
    /// There is nothing to send.
    Empty,
    /// The client's name in EHLO is neither a host name nor an address literal.
    HelloName,
    /// The name of a SASL mechanism is not 1 to 20 letters, digits, hyphens and underscores.
    Mechanism,
    /// A parameter of MAIL or RCPT does not follow the grammar of RFC 5321, 4.1.2.
    Parameter,
    /// The command has a method of its own, because it changes the state of the connection.
    Reserved(&'static str),
    /// The line is longer than SMTP allows.
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
            Self::Control(c) => write!(f, "a command cannot hold the control character {c:?}"),
            Self::Empty => f.write_str("the command is empty"),
            Self::HelloName => {
                f.write_str("the client's name must be a host name or an address in brackets")
            }
            Self::Mechanism => f.write_str(
                "the name of a mechanism must be 1 to 20 letters, digits, hyphens and underscores",
            ),
            Self::Parameter => f.write_str(
                "a parameter must be KEYWORD or KEYWORD=value in printable ASCII, without spaces",
            ),
            Self::Reserved(verb) => {
                write!(
                    f,
                    "{verb} changes the state of the connection: use the method made for it"
                )
            }
            Self::TooLong { limit } => write!(f, "the command is longer than {limit} octets"),
            Self::Utf8 => f.write_str(
                "a recipient with letters outside ASCII needs the parameter SMTPUTF8 at MAIL",
            ),
        }
    }
}

impl StdError for CommandError {}

#[cfg(test)]
mod tests;
