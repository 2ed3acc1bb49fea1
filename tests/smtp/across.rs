//! Messages that follow each other on one connection: limits, losses, small buffers and TLS.
use crate::batch::{message, told};
use crate::peer::{Script, Server, TestCa};
use crate::support::own::Answering;
use crate::support::sending::{
    config, connect, connect_tls, facts, fates_in, listen, script, send_hi, session, taken,
};
use crate::support::session::config_for;
use smtplib::connection::{Consignment, Transport};
use smtplib::{Attachment, Envelope, Mailer, Message, SmtpConnection};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// This many messages to Ann.
fn to_ann(count: usize) -> impl Iterator<Item = Consignment<'static>> {
    (1..=count).map(|number| message(number, &["ann@example.org"]))
}

/// Sends these, and returns each result as one line.
fn sent<'a>(
    smtp: &mut SmtpConnection,
    messages: impl IntoIterator<Item = Consignment<'a>>,
) -> Vec<String> {
    smtp.send_all(messages)
        .map(|result| told(&result))
        .collect()
}

/// The envelope of a message to Ann, in one segment with what is before it.
const ENVELOPE: &str = "
    C: MAIL FROM:<me@client.example>
    C: RCPT TO:<ann@example.org>
    C: DATA
    ";

// RFC 9422: a batch has no more messages and recipients than the server allows.
#[test]
fn limits_are_obeyed_in_a_batch() {
    let server = Server::new().offer("PIPELINING");
    let peer = server.offer("LIMITS RCPTMAX=2 MAILMAX=3").script().listen();
    let mut smtp = connect(&peer);
    let three = ["ann@example.org", "bob@example.org", "cyd@example.org"];
    let batch = [
        message(1, &three),
        message(2, &["dan@example.org"]),
        message(3, &["eve@example.org"]),
    ];
    let accepted = |name: &str| format!("{name}@example.org Accepted 250 2.0.0 taken");
    assert_eq!(
        sent(&mut smtp, batch),
        [
            ["ann", "bob", "cyd"].map(accepted).join(", "),
            accepted("dan"),
            "not delivered, transient, closed".to_owned(),
        ]
    );
    assert!(!smtp.is_reusable());
    drop(smtp);
    let commands = peer.finish().commands().join(" ");
    let recipients = commands
        .split("MAIL")
        .map(|part| part.matches("RCPT").count());
    assert_eq!(recipients.collect::<Vec<_>>(), [0, 2, 1, 1]);
}

// 5321-55: recipients for which there was no room get the message later, and the outcome is one.
#[test]
fn crowded_recipients_are_accepted_later() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 452 4.5.3 too many
        C: DATA
        S: 354 go
        Cdata 3
        S: 250 for ann
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 3
        S: 250 for bob
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<cyd@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 3
        S: 250 for cyd
        ",
    );
    let mut smtp = connect(&peer);
    let batch = [
        message(1, &["ann@example.org", "bob@example.org"]),
        message(2, &["cyd@example.org"]),
    ];
    assert_eq!(
        sent(&mut smtp, batch),
        [
            "ann@example.org Accepted 250 for ann, bob@example.org Accepted 250 for bob",
            "cyd@example.org Accepted 250 for cyd",
        ]
    );
    peer.finish();
}

// A server that refuses RSET may still be in the middle of something: nothing more is sent.
#[test]
fn a_refused_reset_ends_a_batch() {
    let peer = listen(
        &["PIPELINING"],
        &format!(
            "
            Cgroup{ENVELOPE}
            S: 250 ok
            S: 250 ok
            S: 354 go
            Cgroup
            C| 1
            C| .
            C: RSET{ENVELOPE}
            S: 250 first
            S: 502 what?
            S: 250 ok
            S: 250 ok
            S: 354 go
            Cclose
            "
        ),
    );
    let mut smtp = connect(&peer);
    assert_eq!(
        sent(&mut smtp, to_ann(3)),
        [
            "ann@example.org Accepted 250 first",
            "not delivered, transient, closed, 502, at RSET",
            "not delivered, transient, closed",
        ]
    );
    peer.finish();
}

