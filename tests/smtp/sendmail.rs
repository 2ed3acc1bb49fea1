//! `sendmail` from end to end, like Python's tests of it.
use crate::peer::{Script, Server};
use crate::support::sending::{connect, connect_tls, fates, listen, script, send_hi, taken};
use smtplib::{Address, Envelope, Error};

// 5321-40, 5321-48, dialog 1: each command once, in order, and the server's last reply is returned.
#[test]
fn a_message_from_end_to_end() {
    let peer = listen(
        &["SIZE 10240000", "8BITMIME", "HELP"],
        r"
        C: MAIL FROM:<me@client.example> SIZE=25
        S: 250 2.1.0 ok
        C: RCPT TO:<ann@example.org>
        S: 250 2.1.5 ok
        C: DATA
        S: 354 end with a dot
        C| Subject: Hi
        C| 
        C| Hi, Ann!
        C| .
        S: 250 2.0.0 ok: queued as 4RzT9
        C: QUIT
        S: 221 2.0.0 bye
        Cclose
        ",
    );
    let mut smtp = connect(&peer);
    let outcome = smtp
        .sendmail(
            "me@client.example",
            ["ann@example.org"],
            "Subject: Hi\n\nHi, Ann!",
        )
        .unwrap();
    assert!(outcome.is_complete());
    assert_eq!(outcome.reply().unwrap().text(), "2.0.0 ok: queued as 4RzT9");
    assert_eq!(outcome.reply().unwrap().enhanced().unwrap().class(), 2);
    assert_eq!(smtp.quit().unwrap().text(), "2.0.0 bye");
    peer.finish();
}

// Python's testSend and testSendBinary: text or bytes, owned or borrowed, and recipients of any
// kind.
#[test]
fn any_kind_of_text() {
    let peer = Server::new().offer("8BITMIME").script().listen();
    let mut smtp = connect(&peer);
    let to = vec![String::from("ann@example.org")];
    let owned = String::from("A test message\n");
    taken(smtp.sendmail("me@client.example", ["ann@example.org"], "A test message"));
    taken(smtp.sendmail("me@client.example", &to, &owned));
    taken(smtp.sendmail("me@client.example", to.clone(), owned.clone()));
    taken(smtp.sendmail("me@client.example", to.iter(), owned.as_bytes()));
    taken(smtp.sendmail("me@client.example", &to, b"A test message\r\n"));
    drop(smtp);
    let exchanged = peer.finish();
    assert_eq!(exchanged.bodies(), 5);
    for number in 0..5 {
        assert_eq!(exchanged.body(number).message(), b"A test message\r\n");
    }
}

