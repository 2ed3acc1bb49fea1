//! [`Phrase`]: the name of a mailbox or a group (RFC 5322, 3.2.5).

use std::fmt;

use crate::message::decode::{decoded, has_encoded_words};
use crate::message::error::MailboxError;
use crate::message::header::{HeaderWriter, MAX_TOKEN, write_quoted};

/// A name that people read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Phrase {
    text: Box<str>,
    /// It comes from another header, and has encoded-words that this crate cannot decode.
    as_it_came: bool,
}

impl Phrase {
    /// Makes a name, which may have all characters but control characters.
    pub(crate) fn new(text: &str) -> Result<Self, MailboxError> {
        check_name(text)?;
        Ok(Self {
            text: text.into(),
            as_it_came: false,
        })
    }

    /// Reads a name as a person writes it: all of it in quotes, or without quotes. A name with
    /// encoded-words that cannot be decoded is read as headers have it.
    pub(crate) fn read(text: &str) -> Result<Self, MailboxError> {
        let read = match text.strip_prefix('"') {
            Some(quoted) => unquote(quoted).and_then(|name| Self::new(&name)),
            None => Self::bare(text),
        };
        read.or_else(|error| {
            let words = Self::read_words(text).ok();
            words.filter(|words| words.as_it_came).ok_or(error)
        })
    }

    /// Reads a name as headers have it: words, encoded-words and quoted strings. If an encoded-word
    /// cannot be decoded, all of the name stays unchanged, with its quotes.
    pub(crate) fn read_words(text: &str) -> Result<Self, MailboxError> {
        let mut name = String::new();
        let mut as_it_came = false;
        let mut rest = text;
        while let Some((before, quoted)) = rest.split_once('"') {
            let end = closing_quote(quoted).ok_or(MailboxError::Unquoted)?;
            let (inner, after) = quoted.split_at(end + 1);
            let before = Self::bare(before.trim_matches(' '))?;
            as_it_came |= before.as_it_came;
            push_word(&mut name, &before.text);
            push_word(&mut name, &unquote(inner)?);
            rest = after;
        }
        let last = Self::bare(rest.trim_matches(' '))?;
        if name.is_empty() {
            return Ok(last);
        }
        push_word(&mut name, &last.text);
        // A line may be folded at each blank, but not at one that is escaped.
        let is_foldable = is_line(text) && !text.contains("\\ ");
        if (as_it_came || last.as_it_came) && is_foldable {
            return Ok(Self {
                as_it_came: true,
                ..Self::new(text)?
            });
        }
        Self::new(&name)
    }

    /// Reads a name without quotes. If an encoded-word cannot be decoded, the name stays unchanged.
    fn bare(text: &str) -> Result<Self, MailboxError> {
        let text = bare_name(text)?;
        if !has_encoded_words(text) {
            return Self::new(text);
        }
        match decoded(text) {
            Some(text) => Self::new(&text),
            None => Ok(Self {
                as_it_came: is_line(text),
                ..Self::new(text)?
            }),
        }
    }

    /// The name, decoded if possible.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Writes the name into a header, with what follows it.
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>, end: &str) {
        if self.as_it_came {
            writer.encoded_phrase(&self.text, end);
        } else {
            writer.phrase(&self.text, end);
        }
    }
}

impl From<Phrase> for String {
    fn from(phrase: Phrase) -> Self {
        phrase.text.into()
    }
}

impl fmt::Display for Phrase {
    /// Writes the name in a form that can be parsed again, in quotes if it needs them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.as_it_came {
            f.write_str(&self.text)
        } else {
            DisplayName(&self.text).fmt(f)
        }
    }
}

/// A name in a form that can be parsed again: in quotes where it needs them.
struct DisplayName<'n>(&'n str);

impl fmt::Display for DisplayName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if bare_name(self.0).is_ok() && !has_encoded_words(self.0) {
            return f.write_str(self.0);
        }
        let mut quoted = Vec::new();
        write_quoted(self.0, &mut quoted);
        f.write_str(&String::from_utf8_lossy(&quoted))
    }
}

/// Checks a display name: control characters are refused, tabs included.
fn check_name(name: &str) -> Result<(), MailboxError> {
    match name.chars().find(|c| c.is_control()) {
        Some(c) => Err(MailboxError::Control(c)),
        None => Ok(()),
    }
}