// L1: the server hangs up behind an answered message. The end of the next one was not sent.
#[test]
fn an_end_behind_an_answered_message() {
    for end in ["EOF\nCignore", "RST", "S: 421 4.3.2 bye\nEOF\nCignore"] {
        let peer = listen(
            &["PIPELINING"],
            &format!(
                "
                Cgroup{ENVELOPE}
                S: 250 ok
                S: 250 ok
                S: 354 go
                C| 1
                C| .
                ahead
                S: 250 first
                {end}
                "
            ),
        );
        let mut smtp = connect(&peer);
        let results = sent(&mut smtp, to_ann(3));
        assert_eq!(results[0], "ann@example.org Accepted 250 first", "{end}");
        for result in &results[1..] {
            assert!(
                result.starts_with("not delivered, transient, closed"),
                "{end}: {result}"
            );
        }
        assert!(!smtp.is_reusable());
        drop(smtp);
        peer.finish();
    }
}

// A switched-off CHUNKING means DATA, for one message and for many.
#[test]
fn without_chunking_there_is_no_bdat() {
    let peer = Server::new()
        .offer("PIPELINING")
        .offer("CHUNKING")
        .script()
        .listen();
    let mut smtp = config(&peer).ignore(["chunking"]).connect().unwrap();
    for _ in 0..2 {
        taken(send_hi(&mut smtp, &["ann@example.org"]));
    }
    let results = smtp.send_all(to_ann(3));
    assert_eq!(results.filter(Result::is_ok).count(), 3);
    drop(smtp);
    let exchanged = peer.finish();
    let commands = exchanged.commands();
    assert!(!commands.iter().any(|command| command.starts_with("BDAT")));
    assert_eq!(commands.iter().filter(|line| **line == "DATA").count(), 5);
}

// V4: a server that reads on only when its reply was written, with long replies and small buffers.
// Neither side waits for the other to read.
#[test]
fn a_batch_fits_through_small_buffers() {
    const COUNT: usize = 4000;
    let long = format!("250 {}", "x".repeat(2000));
    for offers in [&["PIPELINING"][..], &["PIPELINING", "CHUNKING"]] {
        let server = offers.iter().fold(Server::new(), |s, o| s.offer(o));
        let server = ["RSET", "MAIL"]
            .iter()
            .fold(server, |s, verb| s.on(verb, &long));
        let peer = server.script().recv_buffer(4096).listen();
        let stream = TcpStream::connect(peer.addr()).unwrap();
        let socket = SockRef::from(&stream);
        socket.set_recv_buffer_size(32 * 1024).unwrap();
        socket.set_send_buffer_size(16 * 1024).unwrap();
        let mut smtp = SmtpConnection::from_tcp_stream(stream, &config(&peer)).unwrap();
        assert_eq!(
            smtp.send_all(to_ann(COUNT)).filter(Result::is_ok).count(),
            COUNT
        );
        drop(smtp);
        assert_eq!(peer.finish().bodies(), COUNT);
    }
}

// A refused chunk stops the rest, with the next one on its way, too.
#[test]
fn a_refused_chunk_with_others_behind_it() {
    let dialog = "
        Cgroup
        C: MAIL FROM:<>
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        S: 250 ok
        Cbdat
        ahead
        S: 552 5.3.4 too much
        Cignore
        ";
    let peer = listen(&["PIPELINING", "CHUNKING"], dialog);
    let mut smtp = connect(&peer);
    let envelope = Envelope::new(None, ["ann@example.org".parse().unwrap()]);
    let long = "a line of a long message\r\n".repeat(100_000);
    let error = smtp.send(&envelope, long.as_bytes()).unwrap_err();
    assert!(
        facts(&error).starts_with("not delivered, permanent, "),
        "{error}"
    );
    assert_eq!(error.code().unwrap(), 552);
    assert!(!smtp.is_reusable());
    drop(smtp);
    peer.finish();
}

