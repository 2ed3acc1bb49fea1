//! The caller's strings on the wire: addresses and parameters are sent byte for byte or not at all.
use crate::peer::Server;
use crate::support::sending::{connect, facts, send_hi, taken};
use smtplib::error::{AddressError, CommandError, Unsupported};
use smtplib::protocol::Parameter;
use smtplib::{Address, Envelope, Error};

/// Strings that would be a second command, a parameter, or another address, if they were sent
/// unchanged.
const HOSTILE: [&str; 26] = [
    "ann@example.org\r\nRSET",
    "ann@example.org\nRSET",
    "ann@example.org\rRSET",
    "ann@example.org\0",
    "ann\r\n@example.org",
    "\r\nann@example.org",
    "ann@example.org> NOTIFY=NEVER",
    "ann> NOTIFY=NEVER <bob@example.org",
    "a>b@example.org",
    "a<b@example.org",
    "<ann@example.org> <bob@example.org>",
    "ann@example.org NOTIFY=NEVER",
    "ann @example.org",
    "ann@exam ple.org",
    "ann@example.org\u{7f}",
    "ann@example.org\u{85}RSET",
    "ann@example.org\u{2028}RSET",
    "ann\u{560a}\u{560d}\n@example.org",
    "\"ann\r\nRSET\"@example.org",
    "\"ann\\\r\\\n\"@example.org",
    "\"ann\" <ann@example.org>",
    "\"ann\"bob@example.org",
    "@a.example,@b.example:ann@example.org",
    "ann@example.org,bob@example.org",
    "ann@b@example.org",
    "ann@example.org (comment)",
];

// I1, I2, I4, I5, I6, 5321-33, dialog 60: refused before anything is written, as sender and as
// recipient.
#[test]
fn hostile_addresses_never_leave() {
    let peer = Server::new()
        .offer("DSN")
        .offer("SMTPUTF8")
        .offer("8BITMIME")
        .offer("PIPELINING")
        .script()
        .listen();
    let mut smtp = connect(&peer);
    for hostile in HOSTILE {
        let errors = [
            smtp.sendmail(hostile, ["ann@example.org"], "Hi!")
                .unwrap_err(),
            smtp.sendmail("me@client.example", ["ann@example.org", hostile], "Hi!")
                .unwrap_err(),
            smtp.mail(hostile).unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(error, Error::Address { .. }),
                "{hostile:?}: {error}"
            );
            assert_eq!(facts(&error), "not delivered, permanent");
            // Z1: the error is one line.
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
        }
    }
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(
        exchanged.commands(),
        [
            "EHLO client.example",
            "MAIL FROM:<me@client.example>",
            "RCPT TO:<ann@example.org>",
            "DATA"
        ]
    );
}

// I4: a local part that is not a dot-string is quoted, so text that looks like a parameter is not
// one.
#[test]
fn local_parts_are_quoted_when_they_need_it() {
    for (local_part, on_the_wire) in [
        ("ann", "ann"),
        ("Ann.O'Hara+news", "Ann.O'Hara+news"),
        ("a> NOTIFY=NEVER <b", "\"a> NOTIFY=NEVER <b\""),
        ("a b", "\"a b\""),
        ("a@b", "\"a@b\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        (".ann", "\".ann\""),
        ("ann..o", "\"ann..o\""),
        (" ", "\" \""),
    ] {
        let peer = Server::new().script().listen();
        let mut smtp = connect(&peer);
        let address = Address::new(local_part, "example.org").unwrap();
        let envelope = Envelope::new(address.clone(), [address.clone()]);
        taken(smtp.send(&envelope, "Hi!".as_bytes()));
        // 5321-35: the quoted form reads back as the same address.
        let text = address.to_string();
        taken(smtp.sendmail(&text, [&text], "Hi!"));
        drop(smtp);
        let exchanged = peer.finish();
        for commands in exchanged.commands()[1..].chunks(3) {
            assert_eq!(
                commands,
                [
                    &format!("MAIL FROM:<{on_the_wire}@example.org>"),
                    &format!("RCPT TO:<{on_the_wire}@example.org>"),
                    "DATA"
                ]
            );
        }
    }
}

// 5321-35: quotes that are not needed are removed.
#[test]
fn needless_quotes_go() {
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    taken(smtp.sendmail("\"me\"@client.example", ["\"a\\nn\"@example.org"], "Hi!"));
    drop(smtp);
    assert_eq!(
        peer.finish().commands()[1..3],
        ["MAIL FROM:<me@client.example>", "RCPT TO:<ann@example.org>"]
    );
}

