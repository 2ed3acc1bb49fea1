//! [`Address`]: the mailbox of an envelope, and why a text is not one.

mod glance;
mod text;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::address::glance::{MAX_DOMAIN, MAX_LABEL};
use crate::address::text::Text;

/// The longest address, in bytes: with `MAIL FROM:<>` and CRLF it fills a command line (RFC 5321,
/// 4.5.3.1.4).
///
/// Servers must accept at least 64 octets of a local part and 256 of a path. Ticket systems and
/// forwarders write longer ones (RFC 5321, 4.5.3.1).
const MAX_ADDRESS: usize = 512 - 14;

/// The address of a mailbox: `local-part@domain`, without a name (RFC 5321, 4.1.2).
///
/// Display names, comments, groups and source routes are refused, because mail software could read
/// them in two ways. The local part is kept byte for byte, and quoted only where the grammar needs
/// quotes. Letters outside ASCII (RFC 6531) are allowed, but then the server must offer SMTPUTF8.
/// With the feature `idna`, a domain outside ASCII is sent to other servers in its ASCII form (RFC
/// 5891).
///
/// Two addresses are equal if their local parts are the same and their domains differ only in case
/// (RFC 5321, 2.4).
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
/// # Ok::<(), smtplib::error::AddressError>(())
/// ```
#[derive(Clone)]
pub struct Address {
    /// The local part without quotes or backslashes, `@`, and the domain.
    text: Text,
    /// The position of the `@`.
    at: usize,
    /// Whether the local part needs no quotes, so that the text is the address.
    is_plain: bool,
    is_ascii: bool,
}

impl Address {
    /// Makes an address from local part and domain; the local part is given without quotes.
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
        let text = format!("{local_part}@{domain}");
        Ok(Self {
            text: text.as_str().into(),
            at: local_part.len(),
            is_plain: is_dot_string(local_part),
            is_ascii: text.is_ascii(),
        })
    }

    /// The address, if the quick check accepts it, as it does most.
    fn simple(text: &str) -> Option<Self> {
        let at = glance::at_of(text).filter(|_| text.len() <= MAX_ADDRESS)?;
        Some(Self {
            text: text.into(),
            at,
            is_plain: true,
            is_ascii: true,
        })
    }

    /// Returns the part before the `@`, without quotes.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.text.as_str().get(..self.at).unwrap_or_default()
    }

    /// Returns the part after the `@`: a domain name, or an address literal in brackets.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.as_str().get(self.at + 1..).unwrap_or_default()
    }

    /// The bytes before the `@`, without quotes, and those after it.
    fn halves(&self) -> (&[u8], &[u8]) {
        let (local_part, rest) = self.text.as_bytes().split_at(self.at);
        (local_part, rest.get(1..).unwrap_or_default())
    }

    /// The bytes of the local part, without quotes.
    pub(crate) fn local_octets(&self) -> &[u8] {
        self.halves().0
    }

    /// Appends the address as `Display` writes it.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        if self.is_plain {
            out.extend_from_slice(self.text.as_bytes());
        } else {
            out.extend_from_slice(self.to_string().as_bytes());
        }
    }

    /// Returns true if the address is all ASCII; if not, the server must offer SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// The domain in ASCII: unchanged, or in A-labels (RFC 5891) if the feature `idna` is on and it
    /// has them.
    pub(crate) fn ascii_domain(&self) -> Option<Cow<'_, str>> {
        if self.domain().is_ascii() {
            return Some(Cow::Borrowed(self.domain()));
        }
        a_labels(self.domain()).map(Cow::Owned)
    }

    /// The address in ASCII, for a server without SMTPUTF8. A local part cannot be changed.
    pub(crate) fn to_ascii(&self) -> Option<Cow<'_, Self>> {
        if self.is_ascii() {
            return Some(Cow::Borrowed(self));
        }
        if !self.local_part().is_ascii() {
            return None;
        }
        let domain = self.ascii_domain()?;
        Self::new(self.local_part(), &domain).ok().map(Cow::Owned)
    }

    /// The domain in the form in which domains are compared.
    fn folded_domain(&self) -> impl Iterator<Item = char> {
        self.domain().chars().flat_map(char::to_lowercase)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        let [(local_part, domain), (other_local_part, other_domain)] =
            [self.halves(), other.halves()];
        local_part == other_local_part
            && (domain.eq_ignore_ascii_case(other_domain)
                || !(self.is_ascii && other.is_ascii)
                    && self.folded_domain().eq(other.folded_domain()))
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (local_part, domain) = self.halves();
        local_part.hash(state);
        if self.is_ascii {
            hash_folded(domain, state);
        } else {
            hash_folded(self.folded_domain().collect::<String>().as_bytes(), state);
        }
    }
}

