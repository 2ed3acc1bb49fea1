//! SIZE, 8BITMIME and SMTPUTF8: used if they are needed and offered. What needs one that is not
//! offered is refused locally.
use crate::peer::{Peer, Server};
use crate::support::sending::{connect, facts, fates_in, listen, taken};
use smtplib::error::Unsupported;
use smtplib::protocol::Parameter;
use smtplib::{Address, Envelope, Error, SmtpConnection};
use std::io::Write;

const ASCII: &str = "Subject: x\r\n\r\nplain\r\n";
const UTF8_BODY: &str = "Subject: x\r\n\r\ncafé\r\n";
const UTF8_HEADER: &str = "Subject: café\r\n\r\nplain\r\n";

/// A server that offers this and accepts everything, and a connection to it.
fn accepting(extensions: &[&str]) -> (Peer, SmtpConnection) {
    let server = extensions
        .iter()
        .fold(Server::new(), |server, extension| server.offer(extension));
    let peer = server.script().listen();
    let smtp = connect(&peer);
    (peer, smtp)
}

/// The MAIL command, if it was sent.
fn mail_line(
    extensions: &[&str],
    send: impl FnOnce(&mut SmtpConnection) -> Result<smtplib::Outcome, Error>,
) -> Result<String, Error> {
    let (peer, mut smtp) = accepting(extensions);
    let result = send(&mut smtp);
    assert!(smtp.is_reusable());
    drop(smtp);
    let exchanged = peer.finish();
    let mail = exchanged.commands().get(1).map(|line| (*line).to_owned());
    match result {
        Ok(_) => Ok(mail.unwrap()),
        Err(error) => {
            assert_eq!(mail, None, "something was sent in spite of {error}");
            Err(error)
        }
    }
}

// 5321-05, 5321-07, 6152-01, 6152-02, 6152-03, 6531-03, 6531-04, 6531-07: what MAIL says, by
// message, addresses and offers.
#[test]
fn what_mail_says() {
    const ALL: &[&str] = &["SIZE", "8BITMIME", "SMTPUTF8"];
    let ann = "ann@example.org";
    let zoe = "zoë@example.org";
    let bücher = "ann@bücher.example";
    for (extensions, to, message, said) in [
        (&[][..], ann, ASCII, ""),
        (&["8BITMIME"], ann, ASCII, ""),
        (&["SIZE"], ann, ASCII, " SIZE=21"),
        (ALL, ann, ASCII, " SIZE=21"),
        (&["8BITMIME"], ann, UTF8_BODY, " BODY=8BITMIME"),
        (&["SMTPUTF8"], ann, UTF8_BODY, " BODY=8BITMIME"),
        (ALL, ann, UTF8_BODY, " SIZE=21 BODY=8BITMIME"),
        (ALL, ann, UTF8_HEADER, " SIZE=25 BODY=8BITMIME SMTPUTF8"),
        (&["SMTPUTF8"], zoe, ASCII, " SMTPUTF8"),
        (ALL, zoe, UTF8_BODY, " SIZE=21 BODY=8BITMIME SMTPUTF8"),
        (ALL, bücher, ASCII, " SIZE=21 SMTPUTF8"),
        // 6531-01: parameters after the keyword are ignored.
        (&["SMTPUTF8 what ever"], zoe, ASCII, " SMTPUTF8"),
    ] {
        let line = mail_line(extensions, |smtp| {
            smtp.sendmail("me@client.example", [to], message)
        });
        assert_eq!(
            line.unwrap(),
            format!("MAIL FROM:<me@client.example>{said}"),
            "{extensions:?} {to} {message:?}"
        );
    }
    let line = mail_line(ALL, |smtp| {
        smtp.sendmail("zoë@client.example", [ann], ASCII)
    });
    assert_eq!(
        line.unwrap(),
        "MAIL FROM:<zoë@client.example> SIZE=21 SMTPUTF8"
    );
}

