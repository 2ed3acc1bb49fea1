//! The message on the wire: line ends, dots, the end of data, and a message that cannot be sent.
use crate::peer::{Exchanged, Peer, Script, Server};
use crate::support::sending::{
    config, connect, connect_tls, facts, fates_in, listen, send_hi, taken,
};
use smtplib::error::{ContentError, Unsupported};
use smtplib::{Address, Delivery, Envelope, Error, Outcome, SmtpConnection};
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

const ANN: [&str; 1] = ["ann@example.org"];

fn to_ann() -> Envelope {
    let address = |text: &str| text.parse::<Address>().unwrap();
    Envelope::new(address("me@client.example"), [address(ANN[0])])
}

/// A reader that returns this many bytes at a time, and may fail at the end.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
    failure: Option<&'static str>,
}

impl<'a> Pieces<'a> {
    fn new(rest: &'a [u8], size: usize) -> Self {
        let failure = None;
        Self {
            rest,
            size,
            failure,
        }
    }

    fn failing(rest: &'a [u8], why: &'static str) -> Self {
        let failure = Some(why);
        Self {
            rest,
            size: usize::MAX,
            failure,
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let (true, Some(why)) = (self.rest.is_empty(), self.failure) {
            return Err(io::Error::other(why));
        }
        let size = self.size.min(buffer.len()).min(self.rest.len());
        let (now, later) = self.rest.split_at(size);
        buffer[..size].copy_from_slice(now);
        self.rest = later;
        Ok(size)
    }
}

/// Text with every trap: dots, bare CR and LF, empty lines, and no regular period.
fn tricky(octets: usize) -> Vec<u8> {
    let parts: [&[u8]; 9] = [
        b".",
        b"\r\n",
        b"..x",
        b"\n",
        b"abc def ghi",
        b"\r",
        b".\r\n",
        b"0123456789",
        b"\r\n.\r\n",
    ];
    let mut message = Vec::new();
    let mut number = 1_u32;
    while message.len() < octets {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        message.extend_from_slice(parts[(number >> 24) as usize % parts.len()]);
    }
    message.truncate(octets);
    message
}

/// The message in the form in which it should arrive: all line ends are CRLF, also the last.
fn canonical(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.replace('\n', "\r\n").into_bytes()
}

// 5321-01, 5321-02, 5321-25, 5321-26, 5321-50, D1 to D5, dialogs 52 and 53, Python's testQuoteData
// and testSendNeedingDotQuote: the same bytes in each way to send.
#[test]
fn line_ends_and_dots() {
    let vectors: [(&str, &str); 25] = [
        ("", ".\r\n"),
        (".", "..\r\n.\r\n"),
        ("..", "...\r\n.\r\n"),
        ("x", "x\r\n.\r\n"),
        ("x\n", "x\r\n.\r\n"),
        ("x\r", "x\r\n.\r\n"),
        ("x\r\n", "x\r\n.\r\n"),
        ("x\r\n\r\n", "x\r\n\r\n.\r\n"),
        ("\r\n", "\r\n.\r\n"),
        ("\n.", "\r\n..\r\n.\r\n"),
        (".a\n.b\r.c\r\n..d", "..a\r\n..b\r\n..c\r\n...d\r\n.\r\n"),
        (
            "abc\n.jkl\rfoo\r\n..blue",
            "abc\r\n..jkl\r\nfoo\r\n...blue\r\n.\r\n",
        ),
        (".A test\n.mes.sage.", "..A test\r\n..mes.sage.\r\n.\r\n"),
        ("a\r.b", "a\r\n..b\r\n.\r\n"),
        ("\n.\nQUIT\n", "\r\n..\r\nQUIT\r\n.\r\n"),
        ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r\n.\rb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r\r\n.\r\r\nb", "a\r\n\r\n..\r\n\r\nb\r\n.\r\n"),
        (
            "a\r\n.\r\nMAIL FROM:<x@y>",
            "a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n",
        ),
        ("a.\r\n .\r\nb.", "a.\r\n .\r\nb.\r\n.\r\n"),
        ("\r\n\r\n.\r\n", "\r\n\r\n..\r\n.\r\n"),
    ];
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    for (message, _) in vectors {
        taken(smtp.sendmail("me@client.example", ANN, message));
        taken(smtp.send(&to_ann(), Pieces::new(message.as_bytes(), 1)));
        let mut transaction = smtp.mail("me@client.example").unwrap();
        transaction.rcpt(ANN[0]).unwrap();
        let mut writer = transaction.data_writer().unwrap();
        for octet in message.as_bytes() {
            writer.write_all(&[*octet]).unwrap();
        }
        taken(writer.finish());
    }
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(exchanged.bodies(), 3 * vectors.len());
    for (number, (message, wire)) in vectors.iter().enumerate() {
        for way in 0..3 {
            let body = exchanged.body(3 * number + way);
            assert_eq!(body.wire(), wire.as_bytes(), "{message:?} by way {way}");
        }
    }
}

// 5321-50, I1: the part of a message that is read before MAIL says nothing about the rest.
#[test]
fn a_clean_beginning_and_a_rest_that_is_not() {
    // One byte more than what is read before MAIL, with a line end there.
    let mut head = format!("Subject: {}\r\n", "a".repeat(54));
    head.push_str(&format!("{}\r\n", "b".repeat(62)).repeat(1023));
    assert_eq!(head.len(), 64 * 1024 + 1);
    let rests = [
        ".\r\nMAIL FROM:<eve@example.net>\r\n",
        "x\n.\ny\r.\rz",
        "no end",
    ];
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let messages = rests.map(|rest| format!("{head}{rest}").into_bytes());
    for message in &messages {
        for piece in [usize::MAX, 4099] {
            taken(smtp.send(&to_ann(), Pieces::new(message, piece)));
        }
    }
    drop(smtp);
    let exchanged = peer.finish();
    for (number, message) in messages.iter().enumerate() {
        for way in 0..2 {
            let got = exchanged.body(2 * number + way);
            assert!(got.message() == canonical(message), "{}", rests[number]);
        }
    }
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let nul = format!("{head}x\0y\r\n");
    let error = smtp.send(&to_ann(), nul.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the message has a NUL in it: encode that part as base64"
    );
    assert_eq!(error.delivery(), Delivery::NotDelivered);
    drop(peer.outcome());
}

// 5321-50, 1870-03, B17: messages around the size that is read before MAIL, and of several MiB, in
// pieces of any size.
#[test]
fn sizes_around_every_buffer() {
    const HEAD: usize = 64 * 1024;
    let sizes = [
        HEAD / 2 - 1,
        HEAD / 2,
        HEAD / 2 + 1,
        HEAD - 1,
        HEAD,
        HEAD + 1,
        2 * HEAD - 1,
        2 * HEAD,
        2 * HEAD + 1,
        1_000_017,
    ];
    let peer = Server::new().offer("SIZE").script().listen();
    let mut smtp = connect(&peer);
    let messages = sizes.map(tricky);
    for message in &messages {
        for piece in [usize::MAX, 4099] {
            taken(smtp.send(&to_ann(), Pieces::new(message, piece)));
        }
        taken(smtp.sendmail("me@client.example", ANN, message));
    }
    drop(smtp);
    let exchanged = peer.finish();
    let mails: Vec<&str> = exchanged
        .commands()
        .into_iter()
        .filter(|command| command.starts_with("MAIL"))
        .collect();
    for (number, message) in messages.iter().enumerate() {
        let expected = canonical(message);
        for way in 0..3 {
            let got = exchanged.body(3 * number + way);
            assert!(got.message() == expected, "{} octets", message.len());
            // If a message is longer than what is read before MAIL, its size is unknown.
            let size = if way < 2 && message.len() > HEAD {
                String::new()
            } else {
                format!(" SIZE={}", expected.len())
            };
            assert_eq!(
                mails[3 * number + way],
                format!("MAIL FROM:<me@client.example>{size}")
            );
        }
    }
}

// B17: the end of data is in the segment of the last line, and a small message is one segment.
#[test]
fn message_and_end_in_one_segment() {
    let line = "x".repeat(900);
    let mut dialog = String::from(
        "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
         C: DATA\nS: 354 go\nCgroup\n",
    );
    for _ in 0..50 {
        dialog.push_str(&format!("C| {line}\n"));
    }
    dialog.push_str("C| .\nS: 250 taken\n");
    let peer = listen(&[], &dialog);
    let mut smtp = connect(&peer);
    let message = format!("{line}\r\n").repeat(50);
    taken(smtp.sendmail("me@client.example", ANN, message));
    peer.finish();
}

// L4: a server that reads slowly gets everything if it makes progress.
#[test]
fn a_slow_reader() {
    let message = tricky(200_000);
    let peer = Script::new(
        "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250 mx.example.org
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        slow-read 8192 per 2ms
        Cdata
        slow-read off
        S: 250 taken
        ",
    )
    .recv_buffer(4096)
    .listen();
    let mut smtp = connect(&peer);
    taken(smtp.sendmail("me@client.example", ANN, &message));
    let exchanged = peer.finish();
    assert!(exchanged.body(0).message() == canonical(&message));
}

/// A server that asks for one message and then reads everything until the client closes.
fn swallow(mail: &str) -> Peer {
    let dialog = format!(
        "C: {mail}\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\nCignore\n"
    );
    let extensions: &[&str] = if mail.contains("8BITMIME") {
        &["8BITMIME"]
    } else {
        &[]
    };
    listen(extensions, &dialog)
}

const MAIL: &str = "MAIL FROM:<me@client.example>";

/// Asserts that the server got no end of data.
fn assert_cut(exchanged: &Exchanged, at_least: usize) {
    let received = exchanged.sessions[0].received();
    assert!(
        received.len() >= at_least,
        "only {} octets came",
        received.len()
    );
    assert!(!received.windows(5).any(|octets| octets == b"\r\n.\r\n"));
    assert!(!received.ends_with(b".\r\n") && !received.ends_with(b"QUIT\r\n"));
}

// B18, dialog 54, 5321-64: the source fails half-way: no end of data on the wire, and the
// connection is cut.
#[test]
fn a_source_that_fails_half_way() {
    let peer = swallow(MAIL);
    let mut smtp = connect(&peer);
    let text = "All is well.\r\n".repeat(20_000);
    let source = Pieces::failing(text.as_bytes(), "disk on fire");
    let error = smtp.send(&to_ann(), source).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the message could not be read: disk on fire"
    );
    assert_eq!(facts(&error), "not delivered, closed");
    assert_eq!(fates_in(&error), ["ann@example.org NotSent 250 ok"]);
    let Error::Interrupted(interrupted) = &error else {
        panic!("{error:?}");
    };
    let Error::Source(cause) = interrupted.failure() else {
        panic!("{error:?}");
    };
    assert_eq!(cause.to_string(), "disk on fire");
    assert!(matches!(send_hi(&mut smtp, &ANN), Err(Error::Closed)));
    assert_eq!(smtp.quit(), None);
    assert_cut(&peer.finish(), 65_536);
}