// What goes together goes in one TLS record: a read of a TLS connection returns no more than one.
#[test]
fn a_flight_is_one_record() {
    let peer = script(
        &["PIPELINING"],
        &format!(
            "
            Cgroup{ENVELOPE}
            S: 250 ok
            S: 250 ok
            S: 354 go
            Cgroup
            C| 1
            C| .
            C: RSET{ENVELOPE}
            S: 250 first
            S: 250 ok
            S: 250 ok
            S: 250 ok
            S: 354 go
            Cgroup
            C| 2
            C| .
            S: 250 second
            "
        ),
    )
    .listen_tls();
    let mut smtp = connect_tls(&peer);
    assert_eq!(
        sent(&mut smtp, to_ann(2)),
        [
            "ann@example.org Accepted 250 first",
            "ann@example.org Accepted 250 second",
        ]
    );
    drop(smtp);
    peer.finish();
}

// What was learnt before TLS is forgotten: the first message after it waits for its recipients.
#[test]
fn after_starttls_the_recipients_come_first_again() {
    let offers = ["PIPELINING", "CHUNKING"];
    let dialog = "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        S: 250 ok
        Cbdat LAST
        S: 250 first
        C: STARTTLS
        S: 220 go ahead
        TLS
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250-PIPELINING
        S: 250 CHUNKING
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C-silence 20ms
        S: 250 ok
        S: 250 ok
        Cbdat LAST
        S: 250 second
        ";
    let peer = listen(&[&offers[..], &["STARTTLS"]].concat(), dialog);
    let config = config(&peer).tls_connector(TestCa::get().connector());
    let mut smtp = config.connect().unwrap();
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    smtp.starttls().unwrap();
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    drop(smtp);
    peer.finish();
}

/// A server in memory that takes this many octets and then no more. It refuses Bob, and says goodbye
/// after this many messages.
fn server_that_takes(octets: usize, most: usize) -> SmtpConnection {
    let (mut stored, mut is_refused) = (0, false);
    let answer = move |line: &str| {
        if stored == most {
            return if line == "RSET" { "421 enough\r\n" } else { "" }.to_owned();
        }
        let reply = match line.split([' ', ':']).next() {
            Some("EHLO") => "250-mx.example.org\r\n250-PIPELINING\r\n250 CHUNKING".to_owned(),
            Some("RSET" | "MAIL") => "250 ok".to_owned(),
            Some("RCPT") => {
                is_refused = line.contains("bob");
                let reply = if is_refused {
                    "450 greylisted"
                } else {
                    "250 ok"
                };
                reply.to_owned()
            }
            Some("BDAT") if is_refused => "554 nobody gets it".to_owned(),
            Some("Bye!") if !is_refused => {
                stored += 1;
                format!("250 stored as {stored}")
            }
            _ => return String::new(),
        };
        format!("{reply}\r\n")
    };
    let mut server = Answering::new("220 mx.example.org\r\n", answer);
    server.takes = octets;
    SmtpConnection::from_transport(server, &config_for("mail.example", 25)).unwrap()
}

