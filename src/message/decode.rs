//! Reading encoded-words (RFC 2047), which values from other messages have.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Some writers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The characters of Windows-1252 from 0x80 on, where ISO 8859-1 has control characters.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Whether a text may have encoded-words.
pub(crate) fn has_encoded_words(text: &str) -> bool {
    text.contains("=?")
}

/// The text with its encoded-words decoded. `None` if one cannot be decoded, for instance because
/// its charset is not known here. Then the text must stay unchanged.
///
/// A control character in an encoded-word becomes a space. The known charsets are UTF-8, US-ASCII,
/// ISO 8859-1 and Windows-1252.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut octets = Vec::new();
    let mut charset = "";
    let mut rest = text;
    while let Some((before, word, after)) = next_word(rest) {
        // White space between two encoded-words is not part of the text (RFC 2047, 6.2). A
        // character may be cut between them, although it must not be (RFC 2047, 5).
        let continues = !charset.is_empty() && before.trim_matches([' ', '\t']).is_empty();
        if !continues || !charset.eq_ignore_ascii_case(word.charset) {
            flush(&mut octets, charset, &mut out)?;
        }
        if !continues {
            out.push_str(before);
        }
        charset = word.charset;
        octets.extend(word.octets()?);
        rest = after;
    }
    flush(&mut octets, charset, &mut out)?;
    out.push_str(rest);
    Some(out)
}

/// `=?charset?encoding?text?=`.
struct Word<'t> {
    charset: &'t str,
    is_base64: bool,
    text: &'t str,
}

impl<'t> Word<'t> {
    /// Reads the encoded-word at the start of a text, and returns the rest.
    fn read(text: &'t str) -> Option<(Self, &'t str)> {
        let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        // The text has no `?`, so the search for its end never goes beyond the next one.
        let (text, rest) = rest.split_once('?')?;
        let after = rest.strip_prefix('=')?;
        let is_whole = !charset.is_empty() && !charset.contains(' ') && !text.contains(' ');
        if !is_whole || !matches!(encoding, "b" | "B" | "q" | "Q") {
            return None;
        }
        let word = Self {
            // A language may follow the charset (RFC 2231, 5).
            charset: charset.split('*').next().unwrap_or_default(),
            is_base64: encoding.eq_ignore_ascii_case("b"),
            text,
        };
        Some((word, after))
    }

    fn octets(&self) -> Option<Vec<u8>> {
        if self.is_base64 {
            return BASE64.decode(self.text).ok();
        }
        let mut pieces = self.text.split('=');
        let mut octets = pieces.next()?.replace('_', " ").into_bytes();
        for piece in pieces {
            octets.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
            octets.extend(piece.get(2..)?.replace('_', " ").bytes());
        }
        Some(octets)
    }
}

/// The next encoded-word, with the text before and after it.
fn next_word(text: &str) -> Option<(&str, Word<'_>, &str)> {
    text.match_indices("=?").find_map(|(at, _)| {
        let (before, from) = text.split_at(at);
        let (word, after) = Word::read(from)?;
        Some((before, word, after))
    })
}

/// Decodes bytes in a charset, and appends the text.
fn flush(octets: &mut Vec<u8>, charset: &str, out: &mut String) -> Option<()> {
    let octets = std::mem::take(octets);
    match charset.to_ascii_lowercase().as_str() {
        "" => {}
        "utf-8" | "utf8" | "us-ascii" | "ascii" => {
            let text = String::from_utf8(octets).ok()?;
            out.push_str(&text.replace(char::is_control, " "));
        }
        "iso-8859-1" | "latin1" | "windows-1252" | "cp1252" => {
            out.extend(octets.into_iter().map(from_windows_1252));
        }
        _ => return None,
    }
    Some(())
}

/// ISO 8859-1 is read as Windows-1252, because many programs mean that by it.
fn from_windows_1252(octet: u8) -> char {
    let special = octet.checked_sub(0x80).map(usize::from);
    special
        .and_then(|at| WINDOWS_1252.get(at).copied())
        .or_else(|| Some(char::from(octet)))
        .filter(|c| !c.is_control())
        .unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B13.
    #[test]
    fn encoded_words_are_read() {
        for (text, meant) in [
            ("Lunch?", "Lunch?"),
            ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            ("=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
            ("=?utf-8?b?R3LDvMOfZQ?=", "Grüße"),
            (
                "Re: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= Bonn",
                "Re: Grüße aus Bonn",
            ),
            ("=?utf-8?q?a?= =?utf-8?q?b?= c", "ab c"),
            ("=?utf-8?b?w7w=?=\t=?iso-8859-1?q?=FC?=", "üü"),
            ("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
            ("=?iso-8859-1*de?Q?Gr=FC=DFe?=", "Grüße"),
            ("=?windows-1252?q?=93x=94?=", "“x”"),
            ("=?utf-8?q?a=0D=0ABcc:_e@x?=", "a  Bcc: e@x"),
            ("=?iso-8859-1?q?a=81=00b?=", "a  b"),
            ("no =? word ?=", "no =? word ?="),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?not one?=", "=?utf-8?q?not one?="),
            ("=?=?utf-8?q?a?=", "=?a"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(meant), "{text}");
        }
    }

    /// B13: what cannot be decoded is not decoded.
    #[test]
    fn what_is_not_known_is_not_guessed() {
        for text in [
            "=?iso-2022-jp?b?GyRCJUYlOSVIGyhC?=",
            "=?utf-8?q?=FF?=",
            "=?utf-8?q?=G0?=",
            "=?utf-8?b?!?=",
        ] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