// B18: the same by hand.
#[test]
fn a_source_that_fails_by_hand() {
    let peer = swallow(MAIL);
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt(ANN[0]).unwrap();
    let source = Pieces::failing(b"All is well.\r\n", "disk on fire");
    let error = transaction.data(source).unwrap_err();
    assert_eq!(facts(&error), "not delivered, closed");
    assert_eq!(
        error.to_string(),
        "the message could not be read: disk on fire"
    );
    drop(smtp);
    assert_cut(&peer.finish(), 0);
}

// B18: a source that fails before anything was sent leaves the connection as it was.
#[test]
fn a_source_that_fails_at_once() {
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let source = Pieces::failing(b"All is well.\r\n", "disk on fire");
    let error = smtp.send(&to_ann(), source).unwrap_err();
    assert!(matches!(error, Error::Source(_)));
    assert_eq!(facts(&error), "not delivered");
    taken(send_hi(&mut smtp, &ANN));
    drop(smtp);
    assert_eq!(
        peer.finish().commands(),
        [
            "EHLO client.example",
            MAIL,
            "RCPT TO:<ann@example.org>",
            "DATA"
        ]
    );
}

/// A reader that panics after the first 100,000 bytes.
struct Bomb(usize);

impl Read for Bomb {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(self.0 < 100_000, "the bomb goes off");
        buffer.fill(b'\n');
        self.0 += buffer.len();
        Ok(buffer.len())
    }
}

