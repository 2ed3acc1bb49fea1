//! A simple and slow version of the encoder and the profiler, to compare them with.

use super::{CR, DataEncoder, LF, MAX_LINE, Profile, Profiler};

/// Encodes and profiles a message, whole and in pieces, and compares with the simple version. The
/// first four octets of `data` are the lengths of the first four pieces.
pub(crate) fn fuzz_data(data: &[u8]) {
    let (lengths, message) = data.split_at(data.len().min(4));
    let mut pieces = Vec::new();
    let mut rest = message;
    for &length in lengths {
        let (piece, tail) = rest.split_at(rest.len().min(length.into()));
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);

    let expected = expected(message);
    assert_eq!(encoded(&[message]), expected);
    assert_eq!(encoded(&pieces), expected);
    assert_eq!(received(&expected.0), canonical(message));
    assert_eq!(Profile::of(message, true), expected.1);
}

/// The results of the encoder and the profiler for a message in pieces.
pub(super) fn encoded(pieces: &[&[u8]]) -> (Vec<u8>, Profile) {
    let (mut encoder, mut profiler) = (DataEncoder::new(), Profiler::new(true));
    let mut wire = Vec::new();
    for piece in pieces {
        let before = wire.len();
        encoder.encode(piece, &mut wire);
        assert!(wire.len() - before <= DataEncoder::max_growth(piece.len()));
        profiler.update(piece);
    }
    encoder.finish(&mut wire);
    (wire, profiler.profile())
}

/// The results that they should have.
pub(crate) fn expected(message: &[u8]) -> (Vec<u8>, Profile) {
    let canonical = canonical(message);
    let mut wire = Vec::new();
    for line in canonical.split_inclusive(|&octet| octet == LF) {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");

    let lines = message.split(|&octet| octet == CR || octet == LF);
    let profile = Profile {
        size: canonical.len() as u64,
        overlong_line: lines
            .map(<[u8]>::len)
            .max()
            .filter(|&longest| longest > MAX_LINE),
        is_8bit: message.iter().any(|&octet| octet > 127),
        has_nul: message.contains(&0),
        is_clean: wire == [message, b".\r\n"].concat(),
    };
    (wire, profile)
}

/// The message with CRLF at the end of every line, including the last.
pub(crate) fn canonical(message: &[u8]) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut octets = message.iter().copied().peekable();
    while let Some(octet) = octets.next() {
        if octet == CR {
            octets.next_if_eq(&LF);
        }
        match octet {
            CR | LF => canonical.extend_from_slice(b"\r\n"),
            _ => canonical.push(octet),
        }
    }
    if !canonical.is_empty() && !canonical.ends_with(b"\r\n") {
        canonical.extend_from_slice(b"\r\n");
    }
    canonical
}

/// The message that a strict server decodes from DATA (RFC 5321, 4.5.2). Panics if there is a bare
/// CR or LF, or if the end of data is missing or not at the end.
pub(super) fn received(wire: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let mut is_over = false;
    for line in wire.split_inclusive(|&octet| octet == LF) {
        assert!(!is_over, "something follows the end of data");
        assert!(
            line.ends_with(b"\r\n"),
            "a line ends in a bare LF, or not at all"
        );
        let (text, end) = line.split_at(line.len() - 2);
        assert!(!text.contains(&CR), "a bare CR");
        is_over = text == b".";
        if !is_over {
            message.extend_from_slice(text.strip_prefix(b".").unwrap_or(text));
            message.extend_from_slice(end);
        }
    }
    assert!(is_over, "no end of data");
    message
}
