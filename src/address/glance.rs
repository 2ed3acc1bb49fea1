//! A quick check that recognizes most addresses: ASCII words with single dots between them, `@`,
//! and labels. Every other text is parsed in full.
//!
//! It is a machine with six states. Each byte has a table row with the next state for every state.
//! So a byte costs one look-up and one shift, and no branch.

/// The longest domain (RFC 5321, 4.5.3.1.2), in bytes.
pub(super) const MAX_DOMAIN: usize = 255;
/// The longest label of a domain (RFC 1035, 2.3.4), in bytes.
pub(super) const MAX_LABEL: usize = 63;

/// No byte leads out of this state.
const REFUSED: u64 = 0;
/// At the beginning of a word of the local part.
const WORD_START: u64 = 6;
const WORD: u64 = 12;
/// At the beginning of a label of the domain.
const LABEL_START: u64 = 18;
const LABEL: u64 = 24;
/// In a label, after a hyphen. A label must not end here.
const HYPHEN: u64 = 30;

const STATE_BITS: u64 = 0b11_1111;

#[allow(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which would refuse an index that is too large"
)]
const ROWS: [u64; 256] = {
    let mut rows = [REFUSED; 256];
    let mut octet = 0;
    while octet < 128 {
        rows[octet as usize] = row(octet);
        octet += 1;
    }
    rows
};

const fn row(octet: u8) -> u64 {
    const WORD_OCTET: u64 = (WORD << WORD_START) | (WORD << WORD);
    match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
            WORD_OCTET | (LABEL << LABEL_START) | (LABEL << LABEL) | (LABEL << HYPHEN)
        }
        b'-' => WORD_OCTET | (HYPHEN << LABEL) | (HYPHEN << HYPHEN),
        b'_' | b'+' | b'=' | b'\'' => WORD_OCTET,
        b'.' => (WORD_START << WORD) | (LABEL_START << LABEL),
        b'@' => LABEL_START << WORD,
        _ => 0,
    }
}

/// The position of the `@`, if the quick check recognizes an address.
pub(super) fn at_of(text: &str) -> Option<usize> {
    let next = |state: u64, octet: u8| {
        let row = ROWS.get(usize::from(octet)).copied().unwrap_or(REFUSED);
        (row >> state) & STATE_BITS
    };
    if text.bytes().fold(WORD_START, next) != LABEL {
        return None;
    }
    let at = text.bytes().position(|octet| octet == b'@')?;
    let domain = text.get(at + 1..)?;
    // A domain no longer than a label, like most, has no label that is too long.
    let is_short = domain.len() <= MAX_LABEL || are_labels_short(domain);
    is_short.then_some(at)
}

fn are_labels_short(domain: &str) -> bool {
    let mut labels = domain.split('.');
    domain.len() <= MAX_DOMAIN && labels.all(|label| label.len() <= MAX_LABEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_addresses_need_no_more() {
        for (text, at) in [
            ("ann@example.org", Some(3)),
            ("a.b+c_d=e'f-@x-y.example", Some(12)),
            ("a@[192.0.2.1]", None),
            ("a..b@x", None),
            ("a@x-", None),
            ("a@x.", None),
            ("a@b@c", None),
            ("", None),
        ] {
            assert_eq!(at_of(text), at, "{text}");
        }
        let label = "x".repeat(MAX_LABEL);
        assert_eq!(at_of(&format!("a@{label}")), Some(1));
        assert_eq!(at_of(&format!("a@{label}x")), None);
        assert_eq!(at_of(&format!("a@{label}.b")), Some(1));
        assert_eq!(at_of(&format!("a@{label}x.b")), None);
        let domain = [label.as_str(); 4].join(".");
        assert_eq!(at_of(&format!("a@{domain}")), Some(1));
        assert_eq!(at_of(&format!("a@{domain}.b")), None);
    }
}
