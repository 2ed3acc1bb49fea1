use super::check::{encoded, expected, received};
use super::{DataEncoder, MAX_LINE, Profile, fuzz_data};

/// Octets that the encoder or the profiler treats specially, and one ordinary octet.
const ALPHABET: [u8; 6] = [b'\r', b'\n', b'.', b'a', 0x80, 0];

fn wire(message: &[u8]) -> String {
    String::from_utf8(encoded(&[message]).0).unwrap()
}

/// Compares with the simple version, for the message whole and cut at every offset.
fn assert_encoded(message: &[u8]) {
    let expected = expected(message);
    for cut in 0..=message.len() {
        let (head, tail) = message.split_at(cut);
        assert_eq!(encoded(&[head, tail]), expected, "{message:?} cut at {cut}");
    }
}

/// Requirements 5321-01, 02, 25, 26 and 50; threats D1, D2, D3 and D5.
#[test]
fn encodes_messages() {
    let table = [
        ("", ".\r\n"),
        (".", "..\r\n.\r\n"),
        ("..", "...\r\n.\r\n"),
        (".\r\n", "..\r\n.\r\n"),
        ("a", "a\r\n.\r\n"),
        ("a.", "a.\r\n.\r\n"),
        ("a\r\n", "a\r\n.\r\n"),
        ("a\r\n\r\n", "a\r\n\r\n.\r\n"),
        ("\r\n", "\r\n.\r\n"),
        ("a\r\n.b\r\n", "a\r\n..b\r\n.\r\n"),
        ("a\r\nb.\r\n.", "a\r\nb.\r\n..\r\n.\r\n"),
        // Line ends of other systems, and what is left of them.
        ("a\nb\rc\r\n", "a\r\nb\r\nc\r\n.\r\n"),
        ("a\r", "a\r\n.\r\n"),
        ("\r", "\r\n.\r\n"),
        ("\n", "\r\n.\r\n"),
        ("a\r\r\nb", "a\r\n\r\nb\r\n.\r\n"),
        ("a\n\rb", "a\r\n\r\nb\r\n.\r\n"),
        ("a\r\n\rb", "a\r\n\r\nb\r\n.\r\n"),
        // Ends of data to a server that is lenient about line ends.
        ("a\r\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r\n.\rb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r\n\r\n.\r\nb", "a\r\n\r\n..\r\nb\r\n.\r\n"),
        // Python's smtplib, with our line ends.
        (".a\n.b\r.c\r\n..d", "..a\r\n..b\r\n..c\r\n...d\r\n.\r\n"),
        (".a\n.b", "..a\r\n..b\r\n.\r\n"),
        ("a\r.b", "a\r\n..b\r\n.\r\n"),
        ("x\n", "x\r\n.\r\n"),
        ("\n.\nQUIT\n", "\r\n..\r\nQUIT\r\n.\r\n"),
        // Not line ends in SMTP, though they are in Unicode or C.
        (
            "a\u{b}.\u{c}.\u{85}.\u{2028}.",
            "a\u{b}.\u{c}.\u{85}.\u{2028}.\r\n.\r\n",
        ),
    ];
    for (message, expected) in table {
        assert_eq!(wire(message.as_bytes()), expected, "{message:?}");
        assert_encoded(message.as_bytes());
    }
}

#[test]
fn encodes_every_message_of_up_to_six_octets() {
    for length in 0..=6_u32 {
        let mut message = vec![0; length as usize];
        for number in 0..ALPHABET.len().pow(length) {
            let mut rest = number;
            for octet in &mut message {
                *octet = ALPHABET[rest % ALPHABET.len()];
                rest /= ALPHABET.len();
            }
            assert_encoded(&message);
        }
    }
}

#[test]
fn encodes_random_messages() {
    let mut random = Random(1);
    for _ in 0..150_000 {
        let length = 7 + random.below(3);
        let message: Vec<u8> = (0..length).map(|_| random.pick(&ALPHABET)).collect();
        assert_encoded(&message);
    }
}

/// Mostly text that needs no work, so that blocks are copied, left and taken up again.
#[test]
fn encodes_random_text() {
    let long = ["x".repeat(76), "y".repeat(300)];
    let lines = [
        "",
        "\0",
        ".",
        "\u{e9}.",
        "a.b",
        "a line of text",
        &long[0],
        &long[1],
    ];
    let mut random = Random(2);
    for _ in 0..5000 {
        let lengths: [u8; 4] = std::array::from_fn(|_| random.pick(&[0, 1, 7, 64, 200, 255]));
        let mut data = lengths.to_vec();
        let percent_bare = random.below(100);
        for _ in 0..random.below(30) {
            let is_bare = random.below(100) < percent_bare;
            let end = if is_bare {
                random.pick(&["\r", "\n"])
            } else {
                "\r\n"
            };
            data.extend_from_slice(random.pick(&lines).as_bytes());
            data.extend_from_slice(end.as_bytes());
        }
        fuzz_data(&data);
    }
}

