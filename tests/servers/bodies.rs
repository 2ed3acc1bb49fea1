//! All kinds of messages arrive unchanged, through Postfix and through aiosmtpd.

use crate::aiosmtpd::Aiosmtpd;
use crate::postfix::Postfix;

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn leading_dots_are_stuffed_and_unstuffed() {
    arrives(
        "leading dots",
        b".\r\n..\r\n...\r\n.x\r\n..x\r\nx.\r\n \r\n.\r\n.\r\n",
    );
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn dots_after_bare_line_feeds_do_not_end_the_message() {
    arrives(
        "smuggling",
        b"a\n.\nb\n.\r\nc\r\n.\nd\r.\re\r.\r\nMAIL FROM:<>\r\n",
    );
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn bare_line_feeds_become_line_ends() {
    arrives("bare LF", b"one\ntwo\r\nthree\n\n\nfour\n");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn bare_carriage_returns_become_line_ends() {
    arrives("bare CR", b"one\rtwo\r\rthree\r\r\nfour\r");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn eight_bit_octets_stay_as_they_are() {
    let body: Vec<u8> = (0x80..=0xff)
        .chain(*b"\r\nGr\xc3\xbc\xc3\x9fe\r\n")
        .collect();
    arrives("8-bit octets", &body);
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn control_characters_stay_as_they_are() {
    let body: Vec<u8> = (1..0x20).filter(|octet| !b"\r\n".contains(octet)).collect();
    arrives("control characters", &body);
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_missing_final_line_end_is_added_and_no_empty_line() {
    arrives("no final line end", b"the end");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn empty_lines_at_the_end_are_kept() {
    arrives("empty lines", b"the end\r\n\r\n\r\n");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_body_may_be_empty() {
    arrives("no body", b"");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn lines_of_998_octets_are_not_broken() {
    let line = [vec![b'x'; 998], b"\r\n".to_vec()].concat();
    arrives("long lines", &line.repeat(3));
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_body_of_a_mebibyte_arrives_whole() {
    arrives("one MiB", &mebibyte());
}

/// Sends the header and `body` through both servers, and compares all that arrives.
fn arrives(subject: &str, body: &[u8]) {
    let first_line = format!("Subject: {subject}");
    let header =
        format!("{first_line}\r\nFrom: alice@example.test\r\nTo: bob@example.test\r\n\r\n");
    let message = [header.as_bytes(), body].concat();
    let expected = with_line_ends(&message, b"\r\n");

    let aiosmtpd = Aiosmtpd::shared();
    for config in [aiosmtpd.starttls(), aiosmtpd.lmtp(), aiosmtpd.lmtp_unix()] {
        let mut connection = config.connect().unwrap();
        let outcome = connection.sendmail("alice@example.test", ["bob@example.test"], &message);
        assert!(outcome.unwrap().is_complete());
        // Each way is checked before the next one can store the same message.
        let received = aiosmtpd.take("bob", &first_line).expect("a stored message");
        assert_same(&received.message, &expected);
    }

    let postfix = Postfix::shared();
    let mut connection = postfix.submission().connect().unwrap();
    let outcome = connection.sendmail("alice@example.test", ["bob@example.test"], &message);
    assert!(outcome.unwrap().is_complete());
    let delivered = postfix.delivered("bob", &first_line);
    // A mailbox file has the line ends of the system.
    assert_same(&delivered.message, &with_line_ends(&message, b"\n"));
}

/// If two messages differ, shows the place of the difference, not the beginning.
fn assert_same(found: &[u8], expected: &[u8]) {
    let same = found
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    let part = |octets: &[u8]| {
        let end = octets.len().min(same + 60);
        octets[same.saturating_sub(60)..end]
            .escape_ascii()
            .to_string()
    };
    assert!(
        found == expected,
        "from octet {same} on, {} octets came:\n  {}\ninstead of {} octets:\n  {}",
        found.len(),
        part(found),
        expected.len(),
        part(expected),
    );
}

/// Replaces each CRLF, CR or LF by `end`, and adds one if the last line has none.
fn with_line_ends(message: &[u8], end: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut rest = message;
    while let Some(at) = rest.iter().position(|octet| b"\r\n".contains(octet)) {
        lines.extend_from_slice(&rest[..at]);
        lines.extend_from_slice(end);
        let width = if rest[at..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[at + width..];
    }
    lines.extend_from_slice(rest);
    if !rest.is_empty() {
        lines.extend_from_slice(end);
    }
    lines
}

/// 1,048,576 bytes in lines of many lengths, some of which begin with a dot.
fn mebibyte() -> Vec<u8> {
    let mut body = Vec::with_capacity(1 << 20);
    for number in 0.. {
        let line = ".".repeat(number % 3) + &"0123456789".repeat(number % 97);
        body.extend_from_slice(line.as_bytes());
        body.extend_from_slice(b"\r\n");
        if body.len() >= 1 << 20 {
            break;
        }
    }
    body.truncate((1 << 20) - 2);
    body.extend_from_slice(b"\r\n");
    body
}