// A message whose reply has arrived is not unknown, whatever happens to the messages behind it. A
// refusal is about its own recipient alone.
#[test]
fn replies_before_a_failed_write_belong_to_their_messages() {
    let text = format!("{}Bye!\r\n", "x\r\n".repeat(6_000));
    for takes in [30_000, 46_000, 70_000, 75_000, 130_000, 145_000] {
        let mut smtp = server_that_takes(takes, usize::MAX);
        let batch = (1..=12).map(|number| {
            let name = if number == 3 { "bob" } else { "ann" };
            let to = format!("{name}@example.org");
            let envelope = Envelope::parse("me@client.example", to.as_str()).unwrap();
            Consignment::from((envelope, text.clone()))
        });
        let mut results = sent(&mut smtp, batch);
        let whole = (takes - 100) / (text.len() + 100);
        if takes > 40_000 {
            assert_eq!(
                results.remove(2),
                "not delivered, transient, 450",
                "{takes}"
            );
        }
        let accepted = if whole > 2 { whole - 1 } else { whole };
        for (place, result) in results.iter().enumerate() {
            let expected = match place < accepted {
                true => format!("ann@example.org Accepted 250 stored as {}", place + 1),
                false => "not delivered, transient, closed".to_owned(),
            };
            assert!(
                result.starts_with(&expected),
                "message {place} behind {takes} octets: {result}"
            );
        }
    }
}

// 421 in the place of a reply to RSET or MAIL: the message behind it was not accepted.
#[test]
fn goodbye_before_a_failed_write_is_no_doubt() {
    let text = format!("{}Bye!\r\n", "x\r\n".repeat(6_000));
    let mut smtp = server_that_takes(60_000, 2);
    let batch = (1..=6).map(|_| {
        let envelope = Envelope::parse("me@client.example", "ann@example.org").unwrap();
        Consignment::from((envelope, text.clone()))
    });
    let results = sent(&mut smtp, batch);
    assert_eq!(results[1], "ann@example.org Accepted 250 stored as 2");
    assert_eq!(results[2], "not delivered, transient, closed, 421, at RSET");
    assert_eq!(
        results[3],
        "not delivered, transient, closed, 421, at the message"
    );
}

// A source that cannot be read costs its own message, and not those that are on their way.
#[test]
fn a_small_attachment_that_fails_hurts_nobody_else() {
    let mut smtp = server_that_takes(usize::MAX, usize::MAX);
    let small = |name: &str| {
        let message = Message::builder()
            .from("me@client.example")
            .to("ann@example.org");
        message
            .message_id(&format!("{name}@client.example"))
            .text("Bye!\r\n")
    };
    let fails = || Err(io::Error::other("the disk is gone"));
    let broken = Attachment::streamed("a.bin", 5, move || -> io::Result<&[u8]> { fails() });
    let messages = [
        small("1").build().unwrap(),
        small("2").build().unwrap(),
        small("3").attach(broken).build().unwrap(),
        small("4").build().unwrap(),
    ];
    let results: Vec<String> = smtp
        .send_all(&messages)
        .map(|result| told(&result))
        .collect();
    assert_eq!(
        results,
        [
            "ann@example.org Accepted 250 stored as 1",
            "ann@example.org Accepted 250 stored as 2",
            "not delivered",
            "ann@example.org Accepted 250 stored as 3",
        ]
    );
}

// A message that is sent in two transactions stands behind the next one. The failure is that of the
// message which was being written.
#[test]
fn a_source_that_fails_is_the_end_of_its_own_message() {
    let peer = listen(
        &["PIPELINING"],
        "
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: RCPT TO:<bob@example.org>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 452 too many
        S: 354 go
        C| 1
        C| .
        C: RSET
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 taken
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        Cignore
        ",
    );
    let open = || -> io::Result<&[u8]> { Err(io::Error::other("the disk is gone")) };
    let broken = Message::builder()
        .from("me@client.example")
        .to("ann@example.org")
        .attach(Attachment::streamed("a.bin", 100_000, open))
        .build()
        .unwrap();
    let two = ["ann@example.org", "bob@example.org"];
    let mut smtp = connect(&peer);
    let batch = [message(1, &two), Consignment::from(&broken)];
    let results: Vec<_> = smtp.send_all(batch).collect();
    assert_eq!(
        told(&results[0]),
        "ann@example.org Accepted 250 taken, bob@example.org NotSent -"
    );
    let error = results[1].as_ref().unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert!(!error.is_transient());
    peer.finish();
}

