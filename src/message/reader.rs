//! A reader of what this crate writes, for the properties. It follows the RFCs to the letter and
//! tolerates no error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "what cannot be read fails the property by panicking"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A part as it was read.
#[derive(Debug)]
pub(crate) struct Found {
    /// Names and values, unfolded.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Data(Vec<u8>),
    Message(Box<Found>),
    Parts(Vec<Found>),
}

impl Found {
    /// Reads a message or a part.
    pub(crate) fn read(octets: &[u8]) -> Self {
        let (head, body) = match position(octets, b"\r\n\r\n") {
            Some(end) => (&octets[..end + 2], &octets[end + 4..]),
            None => panic!("no empty line behind the header"),
        };
        let fields = fields(std::str::from_utf8(head).expect("a header of UTF-8"));
        let mut found = Self {
            fields,
            content: Content::Data(Vec::new()),
        };
        found.content = found.body(body);
        found
    }

    /// The value of a field that occurs once.
    pub(crate) fn only(&self, name: &str) -> &str {
        self.field(name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.fields))
    }

    /// The value of a field that occurs at most once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let is_named = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        let mut named = self.fields.iter().filter(is_named);
        let value = named.next().map(|(_, value)| value.as_str());
        assert!(named.next().is_none(), "{name} twice in {:?}", self.fields);
        value
    }

    /// The file name of `Content-Disposition`.
    pub(crate) fn file_name(&self) -> Option<String> {
        parameter(self.field("Content-Disposition")?, "filename")
    }

    /// All parts without parts in them, in order.
    pub(crate) fn leaves(&self) -> Vec<&Self> {
        match &self.content {
            Content::Data(_) => vec![self],
            Content::Message(message) => message.leaves(),
            Content::Parts(parts) => parts.iter().flat_map(Self::leaves).collect(),
        }
    }

    pub(crate) fn data(&self) -> &[u8] {
        match &self.content {
            Content::Data(data) => data,
            other => panic!("no leaf: {other:?}"),
        }
    }

    fn body(&self, body: &[u8]) -> Content {
        let media_type = self.only("Content-Type");
        let encoding = self.field("Content-Transfer-Encoding").unwrap_or("7bit");
        if let Some(boundary) = parameter(media_type, "boundary") {
            assert!(["7bit", "8bit", "binary"].contains(&encoding));
            let parts = split(body, &boundary);
            return Content::Parts(parts.into_iter().map(Self::read).collect());
        }
        if media_type.starts_with("message/rfc822") || media_type.starts_with("message/global") {
            assert!(["7bit", "8bit", "binary"].contains(&encoding));
            return Content::Message(Box::new(Self::read(body)));
        }
        Content::Data(match encoding {
            "7bit" | "8bit" => lines(body, encoding == "8bit"),
            "binary" => body.to_vec(),
            "quoted-printable" => from_quoted_printable(body),
            "base64" => from_base64(body),
            other => panic!("encoding {other}"),
        })
    }
}

fn position(octets: &[u8], needle: &[u8]) -> Option<usize> {
    octets
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Checks that bytes are lines of at most 998 bytes (RFC 2045, 2.7 and 2.8).
pub(crate) fn lines(octets: &[u8], eight_bit: bool) -> Vec<u8> {
    let mut rest = octets;
    while let Some(end) = position(rest, b"\r\n") {
        check_line(&rest[..end], eight_bit);
        rest = &rest[end + 2..];
    }
    check_line(rest, eight_bit);
    octets.to_vec()
}

fn check_line(line: &[u8], eight_bit: bool) {
    assert!(line.len() <= 998, "a line of {} octets", line.len());
    assert!(!line.contains(&b'\r') && !line.contains(&b'\n') && !line.contains(&0));
    assert!(eight_bit || line.is_ascii());
}

fn fields(head: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.strip_suffix("\r\n").unwrap().split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n', '\0']));
        assert!(!line.trim().is_empty());
        if line.starts_with([' ', '\t']) {
            fields.last_mut().expect("a field to go on").1 += line;
        } else {
            let (name, value) = line.split_once(':').expect("a field");
            fields.push((name.to_owned(), value.to_owned()));
        }
        check_encoded(fields.last().expect("a field"), line);
    }
    for (_, value) in &mut fields {
        *value = value.strip_prefix(' ').unwrap_or(value).to_owned();
    }
    fields
}

