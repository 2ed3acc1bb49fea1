use crate::peer::{Peer, Refusing, Script, Server, TestCa};
use crate::program::{Ended, Program, plain_url};
#[cfg(target_os = "linux")]
use crate::terminal::Terminal;
use mail_parser::{MessageParser, MimeHeaders};
use std::fs;

/// The example, with the options that every call needs.
fn sendmail(url: &str) -> Program {
    Program::new("sendmail").args(["--url", url, "--from", "ann@example.org"])
}

/// Sends a message for two recipients to a peer.
fn send_to(peer: &Peer) -> Ended {
    let recipients = ["ben@example.org", "cleo@example.org"];
    sendmail(&plain_url(peer)).args(recipients).input(HI).run()
}

const HI: &str = "Subject: Hi\n\nHi!\n";
const TAKEN: &str = "accepted: 250 2.0.0 taken\n";

/// Sends a message to a peer that accepts everything except what a rule refuses.
fn send_with_rule(start: &str, reply: &str) -> Ended {
    send_to(&Server::new().on(start, reply).script().listen())
}

#[test]
fn help_names_every_exit_status() {
    let help = Program::new("sendmail").args(["--help"]).run().success();
    assert!(help.contains("Usage: sendmail [OPTIONS] --from ADDRESS RECIPIENT...\n"));
    for status in [0, 64, 65, 66, 67, 68, 69, 74, 75, 76, 77, 78] {
        assert!(
            help.contains(&format!("\n  {status:2}  ")),
            "{status}\n{help}"
        );
    }
}

#[test]
fn a_file_arrives_as_it_is_and_the_reply_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("message.eml");
    let message = "Subject: Dots\r\n\r\n.\r\n..two\r\nlast\r\n";
    fs::write(&file, message).unwrap();
    let peer = Server::new().offer("PIPELINING").script().listen();
    let ended = sendmail(&plain_url(&peer))
        .args(["--message".as_ref(), file.as_os_str()])
        .args(["ben@example.org", "cleo@example.org"])
        .run();
    assert_eq!(ended.success(), TAKEN);
    let exchanged = peer.finish();
    assert_eq!(
        exchanged.commands(),
        [
            "EHLO [127.0.0.1]",
            "MAIL FROM:<ann@example.org>",
            "RCPT TO:<ben@example.org>",
            "RCPT TO:<cleo@example.org>",
            "DATA",
            "QUIT"
        ]
    );
    assert_eq!(exchanged.body(0).message(), message.as_bytes());
}

#[test]
fn standard_input_is_the_message_and_the_environment_names_the_server() {
    let peer = Server::new().script().listen();
    let ended = Program::new("sendmail")
        .env("SMTP_URL", plain_url(&peer))
        .args(["-f", "<>", "ben@example.org"])
        .input("Subject: Bounce\n\nNobody there.\n")
        .run();
    assert_eq!(ended.success(), TAKEN);
    let exchanged = peer.finish();
    assert!(exchanged.commands().contains(&"MAIL FROM:<>"));
    assert_eq!(
        exchanged.body(0).message(),
        b"Subject: Bounce\r\n\r\nNobody there.\r\n"
    );
}

#[test]
fn a_large_message_needs_no_bar_where_nobody_watches() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("large.eml");
    let message = format!("Subject: Large\r\n\r\n{}", "0123456789\r\n".repeat(200_000));
    fs::write(&file, &message).unwrap();
    let peer = Server::new().script().listen();
    let ended = sendmail(&plain_url(&peer))
        .args(["-m".as_ref(), file.as_os_str(), "ben@example.org".as_ref()])
        .run();
    assert_eq!(ended.success(), TAKEN);
    assert!(peer.finish().body(0).message() == message.as_bytes());
}

