//! `send_message`: the envelope comes from the header, and the body is encoded for the server.

use smtplib::message::Resent;
use smtplib::{
    Address, Attachment, Config, Delivery, Envelope, Error, Message, Part, Security, SmtpConnection,
};

use crate::peer::{Exchanged, Server};

fn connect(server: Server) -> (crate::peer::Peer, SmtpConnection) {
    let peer = server.script().listen();
    let config = Config::new(peer.host())
        .port(peer.port())
        .security(Security::None);
    let connection = config.hello_name("client.example").connect().unwrap();
    (peer, connection)
}

/// Sends a message to a server with these extensions and returns what it saw.
fn send(offers: &[&str], message: &Message) -> Exchanged {
    let server = offers
        .iter()
        .fold(Server::new(), |server, offer| server.offer(offer));
    let (peer, mut smtp) = connect(server);
    assert!(smtp.send_message(message).unwrap().is_complete());
    smtp.quit();
    peer.finish()
}

fn commands(exchanged: &Exchanged) -> Vec<String> {
    let commands = exchanged.commands().into_iter().map(str::to_owned);
    commands
        .filter(|c| c.starts_with("MAIL") || c.starts_with("RCPT"))
        .collect()
}

fn text(exchanged: &Exchanged) -> String {
    String::from_utf8(exchanged.body(0).message().to_vec()).unwrap()
}

// 5321-67, 5322-27, H4: Python's testSendMessageWithAddresses
#[test]
fn recipients_are_to_cc_and_bcc_each_once_and_bcc_stays_unseen() {
    let message = Message::builder()
        .from("Me <me@example.com>")
        .to(["Ann <ann@example.org>", "bob@example.org"])
        .cc("ann@example.org")
        .bcc("secret@example.org")
        .subject("Hi")
        .text("Hi!\n")
        .build()
        .unwrap();
    let exchanged = send(&[], &message);
    assert_eq!(
        commands(&exchanged),
        [
            "MAIL FROM:<me@example.com>",
            "RCPT TO:<ann@example.org>",
            "RCPT TO:<bob@example.org>",
            "RCPT TO:<secret@example.org>",
        ]
    );
    let text = text(&exchanged);
    assert!(
        !text.contains("secret") && !text.to_lowercase().contains("bcc"),
        "{text}"
    );
    assert!(text.contains("\r\nCc: ann@example.org\r\n"), "{text}");
}

// D9: a draft can be built and kept in a file. Sending it returns an error about what is missing.
#[test]
fn a_draft_has_nobody_to_go_to() {
    let draft = Message::builder().from("me@example.com").text("Hi!\n");
    let draft = draft.build().unwrap();
    assert!(draft.to_bytes().unwrap().ends_with(b"\r\n\r\nHi!\r\n"));
    assert_eq!(draft.envelope().recipients().count(), 0);
    let (peer, mut smtp) = connect(Server::new());
    let error = smtp.send_message(&draft).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the message has no recipients: add at least one"
    );
    assert!(smtp.send_message(&simple("Hi!\n")).unwrap().is_complete());
    smtp.quit();
    peer.finish();
}

// 5322-25: Python's testSendMessageWithMultipleFrom
#[test]
fn sender_comes_before_from() {
    let message = Message::builder()
        .from(["a@example.com", "b@example.com"])
        .sender("desk@example.com")
        .to("c@example.org")
        .text("")
        .build()
        .unwrap();
    assert_eq!(
        commands(&send(&[], &message))[0],
        "MAIL FROM:<desk@example.com>"
    );
}

// 5322-32: Python's testSendMessageResent
#[test]
fn resent_fields_come_first() {
    let resent = Resent::new()
        .from("again@example.com")
        .to("next@example.org")
        .bcc("x@example.org");
    let message = Message::builder()
        .from("me@example.com")
        .to("first@example.org")
        .text("Hi!\n")
        .resent(resent)
        .build()
        .unwrap();
    let exchanged = send(&[], &message);
    assert_eq!(
        commands(&exchanged),
        [
            "MAIL FROM:<again@example.com>",
            "RCPT TO:<next@example.org>",
            "RCPT TO:<x@example.org>"
        ]
    );
    assert!(!text(&exchanged).contains("x@example.org"));
}

