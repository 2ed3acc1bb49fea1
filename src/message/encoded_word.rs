//! Encoded-words: text outside ASCII in a header (RFC 2047).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest encoded-word (RFC 2047, 2), in characters.
pub(crate) const MAX_ENCODED_WORD: usize = 75;
/// The length of `=?utf-8?q?` and `?=`.
const FRAME: usize = 12;
/// How many characters longer the readable encoding may be.
const LEGIBLE: usize = 4;

/// The two encodings of RFC 2047, 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordEncoding {
    /// Base64, which is shorter if most characters are outside ASCII.
    B,
    /// Like quoted-printable, readable if most characters are in ASCII.
    Q,
}

impl WordEncoding {
    /// The encoding that makes the text shorter. Q even if it is a little longer, because people
    /// can read it.
    pub(crate) fn for_text(text: &str) -> Self {
        let q: usize = text.chars().map(q_length).sum();
        if q <= text.len().div_ceil(3) * 4 + LEGIBLE {
            Self::Q
        } else {
            Self::B
        }
    }

    /// Divides the text after the last whole character that an encoded-word of `room` characters
    /// can hold.
    ///
    /// A word never holds part of a character (RFC 2047, 5).
    pub(crate) fn split(self, text: &str, room: usize) -> (&str, &str) {
        let mut room = room.min(MAX_ENCODED_WORD).saturating_sub(FRAME);
        if self == Self::B {
            room = room / 4 * 3;
        }
        let mut end = 0;
        for c in text.chars() {
            let length = match self {
                Self::B => c.len_utf8(),
                Self::Q => q_length(c),
            };
            if length > room {
                break;
            }
            room -= length;
            end += c.len_utf8();
        }
        text.split_at(end)
    }

    /// Appends one encoded-word, however long it becomes.
    pub(crate) fn write(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::B => {
                out.extend_from_slice(b"=?utf-8?b?");
                out.extend_from_slice(STANDARD.encode(text).as_bytes());
            }
            Self::Q => {
                out.extend_from_slice(b"=?utf-8?q?");
                text.bytes().for_each(|octet| write_q(octet, out));
            }
        }
        out.extend_from_slice(b"?=");
    }
}

/// The text with its words outside ASCII as encoded-words. The others, which may be encoded-words of
/// another message, stay as they are.
pub(crate) fn encode_words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let text = text.replace('\t', " ");
    let words: Vec<&str> = text.split(' ').collect();
    let runs = words.chunk_by(|a, b| a.is_ascii() == b.is_ascii());
    let mut written: Vec<String> = Vec::new();
    let (mut before, mut rest) = (None, &*words);
    for run in runs {
        (_, rest) = rest.split_at(run.len());
        let mut run_text = run.join(" ");
        if !run_text.is_ascii() {
            // Readers drop the blanks between two encoded-words (RFC 2047, 6.2).
            let after = rest.iter().find(is_any);
            if before.is_some_and(|word: &&str| word.ends_with("?=") || !word.is_ascii()) {
                run_text.insert(0, ' ');
            }
            if after.is_some_and(|word| word.starts_with("=?")) {
                run_text.push(' ');
            }
            run_text = encoded(&run_text);
        }
        written.push(run_text);
        before = run.iter().rfind(is_any).or(before);
    }
    written.join(" ")
}

/// Whether there is a word between two blanks.
fn is_any(word: &&&str) -> bool {
    !word.is_empty()
}

/// The text as encoded-words, with a blank between them.
fn encoded(text: &str) -> String {
    let encoding = WordEncoding::for_text(text);
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (head, tail) = encoding.split(rest, MAX_ENCODED_WORD);
        out.extend_from_slice(if out.is_empty() { b"" } else { b" " });
        encoding.write(head, &mut out);
        rest = tail;
    }
    String::from_utf8(out).unwrap_or_default()
}

/// The length of a character in Q.
fn q_length(c: char) -> usize {
    if c == ' ' || u8::try_from(c).is_ok_and(is_plain) {
        1
    } else {
        3 * c.len_utf8()
    }
}

/// Characters that Q keeps even in a phrase (RFC 2047, 5 (3)).
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!*+-/".contains(&octet)
}

fn write_q(octet: u8, out: &mut Vec<u8>) {
    match octet {
        b' ' => out.push(b'_'),
        octet if is_plain(octet) => out.push(octet),
        octet => out.extend_from_slice(&[b'=', hex(octet >> 4), hex(octet & 15)]),
    }
}

/// The upper-case digit of a value below 16.
pub(crate) const fn hex(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'A' - 10 + (value & 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> String {
        let mut out = Vec::new();
        WordEncoding::for_text(text).write(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// 2047-03, 2047-04, 2047-05, 2047-07.
    #[test]
    fn words_are_encoded_the_shorter_way() {
        for (text, word) in [
            ("é", "=?utf-8?q?=C3=A9?="),
            ("café", "=?utf-8?q?caf=C3=A9?="),
            ("привет", "=?utf-8?b?0L/RgNC40LLQtdGC?="),
            ("a b", "=?utf-8?q?a_b?="),
            ("=?_", "=?utf-8?b?PT9f?="),
            (
                "Müller, Zoë (new)",
                "=?utf-8?b?TcO8bGxlciwgWm/DqyAobmV3KQ==?=",
            ),
            (
                "Resume of Zoë Müller",
                "=?utf-8?q?Resume_of_Zo=C3=AB_M=C3=BCller?=",
            ),
            ("tab\there", "=?utf-8?q?tab=09here?="),
        ] {
            assert_eq!(encode(text), word);
        }
    }

    /// 2047-01, 2047-10.
    #[test]
    fn words_end_between_characters_within_their_room() {
        for text in [
            "🦀".repeat(40),
            "é".repeat(90),
            "aé".repeat(60),
            "x".repeat(200),
        ] {
            for encoding in [WordEncoding::B, WordEncoding::Q] {
                for room in 24..90 {
                    let (head, tail) = encoding.split(&text, room);
                    assert_eq!(format!("{head}{tail}"), text);
                    assert!(!head.is_empty());
                    let mut out = Vec::new();
                    encoding.write(head, &mut out);
                    assert!(out.len() <= room.min(MAX_ENCODED_WORD), "{room} {head}");
                }
            }
        }
    }

    #[test]
    fn no_room_takes_nothing() {
        assert_eq!(WordEncoding::Q.split("é", 17), ("", "é"));
        assert_eq!(WordEncoding::B.split("é", 15), ("", "é"));
        assert_eq!(WordEncoding::B.split("é", 0), ("", "é"));
    }
}