/// Whether the words of a header, with one blank between them, can be sent unchanged.
fn is_line(text: &str) -> bool {
    let is_word = |word: &str| {
        (1..=MAX_TOKEN).contains(&word.len()) && word.bytes().all(|o| o.is_ascii_graphic())
    };
    text.split(' ').all(is_word)
}

/// The position of the closing quote, in a text after the opening quote.
pub(crate) fn closing_quote(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|octet| {
        let closes = octet == b'"' && !escaped;
        escaped = octet == b'\\' && !escaped;
        closes
    })
}

/// Reads a quoted string without its opening quote. It must end where the text ends.
fn unquote(quoted: &str) -> Result<String, MailboxError> {
    let inner = quoted.strip_suffix('"').ok_or(MailboxError::Unquoted)?;
    if closing_quote(quoted) != Some(inner.len()) {
        return Err(MailboxError::Unquoted);
    }
    let mut name = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        name.push(if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        });
    }
    Ok(name)
}

fn push_word(name: &mut String, word: &str) {
    if !name.is_empty() && !word.is_empty() {
        name.push(' ');
    }
    name.push_str(word);
}

/// Checks a name without quotes. Dots are allowed, because people write `J. Doe <doe@example.org>`.
fn bare_name(name: &str) -> Result<&str, MailboxError> {
    if name.trim_matches(' ') != name || name.contains("  ") {
        return Err(MailboxError::Name(' '));
    }
    match name.chars().find(is_special) {
        Some(c) => Err(MailboxError::Name(c)),
        None => Ok(name),
    }
}

/// RFC 5322, specials, except the dot.
fn is_special(c: &char) -> bool {
    matches!(
        c,
        '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',' | '"'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B13: what cannot be decoded is sent unchanged, and can be read again.
    #[test]
    fn names_in_other_charsets_stay_as_they_came() {
        for (text, written) in [
            ("=?koi8-r?b?9MXT1A==?=", "=?koi8-r?b?9MXT1A==?= :"),
            (
                "=?gb2312?q?=C4=E3?= =?gb2312?q?=BA=C3?= J.",
                "=?gb2312?q?=C4=E3?= =?gb2312?q?=BA=C3?= J. :",
            ),
            ("=?utf-8?q?=FF?=", "=?utf-8?q?=FF?= :"),
        ] {
            let phrase = Phrase::read_words(text).unwrap();
            assert_eq!(phrase.as_str(), text);
            assert_eq!(phrase.to_string(), text);
            let mut out = Vec::new();
            phrase.write(&mut HeaderWriter::new(&mut out, false), ":");
            assert_eq!(String::from_utf8(out).unwrap().trim_start(), written);
            assert_eq!(Phrase::read(text), Ok(phrase));
            // A name that the caller gives is taken literally.
            assert!(!Phrase::new(text).unwrap().as_it_came);
            assert!(!Phrase::read(&format!("\"{text}\"")).unwrap().as_it_came);
        }
        for text in [
            "\"Dr.\" =?koi8-r?b?9MXT1A==?=",
            "\"Doe, <J\\\"\" =?koi8-r?b?9MXT1A==?= \"a b\"",
            "J. \"Q, R\" =?koi8-r?b?9MXT1A==?= =?utf-8?q?=C3=AB?=",
        ] {
            let phrase = Phrase::read_words(text).unwrap();
            assert_eq!(phrase.as_str(), text);
            let mut out = Vec::new();
            phrase.write(&mut HeaderWriter::new(&mut out, false), "");
            assert_eq!(String::from_utf8(out).unwrap().trim_start(), text);
            // Also where a person writes it.
            assert_eq!(Phrase::read(&phrase.to_string()), Ok(phrase));
        }
        for text in [
            "\"two  blanks\" =?x?q?a?=",
            "\"an\\ escape\" =?x?q?a?=",
            "\"\u{e9}\" =?x?q?a?=",
        ] {
            assert!(!Phrase::read_words(text).unwrap().as_it_came);
            assert_eq!(Phrase::read(text), Err(MailboxError::Unquoted));
        }
        for text in ["=?koi8-r?b?9MXT1A==?= \u{e9}", &"=?x?q?a?=".repeat(120)] {
            assert!(!Phrase::read(text).unwrap().as_it_came);
        }
    }
}