// RFC 9422: the server allows no other transaction, so the second recipient was not refused.
#[test]
fn not_all_are_refused_if_one_was_not_tried() {
    let peer = listen(
        &["LIMITS RCPTMAX=1 MAILMAX=1"],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 550 no such user
        ",
    );
    let mut smtp = connect(&peer);
    let error = send_hi(&mut smtp, &["ann@example.org", "bob@example.org"]).unwrap_err();
    assert_eq!(
        fates_in(&error),
        [
            "ann@example.org Refused 550 no such user",
            "bob@example.org NotSent -"
        ]
    );
    assert_eq!(facts(&error), "not delivered, transient, closed, 550");
    drop(smtp);
    peer.finish();
}

// What is finished is sent before an iterator is asked that may wait, and its time is nobody's.
#[test]
fn a_channel_keeps_no_message_back() {
    for offers in ["250 PIPELINING", "250-PIPELINING\r\n250 CHUNKING"] {
        let (stored, is_stored) = mpsc::channel();
        let answer = move |line: &str| {
            let reply = match line.split([' ', ':']).next() {
                Some("EHLO") => format!("250-mx.example.org\r\n{offers}"),
                Some("RSET" | "MAIL" | "RCPT") => "250 ok".to_owned(),
                Some("DATA") => "354 go".to_owned(),
                Some("BDAT" | ".") => {
                    stored.send(()).unwrap();
                    "250 taken".to_owned()
                }
                _ => return String::new(),
            };
            format!("{reply}\r\n")
        };
        let server = Answering::new("220 mx.example.org\r\n", answer);
        let config = config_for("mail.example", 25);
        let mut smtp = SmtpConnection::from_transport(server, &config).unwrap();
        let (hand, messages) = mpsc::channel();
        let program = thread::spawn(move || {
            for number in 1..=3 {
                hand.send(message(number, &["ann@example.org"])).unwrap();
                let is_stored = is_stored.recv_timeout(Duration::from_secs(5));
                assert!(is_stored.is_ok(), "message {number} waits for the next one");
            }
        });
        let results = sent(&mut smtp, messages);
        assert_eq!(results, ["ann@example.org Accepted 250 taken"; 3]);
        program.join().unwrap();
    }
}

#[test]
fn the_time_of_an_iterator_is_not_that_of_a_message() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S~50ms: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        C| 1
        C| .
        S: 250 taken
        ",
    );
    let config = config(&peer).deadline(Duration::from_secs(2));
    let mut smtp = config.connect().unwrap();
    let slowly = to_ann(1).inspect(|_| thread::sleep(Duration::from_millis(2200)));
    let results = sent(&mut smtp, slowly);
    assert_eq!(results, ["ann@example.org Accepted 250 taken"]);
    drop(smtp);
    peer.finish();
}

// While an iterator waits, the server ends the connection. A message that would go with its envelope
// is not sent there.
#[test]
fn a_connection_that_ended_while_an_iterator_waited() {
    let peer = listen(
        &["PIPELINING", "CHUNKING"],
        "
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        S: 250 ok
        Craw: BDAT 3 LAST\\r\\n1\\r\\n
        C: RSET
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        S: 250 taken
        S: 250 ok
        S: 250 ok
        S: 250 ok
        Craw: BDAT 3 LAST\\r\\n2\\r\\n
        S: 250 taken
        EOF
        ",
    );
    let mut smtp = connect(&peer);
    let mut number = 0;
    // It promises nothing, so the second message leaves before the pause.
    let slowly = to_ann(3).filter(|_| {
        number += 1;
        if number == 3 {
            thread::sleep(Duration::from_millis(1500));
        }
        true
    });
    let accepted = "ann@example.org Accepted 250 taken";
    assert_eq!(
        sent(&mut smtp, slowly),
        [accepted, accepted, "not delivered, transient, closed"]
    );
    peer.finish();
}