/// Hashes the bytes of a domain in lower case, up to 64 at a time.
fn hash_folded<H: Hasher>(domain: &[u8], state: &mut H) {
    let mut folded = [0; 64];
    for piece in domain.chunks(folded.len()) {
        let (folded, _) = folded.split_at_mut(piece.len());
        folded.copy_from_slice(piece);
        folded.make_ascii_lowercase();
        state.write(folded);
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        let local_parts = self.local_part().cmp(other.local_part());
        local_parts.then_with(|| self.folded_domain().cmp(other.folded_domain()))
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where addresses stand in a list, so that one that comes again is found.
#[derive(Default)]
pub(crate) struct Places<'a>(BTreeMap<&'a Address, usize>);

impl<'a> Places<'a> {
    /// The place of the first address that is the same; this one, if it is new.
    #[inline(never)]
    pub(crate) fn first_of(&mut self, address: &'a Address, place: usize) -> usize {
        *self.0.entry(address).or_insert(place)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain {
            return f.write_str(self.text.as_str());
        }
        f.write_str("\"")?;
        for c in self.local_part().chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "\"@{}", self.domain())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({:?})", self.to_string())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads an address; one pair of angle brackets around it is removed.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match Self::simple(text) {
            Some(address) => Ok(address),
            None => parse(text).map_err(|error| explain(text, error)),
        }
    }
}

fn parse(text: &str) -> Result<Address, AddressError> {
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
    Address::new(&local_part, domain)
}

/// Replaces the error by a better one if the text is a list or has a name.
fn explain(text: &str, error: AddressError) -> AddressError {
    let is_route = text.trim_start_matches('<').starts_with('@');
    let is_group = text.contains(':') && text.ends_with(';');
    let is_several = text.contains([',', ';']) && text.matches('@').nth(1).is_some();
    if !is_route && (is_group || is_several) {
        AddressError::List
    } else if !text.starts_with('<') && text.ends_with('>') && text.contains('<') {
        AddressError::Named
    } else {
        error
    }
}

/// Implements `TryFrom` for the usual kinds of text, by `FromStr`.
macro_rules! try_from_text {
    ($name:ty, $error:ty) => {
        $crate::address::try_from_text!($name, $error, &str, &String, String);
    };
    ($name:ty, $error:ty, $($text:ty),*) => {$(
        impl TryFrom<$text> for $name {
            type Error = $error;

            fn try_from(text: $text) -> Result<Self, $error> {
                text.parse()
            }
        }
    )*};
}
pub(crate) use try_from_text;

try_from_text!(Address, AddressError);

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

/// Why a text is not an [`Address`].
///
/// ```
/// use smtplib::Address;
/// use smtplib::error::AddressError;
///
/// assert_eq!("joe.example.org".parse::<Address>(), Err(AddressError::MissingAt));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// The address has more than 498 bytes, and does not fit a command line.
    AddressTooLong,
    /// The domain is not a list of labels, and not an address literal such as `[192.0.2.1]` or
    /// `[IPv6:2001:db8::1]`.
    Domain,
    /// The domain has more than 255 bytes.
    DomainTooLong,
    /// The local part begins or ends with a dot, or has two in a row. In quotes that is allowed.
    Dot,
    /// The text is empty.
    Empty,
    /// The address has a character that addresses cannot have.
    Forbidden(char),
    /// The text has several addresses: parse it as an [`AddressList`](crate::message::AddressList).
    List,
    /// The local part is empty.
    LocalPart,
    /// There is no `@`.
    MissingAt,
    /// There is a name before the address: parse it as a [`Mailbox`](crate::Mailbox).
    Named,
    /// The local part has a character that needs quotes.
    NeedsQuotes(char),
    /// The quotes around the local part are not closed before the `@`.
    Unquoted,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressTooLong => {
                return write!(
                    f,
                    "the address is longer than the {MAX_ADDRESS} bytes that a command line holds"
                );
            }
            Self::Domain => "the domain is neither a host name nor an address literal in brackets",
            Self::DomainTooLong => {
                return write!(f, "the domain is longer than {MAX_DOMAIN} bytes");
            }
            Self::Dot => {
                "the part before the @ has a misplaced dot: put quotes around that part, as in \
                 \"a..b\"@example.org, or use `Address::new`, which adds them"
            }
            Self::Empty => "the address is empty",
            Self::Forbidden(c) => {
                return write!(f, "the character {c:?} does not belong in an address");
            }
            Self::List => "this is a list: parse it with `AddressList`",
            Self::LocalPart => "the part before the @ is empty",
            Self::MissingAt => "the address has no @",
            Self::Named => {
                "a name does not belong here: give the address alone, or parse it with `Mailbox`"
            }
            Self::NeedsQuotes(c) => {
                return write!(
                    f,
                    "the character {c:?} before the @ needs quotes around that part, as in \
                     \"a b\"@example.org: `Address::new` adds them"
                );
            }
            Self::Unquoted => "the quotes around the part before the @ are not closed",
        })
    }
}