// Python's testSendMessageWithSpecifiedAddresses
#[test]
fn an_explicit_envelope_overrides_the_header() {
    let message = simple("Hi!\n");
    let (peer, mut smtp) = connect(Server::new());
    let to = Address::new("other", "example.org").unwrap();
    let outcome = smtp
        .send_message_to(&Envelope::new(None, [to]), &message)
        .unwrap();
    assert!(outcome.is_complete());
    smtp.quit();
    assert_eq!(
        commands(&peer.finish()),
        ["MAIL FROM:<>", "RCPT TO:<other@example.org>"]
    );
}

// 6152-01, 6152-03, 1870-03: the same message, encoded for each server.
#[test]
fn text_is_encoded_only_for_servers_that_need_it() {
    let message = simple("Many greetings from the south: Grüße!\n.\n");
    let eight_bit = send(&["SIZE 100000", "8BITMIME"], &message);
    assert!(text(&eight_bit).contains("8bit\r\n") && text(&eight_bit).contains("Grüße!\r\n.\r\n"));
    let length = text(&eight_bit).len();
    let expected = format!("MAIL FROM:<me@example.com> SIZE={length} BODY=8BITMIME");
    assert_eq!(commands(&eight_bit)[0], expected);

    let seven_bit = send(&["SIZE 100000"], &message);
    assert!(text(&seven_bit).is_ascii() && text(&seven_bit).contains("Gr=C3=BC=C3=9Fe!\r\n"));
    let length = text(&seven_bit).len();
    assert_eq!(
        commands(&seven_bit)[0],
        format!("MAIL FROM:<me@example.com> SIZE={length}")
    );
}

// B11: signed content is 7-bit and has no space at the end of a line, whatever the server offers.
#[test]
fn what_is_signed_is_not_sent_as_8bit() {
    for kind in [
        "multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256",
        "multipart/encrypted; protocol=\"application/pgp-encrypted\"",
    ] {
        nothing_is_8bit_within(kind);
    }
}

fn nothing_is_8bit_within(kind: &str) {
    let signed = Part::multipart(
        kind,
        [
            Part::mixed([
                Part::text("Viele Grüße aus dem Norden\n-- \nZoë\n"),
                Part::from(simple("Noch mehr Grüße\n")),
                Attachment::new("dump.bin", vec![0, 255]).into(),
                Attachment::new("m.eml", "Subject: x\n\nGrüße\n").into(),
            ]),
            Part::text_of(
                "application/pgp-signature",
                "-----BEGIN PGP SIGNATURE-----\n",
            ),
        ],
    );
    let message = Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .body(Part::mixed([signed, Part::text("Grüße von außen\n")]))
        .build()
        .unwrap();
    let offers = ["8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME"];
    let text = text(&send(&offers, &message));
    let (signed, outside) = text.split_once("BEGIN PGP").unwrap();
    let (_, signed) = signed.split_once("protocol=").unwrap();
    assert!(signed.is_ascii() && !signed.contains("8bit"), "{signed}");
    assert!(
        !signed.contains(" \r\n") && signed.contains("\r\n--=20\r\n"),
        "{signed}"
    );
    assert!(
        outside.contains("8bit\r\n\r\nGrüße von außen\r\n"),
        "{outside}"
    );
}

