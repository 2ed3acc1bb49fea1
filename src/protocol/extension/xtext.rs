//! xtext (RFC 3461, 4) and its form for addresses outside ASCII (RFC 6533, 3).

use std::fmt::Write;

/// Encodes a text as xtext. `None` if it has anything but printable ASCII and spaces.
pub(crate) fn encode(text: &str) -> Option<String> {
    let is_text = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    is_text.then(|| octets(text.as_bytes()))
}

/// Encodes octets as xtext: `+`, `=` and everything but visible ASCII become hexadecimal.
pub(crate) fn octets(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'!'..=b'~' if !matches!(octet, b'+' | b'=') => text.push(char::from(*octet)),
            // Writing to a String does not fail.
            _ => _ = write!(text, "+{octet:02X}"),
        }
    }
    text
}

/// Encodes an address as utf-8-addr-xtext: `+`, `=`, `\` and everything but visible ASCII become
/// code points. The result is ASCII, so that any server can take it.
pub(crate) fn utf8_address(address: &str) -> String {
    let mut text = String::with_capacity(address.len());
    for c in address.chars() {
        if c.is_ascii_graphic() && !matches!(c, '+' | '=' | '\\') {
            text.push(c);
        } else {
            // Writing to a String does not fail.
            _ = write!(text, "\\x{{{:02X}}}", u32::from(c));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // 3461-07
    #[test]
    fn two_upper_case_digits_for_what_is_not_printable() {
        for (text, expected) in [
            ("", ""),
            ("Ann@example.org", "Ann@example.org"),
            ("a+b=c", "a+2Bb+3Dc"),
            ("two words", "two+20words"),
            ("!*,<>\\~{}", "!*,<>\\~{}"),
        ] {
            assert_eq!(encode(text).as_deref(), Some(expected));
        }
        assert_eq!(octets(b"\0\n\x7f\xc3\xa9"), "+00+0A+7F+C3+A9");
    }

    // 3461-04, 3461-06
    #[test]
    fn what_is_no_text_is_not_encoded() {
        for text in ["a\r\nb", "a\tb", "a\0", "a\x7f", "caf\u{e9}"] {
            assert_eq!(encode(text), None, "{text:?}");
        }
    }

    // 6532-08
    #[test]
    fn code_points_for_what_is_not_ascii() {
        for (address, expected) in [
            ("zo\u{eb}@example.org", "zo\\x{EB}@example.org"),
            ("a+b=c\\@x", "a\\x{2B}b\\x{3D}c\\x{5C}@x"),
            ("\u{1f4e7}@\u{4f8b}.jp", "\\x{1F4E7}@\\x{4F8B}.jp"),
            ("\"a b\"@x", "\"a\\x{20}b\"@x"),
        ] {
            assert_eq!(utf8_address(address), expected);
        }
    }
}