// Only on Linux can an environment variable name the root certificates.
#[cfg(target_os = "linux")]
#[test]
fn starttls_and_a_login_whose_password_the_trace_does_not_show() {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    fs::write(&roots, TestCa::get().root_pem()).unwrap();
    let server = Server::new().offer("STARTTLS").offer("AUTH PLAIN");
    let peer = server.script().listen();
    let ended = sendmail(&format!("smtp://ann:pa%40ss@{}", peer.addr()))
        .args(["--trace", "ben@example.org"])
        .env("SSL_CERT_FILE", roots)
        .input(HI)
        .run();
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (0, TAKEN),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains("\nC: AUTH PLAIN ***\n"), "{ended:#?}");
    assert!(!ended.stderr.contains("pa@ss") && !ended.stderr.contains("AGFubg"));
    let exchanged = peer.finish();
    assert!(
        exchanged
            .commands()
            .contains(&"AUTH PLAIN AGFubgBwYUBzcw==")
    );
    assert_eq!(exchanged.clear(), b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n");
}

#[test]
fn status_64_is_a_wrong_command_line() {
    for (arguments, complaint) in [
        (
            &["ben@example.org"][..],
            "there is no sender: give --from, or set SMTP_FROM",
        ),
        (&["--from", "ann@example.org"], "there is no recipient"),
        (&["--form", "ann@example.org"], "invalid option '--form'"),
    ] {
        let ended = Program::new("sendmail")
            .args(["-u", "smtp://host"])
            .args(arguments)
            .run();
        assert_eq!(
            ended.failure(64),
            format!("sendmail: {complaint}; see --help\n")
        );
    }
    let ended = Program::new("sendmail")
        .args(["-f", "ann@example.org", "ben@example.org"])
        .run();
    assert_eq!(
        ended.failure(64),
        "sendmail: there is no server: give --url, or set SMTP_URL; see --help\n"
    );
    let ended = sendmail("smtp://host")
        .args(["Ben <ben@example.org>"])
        .run();
    let complaint = ended.failure(64);
    assert!(
        complaint.starts_with("sendmail: \"Ben <ben@example.org>\" is not an address: "),
        "{complaint}"
    );
}

#[test]
fn status_65_is_a_message_that_is_refused_or_not_fit_to_be_sent() {
    assert_eq!(
        send_with_rule(".", "554 5.6.0 no").failure(65),
        "sendmail: ben@example.org was refused: 554 5.6.0 no\n\
         sendmail: cleo@example.org was refused: 554 5.6.0 no\n\
         sendmail: the server refused the message: 554 5.6.0 no\n"
    );
    let peer = Server::new().script().listen();
    let ended = sendmail(&plain_url(&peer))
        .args(["ben@example.org"])
        .input("a\0b")
        .run();
    assert_eq!(
        ended.failure(65),
        "sendmail: the message has a NUL in it: encode that part as base64\n"
    );
}

#[test]
fn status_66_is_a_message_that_cannot_be_read() {
    let nobody = Script::sessions::<&str>([]).listen();
    let ended = sendmail(&plain_url(&nobody))
        .args(["-m", "no such file", "ben@example.org"])
        .run();
    let complaint = ended.failure(66);
    assert!(
        complaint.starts_with("sendmail: no such file: "),
        "{complaint}"
    );
}

#[test]
fn status_67_is_a_recipient_refused_for_good() {
    let ended = send_with_rule("RCPT TO:<cleo@", "550 5.1.1 who?");
    assert_eq!((ended.status, ended.stdout.as_str()), (67, TAKEN));
    assert_eq!(
        ended.stderr,
        "sendmail: cleo@example.org was refused: 550 5.1.1 who?\n"
    );
    // Each recipient once.
    assert_eq!(
        send_with_rule("RCPT", "550 5.1.1 who?").failure(67),
        "sendmail: ben@example.org was refused: 550 5.1.1 who?\n\
         sendmail: cleo@example.org was refused: 550 5.1.1 who?\n"
    );
}

#[test]
fn status_68_is_a_name_that_cannot_be_looked_up() {
    // A name with an empty label is not valid, so no DNS server is asked.
    let complaint = sendmail("smtp://a..b")
        .args(["ben@example.org"])
        .input(HI)
        .run()
        .failure(68);
    assert_eq!(
        complaint,
        "sendmail: there is no host named a..b: is the name right, and is this machine online?\n"
    );
}

#[test]
fn status_69_is_a_server_that_does_not_serve_us() {
    let peer = Script::new(
        "
        S: 554 5.7.1 not you
        C: QUIT
        Cclose
    ",
    )
    .listen();
    let place = peer.addr();
    assert_eq!(
        send_to(&peer).failure(69),
        format!("sendmail: {place} refused the connection: 554 5.7.1 not you\n")
    );
}