// 5321-04, 5321-14, 5321-21, 5321-34, 5321-38, Python's testSendNullSender: unchanged, byte for
// byte.
#[test]
fn addresses_as_given() {
    for (given, on_the_wire) in [
        ("", ""),
        ("<>", ""),
        ("<Me.My+Self@Client.Example>", "Me.My+Self@Client.Example"),
        ("me@[192.0.2.1]", "me@[192.0.2.1]"),
        ("me@[IPv6:2001:db8::1]", "me@[IPv6:2001:db8::1]"),
        ("me@localhost", "me@localhost"),
        (
            "a!#$%&'*+-/=?^_`{|}~@x.example",
            "a!#$%&'*+-/=?^_`{|}~@x.example",
        ),
        ("me@xn--mller-kva.example", "me@xn--mller-kva.example"),
    ] {
        let peer = Server::new().script().listen();
        let mut smtp = connect(&peer);
        taken(smtp.sendmail(given, ["ann@example.org"], "Hi!"));
        drop(smtp);
        assert_eq!(
            peer.finish().commands()[1],
            format!("MAIL FROM:<{on_the_wire}>")
        );
    }
}

// I8, 5321-22: a message without recipients.
#[test]
fn nobody_to_send_to() {
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let error = smtp
        .sendmail("me@client.example", [""; 0], "Hi!")
        .unwrap_err();
    assert!(matches!(error, Error::NoRecipients));
    assert_eq!(facts(&error), "not delivered, permanent");
    for empty in ["", "<>"] {
        let error = smtp
            .sendmail("me@client.example", [empty], "Hi!")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("\"{empty}\" is not an address: the address is empty")
        );
    }
    drop(smtp);
    assert_eq!(peer.finish().commands(), ["EHLO client.example"]);
}

// A1: the long addresses of ticket systems are sent, and the longest just fits its command.
#[test]
fn long_addresses_are_sent() {
    let reply = format!("reply+{}@reply.example.com", "0f".repeat(40));
    let longest = format!("{}@example.org", "l".repeat(486));
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    for address in [&reply, &longest] {
        taken(smtp.sendmail(address, [address], "Hi!"));
    }
    drop(smtp);
    let exchanged = peer.finish();
    let commands = exchanged.commands();
    assert_eq!(commands[1], format!("MAIL FROM:<{reply}>"));
    assert_eq!(commands[2], format!("RCPT TO:<{reply}>"));
    assert_eq!(commands[4], format!("MAIL FROM:<{longest}>"));
    assert_eq!(commands[4].len() + 2, 512);
}

// I7, 5321-51: lengths are checked first, and nothing is cut.
#[test]
fn lengths_of_addresses() {
    let local = "l".repeat(84);
    let domain = |octets: usize| {
        let label = format!("{}.", "d".repeat(60)).repeat(4);
        format!("{}{}", &label, "e".repeat(octets))[..octets].to_owned()
    };
    assert!(Address::new(&local, "example.org").is_ok());
    assert!(Address::new("a", &domain(255)).is_ok());
    // A1: the only limit on the whole is the command line.
    assert!(Address::new(&"l".repeat(242), &domain(255)).is_ok());
    assert_eq!(
        Address::new(&"l".repeat(243), &domain(255)),
        Err(AddressError::AddressTooLong)
    );
    assert!(matches!(
        Address::new("a", &domain(256)),
        Err(AddressError::DomainTooLong)
    ));
    // Megabytes of any text are an error at once.
    for text in [
        "\"".repeat(1 << 20),
        "a.".repeat(1 << 20),
        "@".repeat(1 << 20),
    ] {
        assert!(text.parse::<Address>().is_err());
        assert!(format!("a@{text}").parse::<Address>().is_err());
        assert!(
            format!("\"{text}\"@example.org")
                .parse::<Address>()
                .is_err()
        );
    }
}

