//! Command lines: the only place where text becomes one, so that no argument can hold a second
//! command.

use std::str::FromStr;

use crate::address::{Address, is_address_literal};
use crate::command_error::CommandError;
use crate::parameter::Parameter;

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

/// Appends `MAIL FROM:<sender>` with its parameters; no sender is the null reverse-path `<>`.
pub(crate) fn mail(
    out: &mut Vec<u8>,
    sender: Option<&Address>,
    parameters: &[Parameter],
) -> Result<(), CommandError> {
    path(out, "MAIL FROM:<", sender, parameters)
}

/// Appends `RCPT TO:<recipient>` with its parameters.
pub(crate) fn rcpt(
    out: &mut Vec<u8>,
    recipient: &Address,
    parameters: &[Parameter],
) -> Result<(), CommandError> {
    path(out, "RCPT TO:<", Some(recipient), parameters)
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
    // RFC 4468: BURL stands in a transaction, for BDAT.
    if verb == "BURL" {
        return Err(CommandError::Burl);
    }
    match RESERVED.iter().find(|reserved| **reserved == verb) {
        Some(reserved) => Err(CommandError::Reserved(reserved)),
        None => {
            let mut octets = line.as_bytes().to_vec();
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
) -> Result<(), CommandError> {
    let start = out.len();
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
    let ended = end_line(out, start, limit);
    if ended.is_err() {
        out.truncate(start);
    }
    ended
}

/// The choke point: one line, one CRLF, at the end.
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

/// The first control character; those outside ASCII are two octets each.
fn control(line: &[u8]) -> Option<char> {
    let is_suspect = |found: bool, octet: &u8| found | !matches!(octet, b' '..=b'~');
    if !line.iter().fold(false, is_suspect) {
        return None;
    }
    String::from_utf8_lossy(line)
        .chars()
        .find(|c| c.is_control())
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

#[cfg(test)]
mod tests;
