//! [`Address`]: the mailbox of an envelope, and why a text is not one.

use std::error::Error as StdError;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Longest local part (RFC 5321, 4.5.3.1.1), in octets of its plain form.
const MAX_LOCAL_PART: usize = 64;
/// Longest domain (RFC 5321, 4.5.3.1.2), in octets.
const MAX_DOMAIN: usize = 255;
/// Longest path is 256 octets with its angle brackets (RFC 5321, 4.5.3.1.3).
const MAX_ADDRESS: usize = 254;
/// Longest label of a domain (RFC 1035, 2.3.4), in octets.
const MAX_LABEL: usize = 63;

/// A mailbox as the envelope knows it: `local-part@domain`, nothing else (RFC 5321, 4.1.2).
///
/// No display name, no comment, no group and no source route: what other mail software could read
/// in two ways is refused. The local part is kept octet for octet, and quoted only where the
/// grammar asks for quotes; letters outside ASCII (RFC 6531) are allowed and make the message need
/// a server with SMTPUTF8.
///
/// ```
/// use smtplib::Address;
///
/// let address: Address = "zoe+news@example.org".parse()?;
/// assert_eq!(address.local_part(), "zoe+news");
/// assert_eq!(address.domain(), "example.org");
///
/// // Quotes appear where they are needed, and only there.
/// assert_eq!(Address::new("john doe", "example.org")?.to_string(), "\"john doe\"@example.org");
/// assert_eq!("\"joe\"@example.org".parse::<Address>()?.to_string(), "joe@example.org");
///
/// assert!("Zoë <zoe@example.org>".parse::<Address>().is_err());
/// assert!("zoe@example.org\r\nRCPT TO:<eve@example.net>".parse::<Address>().is_err());
/// # Ok::<(), smtplib::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The local part without quotes or backslashes.
    local_part: Box<str>,
    domain: Box<str>,
}

impl Address {
    /// An address from its two halves; the local part is given without quotes.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if a half is empty, too long, or has a character that its grammar does not
    /// allow.
    pub fn new(local_part: &str, domain: &str) -> Result<Self, AddressError> {
        check_local_part(local_part)?;
        check_domain(domain)?;
        if written_length(local_part) + 1 + domain.len() > MAX_ADDRESS {
            return Err(AddressError::AddressTooLong);
        }
        Ok(Self {
            local_part: local_part.into(),
            domain: domain.into(),
        })
    }

    /// What stands before the `@`, without quotes.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// What stands after the `@`: a domain name, or an address literal in brackets.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Appends the address as `Display` writes it.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        if is_dot_string(&self.local_part) {
            out.extend_from_slice(self.local_part.as_bytes());
            out.push(b'@');
            out.extend_from_slice(self.domain.as_bytes());
        } else {
            out.extend_from_slice(self.to_string().as_bytes());
        }
    }

    /// Whether the address is all ASCII; if not, the server must offer SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.local_part.is_ascii() && self.domain.is_ascii()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local_part) {
            return write!(f, "{}@{}", self.local_part, self.domain);
        }
        f.write_str("\"")?;
        for c in self.local_part.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "\"@{}", self.domain)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads an addr-spec; one pair of angle brackets around it is taken off.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap_or(text);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (local_part, domain) = match text.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (local_part, domain) = text.split_once('@').ok_or(AddressError::MissingAt)?;
                check_dot_string(local_part)?;
                (local_part.to_owned(), domain)
            }
        };
        Self::new(&local_part, domain)
    }
}

impl TryFrom<&str> for Address {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<&String> for Address {
    type Error = AddressError;

    fn try_from(text: &String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

/// Why a text is not an [`Address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// The whole address has more than 254 octets.
    AddressTooLong,
    /// The domain is not a list of labels, and not an address literal such as `[192.0.2.1]` or
    /// `[IPv6:2001:db8::1]`.
    Domain,
    /// The domain has more than 255 octets.
    DomainTooLong,
    /// There is nothing there.
    Empty,
    /// A character that does not belong in an address stands in it.
    Forbidden(char),
    /// The local part is empty, or begins or ends with a dot, or has two in a row; quoted it may.
    LocalPart,
    /// The local part has more than 64 octets.
    LocalPartTooLong,
    /// There is no `@`.
    MissingAt,
    /// A quoted local part has no closing quote that an `@` follows.
    Unquoted,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressTooLong => write!(f, "the address is longer than {MAX_ADDRESS} octets"),
            Self::Domain => {
                f.write_str("the domain is neither a host name nor an address literal in brackets")
            }
            Self::DomainTooLong => write!(f, "the domain is longer than {MAX_DOMAIN} octets"),
            Self::Empty => f.write_str("the address is empty"),
            Self::Forbidden(c) => write!(f, "the character {c:?} does not belong in an address"),
            Self::LocalPart => f.write_str("the part before the @ is empty or has a misplaced dot"),
            Self::LocalPartTooLong => {
                write!(
                    f,
                    "the part before the @ is longer than {MAX_LOCAL_PART} octets"
                )
            }
            Self::MissingAt => f.write_str("the address has no @"),
            Self::Unquoted => f.write_str("the quotes around the part before the @ are not closed"),
        }
    }
}