// 5321-05, 5321-06, 6531-02, dialogs 64 to 66, Python's tests 63 to 65: nothing is sent, and the
// sentence names the remedy.
#[test]
fn what_is_not_offered() {
    let ann = "ann@example.org";
    let zoe = "zoë@example.org";
    for (extensions, from, to, message, sentence) in [
        (
            &[][..],
            "me@client.example",
            ann,
            UTF8_BODY,
            "the message has bytes above 127 and the server does not offer 8BITMIME: encode it as quoted-printable or base64",
        ),
        (
            &["8BITMIME"],
            "me@client.example",
            ann,
            UTF8_HEADER,
            "the header has letters outside ASCII and the server does not offer SMTPUTF8: encode them (RFC 2047)",
        ),
        (
            &["8BITMIME"],
            "me@client.example",
            zoe,
            ASCII,
            "the server does not offer SMTPUTF8, which <zoë@example.org> needs",
        ),
        (
            &["8BITMIME"],
            "zoë@client.example",
            ann,
            ASCII,
            "the server does not offer SMTPUTF8, which <zoë@client.example> needs",
        ),
        // 5890-04, I5, A6: no home-made Punycode.
        #[cfg(not(feature = "idna"))]
        (
            &["8BITMIME"],
            "me@client.example",
            "ann@bücher.example",
            ASCII,
            "the server does not offer SMTPUTF8, which <ann@bücher.example> needs: write the domain in its ASCII form (xn--…), or turn on the feature `idna`, which converts it",
        ),
        #[cfg(feature = "idna")]
        (
            &["8BITMIME"],
            "me@client.example",
            "ann@\u{ad}.example",
            ASCII,
            "the server does not offer SMTPUTF8, which <ann@\u{ad}.example> needs, and the domain has no ASCII form: is it misspelt?",
        ),
    ] {
        let error = mail_line(extensions, |smtp| smtp.sendmail(from, [to], message));
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)));
        assert_eq!(error.to_string(), sentence);
        assert_eq!(facts(&error), "not delivered, permanent");
    }
}

// 6531-03: one of several recipients needs it.
#[test]
fn one_utf8_recipient_is_enough() {
    let to = ["ann@example.org", "zoë@example.org"];
    let line = mail_line(&["SMTPUTF8"], |smtp| {
        smtp.sendmail("me@client.example", to, ASCII)
    });
    assert_eq!(line.unwrap(), "MAIL FROM:<me@client.example> SMTPUTF8");
    let error = mail_line(&[], |smtp| smtp.sendmail("me@client.example", to, ASCII));
    let Err(Error::Unsupported(Unsupported::Utf8Address(address))) = error else {
        panic!("{error:?}");
    };
    assert_eq!(address.to_string(), to[1]);
}

// Python's tests 68 and 69, 6531-06: addresses and message arrive unchanged in UTF-8.
#[test]
fn utf8_arrives() {
    let peer = Server::new()
        .offer("SMTPUTF8")
        .offer("8BITMIME")
        .script()
        .listen();
    let mut smtp = connect(&peer);
    taken(smtp.sendmail("főo@bar.com", ["Dinsdale@Pythön.example"], UTF8_HEADER));
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(
        exchanged.commands()[1..3],
        [
            "MAIL FROM:<főo@bar.com> BODY=8BITMIME SMTPUTF8",
            "RCPT TO:<Dinsdale@Pythön.example>"
        ]
    );
    assert_eq!(exchanged.body(0).message(), UTF8_HEADER.as_bytes());
}

// 6152-04, B17: what follows the first empty line is not header, in all forms of an empty line.
#[test]
fn where_the_header_ends() {
    for message in [
        "\r\ncafé\r\n",
        "\ncafé\n",
        "Subject: x\n\ncafé\n",
        "Subject: x\r\n\ncafé\n",
        "Subject: x\r\n\r\n\r\ncafé: header\r\n",
        "Subject: x\r\ré\r",
        "Subject: x\n\rcafé\n",
        "\rcafé",
        // A text without fields has no header.
        "Hi!\ncafé\n",
        "Café?\nNoon!\n",
        "Hi!\r\nDear café: hello\r\n",
    ] {
        let line = mail_line(&["8BITMIME"], |smtp| {
            smtp.sendmail("me@client.example", ["ann@example.org"], message)
        });
        assert_eq!(
            line.unwrap(),
            "MAIL FROM:<me@client.example> BODY=8BITMIME",
            "{message:?}"
        );
    }
    for message in [
        "café: x\r\n\r\nplain",
        "Subject: x\n café\n\nplain",
        "Subject: x\rcafé\r\rplain",
        "café",
    ] {
        let error = mail_line(&["8BITMIME"], |smtp| {
            smtp.sendmail("me@client.example", ["ann@example.org"], message)
        });
        assert!(matches!(
            error,
            Err(Error::Unsupported(Unsupported::Header))
        ));
    }
}