// 6531-02, 6531-03, 6531-04: Python's test_send_message_uses_smtputf8_if_addrs_non_ascii
#[test]
fn smtputf8_is_used_for_addresses_that_need_it_and_no_others() {
    let offers = ["8BITMIME", "SMTPUTF8"];
    let message = Message::builder()
        .from("zoë@example.com")
        .to("ann@example.org")
        .subject("Grüße")
        .text("Hi!\n")
        .build()
        .unwrap();
    let exchanged = send(&offers, &message);
    assert_eq!(
        commands(&exchanged)[0],
        "MAIL FROM:<zoë@example.com> BODY=8BITMIME SMTPUTF8"
    );
    assert!(text(&exchanged).contains("From: zoë@example.com\r\n"));

    let (peer, mut smtp) = connect(Server::new().offer("8BITMIME"));
    let error = smtp.send_message(&message).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    assert!(smtp.is_reusable());
    smtp.quit();
    assert_eq!(commands(&peer.finish()), [""; 0]);

    // Python's test_name_field_not_included_in_envelop_addresses: a name is not part of the
    // address.
    let named = Message::builder()
        .from("Zoë <zoe@example.com>")
        .to("Jürgen <ann@example.org>")
        .text("Hi!\n")
        .build()
        .unwrap();
    assert_eq!(
        commands(&send(&offers, &named))[0],
        "MAIL FROM:<zoe@example.com>"
    );
}

/// A message with an address outside ASCII in one of its fields.
fn in_field(field: &str, address: &str) -> Message {
    let builder = Message::builder().text("Hi!\n");
    let builder = match field {
        "From" => builder.from(address).to("ann@example.org"),
        _ => builder.from("me@example.com").to("ann@example.org"),
    };
    let builder = match field {
        "Sender" => builder.sender(address),
        "To" => builder.to(["bob@example.org", address]),
        "Cc" => builder.cc(address),
        "Reply-To" => builder.reply_to(address),
        "Disposition-Notification-To" => builder.disposition_notification_to(address),
        "Resent-To" => builder.resent(Resent::new().from("me@example.com").to(address)),
        _ => builder,
    };
    builder.build().unwrap()
}

const FIELDS: [&str; 7] = [
    "From",
    "Sender",
    "To",
    "Cc",
    "Reply-To",
    "Disposition-Notification-To",
    "Resent-To",
];

// A7: the sentence names the field, the address, and what to do instead if there is a way.
#[test]
fn an_address_that_cannot_be_sent_is_named_with_its_field() {
    let way = "needs: write the domain in its ASCII form (xn--…), or turn on the feature `idna`, which converts it";
    for (address, end) in [("zoë@exämple.de", "needs"), ("info@exämple.de", way)] {
        if cfg!(feature = "idna") && end == way {
            continue;
        }
        for field in FIELDS {
            let message = in_field(field, address);
            assert!(message.needs_smtputf8());
            let (peer, mut smtp) = connect(Server::new().offer("8BITMIME"));
            let error = smtp.send_message(&message).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{field}: the server does not offer SMTPUTF8, which <{address}> {end}")
            );
            assert!(matches!(error, Error::Unsupported(_)) && error.is_permanent());
            smtp.quit();
            assert_eq!(commands(&peer.finish()), [""; 0]);
        }
    }
    // An address that is only in the envelope is named as such.
    let unseen = Message::builder()
        .from("me@example.com")
        .bcc("zoë@exämple.de");
    let unseen = unseen.build().unwrap();
    assert!(unseen.needs_smtputf8());
    let (peer, mut smtp) = connect(Server::new());
    assert_eq!(
        smtp.send_message(&unseen).unwrap_err().to_string(),
        "the server does not offer SMTPUTF8, which <zoë@exämple.de> needs"
    );
    smtp.quit();
    peer.finish();
}

