//! [`Reply`]: what a server says, and its codes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The server's reply to a command: a code, and text of one or more lines (RFC 5321, 4.2).
///
/// Decide by the code; the text is for people. [`Display`](fmt::Display) is safe for a log or a
/// terminal: it escapes control characters, and masks a password or token that the server repeats.
/// [`raw`](Self::raw), [`text`](Self::text) and [`lines`](Self::lines) do neither.
///
/// ```
/// use smtplib::Reply;
///
/// let reply: Reply = "450 4.2.0 come back in five minutes".parse()?;
/// assert_eq!(reply.code(), 450);
/// assert!(reply.is_transient());
/// assert_eq!(reply.text(), "4.2.0 come back in five minutes");
/// # Ok::<(), smtplib::error::ProtocolError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The lines as received, each with its CRLF. If they contain a secret, a masked copy follows
    /// at [`end`](Self::end). The bytes are shared by all results that have this reply.
    octets: Arc<[u8]>,
    /// Where the received lines end. A reply has at most 128 KiB.
    end: u32,
    code: Code,
}

impl Reply {
    /// Makes a reply from lines that the parser has checked: each begins with the code and ends in
    /// CRLF.
    pub(crate) fn from_checked(code: Code, raw: Arc<[u8]>) -> Self {
        Self {
            end: u32::try_from(raw.len()).unwrap_or(u32::MAX),
            octets: raw,
            code,
        }
    }

    /// Returns the code, three digits.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the enhanced status code (RFC 2034) of the first line that has one.
    ///
    /// Its class must fit the reply's code.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        texts(self.raw()).find_map(|text| EnhancedCode::parse(text, self.code))
    }

    /// Returns the text of each line, without code and line end. Bytes that are not UTF-8 are
    /// replaced.
    pub fn lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        texts(self.raw()).map(String::from_utf8_lossy)
    }

    /// Returns the text of all lines, joined by line feeds. Bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().collect::<Vec<_>>().join("\n")
    }

    /// Returns the bytes as they came: every line with its code and CRLF.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.octets.get(..self.end as usize).unwrap_or(&self.octets)
    }

    /// The lines as they may be shown: the masked copy if there is one.
    pub(crate) fn shown(&self) -> &[u8] {
        match self.octets.get(self.end as usize..) {
            Some(shown) if !shown.is_empty() => shown,
            _ => &self.octets,
        }
    }

    /// Returns true if the server did what it was asked: 2yz.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.code.is_positive()
    }

    /// Returns true if the same request may succeed later: 4yz.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.code.is_transient()
    }

    /// Returns true if the same request will fail again: 5yz.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.code.is_permanent()
    }

    /// The same reply, with every secret in its text masked: some servers repeat what they refuse.
    pub(crate) fn masked(&self, secrets: &[&str]) -> Self {
        Self::from_checked(self.code, masked_lines(self.raw(), secrets).into())
    }

    /// The same reply, with all of its text masked.
    pub(crate) fn masked_whole(&self) -> Self {
        Self::from_checked(self.code, masked_texts(self.raw()).into())
    }

    /// The same reply, but `Display` and `Debug` show nothing of its text.
    pub(crate) fn hiding_whole(self) -> Self {
        let shown = masked_texts(self.raw());
        self.showing(&shown)
    }

    /// The same reply, but `Display` and `Debug` do not show the secrets.
    pub(crate) fn hiding(self, secrets: &[&str]) -> Self {
        let shown = masked_lines(self.raw(), secrets);
        if shown == masked_lines(self.raw(), &[]) {
            return self;
        }
        self.showing(&shown)
    }

    /// The same reply, but `Display` and `Debug` show these lines.
    fn showing(mut self, shown: &[u8]) -> Self {
        self.octets = [self.raw(), shown].concat().into();
        self
    }
}

/// The lines of a reply, with their texts masked. The codes are not changed.
fn masked_texts(raw: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|octet| *octet == b'\n') {
        let words = line.strip_suffix(b"\r\n").unwrap_or(line);
        let (code, text) = words.split_at(words.len().min(4));
        octets.extend_from_slice(code);
        octets.extend_from_slice(if text.is_empty() { b"\r\n" } else { b"***\r\n" });
    }
    octets
}

/// The lines of a reply, with every secret in their texts masked. The codes are not changed.
fn masked_lines(raw: &[u8], secrets: &[&str]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|octet| *octet == b'\n') {
        let (code, text) = line.split_at(line.len().min(4));
        octets.extend_from_slice(code);
        octets.extend_from_slice(masked(&String::from_utf8_lossy(text), secrets).as_bytes());
    }
    octets
}

/// A text with every occurrence of the secrets masked.
///
/// All secrets are found before any is masked. Otherwise, masking a short secret could hide a
/// longer one that contains it, and leave the rest of that one visible.
pub(crate) fn masked(text: &str, secrets: &[&str]) -> String {
    // Where the longest secret that begins at an octet ends.
    let mut ends = vec![0; text.len()];
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        for (start, _) in text.match_indices(secret) {
            if let Some(end) = ends.get_mut(start) {
                *end = (start + secret.len()).max(*end);
            }
        }
    }
    let (mut masked, mut shown) = (String::with_capacity(text.len()), 0);
    let found = ends.into_iter().enumerate().filter(|(_, end)| *end > 0);
    for (start, end) in found {
        if start >= shown {
            masked.push_str(text.get(shown..start).unwrap_or_default());
            masked.push_str("***");
        }
        shown = shown.max(end);
    }
    masked.push_str(text.get(shown..).unwrap_or_default());
    masked
}

/// A secret that is cut off is recognized from this many bytes on. Fewer may be a coincidence.
const MIN_CUT: usize = 3;