// 1870-02, 1870-03: the size is that of the message with CRLF line ends, without doubled dots and
// the end of data.
#[test]
fn what_size_counts() {
    for (message, size) in [
        ("", 0),
        ("x", 3),
        ("x\n", 3),
        ("x\r\n", 3),
        (".\n.\n", 6),
        ("a\rb\nc\r\nd", 12),
        ("\n\n\n", 6),
    ] {
        let line = mail_line(&["SIZE 1000"], |smtp| {
            smtp.sendmail("me@client.example", ["ann@example.org"], message)
        });
        assert_eq!(
            line.unwrap(),
            format!("MAIL FROM:<me@client.example> SIZE={size}"),
            "{message:?}"
        );
    }
}

// 1870-01, 1870-04, B20, dialogs 14 and 61: over the limit nothing is sent; without a limit
// everything is.
#[test]
fn the_limit_of_size() {
    let send = |offer: &str, octets: usize| {
        mail_line(&[offer], |smtp| {
            let message = "0123456\n".repeat(octets / 9);
            let message = format!("{message}{}", "x".repeat(octets % 9));
            smtp.sendmail("me@client.example", ["ann@example.org"], message)
        })
    };
    assert!(send("SIZE 902", 900).is_ok());
    let error = send("SIZE 899", 900).unwrap_err();
    assert!(matches!(
        error,
        Error::TooLarge {
            size: 900,
            limit: 899,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "the message has 900 bytes, and the server takes at most 899"
    );
    assert_eq!(facts(&error), "not delivered, permanent");
    for unlimited in [
        "SIZE",
        "SIZE 0",
        "SIZE nonsense",
        "SIZE 18446744073709551616",
    ] {
        let line = send(unlimited, 90_000).unwrap();
        assert_eq!(line, "MAIL FROM:<me@client.example> SIZE=90000");
    }
}

// 1870-05: "too large" is permanent, "too full" is transient: at MAIL, RCPT, DATA and after the
// message.
#[test]
fn size_refused_by_the_server() {
    for (reply, kind) in [
        ("552 5.3.4 too large", "permanent"),
        ("452 4.3.1 disk full", "transient"),
    ] {
        let steps = [
            ("C: MAIL FROM:<me@client.example>", "S: 250 ok"),
            ("C: RCPT TO:<ann@example.org>", "S: 250 ok"),
            ("C: DATA", "S: 354 go"),
            ("Cdata", "S: 250 taken"),
        ];
        for refused in 0..steps.len() {
            let mut dialog: String = steps[..refused]
                .iter()
                .map(|(command, reply)| format!("{command}\n{reply}\n"))
                .collect();
            dialog.push_str(&format!("{}\nS: {reply}\nCclose\n", steps[refused].0));
            let peer = listen(&[], &dialog);
            let mut smtp = connect(&peer);
            let error = smtp
                .sendmail("me@client.example", ["ann@example.org"], ASCII)
                .unwrap_err();
            assert!(
                facts(&error).starts_with(&format!("not delivered, {kind}")),
                "{error}"
            );
            let expected = match refused {
                0 => vec![],
                _ => vec![format!("ann@example.org Refused {reply}")],
            };
            assert_eq!(fates_in(&error), expected);
            drop(smtp);
            peer.finish();
        }
    }
}

// 1870-06, B20: a parameter from the caller is not sent twice.
#[test]
fn the_callers_own_parameters_win() {
    let address = |text: &str| -> Address { text.parse().unwrap() };
    let parameter = |text: &str| -> Parameter { text.parse().unwrap() };
    let envelope = Envelope::new(address("me@client.example"), [address("ann@example.org")])
        .parameter(parameter("body=8BITMIME"))
        .parameter(parameter("smtputf8"));
    let line = mail_line(&["SIZE", "8BITMIME", "SMTPUTF8"], |smtp| {
        smtp.send(&envelope, UTF8_HEADER.as_bytes())
    });
    assert_eq!(
        line.unwrap(),
        "MAIL FROM:<me@client.example> BODY=8BITMIME SMTPUTF8 SIZE=25"
    );
}

// E8: a header in another charset than UTF-8 cannot be sent with SMTPUTF8.
#[test]
fn a_header_that_is_not_utf8_is_refused() {
    for message in [
        &b"Subject: caf\xe9\r\n\r\nplain\r\n"[..],
        b"Subject: caf\xe9",
    ] {
        let error = mail_line(&["8BITMIME", "SMTPUTF8"], |smtp| {
            smtp.sendmail("me@client.example", ["ann@example.org"], message)
        });
        assert_eq!(
            error.unwrap_err().to_string(),
            "the header has bytes above 127 that are not UTF-8: write it in UTF-8, or encode them (RFC 2047)"
        );
    }
    let body = b"Subject: x\r\n\r\ncaf\xe9\r\n";
    let line = mail_line(&["8BITMIME", "SMTPUTF8"], |smtp| {
        smtp.sendmail("me@client.example", ["ann@example.org"], body)
    });
    assert_eq!(line.unwrap(), "MAIL FROM:<me@client.example> BODY=8BITMIME");
}

// RFC 6152, 2: the values of BODY are keywords, in any case.
#[test]
fn a_body_in_lower_case_is_the_same() {
    let line = mail_line(&["8BITMIME"], |smtp| {
        let envelope = Envelope::parse("me@client.example", "ann@example.org").unwrap();
        let envelope = envelope.parameter("body=8bitmime".parse().unwrap());
        smtp.send(&envelope, "Subject: x\r\n\r\ncaf\u{e9}\r\n".as_bytes())
    });
    assert_eq!(line.unwrap(), "MAIL FROM:<me@client.example> BODY=8BITMIME");
}

// D2: SIZE is set only by the library, and nothing is sent twice.
#[test]
fn size_is_not_the_callers_and_nothing_is_said_twice() {
    let send = |parameters: &[&str]| {
        let envelope = Envelope::new(None, [Address::new("ann", "example.org").unwrap()]);
        let envelope = parameters.iter().fold(envelope, |envelope, parameter| {
            envelope.parameter(parameter.parse().unwrap())
        });
        let peer = listen(&["SIZE", "DSN", "8BITMIME"], "Cclose");
        let mut smtp = connect(&peer);
        let error = smtp.send(&envelope, ASCII.as_bytes()).unwrap_err();
        drop(smtp);
        peer.finish();
        error.to_string()
    };
    assert_eq!(send(&["SIZE=1"]), SIZE_IS_OURS);
    for twice in [["RET=HDRS", "RET=FULL"], ["BODY=8BITMIME", "body=8bitmime"]] {
        assert_eq!(send(&twice), TWICE);
    }
}

const SIZE_IS_OURS: &str = "the library adds the parameter SIZE: leave it out, or give the length of a reader to `Envelope::size`";
const TWICE: &str = "a parameter of MAIL or RCPT is given twice";

// D2: also by hand, and the connection can still be used.
#[test]
fn parameters_by_hand_are_checked_as_well() {
    let peer = listen(&["SIZE", "DSN", "8BITMIME"], "C: NOOP\nS: 250 ok\nCclose");
    let mut smtp = connect(&peer);
    for (parameters, sentence) in [
        (&["SIZE=1"][..], SIZE_IS_OURS),
        (&["size=1000"], SIZE_IS_OURS),
        (&["RET=HDRS", "RET=FULL"], TWICE),
        (&["RET=HDRS", "ret=hdrs"], TWICE),
        (&["BODY=7BIT", "BODY=8BITMIME"], TWICE),
    ] {
        let given = parameters.iter().map(|text| text.parse().unwrap());
        let error = smtp.mail_with("me@client.example", given).unwrap_err();
        assert_eq!(error.to_string(), sentence, "{parameters:?}");
        assert!(smtp.is_reusable());
    }
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

/// A server that offers this and accepts the transaction up to the message, which is cut off.
fn cutting(offer: &str) -> Peer {
    listen(
        &[offer],
        "
        C~: MAIL FROM:<>*
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cignore
        ",
    )
}

// D2: a long message that is declared 7-bit must be 7-bit.
#[test]
fn a_long_message_that_is_said_to_be_7bit_has_to_be() {
    let to = Address::new("ann", "example.org").unwrap();
    let envelope = Envelope::new(None, [to]).parameter("BODY=7BIT".parse().unwrap());
    let peer = cutting("8BITMIME");
    let mut smtp = connect(&peer);
    let message = format!("{}é\n", "long enough\n".repeat(10_000));
    let error = smtp.send(&envelope, message.as_bytes()).unwrap_err();
    assert_eq!(error.delivery(), smtplib::Delivery::NotDelivered);
    assert!(
        error
            .to_string()
            .starts_with("the message has bytes above 127"),
        "{error}"
    );
    assert!(!smtp.is_reusable());
    let received = peer.finish().clear();
    assert!(received.is_ascii() && !received.ends_with(b"\r\n.\r\n"));
}

// D2: also by hand: after BODY=7BIT no byte above 127 is sent, early or late in the message.
#[test]
fn a_message_by_hand_that_is_said_to_be_7bit_has_to_be() {
    for lines in [0, 1, 10_000] {
        let peer = cutting("8BITMIME");
        let mut smtp = connect(&peer);
        let mut transaction = smtp.mail_with("", ["BODY=7BIT".parse().unwrap()]).unwrap();
        transaction.rcpt("ann@example.org").unwrap();
        let mut writer = transaction.data_writer().unwrap();
        writer.write_all(b"Subject: x\r\n\r\n").unwrap();
        writer
            .write_all("long enough\n".repeat(lines).as_bytes())
            .unwrap();
        let _ = writer.write_all("caf\u{e9}\n".as_bytes());
        let error = writer.finish().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the message has bytes above 127"),
            "{error}"
        );
        assert_eq!(error.delivery(), smtplib::Delivery::NotDelivered);
        assert!(!smtp.is_reusable());
        let received = peer.finish().clear();
        assert!(received.is_ascii() && !received.ends_with(b"\r\n.\r\n"));
    }
}

// D3, F4: the bytes read of a message count against SIZE, before MAIL and while it is sent.
#[test]
fn a_reader_longer_than_the_server_takes() {
    let to = || Address::new("ann", "example.org").unwrap();
    let message = "0123456789012345678901234567890123456789\r\n".repeat(3_000);
    for (limit, stated) in [(1_000, None), (100_000, Some(126_000))] {
        let peer = listen(&[&format!("SIZE {limit}")], "Cclose");
        let mut smtp = connect(&peer);
        let mut envelope = Envelope::new(None, [to()]);
        if let Some(size) = stated {
            envelope = envelope.size(size);
        }
        let error = smtp.send(&envelope, message.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert!(smtp.is_reusable());
        drop(smtp);
        peer.finish();
    }
    let peer = cutting("SIZE 100000");
    let mut smtp = connect(&peer);
    let error = smtp
        .send(&Envelope::new(None, [to()]), message.as_bytes())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("and the server takes at most 100000"),
        "{error}"
    );
    assert_eq!(facts(&error).split(',').next(), Some("not delivered"));
    assert!(!smtp.is_reusable());
    assert!(!peer.finish().clear().ends_with(b"\r\n.\r\n"));
}

// D3: a length that the caller states is announced.
#[test]
fn the_length_of_a_reader_can_be_stated() {
    let message = "0123456\r\n".repeat(10_000);
    let envelope = Envelope::new(None, [Address::new("ann", "example.org").unwrap()]);
    let envelope = envelope.size(message.len() as u64);
    let line = mail_line(&["SIZE"], |smtp| smtp.send(&envelope, message.as_bytes()));
    assert_eq!(line.unwrap(), "MAIL FROM:<> SIZE=90000");
}

// 3030-02, 3030-07: a BODY from the caller must be true, and BINARYMIME needs BDAT.
#[test]
fn a_body_parameter_has_to_fit_the_message() {
    const OFFERS: &[&str] = &["8BITMIME", "BINARYMIME", "CHUNKING"];
    let mail = |body: &str, message: &'static str| {
        let to = Address::new("ann", "example.org").unwrap();
        let envelope = Envelope::new(None, [to]).parameter(body.parse().unwrap());
        mail_line(OFFERS, |smtp| smtp.send(&envelope, message.as_bytes()))
    };
    assert_eq!(
        mail("BODY=8BITMIME", ASCII).unwrap(),
        "MAIL FROM:<> BODY=8BITMIME"
    );
    assert_eq!(mail("BODY=7BIT", ASCII).unwrap(), "MAIL FROM:<> BODY=7BIT");
    for (body, message) in [
        ("BODY=7BIT", UTF8_BODY),
        ("BODY=BINARYMIME", ASCII),
        ("BODY", ASCII),
        ("BODY=9BIT", ASCII),
    ] {
        assert_eq!(
            mail(body, message).unwrap_err().to_string(),
            "the parameter BODY does not fit the message: leave it out, and the library adds the right one"
        );
    }
}