impl StdError for AddressError {}

/// Reads a quoted local part whose opening quote is gone (RFC 5321, Quoted-string), and hands back
/// the domain behind it.
fn unquote(quoted: &str) -> Result<(String, &str), AddressError> {
    let mut local_part = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = quoted.get(at + 1..).unwrap_or_default();
                return match rest.strip_prefix('@') {
                    Some(domain) => Ok((local_part, domain)),
                    None => Err(AddressError::Unquoted),
                };
            }
            '\\' => match chars.next().ok_or(AddressError::Unquoted)? {
                // RFC 5321, quoted-pairSMTP: RFC 6531 adds letters to the text around it, but none
                // here.
                (_, c) if !c.is_ascii() => return Err(AddressError::Forbidden(c)),
                (_, c) => local_part.push(c),
            },
            _ => local_part.push(c),
        }
    }
    Err(AddressError::Unquoted)
}

/// Whether a local part can stand without quotes (RFC 5321, Dot-string; RFC 6531 adds the letters
/// outside ASCII).
fn is_dot_string(text: &str) -> bool {
    let mut is_after_dot = true;
    for c in text.chars() {
        if c == '.' && is_after_dot || c != '.' && !is_atext(c) {
            return false;
        }
        is_after_dot = c == '.';
    }
    !is_after_dot
}

/// Says what is wrong with an unquoted local part.
fn check_dot_string(text: &str) -> Result<(), AddressError> {
    if is_dot_string(text) {
        return Ok(());
    }
    match text.chars().find(|c| *c != '.' && !is_atext(*c)) {
        Some(c) => Err(AddressError::Forbidden(c)),
        None => Err(AddressError::LocalPart),
    }
}

/// Octets of a local part as it is written: with quotes and backslashes where it needs them.
fn written_length(local_part: &str) -> usize {
    if is_dot_string(local_part) {
        return local_part.len();
    }
    let escaped = local_part
        .bytes()
        .filter(|o| matches!(o, b'"' | b'\\'))
        .count();
    local_part.len() + escaped + 2
}

/// RFC 5322 atext, with RFC 6532's UTF8-non-ascii.
fn is_atext(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~' => true,
        _ => is_utf8_text(c),
    }
}

/// A character outside ASCII that is visible text: no C1 control, no line or paragraph separator,
/// no direction override.
fn is_utf8_text(c: char) -> bool {
    !c.is_ascii()
        && !c.is_control()
        && !c.is_whitespace()
        && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn check_local_part(text: &str) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::LocalPart);
    }
    if text.len() > MAX_LOCAL_PART {
        return Err(AddressError::LocalPartTooLong);
    }
    match text
        .chars()
        .find(|c| !matches!(c, ' '..='~') && !is_utf8_text(*c))
    {
        Some(c) => Err(AddressError::Forbidden(c)),
        None => Ok(()),
    }
}

fn check_domain(text: &str) -> Result<(), AddressError> {
    if text.len() > MAX_DOMAIN {
        return Err(AddressError::DomainTooLong);
    }
    if is_domain_name(text) || is_address_literal(text) {
        Ok(())
    } else {
        Err(AddressError::Domain)
    }
}

/// Letters, digits and inner hyphens between dots (RFC 5321, Domain), and U-labels (RFC 6531).
fn is_domain_name(text: &str) -> bool {
    let (mut length, mut last) = (0, '.');
    for c in text.chars() {
        let is_right = match c {
            '.' => length > 0 && last != '-',
            '-' => length > 0,
            _ => c.is_ascii_alphanumeric() || is_utf8_text(c),
        };
        length = if c == '.' { 0 } else { length + c.len_utf8() };
        if !is_right || length > MAX_LABEL {
            return false;
        }
        last = c;
    }
    length > 0 && last != '-'
}

/// `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321, 4.1.3). General address literals have no users
/// and are refused.
pub(crate) fn is_address_literal(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return false;
    };
    match inner.split_once(':') {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6") => {
            address.parse::<Ipv6Addr>().is_ok()
        }
        _ => inner.parse::<Ipv4Addr>().is_ok(),
    }
}

#[cfg(test)]
mod tests;
