//! [`Mailbox`]: an address with a name, as in headers.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::address::{Address, try_from_text};
use crate::message::error::MailboxError;
use crate::message::header::HeaderWriter;
use crate::message::phrase::{Phrase, closing_quote};

/// An address with a display name (RFC 5322, 3.4).
///
/// In one text, a name with commas or other special characters needs quotes. A name given
/// separately may have all characters but control characters. It is quoted or encoded for you.
///
/// ```
/// use smtplib::Mailbox;
///
/// let zoe: Mailbox = "Zoë Müller <zoe@example.org>".parse()?;
/// assert_eq!(zoe.name(), Some("Zoë Müller"));
/// assert_eq!(zoe.address().domain(), "example.org");
///
/// let doe = Mailbox::try_from(("Doe, Jane", "jane@example.org"))?;
/// assert_eq!(doe, "\"Doe, Jane\" <jane@example.org>".parse()?);
///
/// assert!("Doe, Jane <jane@example.org>".parse::<Mailbox>().is_err());
/// # Ok::<(), smtplib::error::MailboxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    name: Option<Phrase>,
    address: Address,
}

impl Mailbox {
    /// Makes a mailbox with a display name; an empty name means none.
    ///
    /// # Errors
    ///
    /// [`MailboxError::Control`] if the name has a control character.
    pub fn new(name: &str, address: Address) -> Result<Self, MailboxError> {
        Ok(Self::named(Phrase::new(name)?, address))
    }

    fn named(name: Phrase, address: Address) -> Self {
        Self {
            name: (!name.is_empty()).then_some(name),
            address,
        }
    }

    /// Returns the display name, decoded.
    ///
    /// A name in a charset that the crate does not know stays encoded, and is sent unchanged.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Phrase::as_str)
    }

    /// Returns the address without the name.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Writes the mailbox into a header, with the separator after it.
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>, end: &str) {
        if let Some(name) = &self.name {
            name.write(writer, "");
        }
        let address = match self.address.to_ascii() {
            Some(ascii) if !writer.is_utf8() => ascii,
            _ => Cow::Borrowed(&self.address),
        };
        // Some readers take quotes at the beginning of a mailbox for a name. Brackets show them
        // that it is an address.
        let has_brackets = self.name.is_some() || !is_plain(address.local_octets());
        let (open, close) = if has_brackets { ("<", ">") } else { ("", "") };
        writer.token_with(|out| {
            out.extend_from_slice(open.as_bytes());
            address.append_to(out);
            out.extend_from_slice(close.as_bytes());
            out.extend_from_slice(end.as_bytes());
        });
    }
}

/// Whether a local part has only characters that never need quotes.
fn is_plain(local_part: &[u8]) -> bool {
    let is_plain = |c: &u8| c.is_ascii_alphanumeric() || b"-_+".contains(c) || !c.is_ascii();
    local_part
        .split(|octet| *octet == b'.')
        .all(|atom| !atom.is_empty() && atom.iter().all(is_plain))
}

impl From<Address> for Mailbox {
    fn from(address: Address) -> Self {
        Self {
            name: None,
            address,
        }
    }
}

impl From<&Address> for Mailbox {
    fn from(address: &Address) -> Self {
        address.clone().into()
    }
}

impl From<&Self> for Mailbox {
    fn from(mailbox: &Self) -> Self {
        mailbox.clone()
    }
}

impl FromStr for Mailbox {
    type Err = MailboxError;

    /// Reads `address`, `<address>`, `name <address>` or `"name" <address>`. Encoded-words in a
    /// name without quotes are decoded (RFC 2047).
    fn from_str(text: &str) -> Result<Self, MailboxError> {
        Self::read(text, Phrase::read)
    }
}

impl Mailbox {
    /// Reads an entry of a list without its comments. Its name may have several words and quoted
    /// strings.
    pub(crate) fn from_entry(text: &str) -> Result<Self, MailboxError> {
        Self::read(text, Phrase::read_words)
    }

    fn read(
        text: &str,
        name: impl FnOnce(&str) -> Result<Phrase, MailboxError>,
    ) -> Result<Self, MailboxError> {
        let text = text.trim_matches(' ');
        let Some((before, address)) = text.strip_suffix('>').and_then(split_angle) else {
            return Ok(text.parse::<Address>()?.into());
        };
        let (name, address) = (name(before)?, address.trim_matches(' ').parse()?);
        Ok(Self::named(name, address))
    }
}

try_from_text!(Mailbox, MailboxError);

