//! PEM as every TLS library reads it: text, and nothing but the blocks that are asked for.

use std::borrow::Cow;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BEGIN_KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----";
const END_KEY: &[u8] = b"-----END PRIVATE KEY-----";

/// The same bytes as UTF-8, without which SChannel panics. Remarks may be in another encoding, and
/// a block that has anything else than ASCII is not valid in either form.
pub(super) fn text(pem: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(pem)
}

/// The certificates alone, where a key, a remark or a byte order mark stands beside them: SChannel
/// takes every block for a certificate. Without any, it is for the TLS library to say what the
/// bytes are.
pub(super) fn certificate_blocks(pem: &[u8]) -> Cow<'_, [u8]> {
    let mut blocks = Vec::new();
    let starts: Vec<usize> = starts(pem).collect();
    let ends = starts.iter().skip(1).copied().chain([pem.len()]);
    for (start, end) in starts.iter().zip(ends) {
        let block = pem.get(*start..end).unwrap_or_default();
        let label = before(block.get(BEGIN.len()..).unwrap_or_default(), DASHES);
        if label.ends_with(b"CERTIFICATE") {
            let block = through(block, &[END, label, DASHES].concat()).unwrap_or(block);
            blocks.extend([block, b"\n"].concat());
        }
    }
    match blocks.is_empty() {
        true => pem.into(),
        false => blocks.into(),
    }
}

/// The key alone, where certificates or remarks stand around it.
pub(super) fn private_key(pem: &[u8]) -> &[u8] {
    let mut blocks = starts(pem).filter_map(|at| pem.get(at..));
    let key = blocks.find(|block| block.starts_with(BEGIN_KEY));
    let key = key.unwrap_or(pem);
    through(key, END_KEY).unwrap_or(key)
}

/// Where blocks begin: at the start of a line, or where the block before ends without a line end. A
/// block with something before it in its line is a remark.
fn starts(pem: &[u8]) -> impl Iterator<Item = usize> {
    let begins = pem.windows(BEGIN.len()).enumerate();
    let begins = begins.filter_map(|(at, octets)| (octets == BEGIN).then_some(at));
    begins.filter(|at| {
        let before = pem.get(..*at).unwrap_or_default();
        let is_start = |mark: &&[u8]| before.ends_with(mark);
        before.is_empty() || [b"\n", b"\r", BYTE_ORDER_MARK, DASHES].iter().any(is_start)
    })
}

/// What stands before the end of a mark, if it is there.
fn through<'a>(octets: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    position(octets, mark).and_then(|at| octets.get(..at + mark.len()))
}

/// What stands before a mark, or everything.
fn before<'a>(octets: &'a [u8], mark: &[u8]) -> &'a [u8] {
    let before = position(octets, mark).and_then(|at| octets.get(..at));
    before.unwrap_or(octets)
}

fn position(octets: &[u8], part: &[u8]) -> Option<usize> {
    octets.windows(part.len()).position(|octets| octets == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    const LEAF: &str = "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n";
    const ISSUER: &str =
        "-----BEGIN X509 CERTIFICATE-----\r\nCCCC\r\n-----END X509 CERTIFICATE-----\n";
    const OTHER: &str =
        "-----BEGIN CERTIFICATE REQUEST-----\nD\n-----END CERTIFICATE REQUEST-----\n";

    #[test]
    fn only_certificates_are_in_the_chain() {
        let both = format!("{LEAF}{ISSUER}");
        for (pem, expected) in [
            (LEAF.to_owned(), LEAF),
            (both.clone(), &both),
            (format!("{KEY}\n{LEAF}"), LEAF),
            (format!("{LEAF}{KEY}\n"), LEAF),
            (
                format!("a remark\n{LEAF}{KEY}\nanother\n{OTHER}{ISSUER}"),
                &both,
            ),
            (format!("\u{feff}{both}"), &both),
            (
                format!("{}{both}", LEAF.trim_end()),
                &format!("{LEAF}{both}"),
            ),
            (
                LEAF.replace('\n', "  \r\n"),
                "-----BEGIN CERTIFICATE-----  \r\nBBBB  \r\n-----END CERTIFICATE-----\n",
            ),
            // A certificate that is switched off is a remark.
            (
                format!("# {}\n{both}", LEAF.trim_end().replace('\n', "\n# ")),
                &both,
            ),
            // Nothing is cut out of what has no certificate.
            (KEY.to_owned(), KEY),
            (String::new(), ""),
            // Half a certificate stays half a certificate.
            (
                format!("-----BEGIN CERTIFICATE-----\nBB\n{KEY}"),
                "-----BEGIN CERTIFICATE-----\nBB\n\n",
            ),
        ] {
            let blocks = certificate_blocks(pem.as_bytes());
            assert_eq!(String::from_utf8_lossy(&blocks), *expected, "{pem}");
        }
    }

    #[test]
    fn only_the_key_is_the_key() {
        for (pem, expected) in [
            (KEY.to_owned(), KEY),
            (format!("{KEY}\n"), KEY),
            (format!("a remark\n{LEAF}{KEY}\n{LEAF}"), KEY),
            (format!("# {}\n{KEY}", KEY.replace('\n', "\n# ")), KEY),
            (
                "-----BEGIN PRIVATE KEY-----\nAA".to_owned(),
                "-----BEGIN PRIVATE KEY-----\nAA",
            ),
            (LEAF.to_owned(), LEAF),
            (String::new(), ""),
        ] {
            let key = private_key(pem.as_bytes());
            assert_eq!(String::from_utf8_lossy(key), *expected, "{pem}");
        }
    }
}