#[test]
fn status_74_is_not_to_know() {
    let peer = Script::new(
        "
        S: 220 mx.example.org
        C: EHLO [127.0.0.1]
        S: 250 mx.example.org
        C: MAIL FROM:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<ben@example.org>
        S: 250 ok
        C: RCPT TO:<cleo@example.org>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        Cdata
        EOF
        Cclose
    ",
    )
    .listen();
    assert_eq!(
        send_to(&peer).failure(74),
        "sendmail: ben@example.org may have been accepted: no reply came\n\
         sendmail: cleo@example.org may have been accepted: no reply came\n\
         sendmail: the server closed the connection without saying whether it took the message: sending again may duplicate it\n\
         sendmail: the message may have arrived: sending it again may duplicate it\n"
    );
}

#[test]
fn status_75_is_not_now() {
    let ended = send_with_rule("RCPT TO:<cleo@", "452 4.2.2 full");
    assert_eq!((ended.status, ended.stdout.as_str()), (75, TAKEN));
    assert_eq!(
        ended.stderr,
        "sendmail: cleo@example.org was refused: 452 4.2.2 full (try again later)\n"
    );
    assert_eq!(
        send_with_rule("MAIL", "451 4.3.0 busy").failure(75),
        "sendmail: the server refused the sender: 451 4.3.0 busy\n"
    );
    let nobody = Refusing::new();
    let ended = sendmail(&format!("smtp://{}", nobody.addr()))
        .args(["ben@example.org"])
        .input(HI)
        .run();
    ended.failure(75);
}

#[test]
fn status_76_is_a_server_that_speaks_something_else() {
    let peer = Script::new(
        "
        S: SSH-2.0-OpenSSH
        Cclose
    ",
    )
    .listen();
    let place = peer.addr();
    assert_eq!(
        send_to(&peer).failure(76),
        format!(
            "sendmail: {place} broke the protocol at the greeting: a line does not begin with a reply code: \"SSH-2.0-OpenSSH\"; is this an SSH port?\n"
        )
    );
}