// A8: one recipient as one text, and everything that can be iterated over.
#[test]
fn any_kind_of_recipients() {
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let to = vec![String::from("ann@example.org")];
    taken(smtp.sendmail("me@client.example", "ann@example.org", "x"));
    taken(smtp.sendmail("me@client.example", &to[0], "x"));
    taken(smtp.sendmail("me@client.example", to.iter().map(|to| to.trim()), "x"));
    taken(smtp.sendmail("me@client.example", Some("ann@example.org"), "x"));
    let address: Address = to[0].parse().unwrap();
    taken(smtp.sendmail("me@client.example", [&address], "x"));
    taken(smtp.sendmail("me@client.example", address, "x"));
    let envelope = Envelope::parse("", &to).unwrap();
    taken(smtp.send(&envelope, "x".as_bytes()));
    drop(smtp);
    let exchanged = peer.finish();
    let commands = exchanged.commands();
    assert_eq!(commands[commands.len() - 3], "MAIL FROM:<>");
    let recipients = commands.iter().filter(|c| c.starts_with("RCPT"));
    assert!(
        recipients
            .clone()
            .all(|c| *c == "RCPT TO:<ann@example.org>")
    );
    assert_eq!(recipients.count(), 7);
    let error = Envelope::parse("me@client.example", ["ann@example.org", "bob"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"bob\" is not an address: the address has no @"
    );
}

// 5321-67: the library adds nothing to the message and removes nothing. Its header belongs to the
// caller.
#[test]
fn the_message_is_the_callers() {
    let peer = Server::new().script().listen();
    let mut smtp = connect(&peer);
    let message = "to: nobody\r\nBcc: as given\r\n\r\n  From the start \r\n\r\n\r\n";
    taken(smtp.sendmail("me@client.example", ["ann@example.org"], message));
    drop(smtp);
    assert_eq!(peer.finish().body(0).message(), message.as_bytes());
}

// RFC 5321, 3.3: many messages on one connection, with and without PIPELINING, plain and within
// TLS.
#[test]
fn many_messages_on_one_connection() {
    for offer in ["PIPELINING", "HELP"] {
        for is_tls in [false, true] {
            let script = Server::new().offer(offer).script();
            let (peer, mut smtp);
            if is_tls {
                peer = script.listen_tls();
                smtp = connect_tls(&peer);
            } else {
                peer = script.listen();
                smtp = connect(&peer);
            }
            for number in 0..20 {
                let message = format!("number {number}\r\n");
                let outcome = smtp
                    .sendmail("me@client.example", ["ann@example.org"], &message)
                    .unwrap();
                assert_eq!(
                    fates(&outcome),
                    ["ann@example.org Accepted 250 2.0.0 taken"]
                );
            }
            assert!(smtp.quit().is_some());
            let exchanged = peer.finish();
            assert_eq!(exchanged.bodies(), 20);
            assert_eq!(exchanged.body(19).message(), b"number 19\r\n");
            assert_eq!(exchanged.commands().len(), 1 + 20 * 3 + 1);
        }
    }
}

// Over IPv6.
#[test]
fn over_ipv6() {
    let peer = Server::new().script().listen_v6();
    let mut smtp = connect(&peer);
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    drop(smtp);
    peer.finish();
}

// L2, dialog 58: whatever happens to QUIT, the message is delivered, and `quit` returns soon.
#[test]
fn what_becomes_of_quit_changes_nothing() {
    for end in [
        "S: 221",
        "Sraw: garbage\\xff\\r\\n",
        "S: 421 bye",
        "S: 500 what",
        "EOF",
        "RST",
    ] {
        let peer = script(
            &[],
            &format!(
                "
                C: MAIL FROM:<me@client.example>
                S: 250 ok
                C: RCPT TO:<ann@example.org>
                S: 250 ok
                C: DATA
                S: 354 go
                Cdata 5
                S: 250 taken
                C: QUIT
                {end}
                "
            ),
        )
        .listen();
        let mut smtp = connect(&peer);
        assert!(
            send_hi(&mut smtp, &["ann@example.org"])
                .unwrap()
                .is_complete()
        );
        let farewell = smtp.quit();
        let is_reply = end.starts_with("S: ");
        assert_eq!(farewell.is_some(), is_reply, "{end}");
        peer.finish();
    }
}

// Dialog 55: refused after the dot: code, enhanced code and text have the reason, and the next
// message is sent.
#[test]
fn refused_behind_the_dot() {
    let peer = Script::sessions([crate::support::sending::session(
        &["PIPELINING"],
        "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        Cdata 5
        S: 554-5.7.1 looks like spam
        S: 554 5.7.1 see https://example.org/
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        Cdata 5
        S: 250 taken
        ",
    )])
    .listen();
    let mut smtp = connect(&peer);
    let error = send_hi(&mut smtp, &["ann@example.org"]).unwrap_err();
    assert!(matches!(error, Error::DataRefused(_)));
    assert_eq!(
        error.to_string(),
        "the server refused the message: 554 5.7.1 looks like spam / see https://example.org/"
    );
    let reply = error.reply().unwrap();
    assert_eq!(reply.enhanced().unwrap().to_string(), "5.7.1");
    assert_eq!(error.code().unwrap().as_u16(), 554);
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    peer.finish();
}