// B18: after a source panicked, nothing may be added to its half of a message.
#[test]
fn a_source_that_panics() {
    let peer = swallow(MAIL);
    let mut smtp = connect(&peer);
    let sent = catch_unwind(AssertUnwindSafe(|| smtp.send(&to_ann(), Bomb(0))));
    assert!(sent.is_err());
    assert!(matches!(send_hi(&mut smtp, &ANN), Err(Error::Closed)));
    drop(smtp);
    assert_cut(&peer.finish(), 0);
}

// B18: a `DataWriter` is dropped at any time.
#[test]
fn a_writer_that_is_dropped() {
    for octets in [0, 5, 200_000] {
        let peer = swallow(MAIL);
        let mut smtp = connect(&peer);
        let mut transaction = smtp.mail("me@client.example").unwrap();
        transaction.rcpt(ANN[0]).unwrap();
        let mut writer = transaction.data_writer().unwrap();
        writer.write_all(&vec![b'\n'; octets]).unwrap();
        writer.flush().unwrap();
        drop(writer);
        assert!(!smtp.is_reusable());
        assert_eq!(smtp.quit(), None);
        assert_cut(&peer.finish(), octets / 2);
    }
}

/// What may be wrong with a message, and the sentence about it.
const UNFIT: [(&[u8], &str); 3] = [
    (
        b"a\0b\r\n",
        "the message has a NUL in it: encode that part as base64",
    ),
    (
        &[b'x'; 999],
        "the message has a line of more than 998 bytes: encode it as quoted-printable or base64",
    ),
    (
        b"caf\xc3\xa9\r\n",
        "the message has bytes above 127 and the server does not offer 8BITMIME: encode it as quoted-printable or base64",
    ),
];