// A6, A7: A-labels (RFC 5891) in the envelope and in the header. The result names the address that
// was given.
#[test]
#[cfg(feature = "idna")]
fn domains_go_out_in_a_labels_where_they_have_to() {
    for field in FIELDS {
        let message = in_field(field, "Zoë <info@exämple.de>");
        assert!(!message.needs_smtputf8());
        let exchanged = send(&["8BITMIME"], &message);
        let text = text(&exchanged);
        assert!(text.is_ascii(), "{text}");
        let text = text.replace("\r\n ", " ");
        assert!(
            text.contains("=?utf-8?q?Zo=C3=AB?= <info@xn--exmple-cua.de>\r\n"),
            "{text}"
        );
        assert!(commands(&exchanged).concat().is_ascii());
        let utf8 = send(&["8BITMIME", "SMTPUTF8"], &message);
        assert!(self::text(&utf8).contains("Zoë <info@exämple.de>\r\n"));
        assert!(commands(&utf8)[0].ends_with(" SMTPUTF8"));
    }
    let inner = Message::builder()
        .from("a@exämple.de")
        .text("x\n")
        .build()
        .unwrap();
    let outer = Message::builder()
        .from("me@exämple.de")
        .to("ann@exämple.de");
    let outer = outer.attach(inner).build().unwrap();
    let exchanged = send(&[], &outer);
    assert_eq!(
        commands(&exchanged),
        [
            "MAIL FROM:<me@xn--exmple-cua.de>",
            "RCPT TO:<ann@xn--exmple-cua.de>"
        ]
    );
    let text = text(&exchanged);
    assert!(text.contains("message/rfc822\r\n") && text.contains("From: a@xn--exmple-cua.de\r\n"));
    assert!(text.contains("@xn--exmple-cua.de>\r\n"), "in the id");

    let (peer, mut smtp) = connect(Server::new().on("RCPT TO:<bad@", "550 no"));
    let outcome = smtp
        .sendmail("me@exämple.de", ["ann@exämple.de", "bad@exämple.de"], "Hi!")
        .unwrap();
    let refused: Vec<_> = outcome.refused().map(|r| r.address().to_string()).collect();
    assert_eq!(refused, ["bad@exämple.de"]);
    let mut transaction = smtp.mail("me@exämple.de").unwrap();
    transaction.rcpt("ann@exämple.de").unwrap();
    assert!(transaction.data("Hi!".as_bytes()).unwrap().is_complete());
    smtp.quit();
    let exchanged = peer.finish();
    let commands = exchanged.commands();
    assert!(commands.contains(&"RCPT TO:<bad@xn--exmple-cua.de>"));
    assert!(commands.iter().all(|command| command.is_ascii()));
}

// B18: a file whose length has changed must not become a message.
#[test]
fn a_file_that_changes_its_length_cuts_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.txt");
    std::fs::write(&path, vec![b'x'; 300_000]).unwrap();
    let message = Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .attach(Attachment::from_path(&path).unwrap())
        .attach(Attachment::streamed("short", 10, || Ok(&b"five!"[..])))
        .build()
        .unwrap();
    let (peer, mut smtp) = connect(Server::new());
    let error = smtp.send_message(&message).unwrap_err();
    let Error::Interrupted(interrupted) = &error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(interrupted.failure(), Error::Source(_)),
        "{error:?}"
    );
    assert_eq!(error.delivery(), Delivery::NotDelivered);
    assert!(!smtp.is_reusable());
    let exchanged = peer.outcome().expect_err("the data never ended");
    assert!(!exchanged.contains("C: .\n"), "{exchanged}");

    std::fs::remove_file(&path).unwrap();
    let (peer, mut smtp) = connect(Server::new());
    let error = smtp.send_message(&message).unwrap_err();
    assert!(matches!(error, Error::Message(_)), "{error:?}");
    smtp.quit();
    assert_eq!(commands(&peer.finish()), [""; 0], "nothing was begun");
}

