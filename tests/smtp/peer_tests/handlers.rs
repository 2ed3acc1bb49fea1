//! Peers that run a function.
use crate::peer::{Peer, Script, Server};
use crate::peer_tests::{Client, pause};
use std::io::Write;
use std::thread;
use std::time::Duration;

#[test]
fn handler_reads_and_replies_on_each_connection() {
    let mut greeted = 0;
    let peer = Peer::serve(move |conn| {
        greeted += 1;
        conn.reply(&format!("220 number {greeted}"))?;
        conn.expect("DATA")?;
        conn.reply("354 go")?;
        assert_eq!(conn.read_data()?, b".x\r\n");
        conn.write(b"250 o")?;
        conn.pause(Duration::from_millis(1))?;
        conn.write(b"k\r\n")?;
        assert_eq!(conn.read_bdat()?, (b"y".to_vec(), true));
        assert_eq!(conn.read_octets(2)?, b"zz");
        conn.expect_silence(Duration::from_millis(5))?;
        conn.finish_sending();
        conn.expect_close()
    });
    for n in 1..=2 {
        let mut client = Client::connect(&peer);
        client.expect(&format!("220 number {n}\r\n"));
        client.send("DATA\r\n");
        client.expect("354 go\r\n");
        client.send("..x\r\n.\r\n");
        client.expect("250 ok\r\n");
        client.send("BDAT 1 LAST\r\nyzz");
        client.expect_eof();
    }
    let exchanged = peer.finish();
    assert_eq!(exchanged.sessions.len(), 2);
    assert_eq!(exchanged.bodies(), 4);
}

#[test]
fn failure_of_a_handler_is_that_of_the_peer() {
    let peer = Peer::serve(|conn| conn.expect("EHLO a"));
    Client::connect(&peer).send("HELO a\r\n");
    pause();
    let failure = peer.outcome().unwrap_err();
    let why = "the dialog broke on connection 1: expected \"EHLO a\", got \"HELO a\"\n\
               exchanged on connection 1:\n    C: HELO a\n";
    assert!(failure.starts_with(why), "{failure}");
}

#[test]
fn panic_of_a_handler_is_a_failure() {
    let peer = Peer::serve(|conn| {
        assert_eq!(conn.read_line()?, "HELO a", "the greeting");
        Ok(())
    });
    Client::connect(&peer).send("EHLO a\r\n");
    pause();
    let failure = peer.outcome().unwrap_err();
    assert!(failure.contains("the greeting"), "{failure}");
    assert!(failure.contains("    C: EHLO a\n"), "{failure}");
}

#[test]
fn handler_without_a_connection_is_content() {
    let start = std::time::Instant::now();
    assert_eq!(Peer::serve(|_| Ok(())).finish().sessions.len(), 0);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn handler_speaks_tls_from_the_first_octet() {
    let peer = Script::handler(|conn| conn.expect("x")).listen_tls();
    let mut client = Client::connect(&peer).secure();
    client.send("x\r\n");
    client.expect_eof();
    assert_eq!(peer.finish().commands(), ["x"]);
}

#[test]
fn server_takes_messages_and_follows_its_rules() {
    let peer = Server::new()
        .offer("SIZE 100")
        .offer("AUTH PLAIN")
        .on("RCPT TO:<bad@", "550 5.1.1 no")
        .on("HELP", "214-a\r\n214 b")
        .script()
        .listen();
    let mut client = Client::connect(&peer);
    client.expect("220 mx.example.org\r\n");
    for (command, reply) in [
        (
            "EHLO a",
            "250-mx.example.org\r\n250-SIZE 100\r\n250 AUTH PLAIN",
        ),
        ("AUTH PLAIN AGEAYg==", "235 2.7.0 welcome"),
        ("STARTTLS", "502 5.5.1 not known here"),
        ("HELP", "214-a\r\n214 b"),
        ("MAIL FROM:<a@b>", "250 2.0.0 ok"),
        ("RCPT TO:<bad@c>", "550 5.1.1 no"),
        ("DATA", "554 5.5.1 no valid recipients"),
        ("RCPT TO:<c@d>", "250 2.1.5 ok"),
        ("DATA", "354 go ahead"),
        ("a\r\n.", "250 2.0.0 taken"),
        ("BDAT 1\r\nx", "554 5.5.1 no valid recipients"),
        ("NOOP", "250 2.0.0 ok"),
        ("QUIT", "221 2.0.0 bye"),
    ] {
        client.send(format!(
            "{command}{}",
            if command.contains('x') { "" } else { "\r\n" }
        ));
        client.expect(&format!("{reply}\r\n"));
    }
    client.expect_eof();
    assert_eq!(peer.finish().body(0).message(), b"a\r\n");
}

#[test]
fn server_answers_for_each_recipient_of_lmtp() {
    let peer = Server::new().on(".", "452 full").script().listen();
    let mut client = Client::connect(&peer);
    client.send("LHLO a\r\nMAIL\r\nRCPT\r\nRCPT\r\nBDAT 1\r\nxBDAT 1 LAST\r\ny");
    client.expect("220 mx.example.org\r\n250 mx.example.org\r\n250 2.0.0 ok\r\n");
    client.expect("250 2.1.5 ok\r\n250 2.1.5 ok\r\n250 2.0.0 go on\r\n452 full\r\n452 full\r\n");
    drop(client);
    peer.finish();
}

#[test]
fn server_starts_tls() {
    let peer = Server::new().offer("STARTTLS").script().listen();
    let mut client = Client::connect(&peer);
    client.send("STARTTLS\r\n");
    client.expect("220 mx.example.org\r\n220 2.0.0 go ahead\r\n");
    let mut client = client.secure();
    client.send("EHLO a\r\n");
    client.expect("250-mx.example.org\r\n250 STARTTLS\r\n");
    drop(client);
    assert_eq!(peer.finish().commands(), ["STARTTLS", "EHLO a"]);
}

#[test]
fn server_that_drains_answers_nothing_before_everything_is_read() {
    let server = Server::new().answer_after_drain();
    let peer = server.script().recv_buffer(4096).listen();
    let mut client = Client::connect(&peer);
    let mut half = client.stream.try_clone().unwrap();
    let writer = thread::spawn(move || half.write_all(&b"NOOP\r\n".repeat(2000)).unwrap());
    client.expect("220 mx.example.org\r\n");
    writer.join().unwrap();
    client.expect(&"250 2.0.0 ok\r\n".repeat(2000));
    drop(client);
    let exchanged = peer.finish();
    assert_eq!(exchanged.commands().len(), 2000);
    // The record shows the order: everything from the client comes before the first reply to it.
    let record = exchanged.to_string();
    let last_command = record.rfind("    C: NOOP").unwrap();
    assert!(
        last_command < record.find("    S: 250").unwrap(),
        "{record}"
    );
}