// 5321-05, 5321-54, 6152-03, D4, dialog 66: refused before anything is sent, and the connection can
// still be used.
#[test]
fn unfit_messages_are_refused_locally() {
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    for (part, sentence) in UNFIT {
        // At the beginning, and after a text that looks like a whole header.
        for message in [part.to_vec(), [b"Subject: x\r\n\r\n", part].concat()] {
            let errors = [
                smtp.sendmail("me@client.example", ANN, &message)
                    .unwrap_err(),
                smtp.send(&to_ann(), message.as_slice()).unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.to_string(), sentence);
                assert_eq!(facts(&error), "not delivered, permanent");
            }
        }
    }
    taken(send_hi(&mut smtp, &ANN));
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(exchanged.commands().len(), 4);
    assert_eq!(exchanged.bodies(), 1);
}

// D4: found after the first 64 KiB, when DATA was sent: the connection is closed without the end of
// data and without the forbidden bytes.
#[test]
fn unfit_messages_are_cut_when_found_late() {
    for (part, sentence) in UNFIT {
        let peer = swallow(MAIL);
        let mut smtp = connect(&peer);
        let message = [&b"All is well.\r\n".repeat(10_000), part].concat();
        let error = smtp.send(&to_ann(), message.as_slice()).unwrap_err();
        assert_eq!(error.to_string(), sentence);
        assert_eq!(facts(&error), "not delivered, permanent, closed");
        assert_eq!(fates_in(&error), ["ann@example.org NotSent 250 ok"]);
        drop(smtp);
        let exchanged = peer.finish();
        assert_cut(&exchanged, 65_536);
        let received = exchanged.sessions[0].received();
        assert!(received.iter().all(|octet| (1..128).contains(octet)));
    }
}

// D4, by hand: nothing is known before, so everything is checked while it is sent. `finish` returns
// the reason.
#[test]
fn unfit_messages_by_hand() {
    for (part, sentence) in UNFIT {
        let peer = swallow(MAIL);
        let mut smtp = connect(&peer);
        let mut transaction = smtp.mail("me@client.example").unwrap();
        transaction.rcpt(ANN[0]).unwrap();
        let mut writer = transaction.data_writer().unwrap();
        writer.write_all(b"Subject: x\r\n\r\n").unwrap();
        assert!(writer.write_all(part).is_err());
        assert!(writer.write_all(b"more").is_err());
        let error = writer.finish().unwrap_err();
        assert_eq!(error.to_string(), sentence);
        assert_eq!(facts(&error), "not delivered, permanent, closed");
        assert!(!smtp.is_reusable());
        drop(smtp);
        assert_cut(&peer.finish(), 0);
    }
}