// The same while the caller pauses between two results.
#[test]
fn a_connection_that_ended_while_the_caller_paused() {
    let one = "
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        S: 250 ok
        Craw: BDAT 3 LAST\\r\\n1\\r\\n
        S: 250 taken
        EOF
        Cignore
        ";
    let other = session(
        &[],
        &format!("{}C: QUIT\nCclose\n", crate::mailer::message("250 taken")),
    );
    let paused = |number| {
        if number > 0 {
            thread::sleep(Duration::from_millis(1500));
        }
    };
    let offers = ["PIPELINING", "CHUNKING"];
    let accepted = "ann@example.org Accepted 250 taken";

    let peer = listen(&offers, one);
    let mut smtp = connect(&peer);
    let mut all = smtp.send_all(to_ann(2)).one_by_one(true);
    let results = [0, 1].map(|number| {
        paused(number);
        told(&all.next().unwrap())
    });
    assert_eq!(results, [accepted, "not delivered, transient, closed"]);
    peer.finish();

    let peer = Script::sessions([session(&offers, one), other]).listen();
    let mailer = Mailer::new(config(&peer));
    let mut all = mailer.send_all(to_ann(2)).one_by_one(true);
    let results = [0, 1].map(|number| {
        paused(number);
        told(&all.next().unwrap())
    });
    assert_eq!(results, [accepted; 2]);
    drop((all, mailer));
    peer.finish();
}

/// A server in memory that goes away when the test says so.
struct Leaving<T>(T, Arc<AtomicBool>);

impl<T: Read> Read for Leaving<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(_) if self.1.load(Ordering::SeqCst) => Ok(0),
            read => read,
        }
    }
}

impl<T: Write> Write for Leaving<T> {
    /// The network takes what is sent to a server that is gone.
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.1.load(Ordering::SeqCst) {
            true => Ok(octets.len()),
            false => self.0.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<T: Transport> Transport for Leaving<T> {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.0.set_deadline(deadline)
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.0.set_nonblocking(yes)
    }
}

// A message that waits in memory while the caller pauses is not sent to a server that has gone.
#[test]
fn what_waits_in_memory_during_a_pause_is_not_unknown() {
    let stored = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&stored);
    let answer = move |line: &str| {
        let reply = match line.split([' ', ':']).next() {
            Some("EHLO") => "250-mx.example.org\r\n250-PIPELINING\r\n250 CHUNKING",
            Some("RSET" | "MAIL" | "RCPT") => "250 ok",
            Some("Bye!") => {
                count.fetch_add(1, Ordering::SeqCst);
                "250 taken"
            }
            _ => return String::new(),
        };
        format!("{reply}\r\n")
    };
    let is_gone = Arc::new(AtomicBool::new(false));
    let server = Answering::new("220 mx.example.org\r\n", answer);
    let server = Leaving(server, Arc::clone(&is_gone));
    let config = config_for("mail.example", 25);
    let mut smtp = SmtpConnection::from_transport(server, &config).unwrap();
    let text = format!("{}Bye!\r\n", "x\r\n".repeat(6_000));
    let pulled = AtomicUsize::new(0);
    let list = (0..300).map(|_| {
        pulled.fetch_add(1, Ordering::SeqCst);
        let envelope = Envelope::parse("me@client.example", "ann@example.org").unwrap();
        Consignment::from((envelope, text.clone()))
    });
    let mut all = smtp.send_all(list);
    let is_waiting = || stored.load(Ordering::SeqCst) < pulled.load(Ordering::SeqCst);
    assert!(all.by_ref().take(10).all(|result| result.is_ok()));
    while !is_waiting() {
        assert!(all.next().unwrap().is_ok());
    }
    is_gone.store(true, Ordering::SeqCst);
    thread::sleep(Duration::from_millis(1100));
    for (number, result) in all.enumerate() {
        let told = told(&result);
        assert!(!told.starts_with("unknown"), "{number}: {told}");
    }
}
