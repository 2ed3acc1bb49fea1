#[cfg(target_os = "linux")]
use crate::peer::TestCa;
use crate::peer::{Peer, Refusing, Script, Server};
use crate::program::{Ended, Program, plain_url};
use std::fs;

/// The options that every call needs.
fn sendmail(url: &str) -> Program {
    Program::new("sendmail").args(["--url", url, "--from", "ann@example.org"])
}

/// A message for two recipients to a peer.
fn send_to(peer: &Peer) -> Ended {
    let recipients = ["ben@example.org", "cleo@example.org"];
    sendmail(&plain_url(peer))
        .args(recipients)
        .input("Subject: Hi\n\nHi!\n")
        .run()
}

/// A message to a peer that takes everything but says no as told.
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
fn a_file_arrives_as_it_is_and_nothing_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("message.eml");
    let message = "Subject: Dots\r\n\r\n.\r\n..two\r\nlast\r\n";
    fs::write(&file, message).unwrap();
    let peer = Server::new().offer("PIPELINING").script().listen();
    let ended = sendmail(&plain_url(&peer))
        .args(["--message".as_ref(), file.as_os_str()])
        .args(["ben@example.org", "cleo@example.org"])
        .run();
    assert_eq!(ended.success(), "");
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
    assert_eq!(ended.success(), "");
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
    assert_eq!(ended.success(), "");
    assert!(peer.finish().body(0).message() == message.as_bytes());
}

// Elsewhere than on Linux no environment variable names the roots.
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
        .run();
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""), "{ended:#?}");
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
        (&["ben@example.org"][..], "there is no sender: give --from"),
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
    assert_eq!(
        send_with_rule("RCPT TO:<cleo@", "550 5.1.1 who?").failure(67),
        "sendmail: cleo@example.org was refused: 550 5.1.1 who?\n"
    );
    let complaint = send_with_rule("RCPT", "550 5.1.1 who?").failure(67);
    assert!(
        complaint.ends_with(
            "sendmail: the server refused all recipients, first <ben@example.org>: 550 5.1.1 who?\n"
        ),
        "{complaint}"
    );
}

#[test]
fn status_68_is_a_name_that_cannot_be_looked_up() {
    // An empty label is in no name, so nobody is asked for it.
    let complaint = sendmail("smtp://a..b")
        .args(["ben@example.org"])
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
        "sendmail: ben@example.org may have been accepted: no answer came\n\
         sendmail: cleo@example.org may have been accepted: no answer came\n\
         sendmail: the server closed the connection without saying whether it took the message: sending again may duplicate it\n\
         sendmail: the message may have arrived: sending it again may duplicate it\n"
    );
}

#[test]
fn status_75_is_not_now() {
    assert_eq!(
        send_with_rule("RCPT TO:<cleo@", "452 4.2.2 full").failure(75),
        "sendmail: cleo@example.org was refused: 452 4.2.2 full (try again later)\n"
    );
    assert_eq!(
        send_with_rule("MAIL", "451 4.3.0 busy").failure(75),
        "sendmail: the server refused the sender: 451 4.3.0 busy\n"
    );
    let nobody = Refusing::new();
    let ended = sendmail(&format!("smtp://{}", nobody.addr()))
        .args(["ben@example.org"])
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
        "sendmail: the URL must begin with smtp://, smtps://, lmtp://, lmtps://, lmtp+unix://, maildir:// or sendmail://\n"
    );
    let peer = Server::new().script().listen();
    let ended = sendmail(&format!("smtp://{}", peer.addr()))
        .args(["ben@example.org"])
        .run();
    assert_eq!(
        ended.failure(78),
        format!(
            "sendmail: {} does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)\n",
            peer.addr()
        )
    );
}