impl<N, A> TryFrom<(N, A)> for Mailbox
where
    N: AsRef<str>,
    A: TryInto<Address>,
    MailboxError: From<A::Error>,
{
    type Error = MailboxError;

    /// Makes a mailbox from its name and its address.
    fn try_from((name, address): (N, A)) -> Result<Self, MailboxError> {
        Self::new(name.as_ref(), address.try_into()?)
    }
}

impl fmt::Display for Mailbox {
    /// Writes the mailbox as a person would: letters outside ASCII are kept, with quotes where
    /// [`FromStr`] needs them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => self.address.fmt(f),
            Some(name) => write!(f, "{name} <{}>", self.address),
        }
    }
}

/// Divides `name <address` at the first angle bracket that is not in the quotes around the name.
fn split_angle(text: &str) -> Option<(&str, &str)> {
    let end_of_name = match text.strip_prefix('"') {
        Some(quoted) => closing_quote(quoted).map_or(0, |at| at + 2),
        None => 0,
    };
    let (quoted, rest) = text.split_at(end_of_name);
    let (bare, address) = rest.split_once('<')?;
    let name = text.get(..quoted.len() + bare.len())?;
    // A second pair of brackets is not part of an address.
    let address = if address.starts_with('<') {
        ""
    } else {
        address
    };
    Some((name.trim_matches(' '), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String), MailboxError> {
        let mailbox: Mailbox = text.parse()?;
        let name = mailbox.name().unwrap_or_default().to_owned();
        Ok((name, mailbox.address().to_string()))
    }

    #[test]
    fn a_mailbox_is_read_in_each_of_its_forms() {
        for (text, name, address) in [
            ("zoe@example.org", "", "zoe@example.org"),
            ("<zoe@example.org>", "", "zoe@example.org"),
            (
                " Zoë Müller  <zoe@example.org> ",
                "Zoë Müller",
                "zoe@example.org",
            ),
            ("Zoë<zoe@example.org>", "Zoë", "zoe@example.org"),
            (
                "J. R. Hacker <j@example.org>",
                "J. R. Hacker",
                "j@example.org",
            ),
            (
                "\"Doe, Jane\" <j@example.org>",
                "Doe, Jane",
                "j@example.org",
            ),
            (
                "\"say \\\"hi\\\" <\\\\>\" <j@example.org>",
                "say \"hi\" <\\>",
                "j@example.org",
            ),
            ("\"\" <j@example.org>", "", "j@example.org"),
            ("\"john doe\"@example.org", "", "\"john doe\"@example.org"),
            (
                "John <\"a<b>\"@example.org>",
                "John",
                "\"a<b>\"@example.org",
            ),
            // B13: in the form that headers of other messages have.
            (
                "=?utf-8?q?Zo=C3=AB?= <z@example.org>",
                "Zoë",
                "z@example.org",
            ),
            (
                "=?koi8-r?b?9MXT1A==?= <t@example.org>",
                "=?koi8-r?b?9MXT1A==?=",
                "t@example.org",
            ),
            (
                "\"=?utf-8?q?Zo=C3=AB?=\" <z@example.org>",
                "=?utf-8?q?Zo=C3=AB?=",
                "z@example.org",
            ),
            ("用户 <用户@例え.jp>", "用户", "用户@例え.jp"),
        ] {
            let expected = (name.to_owned(), address.to_owned());
            assert_eq!(read(text), Ok(expected), "{text}");
            let mailbox: Mailbox = text.parse().unwrap();
            assert_eq!(mailbox.to_string().parse(), Ok(mailbox), "{text}");
        }
    }

    /// 5322-05, 5322-20, H1, H2.
    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, sentence) in [
            ("", "the address is empty"),
            ("Zoë <>", "the address is empty"),
            ("<<a@example.org>>", "the address is empty"),
            ("Zoë", "the address has no @"),
            (
                "Doe, Jane <j@example.org>",
                "the character ',' in a display name needs quotes around the name, or give name and address as a pair",
            ),
            (
                "a@example.org, b@example.org",
                "this is a list: parse it with `AddressList`",
            ),
            (
                "\"Doe <j@example.org>",
                "the quotes around the display name are not closed",
            ),
            (
                "\"Doe\" Jane <j@example.org>",
                "the quotes around the display name are not closed",
            ),
            (
                "a\r\nb <j@example.org>",
                "the character '\\r' cannot stand in a name, leave it out",
            ),
            (
                "a\tb <j@example.org>",
                "the character '\\t' cannot stand in a name, leave it out",
            ),
            (
                "a\u{85}b <j@example.org>",
                "the character '\\u{85}' cannot stand in a name, leave it out",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), sentence, "{text:?}");
        }
        assert!(Mailbox::try_from(("a\0b", "j@example.org")).is_err());
    }
}