#[test]
fn status_77_is_a_sender_who_may_not() {
    assert_eq!(
        send_with_rule("MAIL", "553 5.7.1 that is not you").failure(77),
        "sendmail: the server refused the sender: 553 5.7.1 that is not you\n"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn status_77_is_a_wrong_password() {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    fs::write(&roots, TestCa::get().root_pem()).unwrap();
    let server = Server::new().offer("AUTH PLAIN").on("AUTH", "535 5.7.8 no");
    let peer = server.script().listen_tls();
    let ended = sendmail(&format!("smtps://ann:wrong@{}", peer.addr()))
        .args(["ben@example.org"])
        .env("SSL_CERT_FILE", roots)
        .input(HI)
        .run();
    let complaint = ended.failure(77);
    assert!(
        complaint.contains("535 5.7.8 no") && !complaint.contains("wrong"),
        "{complaint}"
    );
}

#[test]
fn status_78_is_a_server_address_that_asks_for_what_cannot_be() {
    let ended = sendmail("http://host").args(["ben@example.org"]).run();
    assert_eq!(
        ended.failure(78),
        "sendmail: the URL must begin with smtp://, smtps://, lmtp://, lmtps://, smtp+unix://, lmtp+unix://, maildir:// or sendmail://\n"
    );
    let peer = Server::new().script().listen();
    let ended = sendmail(&format!("smtp://{}", peer.addr()))
        .args(["ben@example.org"])
        .input(HI)
        .run();
    assert_eq!(
        ended.failure(78),
        format!(
            "sendmail: {} does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)\n",
            peer.addr()
        )
    );
}

/// The envelope and the text of the only message that a peer got.
fn envelope(peer: Peer) -> (Vec<String>, Vec<u8>) {
    let exchanged = peer.finish();
    let commands = exchanged.commands().into_iter();
    let paths = commands.filter(|line| line.starts_with("MAIL") || line.starts_with("RCPT"));
    let paths = paths.map(|line| line[line.find('<').unwrap()..].to_owned());
    assert_eq!(exchanged.bodies(), 1);
    (paths.collect(), exchanged.body(0).message())
}

/// Sends this with `-t`, and returns the envelope and the message that arrived.
fn send_by_header(message: impl Into<Vec<u8>>) -> (Vec<String>, Vec<u8>) {
    let peer = Server::new()
        .offer("8BITMIME")
        .offer("SMTPUTF8")
        .script()
        .listen();
    let program = sendmail(&plain_url(&peer)).args(["-t", "-i"]);
    assert_eq!(program.input(message).run().success(), TAKEN);
    envelope(peer)
}

#[test]
fn the_header_names_the_recipients() {
    let (paths, message) = send_by_header(
        "From: Ann <ann@example.org>\r\n\
         TO: \"Ben, the first\" <ben@example.org>,\r\n\
         \tCleo <cleo@example.org>\r\n\
         Bcc: dan@example.org,\r\n\
         \x20eve@example.org\r\n\
         Cc : Team: ben@example.org, fay@example.org;\r\n\
         bcc:\r\n\
         Reply-To: greg@example.org\r\n\
         X-Bcc: kept\r\n\
         \r\n\
         Bcc: of the body\r\n\
         .\r\n\
         more\r\n",
    );
    assert_eq!(
        paths,
        [
            "<ann@example.org>",
            "<ben@example.org>",
            "<cleo@example.org>",
            "<dan@example.org>",
            "<eve@example.org>",
            "<fay@example.org>",
        ]
    );
    assert_eq!(
        String::from_utf8(message).unwrap(),
        "From: Ann <ann@example.org>\r\n\
         TO: \"Ben, the first\" <ben@example.org>,\r\n\
         \tCleo <cleo@example.org>\r\n\
         Cc : Team: ben@example.org, fay@example.org;\r\n\
         Reply-To: greg@example.org\r\n\
         X-Bcc: kept\r\n\
         \r\n\
         Bcc: of the body\r\n\
         .\r\n\
         more\r\n"
    );
}

#[test]
fn what_was_sent_on_goes_to_whom_it_was_sent_on() {
    let (paths, message) = send_by_header(
        "Resent-To: dan@example.org\nResent-Bcc: eve@example.org\nTo: ben@example.org\n\nHi!\n",
    );
    assert_eq!(paths[1..], ["<dan@example.org>", "<eve@example.org>"]);
    assert_eq!(
        message,
        b"Resent-To: dan@example.org\r\nTo: ben@example.org\r\n\r\nHi!\r\n"
    );
}

#[test]
fn odd_headers_are_read_and_left_alone() {
    // A name in UTF-8, a header without a body, and a line that is not a field and ends the header.
    for message in [
        "To: Zoë <ben@example.org>\r\n\r\nHi!\r\n".as_bytes(),
        b"To: ben@example.org\r\n",
        b"To: ben@example.org\r\nHi there!\r\nTo: nobody\r\n",
    ] {
        let (paths, received) = send_by_header(message);
        assert_eq!(paths[1..], ["<ben@example.org>"]);
        assert_eq!(received, message, "{}", message.escape_ascii());
    }
    // More than is read before sending begins.
    let large = format!(
        "To: ben@example.org\r\nBcc:\r\n\r\n{}",
        "0123456789\r\n".repeat(100_000)
    );
    let (_, received) = send_by_header(large.as_str());
    assert!(received == large.replacen("Bcc:\r\n", "", 1).into_bytes());
}

#[test]
fn those_on_the_command_line_get_it_too() {
    let peer = Server::new().script().listen();
    let arguments = [
        "-oi",
        "-t",
        "-oem",
        "--",
        "dan@example.org",
        "ben@EXAMPLE.org",
    ];
    let ended = Program::new("sendmail")
        .env("SMTP_URL", plain_url(&peer))
        .env("SMTP_FROM", "ann@example.org")
        .args(arguments)
        .input("To: ben@example.org\nCc: cleo@example.org\n\nHi!\n")
        .run();
    assert_eq!(ended.success(), TAKEN);
    assert_eq!(
        envelope(peer).0,
        [
            "<ann@example.org>",
            "<dan@example.org>",
            "<ben@EXAMPLE.org>",
            "<cleo@example.org>",
        ]
    );
}

#[test]
fn a_header_without_recipients_leaves_those_on_the_command_line() {
    for header in ["Subject: Hi\n", "To: undisclosed-recipients:;\n"] {
        let peer = Server::new().script().listen();
        let program = sendmail(&plain_url(&peer)).args(["-t", "dan@example.org"]);
        let ended = program.input(format!("{header}\nHi!\n")).run();
        assert_eq!(ended.success(), TAKEN);
        assert_eq!(envelope(peer).0, ["<ann@example.org>", "<dan@example.org>"]);
    }
}

#[test]
fn a_header_that_cannot_be_used_sends_nothing() {
    let endless = format!("To: ben@example.org\nX: {}", "x".repeat(2 << 20));
    for (message, complaint) in [
        (
            "Subject: Hi\n\nTo: ben@example.org\n",
            "the header names no recipient",
        ),
        (
            "To: undisclosed-recipients:;\n\nHi!\n",
            "the header names no recipient",
        ),
        (&endless, "the header has no end within 1 MiB"),
    ] {
        let nobody = Script::sessions::<&str>([]).listen();
        let program = sendmail(&plain_url(&nobody)).args(["-t"]);
        assert_eq!(
            program.input(message).run().failure(65),
            format!("sendmail: {complaint}\n")
        );
    }
    for message in [&b"To: ben\n\nHi!\n"[..], b"To: Zo\xeb@example.org\n\nHi!\n"] {
        let nobody = Script::sessions::<&str>([]).listen();
        let program = sendmail(&plain_url(&nobody)).args(["-t"]);
        let complaint = program.input(message).run().failure(65);
        assert!(complaint.starts_with("sendmail: To: "), "{complaint}");
    }
}

#[test]
fn a_header_that_is_cut_anywhere_sends_nothing() {
    let bcc = "Bcc: dan@example.org\n";
    // What is read before sending ends after this many characters of the last field.
    for inside in [0, 1, 3, 4, 8, bcc.len() - 1, bcc.len()] {
        let mut message = String::from("To: ben@example.org\n");
        while message.len() + 2000 < (1 << 20) - inside {
            message += &format!("X: {}\n", "x".repeat(900));
        }
        let fill = (1 << 20) - inside - message.len() - "X: \n".len();
        message += &format!("X: {}\n{bcc}\nHi!\n", "x".repeat(fill));
        let nobody = Script::sessions::<&str>([]).listen();
        let program = sendmail(&plain_url(&nobody)).args(["-t"]);
        assert_eq!(
            program.input(message).run().failure(65),
            "sendmail: the header has no end within 1 MiB\n",
            "cut after {inside}"
        );
    }
}

#[test]
fn an_empty_message_is_not_sent() {
    for arguments in [
        &["ben@example.org"][..],
        &["-t"],
        &["--to", "ben@example.org", "--subject", "Hi"],
    ] {
        for input in ["", "\r\n", " \n\n"] {
            let nobody = Script::sessions::<&str>([]).listen();
            let program = sendmail(&plain_url(&nobody)).args(arguments);
            assert_eq!(
                program.input(input).run().failure(65),
                "sendmail: the message is empty: nothing is sent\n"
            );
        }
    }
}

#[test]
fn a_message_is_composed_from_options() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("prices.csv");
    fs::write(&file, "tea;1.20\n").unwrap();
    let compose = |arguments: &[&str], text: &str| {
        let peer = Server::new().script().listen();
        let ended = Program::new("sendmail")
            .args(["-u", &plain_url(&peer), "-f", "Ann <ann@example.org>"])
            .args(["--to", "Ben <ben@example.org>", "--to", "cleo@example.org"])
            .args(arguments)
            .input(text)
            .run();
        assert_eq!(ended.success(), TAKEN);
        envelope(peer)
    };
    let path = file.to_str().unwrap();
    let arguments = ["--subject", "Tea for Zoë", "--attach", path];
    let (paths, octets) = compose(&arguments, "There is tea.\n");
    let sent_to = [
        "<ann@example.org>",
        "<ben@example.org>",
        "<cleo@example.org>",
    ];
    assert_eq!(paths, sent_to);
    let message = MessageParser::new().parse(&octets).unwrap();
    assert_eq!(message.subject(), Some("Tea for Zoë"));
    assert_eq!(message.body_text(0).unwrap(), "There is tea.\r\n");
    let attachment = message.attachment(0).unwrap();
    assert_eq!(attachment.attachment_name(), Some("prices.csv"));
    assert_eq!(attachment.contents(), b"tea;1.20\n");

    // A file needs no text, and a text needs no subject.
    let (paths, _) = compose(&["--attach", path], "");
    assert_eq!(paths, sent_to);
    let (_, octets) = compose(&[], "Hi!\n");
    assert_eq!(MessageParser::new().parse(&octets).unwrap().subject(), None);
}

#[test]
fn what_cannot_be_composed() {
    for (arguments, status, complaint) in [
        (
            &["--subject", "Hi"][..],
            64,
            "there is no recipient: give --to; see --help",
        ),
        (
            &["--to", "ben@example.org", "-t"],
            64,
            "a message that is composed has only the recipients of --to; see --help",
        ),
        (
            &["--to", "ben@example.org", "cleo@example.org"],
            64,
            "a message that is composed has only the recipients of --to; see --help",
        ),
        (
            &["--to", "ben"],
            64,
            "To: \"ben\" in the list: the address has no @",
        ),
        (
            &[
                "--to",
                "ben@example.org",
                "--subject",
                "Hi\nBcc: eve@example.net",
            ],
            64,
            "Subject: the character '\\n' cannot stand in a header, leave it out",
        ),
    ] {
        let ended = sendmail("smtp://host").args(arguments).input("Hi!\n").run();
        assert_eq!(ended.failure(status), format!("sendmail: {complaint}\n"));
    }
    let ended = sendmail("smtp://host")
        .args(["--to", "ben@example.org", "--attach", "no such file"])
        .run();
    let complaint = ended.failure(66);
    assert!(
        complaint.starts_with("sendmail: no such file: "),
        "{complaint}"
    );
    let ended = sendmail("smtp://host")
        .args(["--to", "ben@example.org"])
        .input(b"Zo\xeb".to_vec())
        .run();
    assert_eq!(
        ended.failure(65),
        "sendmail: the text is not UTF-8: convert it, or attach it as a file\n"
    );
}

#[test]
fn a_root_certificate_is_an_option() {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    fs::write(&roots, TestCa::get().root_pem()).unwrap();
    let peer = Server::new().offer("STARTTLS").script().listen();
    let url = format!("smtp://{}", peer.addr());
    let program = sendmail(&url).args(["--ca".as_ref(), roots.as_os_str()]);
    let ended = program.args(["ben@example.org"]).input(HI).run();
    assert_eq!(ended.success(), TAKEN);
    assert_eq!(peer.finish().clear(), b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n");

    let program = sendmail(&url).args(["--ca", "no such file", "ben@example.org"]);
    let complaint = program.input(HI).run().failure(78);
    assert!(complaint.contains("no such file"), "{complaint}");
}

#[test]
fn the_version_is_the_librarys() {
    let said = Program::new("sendmail").args(["--version"]).run().success();
    assert_eq!(
        said,
        format!("sendmail (smtplib {})\n", env!("CARGO_PKG_VERSION"))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_told_how_to_end() {
    let peer = Server::new().script().listen();
    let Some(mut terminal) = Terminal::new() else {
        return;
    };
    terminal.press("Subject: Hi\n\nHi!\n\x04");
    let program = sendmail(&plain_url(&peer)).args(["-v", "ben@example.org"]);
    let ended = program.stdin_from(&terminal).run();
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (0, TAKEN),
        "{ended:?}"
    );
    let hint = "sendmail: reading from the terminal; end with Ctrl-D on a line of its own\n";
    assert!(ended.stderr.starts_with(hint), "{}", ended.stderr);
    assert!(ended.stderr.contains("\nC: MAIL FROM:<ann@example.org>\n"));
    assert_eq!(
        peer.finish().body(0).message(),
        b"Subject: Hi\r\n\r\nHi!\r\n"
    );
}