// 3030-01, 3030-04, 3030-07: only if the caller allows it and the server offers both extensions.
#[test]
fn attachments_go_unencoded_to_a_server_that_takes_them() {
    let octets: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let message = Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .attach(Attachment::new("dump.bin", octets.clone()))
        .build()
        .unwrap();
    let send = |offers: &[&str], consent: bool| {
        let server = offers
            .iter()
            .fold(Server::new(), |server, offer| server.offer(offer));
        let (peer, mut smtp) = connect(server);
        let envelope = Envelope::of(&message).allow_binary(consent);
        assert!(
            smtp.send_message_to(&envelope, &message)
                .unwrap()
                .is_complete()
        );
        smtp.quit();
        let exchanged = peer.finish();
        let raw = exchanged.body(0).message();
        let is_raw = raw.windows(octets.len()).any(|window| window == octets);
        (is_raw, exchanged.commands().join("\n"), raw.len())
    };
    let (is_raw, commands, size) = send(&["PIPELINING", "CHUNKING", "BINARYMIME"], true);
    assert!(is_raw && !commands.contains("DATA"), "{commands}");
    assert!(
        commands.contains("MAIL FROM:<me@example.com> BODY=BINARYMIME\n"),
        "{commands}"
    );
    assert!(
        commands.contains(&format!("BDAT {size} LAST")),
        "{commands}"
    );

    for (offers, consent) in [
        (&["CHUNKING", "BINARYMIME"][..], false),
        (&["BINARYMIME"], true),
        (&["CHUNKING"], true),
    ] {
        let (is_raw, commands, _) = send(offers, consent);
        assert!(!is_raw && !commands.contains("BODY="), "{commands}");
        let is_chunked = offers.contains(&"CHUNKING");
        assert_eq!(commands.contains("BDAT"), is_chunked, "{commands}");
        assert_eq!(commands.contains("DATA"), !is_chunked, "{commands}");
    }
}

// 6152-01, 3030-01: a message is encoded so that the caller's BODY is true.
#[test]
fn what_the_caller_says_about_the_body_is_made_true() {
    let message = Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .text("Many greetings from the south: Grüße!\n")
        .attach(Attachment::new("dump.bin", vec![0, 255]))
        .build()
        .unwrap();
    for (body, label) in [("7BIT", "quoted-printable"), ("8BITMIME", "8bit")] {
        let extensions = ["8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME"];
        let server = extensions
            .iter()
            .fold(Server::new(), |server, offer| server.offer(offer));
        let (peer, mut smtp) = connect(server);
        let parameter = format!("BODY={body}").parse().unwrap();
        let envelope = Envelope::of(&message)
            .allow_binary(true)
            .parameter(parameter);
        // Borrowed and owned messages are prepared in different ways.
        assert!(
            smtp.send_message_to(&envelope, &message)
                .unwrap()
                .is_complete()
        );
        let owned = (envelope, message.clone());
        let outcome = smtp.send_all([owned]).next().unwrap().unwrap();
        assert!(outcome.is_complete());
        smtp.quit();
        let exchanged = peer.finish();
        let mail = format!("MAIL FROM:<me@example.com> BODY={body}");
        let commands = commands(&exchanged);
        assert_eq!(commands.iter().filter(|c| **c == mail).count(), 2);
        for place in [0, 1] {
            let octets = exchanged.body(place).message();
            let text = String::from_utf8(octets.to_vec()).unwrap();
            assert_eq!(text.is_ascii(), body == "7BIT");
            for label in [label, "base64"] {
                assert!(text.contains(&format!("Encoding: {label}\r\n")), "{text}");
            }
        }
    }
}

// 3030-03, V7: a refused chunk is followed by RSET. If all recipients are refused, no chunk is
// sent.
#[test]
fn a_refused_chunk_leaves_the_connection_usable() {
    let message = Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .attach(Attachment::new("dump.bin", vec![0; 1000]))
        .build()
        .unwrap();
    let envelope = Envelope::of(&message).allow_binary(true);
    let server = Server::new().offer("CHUNKING").offer("BINARYMIME");
    let (peer, mut smtp) = connect(
        server
            .on(".", "552 5.3.4 too big")
            .on("RCPT TO:<bad@", "550 no"),
    );
    let error = smtp.send_message_to(&envelope, &message).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the message: 552 5.3.4 too big"
    );
    let bad = Envelope::new(None, [Address::new("bad", "example.org").unwrap()]).allow_binary(true);
    let error = smtp.send_message_to(&bad, &message).unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)), "{error:?}");
    smtp.quit();
    let exchanged = peer.finish();
    let verbs: Vec<&str> = exchanged
        .commands()
        .iter()
        .map(|c| c.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        verbs,
        [
            "EHLO", "MAIL", "RCPT", "BDAT", "RSET", "MAIL", "RCPT", "QUIT"
        ]
    );
}

fn simple(text: &str) -> Message {
    Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .subject("Hi")
        .text(text)
        .build()
        .unwrap()
}