impl StdError for AddressError {}

/// Reads a quoted local part without its opening quote (RFC 5321, Quoted-string). Returns it with
/// the domain that follows.
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
                // RFC 5321, quoted-pairSMTP. RFC 6531 allows characters outside ASCII in the text
                // around it, but not here.
                (_, c) if !c.is_ascii() => return Err(AddressError::Forbidden(c)),
                (_, c) => local_part.push(c),
            },
            _ => local_part.push(c),
        }
    }
    Err(AddressError::Unquoted)
}

/// Whether a local part needs no quotes (RFC 5321, Dot-string; RFC 6531 adds the letters outside
/// ASCII).
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

/// Returns what is wrong with an unquoted local part.
fn check_dot_string(text: &str) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::LocalPart);
    }
    if is_dot_string(text) {
        return Ok(());
    }
    match text.chars().find(|c| *c != '.' && !is_atext(*c)) {
        // A space at an end is there by mistake, and quotes would make it part of the name.
        Some(' ') if text.trim_matches(' ') != text => Err(AddressError::Forbidden(' ')),
        Some(c @ ' '..='~') => Err(AddressError::NeedsQuotes(c)),
        Some(c) => Err(AddressError::Forbidden(c)),
        None => Err(AddressError::Dot),
    }
}

/// The bytes of a local part as it is written, with quotes and backslashes where it needs them.
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

/// RFC 5322, atext, with RFC 6532's UTF8-non-ascii.
fn is_atext(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~' => true,
        _ => is_utf8_text(c),
    }
}

/// Whether a character outside ASCII is visible text: no C1 control, no line or paragraph
/// separator, no direction override.
pub(crate) fn is_utf8_text(c: char) -> bool {
    !c.is_ascii()
        && !c.is_control()
        && !c.is_whitespace()
        && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn check_local_part(text: &str) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::LocalPart);
    }
    if text.len() > MAX_ADDRESS {
        return Err(AddressError::AddressTooLong);
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
        return Ok(());
    }
    let is_literal = text.starts_with('[');
    let is_known = |c| is_in_domains(c) || is_literal && matches!(c, '[' | ']' | ':');
    match text.chars().find(|c| !is_known(*c)) {
        Some(c) => Err(AddressError::Forbidden(c)),
        None => Err(AddressError::Domain),
    }
}

fn is_in_domains(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') || is_utf8_text(c)
}

/// The ASCII form of a domain, if it has a valid one.
#[cfg(feature = "idna")]
fn a_labels(domain: &str) -> Option<String> {
    let labels = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::EMPTY);
    let labels = labels.ok()?.into_owned();
    check_domain(&labels).is_ok().then_some(labels)
}

#[cfg(not(feature = "idna"))]
fn a_labels(_: &str) -> Option<String> {
    None
}

/// Whether a text is labels between dots: letters, digits and inner hyphens (RFC 5321, Domain),
/// U-labels (RFC 6531), and underscores, which internal networks use.
fn is_domain_name(text: &str) -> bool {
    let (mut length, mut last) = (0, '.');
    for c in text.chars() {
        let is_right = match c {
            '.' => length > 0 && last != '-',
            '-' => length > 0,
            _ => is_in_domains(c),
        };
        length = if c == '.' { 0 } else { length + c.len_utf8() };
        if !is_right || length > MAX_LABEL {
            return false;
        }
        last = c;
    }
    length > 0 && last != '-'
}

/// Whether a text is like `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321, 4.1.3). Nobody uses
/// general address literals, so they are refused.
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