/// As [`masked`], for a text that may end in the middle of a secret.
pub(crate) fn masked_with_cut(text: &str, secrets: &[&str]) -> String {
    let text = text.trim_end_matches(['\r', '\n']);
    let ends = secrets.iter().flat_map(|secret| {
        let cuts = MIN_CUT..secret.len();
        cuts.filter_map(|cut| secret.get(..cut))
            .filter(|start| text.ends_with(start))
    });
    let cut = ends.map(str::len).max().unwrap_or_default();
    let mut shown = masked(text.get(..text.len() - cut).unwrap_or_default(), secrets);
    if cut > 0 {
        shown.push_str("***");
    }
    shown
}

impl fmt::Display for Reply {
    /// Writes the code and the text of all lines, joined by ` / `.
    ///
    /// Control characters are escaped, and an enhanced code that every line repeats is written
    /// once. A text is cut after 1000 characters; [`text`](Reply::text) has all of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        let enhanced = self.enhanced().map(|code| code.to_string());
        let (mut shown, mut separator) = (String::new(), "");
        for line in texts(self.shown()).map(String::from_utf8_lossy) {
            let text = match &enhanced {
                Some(code) if !shown.is_empty() => without_word(&line, code),
                _ => &line,
            };
            if !text.is_empty() {
                shown.push_str(separator);
                shown.push_str(text);
                separator = " / ";
            }
            if shown.len() > MAX_SHOWN * 4 {
                break;
            }
        }
        let space = if shown.is_empty() { "" } else { " " };
        write!(f, "{space}{}", Shown(&shown))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({:?})", self.to_string())
    }
}

/// A line without this word at its beginning.
fn without_word<'a>(line: &'a str, word: &str) -> &'a str {
    match line.strip_prefix(word) {
        Some(rest) if rest.is_empty() || rest.starts_with(' ') => rest.trim_start(),
        _ => line,
    }
}

/// The most characters of received text that are shown in one sentence.
pub(crate) const MAX_SHOWN: usize = 1000;

/// Received text in a sentence: [`Escaped`], and cut if it is long.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MAX_SHOWN) {
            Some((end, _)) => {
                Escaped(self.0.get(..end).unwrap_or_default()).fmt(f)?;
                f.write_str("…")
            }
            None => Escaped(self.0).fmt(f),
        }
    }
}

/// Received text, made safe to print: control characters and direction overrides are escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

/// A reply code: three digits, the first of them 2, 3, 4 or 5 (RFC 5321, 4.2.1).
///
/// ```
/// # fn look(reply: &smtplib::Reply) {
/// if reply.code() == 452 {
///     println!("too many recipients for now");
/// }
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u16);

impl Code {
    /// 421: the server is closing the connection. It may be the reply to any command.
    pub const SERVICE_CLOSING: Self = Self(421);

    /// The code of three bytes, if they are a valid one.
    pub(crate) fn parse(digits: [u8; 3]) -> Option<Self> {
        if !matches!(digits, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) {
            return None;
        }
        let number = digits
            .iter()
            .fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
        Some(Self(number))
    }

    /// Returns the code as a number, 200 to 599.
    #[must_use]
    pub fn as_u16(self) -> u16 {
        self.0
    }

    /// Returns true for 2yz: done.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 / 100 == 2
    }

    /// Returns true for 3yz: go on.
    #[must_use]
    pub fn is_intermediate(self) -> bool {
        self.0 / 100 == 3
    }

    /// Returns true for 4yz: not now.
    #[must_use]
    pub fn is_transient(self) -> bool {
        self.0 / 100 == 4
    }

    /// Returns true for 5yz: no.
    #[must_use]
    pub fn is_permanent(self) -> bool {
        self.0 / 100 == 5
    }
}

impl PartialEq<u16> for Code {
    fn eq(&self, number: &u16) -> bool {
        self.0 == *number
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.0)
    }
}

/// An enhanced status code such as `5.1.1`: class, subject and detail (RFC 3463).
///
/// ```
/// use smtplib::Reply;
///
/// let reply: Reply = "550 5.1.1 no such user".parse()?;
/// let code = reply.enhanced().map(|code| (code.class(), code.subject(), code.detail()));
/// assert_eq!(code, Some((5, 1, 1)));
/// # Ok::<(), smtplib::error::ProtocolError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// Returns 2, 4 or 5: success, try again later, or failed for good.
    #[must_use]
    pub fn class(self) -> u8 {
        self.class
    }

    /// Returns the subject, 0 to 999: 1 is the address, 2 the mailbox, 7 security or policy.
    #[must_use]
    pub fn subject(self) -> u16 {
        self.subject
    }

    /// Returns the detail within the subject, 0 to 999.
    #[must_use]
    pub fn detail(self) -> u16 {
        self.detail
    }

    /// Reads the code at the beginning of a line. If its class contradicts the reply, it is
    /// ordinary text (RFC 2034, 4).
    fn parse(text: &[u8], reply: Code) -> Option<Self> {
        let word = text.split(|octet| *octet == b' ').next()?;
        let mut parts = word.split(|octet| *octet == b'.').map(number);
        let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() || class != reply.as_u16() / 100 || !matches!(class, 2 | 4 | 5) {
            return None;
        }
        Some(Self {
            class: u8::try_from(class).ok()?,
            subject,
            detail,
        })
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The bytes of each line's text, without code and line end.
fn texts(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    raw.split_inclusive(|octet| *octet == b'\n').map(|line| {
        let text = line.get(4..).unwrap_or_default();
        text.strip_suffix(b"\r\n")
            .or_else(|| text.strip_suffix(b"\n"))
            .unwrap_or(text)
    })
}

/// The number that one to three digits write.
fn number(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u16::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests;