// I3, 5321-32, Python's test_issue43124_escape_options: parameters follow the grammar or cannot be
// made.
#[test]
fn hostile_parameters_cannot_be_made() {
    for hostile in [
        "",
        "=",
        "SIZE=",
        "=5",
        "SIZE=1 2",
        "SIZE=1\r\nRSET",
        "SIZE=1\nRSET",
        "SI ZE=1",
        "SIZE=1=2",
        "SIZE=\0",
        "SIZE\r\n",
        "-A=1",
        "A_B=1",
        "ENVID=é",
        "É=1",
        "RET=\u{7f}",
    ] {
        assert_eq!(
            hostile.parse::<Parameter>(),
            Err(CommandError::Parameter),
            "{hostile:?}"
        );
    }
    assert_eq!(
        "SIZE=1\r\nRSET"
            .parse::<Parameter>()
            .unwrap_err()
            .to_string(),
        "a parameter must be KEYWORD or KEYWORD=value in printable ASCII, without spaces"
    );
    assert!(Parameter::new("RET", Some("HDRS")).is_ok());
    assert!(Parameter::new("x-1", None).is_ok());
}

// 5321-07, V5, E5: what the server does not offer is not sent, and the error names the missing
// extension.
#[test]
fn parameters_need_the_offer() {
    let peer = Server::new().offer("SIZE 1000").script().listen();
    let mut smtp = connect(&peer);
    let me: Address = "me@client.example".parse().unwrap();
    let ann: Address = "ann@example.org".parse().unwrap();
    for (parameter, extension) in [
        ("RET=FULL", "DSN"),
        ("ENVID=1", "DSN"),
        ("BODY=8BITMIME", "8BITMIME"),
        ("BODY=BINARYMIME", "BINARYMIME"),
        ("SMTPUTF8", "SMTPUTF8"),
        ("AUTH=<>", "AUTH"),
        ("BY=120;R", "DELIVERBY"),
        ("HOLDFOR=60", "FUTURERELEASE"),
        ("MT-PRIORITY=3", "MT-PRIORITY"),
        ("REQUIRETLS", "REQUIRETLS"),
        ("X-NEW=1", "X-NEW"),
    ] {
        let parameter: Parameter = parameter.parse().unwrap();
        let of_mail = Envelope::new(me.clone(), [ann.clone()]).parameter(parameter.clone());
        let of_rcpt = Envelope::new(me.clone(), []).recipient(ann.clone(), [parameter]);
        for envelope in [of_mail, of_rcpt] {
            let error = smtp.send(&envelope, "Hi!".as_bytes()).unwrap_err();
            let Error::Unsupported(Unsupported::Extension(name)) = &error else {
                panic!("{error}");
            };
            assert_eq!(name, extension);
            assert_eq!(
                error.to_string(),
                format!("the server does not offer {extension}")
            );
        }
    }
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    drop(smtp);
    assert_eq!(peer.finish().commands().len(), 4);
}

// 5321-11: after HELO no parameters are allowed.
#[test]
fn after_helo_nothing_is_offered() {
    let peer = crate::peer::Script::new(
        "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 502 5.5.1 what
        C: HELO client.example
        S: 250-SIZE 1000
        S: 250 8BITMIME
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        S: 250 taken
        ",
    )
    .listen();
    let mut smtp = connect(&peer);
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    let error = smtp
        .sendmail("me@client.example", ["ann@example.org"], "\n\u{e9}")
        .unwrap_err();
    assert!(matches!(error, Error::Unsupported(Unsupported::EightBit)));
    drop(smtp);
    peer.finish();
}

// 5321-07: parameters of MAIL and of each recipient, where they are offered.
#[test]
fn parameters_of_an_envelope() {
    let peer = Server::new()
        .offer("DSN")
        .offer("SIZE")
        .offer("PIPELINING")
        .script()
        .listen();
    let mut smtp = connect(&peer);
    let parameter = |text: &str| -> Parameter { text.parse().unwrap() };
    let address = |text: &str| -> Address { text.parse().unwrap() };
    let envelope = Envelope::new(None, [address("ann@example.org")])
        .parameter(parameter("RET=HDRS"))
        .parameter(parameter("ENVID=QQ314159"))
        .recipient(
            address("bob@example.org"),
            [
                parameter("NOTIFY=NEVER"),
                parameter("ORCPT=rfc822;bob@example.org"),
            ],
        );
    taken(smtp.send(&envelope, "Hi!\n".as_bytes()));
    drop(smtp);
    assert_eq!(
        peer.finish().commands()[1..],
        [
            "MAIL FROM:<> RET=HDRS ENVID=QQ314159 SIZE=5",
            "RCPT TO:<ann@example.org>",
            "RCPT TO:<bob@example.org> NOTIFY=NEVER ORCPT=rfc822;bob@example.org",
            "DATA",
        ]
    );
}
