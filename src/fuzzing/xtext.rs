//! The encoded form of any text is a value that MAIL and RCPT can carry, and decoding gives the
//! text back.

use crate::address::Address;
use crate::fuzzing::cutter::Cutter;
use crate::parameter::Parameter;
use crate::protocol::extension::xtext;

/// The fields are a text, bytes, and an address.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    check_text(&cutter.text());
    check_octets(cutter.field());
    let address = cutter.text();
    check_utf8(&address);
    if let Ok(address) = address.parse() {
        check_original_recipient(&address);
    }
}

/// A parameter can have this value, and keeps it unchanged.
fn check_value(value: &str) {
    assert!(value.bytes().all(|octet| octet.is_ascii_graphic()));
    assert!(!value.contains('='), "{value:?}");
    if !value.is_empty() {
        let parameter = Parameter::new("X", Some(value)).expect("a value");
        assert_eq!(parameter.to_string(), format!("X={value}"));
    }
}

fn check_text(text: &str) {
    let is_text = text.bytes().all(|octet| (32..127).contains(&octet));
    let encoded = xtext::encode(text);
    assert_eq!(encoded.is_some(), is_text, "{text:?}");
    assert_eq!(Parameter::envelope_id(text).is_ok(), {
        let length = encoded.as_deref().map_or(0, str::len);
        (1..=100).contains(&length)
    });
    if let Some(encoded) = encoded {
        check_value(&encoded);
        assert_eq!(decode(&encoded), text.as_bytes());
    }
}

fn check_octets(octets: &[u8]) {
    let encoded = xtext::octets(octets);
    check_value(&encoded);
    assert_eq!(decode(&encoded), octets);
}

/// Reads xtext by the grammar (RFC 3461, 4): two upper-case digits, and only where they are needed.
fn decode(text: &str) -> Vec<u8> {
    let mut parts = text.split('+');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        assert!(!digits.contains(|c: char| c.is_ascii_lowercase()));
        let octet = u8::from_str_radix(digits, 16).expect("two digits");
        assert!(!octet.is_ascii_graphic() || matches!(octet, b'+' | b'='));
        octets.push(octet);
        octets.extend_from_slice(rest.as_bytes());
    }
    octets
}

fn check_utf8(address: &str) {
    let encoded = xtext::utf8_address(address);
    check_value(&encoded);
    assert!(!encoded.contains('+'));
    let mut parts = encoded.split('\\');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part
            .strip_prefix("x{")
            .and_then(|part| part.split_once('}'))
            .expect("an embedded character");
        assert!(!digits.contains(|c: char| c.is_ascii_lowercase()));
        let code = u32::from_str_radix(digits, 16).expect("digits");
        decoded.push(char::from_u32(code).expect("a character"));
        decoded.push_str(rest);
    }
    assert_eq!(decoded, address);
}

/// The parameter has the type of the address, and the address itself.
fn check_original_recipient(address: &Address) {
    let parameter = Parameter::original_recipient(address);
    let (kind, value) = parameter
        .value()
        .expect("a value")
        .split_once(';')
        .expect("a kind");
    check_value(value);
    match kind {
        "rfc822" => {
            assert!(address.is_ascii());
            assert_eq!(decode(value), address.to_string().as_bytes());
        }
        _ => assert_eq!((kind, address.is_ascii()), ("utf-8", false)),
    }
}
