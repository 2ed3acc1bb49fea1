//! Makes and checks the command lines that hold addresses, parameters and other text from outside.
//! So no argument can inject a second command.

use std::str::FromStr;

use crate::address::{Address, is_address_literal};
use crate::command_error::CommandError;
use crate::parameter::{self, Parameter};
use crate::protocol::line::ONES;

/// Longest command line with its CRLF, before extensions raise it (RFC 5321, 4.5.3.1.4).
pub(crate) const MAX_COMMAND: usize = 512;

/// Enough octets for most command lines.
const USUAL_COMMAND: usize = 64;

/// Commands that change the state of the connection. Each has its own method, so [`custom`] refuses
/// them.
const RESERVED: [&str; 11] = [
    "AUTH", "BDAT", "DATA", "EHLO", "HELO", "LHLO", "MAIL", "QUIT", "RCPT", "RSET", "STARTTLS",
];

/// `EHLO name`, `HELO name` or `LHLO name`.
pub(crate) fn hello(verb: &str, name: &HelloName) -> Vec<u8> {
    format!("{verb} {}\r\n", name.0).into_bytes()
}

/// The parameters of MAIL that the library adds for a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) size: Option<u64>,
    pub(crate) body: Option<&'static str>,
    pub(crate) smtputf8: bool,
}

impl Announced {
    /// Appends the parameters. Returns how many octets they add to the limit of the command line.
    fn append_to(&self, out: &mut Vec<u8>) -> usize {
        let mut allowance = 0;
        if let Some(size) = self.size {
            allowance += parameter::SIZE_ALLOWANCE;
            out.extend_from_slice(b" SIZE=");
            append_number(out, size);
        }
        if let Some(body) = self.body {
            allowance += parameter::BODY_ALLOWANCE;
            out.extend_from_slice(b" BODY=");
            out.extend_from_slice(body.as_bytes());
        }
        if self.smtputf8 {
            allowance += parameter::SMTPUTF8_ALLOWANCE;
            out.extend_from_slice(b" SMTPUTF8");
        }
        allowance
    }
}

/// Appends a number in decimal digits.
fn append_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; 20];
    let (mut rest, mut count) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        (rest, count) = (rest / 10, count + 1);
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

/// Appends `MAIL FROM:<sender>` with its parameters. Without a sender it is `<>`, the null sender.
pub(crate) fn mail(
    out: &mut Vec<u8>,
    sender: Option<&Address>,
    parameters: &[Parameter],
    announced: &Announced,
) -> Result<(), CommandError> {
    path(out, "MAIL FROM:<", sender, parameters, announced)
}

/// Appends `RCPT TO:<recipient>` with its parameters.
pub(crate) fn rcpt(
    out: &mut Vec<u8>,
    recipient: &Address,
    parameters: &[Parameter],
) -> Result<(), CommandError> {
    let nothing = Announced::default();
    path(out, "RCPT TO:<", Some(recipient), parameters, &nothing)
}

/// A command line that the caller wrote, such as `NOOP` or `XCLIENT ADDR=192.0.2.1`.
pub(crate) fn custom(line: String) -> Result<Vec<u8>, CommandError> {
    let verb = line
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase();
    if verb.is_empty() {
        return Err(CommandError::Empty);
    }
    // BURL sends message data inside a transaction, as BDAT does (RFC 4468).
    if verb == "BURL" {
        return Err(CommandError::Burl);
    }
    match RESERVED.iter().find(|reserved| **reserved == verb) {
        Some(reserved) => Err(CommandError::Reserved(reserved)),
        None => {
            let mut octets = line.into_bytes();
            end_line(&mut octets, 0, MAX_COMMAND)?;
            Ok(octets)
        }
    }
}

fn path(
    out: &mut Vec<u8>,
    verb: &str,
    address: Option<&Address>,
    parameters: &[Parameter],
    announced: &Announced,
) -> Result<(), CommandError> {
    let start = out.len();
    out.reserve(USUAL_COMMAND);
    out.extend_from_slice(verb.as_bytes());
    if let Some(address) = address {
        address.append_to(out);
    }
    out.push(b'>');
    let mut limit = MAX_COMMAND;
    for parameter in parameters {
        out.push(b' ');
        parameter.append_to(out);
        limit += parameter.allowance();
    }
    limit += announced.append_to(out);
    let ended = end_line(out, start, limit);
    if ended.is_err() {
        out.truncate(start);
    }
    ended
}

/// Ends a command line. It refuses control characters, so that the only CRLF is at the end.
fn end_line(out: &mut Vec<u8>, start: usize, limit: usize) -> Result<(), CommandError> {
    let line = out.get(start..).unwrap_or_default();
    if let Some(c) = control(line) {
        return Err(CommandError::Control(c));
    }
    out.extend_from_slice(b"\r\n");
    if out.len() - start > limit {
        Err(CommandError::TooLong { limit })
    } else {
        Ok(())
    }
}

/// The first control character. The line is decoded, since UTF-8 has control characters outside
/// ASCII, too.
fn control(line: &[u8]) -> Option<char> {
    if is_printable(line) {
        return None;
    }
    String::from_utf8_lossy(line)
        .chars()
        .find(|c| c.is_control())
}

/// Whether a line has only printable ASCII and spaces. Nearly all lines do, so this checks eight
/// octets at a time.
fn is_printable(line: &[u8]) -> bool {
    const HIGHEST: u64 = ONES << 7;
    let is_right = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let (below_space, del) = (word.wrapping_sub(ONES * 0x20), word.wrapping_add(ONES));
        (below_space | del | word) & HIGHEST == 0
    };
    let Some(last) = line.last_chunk() else {
        return line.iter().all(|octet| matches!(octet, b' '..=b'~'));
    };
    let mut rest = line;
    while let Some((word, tail)) = rest.split_first_chunk() {
        if !is_right(word) {
            return false;
        }
        rest = tail;
    }
    // The last word overlaps the word before it.
    is_right(last)
}

/// The client's name in EHLO: a host name or an address literal, all ASCII (RFC 5321, 4.1.4; RFC
/// 6531, 3.7.1).
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

#[cfg(test)]
mod tests;