// 5321-54: a line of 998 bytes is allowed, one of 999 is not. A doubled dot does not count.
#[test]
fn the_longest_line() {
    let dots = ".".repeat(998);
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    for end in ["", "\n", "\r\n", "\r", "\nx"] {
        taken(smtp.sendmail("me@client.example", ANN, format!("{dots}{end}")));
        let error = smtp
            .sendmail("me@client.example", ANN, format!(".{dots}{end}"))
            .unwrap_err();
        assert!(matches!(error, Error::Content(ContentError::LineTooLong)));
    }
    let patient = to_ann().allow_long_lines(true);
    let long = "x".repeat(200_000);
    taken(smtp.send(&patient, long.as_bytes()));
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(exchanged.bodies(), 6);
    assert_eq!(
        exchanged.body(0).message(),
        format!("{dots}\r\n").as_bytes()
    );
    assert_eq!(
        exchanged.body(5).message(),
        format!("{long}\r\n").as_bytes()
    );
}

// 6152-04: 8BITMIME lifts neither the limit of lines nor the ban of NUL, and line ends stay CRLF.
#[test]
fn eight_bit_is_not_binary() {
    let peer = Server::new().offer("8BITMIME").script().listen();
    let mut smtp = connect(&peer);
    let mut send = |message: &[u8]| -> Result<Outcome, Error> {
        smtp.sendmail("me@client.example", ANN, message)
    };
    assert!(matches!(
        send(b"\xff\0"),
        Err(Error::Content(ContentError::Nul))
    ));
    assert!(matches!(
        send(&[0xff; 999]),
        Err(Error::Content(ContentError::LineTooLong))
    ));
    taken(send(b"\n\xff\xfe\n.\x80\r"));
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(exchanged.body(0).wire(), b"\r\n\xff\xfe\r\n..\x80\r\n.\r\n");
}

// 5321-05: late 8-bit text with 8BITMIME offered: MAIL has declared it, so it can be sent.
#[test]
fn eight_bit_found_late() {
    let message = ["All is well.\n".repeat(10_000), "Café\n".into()].concat();
    let peer = Server::new().offer("8BITMIME").script().listen();
    let mut smtp = connect(&peer);
    taken(smtp.send(&to_ann(), message.as_bytes()));
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(
        exchanged.commands()[1],
        "MAIL FROM:<me@client.example> BODY=8BITMIME"
    );
    assert_eq!(
        exchanged.body(0).message(),
        message.replace('\n', "\r\n").as_bytes()
    );
}

// 5321-05: 8-bit in the first 64 KiB of a longer message is known before MAIL.
#[test]
fn eight_bit_in_the_head() {
    let message = ["Café\n", &"All is well.\n".repeat(10_000)].concat();
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let error = smtp.send(&to_ann(), message.as_bytes()).unwrap_err();
    assert!(matches!(error, Error::Unsupported(Unsupported::EightBit)));
    assert!(smtp.is_reusable());
    drop(smtp);
    assert_eq!(peer.finish().commands(), ["EHLO client.example"]);
}

// 5321-50: the same through TLS, whose records end at other places.
#[test]
fn a_large_message_within_tls() {
    let message = tricky(700_001);
    let peer = Server::new().script().recv_buffer(8192).listen_tls();
    let mut smtp = connect_tls(&peer);
    taken(smtp.send(&to_ann(), message.as_slice()));
    drop(smtp);
    assert!(peer.finish().body(0).message() == canonical(&message));
}

// The trace shows only the size of a message and the end of data.
#[test]
fn the_trace_has_no_message() {
    use std::sync::{Arc, Mutex};
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let peer = Server::new().script().listen();
    let mut smtp: SmtpConnection = config(&peer)
        .trace(move |line| sink.lock().unwrap().push(line.to_string()))
        .connect()
        .unwrap();
    taken(send_hi(&mut smtp, &ANN));
    drop(smtp);
    peer.finish();
    let lines = lines.lock().unwrap().join("\n");
    assert!(lines.contains("<message of 5 bytes>"), "{lines}");
    assert!(!lines.contains("Hi!"), "{lines}");
}