/// Blocks begin at every offset relative to what needs work, and so do the pieces.
#[test]
fn encodes_spoilt_text_at_every_offset() {
    let text = b"seven.\r\n".repeat(40);
    for spoilt in [
        "\r", "\n", "\n.", "\r.", "\r\n.", "\n\r", "\r\r\n", "\r\n\r\n", "\0", "\u{e9}",
    ] {
        for offset in 0..=text.len() {
            let (head, tail) = text.split_at(offset);
            let message = [head, spoilt.as_bytes(), tail].concat();
            let expected = expected(&message);
            assert_eq!(encoded(&[&message]), expected, "{spoilt:?} at {offset}");
            for cut in offset..=offset + spoilt.len() {
                let (head, tail) = message.split_at(cut);
                assert_eq!(
                    encoded(&[head, tail]),
                    expected,
                    "{spoilt:?} at {offset}, cut at {cut}"
                );
            }
        }
    }
}

#[test]
fn a_clean_message_only_gets_its_end() {
    let message =
        b"Subject: blocks\r\n\r\nThe quick brown fox jumps over the lazy dog.\r\n".repeat(100);
    let (wire, profile) = encoded(&[&message]);
    assert_eq!(wire, [&message[..], b".\r\n"].concat());
    assert_eq!(profile.size, message.len() as u64);
    assert_eq!(received(&wire), message);
}

#[test]
fn growth_reaches_its_limit_and_no_more() {
    let mut encoder = DataEncoder::new();
    let mut out = Vec::new();
    encoder.encode(b"\r", &mut out);
    out.clear();
    let input = b".\n".repeat(1000);
    encoder.encode(&input, &mut out);
    assert_eq!(out.len(), DataEncoder::max_growth(input.len()));
}

/// Requirements 1870-03, 6152-01 and threat D4.
#[test]
fn profiles_messages() {
    let clean = Profile {
        size: 0,
        overlong_line: None,
        is_8bit: false,
        has_nul: false,
        is_clean: true,
    };
    let dirty = Profile {
        is_clean: false,
        ..clean
    };
    let table = [
        ("", clean),
        ("a", Profile { size: 3, ..dirty }),
        ("a\r", Profile { size: 3, ..dirty }),
        ("a\n", Profile { size: 3, ..dirty }),
        ("a\r\n", Profile { size: 3, ..clean }),
        ("\n\r", Profile { size: 4, ..dirty }),
        ("..\r\n.\r\n", Profile { size: 7, ..dirty }),
        ("a.\r\n", Profile { size: 4, ..clean }),
        ("a\r\n.\r\n", Profile { size: 6, ..dirty }),
        (".", Profile { size: 3, ..dirty }),
        ("\u{7f}\u{1}", Profile { size: 4, ..dirty }),
        (
            "\u{e9}\n",
            Profile {
                size: 4,
                is_8bit: true,
                ..dirty
            },
        ),
        (
            "a\0",
            Profile {
                size: 4,
                has_nul: true,
                ..dirty
            },
        ),
    ];
    for (message, expected) in table {
        assert_eq!(
            Profile::of(message.as_bytes(), true),
            expected,
            "{message:?}"
        );
    }
    for bare in ["\r", "\n"] {
        let profile = Profile::of(bare.repeat(1000).as_bytes(), true);
        assert_eq!(profile.size, 2000, "{bare:?}");
    }
}

/// Requirement 5321-54.
#[test]
fn finds_overlong_lines() {
    let overlong = |message: &str| Profile::of(message.as_bytes(), true).overlong_line;
    let longest = "x".repeat(MAX_LINE);
    for end in ["", "\r", "\n", "\r\n"] {
        assert_eq!(overlong(&format!("{longest}{end}")), None);
        assert_eq!(overlong(&format!("x{longest}{end}")), Some(999));
        assert_eq!(
            overlong(&format!(".{longest}{end}a\n{longest}yz{end}")),
            Some(1000)
        );
    }
    assert_eq!(
        overlong(&format!("{longest}\n{longest}\r{longest}\r\n{longest}")),
        None
    );
}

#[test]
fn measures_lines_in_any_pieces() {
    let lengths = [
        0,
        1,
        76,
        900,
        MAX_LINE - 1,
        MAX_LINE,
        MAX_LINE + 1,
        1500,
        5000,
        20_000,
    ];
    let mut random = Random(3);
    for _ in 0..300 {
        let most = 1 + random.below(lengths.len());
        let mut message = Vec::new();
        for _ in 0..random.below(30) {
            message.extend(std::iter::repeat_n(b'x', random.pick(&lengths[..most])));
            message.extend_from_slice(random.pick(&["\r", "\n", "\r\n", "\r\n"]).as_bytes());
        }
        let piece = 1 + random.below(40_000);
        let pieces: Vec<&[u8]> = message.chunks(piece).collect();
        let profile = expected(&message).1;
        assert_eq!(Profile::of(&message, true), profile);
        assert_eq!(encoded(&pieces).1, profile, "in pieces of {piece} octets");
    }
}

/// `SplitMix64`: the same messages in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 40) as usize % limit
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}