/// Checks that a line with an encoded-word is short (RFC 2047, 2). A field name, or a field of
/// private use for programs, may have something that looks like one.
fn check_encoded((name, value): &(String, String), line: &str) {
    let is_private = name.to_ascii_lowercase().starts_with("x-") && value.is_ascii();
    let is_encoded = line
        .strip_prefix(name.as_str())
        .unwrap_or(line)
        .split(' ')
        .any(|word| word.starts_with("=?utf-8?") && word.ends_with("?="));
    assert!(!is_encoded || is_private || line.len() <= 76, "{line}");
}

/// Cuts a multipart at its delimiters (RFC 2046, 5.1.1).
fn split<'b>(body: &'b [u8], boundary: &str) -> Vec<&'b [u8]> {
    let delimiter = format!("\r\n--{boundary}");
    let first = format!("--{boundary}\r\n");
    let mut rest = body
        .strip_prefix(first.as_bytes())
        .expect("the first delimiter");
    let mut parts = Vec::new();
    loop {
        let end = position(rest, delimiter.as_bytes()).expect("the next delimiter");
        parts.push(&rest[..end]);
        rest = &rest[end + delimiter.len()..];
        if let Some(epilogue) = rest.strip_prefix(b"--") {
            assert!(epilogue.is_empty() || epilogue == b"\r\n");
            return parts;
        }
        rest = rest
            .strip_prefix(b"\r\n")
            .expect("a line end behind the delimiter");
    }
}

fn from_base64(body: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= 76));
    STANDARD.decode(text.replace("\r\n", "")).unwrap()
}

fn from_quoted_printable(body: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    for line in text.split("\r\n") {
        assert!(line.len() <= 76 && !line.ends_with([' ', '\t']), "{line:?}");
    }
    unescape(&text.replace("=\r\n", ""), '=')
}

/// Replaces an escape and two hexadecimal digits by their byte.
fn unescape(text: &str, escape: char) -> Vec<u8> {
    let mut pieces = text.split(escape);
    let mut octets = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        octets.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        octets.extend_from_slice(&piece.as_bytes()[2..]);
    }
    octets
}

/// The text of an unstructured field (RFC 2047, 6).
pub(crate) fn unstructured(value: &str) -> String {
    let mut text = String::new();
    let mut after_encoded = false;
    for (number, word) in value.split(' ').enumerate() {
        let decoded = encoded_word(word);
        let between = after_encoded && decoded.is_some();
        if number > 0 && !between {
            text.push(' ');
        }
        after_encoded = decoded.is_some();
        text += decoded.as_deref().unwrap_or(word);
    }
    text
}

fn encoded_word(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?utf-8?")?.strip_suffix("?=")?;
    assert!(word.len() <= 75, "{word}");
    let octets = match inner.split_at(2) {
        ("b?", text) => STANDARD.decode(text).unwrap(),
        ("q?", text) => unescape(&text.replace('_', " "), '='),
        _ => panic!("{word}"),
    };
    Some(String::from_utf8(octets).expect("whole characters"))
}

/// The display name before the address that ends a value.
pub(crate) fn display_name(value: &str) -> String {
    let (name, _) = value.rsplit_once(" <").expect("an address in brackets");
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => unquote(quoted),
        None => unstructured(name),
    }
}

fn unquote(quoted: &str) -> String {
    let mut text = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        assert_ne!(c, '"');
        text.push(if c == '\\' { chars.next().unwrap() } else { c });
    }
    text
}

/// The value of a parameter, joined from its pieces (RFC 2231).
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut octets = Vec::new();
    let mut number = 0;
    let mut found = false;
    for piece in split_parameters(value) {
        let (key, text) = piece.split_once('=').expect("a parameter");
        let numbered = format!("{name}*{number}");
        let plain = key.strip_suffix('*').unwrap_or(key);
        if plain != name && plain != numbered {
            continue;
        }
        found = true;
        number += 1;
        if key.ends_with('*') {
            let text = if number == 1 {
                text.strip_prefix("utf-8''").unwrap()
            } else {
                text
            };
            octets.extend(unescape(text, '%'));
        } else {
            let quoted = text
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            octets.extend(quoted.map_or_else(|| text.to_owned(), unquote).into_bytes());
        }
    }
    found.then(|| String::from_utf8(octets).unwrap())
}

/// The parameters of a value, cut at the semicolons that are not in quotes.
fn split_parameters(value: &str) -> Vec<&str> {
    let mut quoted = false;
    let mut escaped = false;
    let pieces = value.split(|c| {
        let cuts = c == ';' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        cuts
    });
    pieces.skip(1).map(str::trim_start).collect()
}
