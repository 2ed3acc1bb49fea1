//! Many messages on one connection: what is sent together, and what each result says.
use crate::peer::{Script, Server};
use crate::support::sending::{connect, facts, fates, listen, lmtp, lmtp_session, send_hi, taken};
use smtplib::connection::Consignment;
use smtplib::{Address, Delivery, Envelope, Error, Outcome};

/// A message of one line, with its number, to these recipients.
pub(crate) fn message(number: usize, to: &[&str]) -> Consignment<'static> {
    let from: Address = "me@client.example".parse().unwrap();
    let to = to.iter().map(|to| to.parse().unwrap());
    (Envelope::new(from, to), format!("{number}\r\n")).into()
}

/// This many messages to Ann.
fn messages(count: usize) -> Vec<Consignment<'static>> {
    (1..=count)
        .map(|number| message(number, &["ann@example.org"]))
        .collect()
}

/// A result as one line.
pub(crate) fn told(result: &Result<Outcome, Error>) -> String {
    match result {
        Ok(outcome) => fates(outcome).join(", "),
        Err(error) => facts(error),
    }
}

// 2920-01, 2920-07: the end of a message and the next envelope are sent together, with RSET between
// them.
#[test]
fn the_next_envelope_goes_with_the_end_of_a_message() {
    let peer = listen(
        &["PIPELINING"],
        "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        Cgroup
        C| 1
        C| .
        C: RSET
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 first
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        C| 2
        C| .
        S: 250 second
        ",
    );
    let mut smtp = connect(&peer);
    let results: Vec<String> = smtp.send_all(messages(2)).map(|r| told(&r)).collect();
    assert_eq!(
        results,
        [
            "ann@example.org Accepted 250 first",
            "ann@example.org Accepted 250 second"
        ]
    );
    assert!(smtp.is_reusable());
    drop(smtp);
    peer.finish();
}

// 3030-01, 2920-07: once a message was accepted, all the others are one flight.
#[test]
fn chunks_stream_behind_the_first_message() {
    let peer = listen(
        &["PIPELINING", "CHUNKING"],
        r"
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        S: 250 ok
        Cbdat LAST
        ahead
        S: 250 first
        C: RSET
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        S: 250 ok
        S: 250 ok
        Cbdat LAST
        S: 250 second
        C: RSET
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        Cbdat LAST
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 250 third
        C: RSET
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        Cbdat LAST
        C-silence 20ms
        S: 250 ok
        S: 550 no ann
        S: 503 nobody
        S: 503 nobody
        ",
    );
    let mut smtp = connect(&peer);
    let results: Vec<String> = smtp.send_all(messages(4)).map(|r| told(&r)).collect();
    assert_eq!(results[0], "ann@example.org Accepted 250 first");
    assert_eq!(results[1], "ann@example.org Accepted 250 second");
    assert_eq!(results[2], "ann@example.org Accepted 250 third");
    assert_eq!(results[3], "not delivered, permanent, 550, at MAIL");
    drop(smtp);
    peer.finish();
}

// 3030-01: on a connection that has accepted a message, the next one is a single flight.
#[test]
fn a_later_message_is_one_flight() {
    let peer = listen(
        &["PIPELINING", "CHUNKING"],
        "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        S: 250 ok
        Cbdat LAST
        S: 250 first
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        Craw: BDAT 5 LAST\\r\\nHi!\\r\\n
        S: 250 ok
        S: 250 ok
        S: 250 second
        ",
    );
    let mut smtp = connect(&peer);
    for _ in 0..2 {
        taken(smtp.sendmail("me@client.example", ["ann@example.org"], "Hi!\n"));
    }
    drop(smtp);
    peer.finish();
}

// 3030-02: line ends become CRLF in chunks, too, and dots are not doubled.
#[test]
fn a_chunk_has_the_lines_of_the_message() {
    let peer = listen(
        &["CHUNKING", "SIZE"],
        "
        C: MAIL FROM:<me@client.example> SIZE=13
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        Craw: BDAT 13 LAST\\r\\n.a\\r\\n..\\r\\nb\\r\\n\\r\\n
        S: 250 taken
        ",
    );
    let mut smtp = connect(&peer);
    taken(smtp.sendmail("me@client.example", ["ann@example.org"], ".a\n..\rb\r\n\r"));
    drop(smtp);
    peer.finish();
}

/// A message of unknown length, longer than what is read before MAIL.
fn long() -> String {
    "a line of a long message\r\n".repeat(30_000)
}

// 3030-01: a message of unknown length is sent in chunks, and the last one is marked.
#[test]
fn a_reader_goes_in_chunks() {
    let peer = Server::new()
        .offer("PIPELINING")
        .offer("CHUNKING")
        .script()
        .listen();
    let mut smtp = connect(&peer);
    let envelope = Envelope::new(None, ["ann@example.org".parse().unwrap()]);
    taken(smtp.send(&envelope, long().as_bytes()));
    taken(smtp.send(&envelope, "short\n".as_bytes()));
    drop(smtp);
    let exchanged = peer.finish();
    let chunks = (0..exchanged.bodies() - 1).map(|n| exchanged.body(n).message());
    assert_eq!(chunks.collect::<Vec<_>>().concat(), long().as_bytes());
    let chunks: Vec<&str> = exchanged
        .commands()
        .into_iter()
        .filter(|command| command.starts_with("BDAT"))
        .collect();
    assert!(chunks.len() > 3, "{chunks:?}");
    let size = |chunk: &str| chunk.split(' ').nth(1)?.parse().ok();
    for chunk in chunks.iter().filter(|chunk| !chunk.ends_with(" LAST")) {
        let size: usize = size(chunk).unwrap();
        assert!((64 << 10..=1 << 20).contains(&size), "{chunk}");
    }
    let is_last = |chunk: &&&str| chunk.ends_with(" LAST");
    assert_eq!(chunks.iter().filter(is_last).count(), 2, "{chunks:?}");
}

// 3030-03: a refused chunk stops the rest, and closes the connection.
#[test]
fn a_refused_chunk_stops_the_rest() {
    let peer = listen(
        &["CHUNKING"],
        "
        C: MAIL FROM:<>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        Cbdat
        S: 552 5.3.4 too much
        Cclose
        ",
    );
    let mut smtp = connect(&peer);
    let envelope = Envelope::new(None, ["ann@example.org".parse().unwrap()]);
    let error = smtp.send(&envelope, long().as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the message: 552 5.3.4 too much"
    );
    assert_eq!(error.delivery(), Delivery::NotDelivered);
    assert!(!smtp.is_reusable());
    peer.finish();
}

// LMTP in a batch: a result for each recipient of each message.
#[test]
fn lmtp_in_a_batch() {
    let peer = Script::new(&lmtp_session(
        &["PIPELINING"],
        "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: RCPT TO:<bob@example.org>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        Cgroup
        C| 1
        C| .
        C: RSET
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<bob@example.org>
        C: DATA
        S: 250 for ann
        S: 452 4.2.2 bob is full
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        C| 2
        C| .
        S: 250 for bob
        ",
    ))
    .listen();
    let mut smtp = lmtp(&peer);
    let batch = [
        message(1, &["ann@example.org", "bob@example.org"]),
        message(2, &["bob@example.org"]),
    ];
    let results: Vec<String> = smtp.send_all(batch).map(|r| told(&r)).collect();
    assert_eq!(
        results,
        [
            "ann@example.org Accepted 250 for ann, bob@example.org Refused 452 4.2.2 bob is full",
            "bob@example.org Accepted 250 for bob",
        ]
    );
    drop(smtp);
    peer.finish();
}

// F5: in LMTP a recipient that is listed twice is sent once and reported twice.
#[test]
fn lmtp_recipients_are_distinct() {
    let peer = Script::new(&lmtp_session(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata
        S: 250 for ann
        S: 250 for bob
        ",
    ))
    .listen();
    let mut smtp = lmtp(&peer);
    let twice = ["ann@example.org", "bob@example.org", "ann@example.org"];
    let outcome = smtp.sendmail("me@client.example", twice, "Hi!\n").unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 for ann",
            "bob@example.org Accepted 250 for bob",
            "ann@example.org Accepted 250 for ann",
        ]
    );
    drop(smtp);
    peer.finish();
}

// A server that drops what follows a message: the next one is certainly not delivered.
#[test]
fn silence_behind_an_answered_message() {
    let peer = listen(
        &["PIPELINING"],
        "
        Cgroup
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C| 1
        C| .
        ahead
        S: 250 first
        Cignore
        ",
    );
    let config = crate::support::sending::config(&peer).timeout(std::time::Duration::from_secs(1));
    let mut smtp = config.connect().unwrap();
    let results: Vec<String> = smtp.send_all(messages(3)).map(|r| told(&r)).collect();
    assert_eq!(
        results,
        [
            "ann@example.org Accepted 250 first",
            "not delivered, transient, timeout, closed, at RSET",
            "not delivered, transient, closed",
        ]
    );
    drop(smtp);
    peer.finish();
}

/// Two messages, the second behind the reply to the first.
pub(crate) const ONE_BY_ONE: &str = "
    Cgroup
    C: MAIL FROM:<me@client.example>
    C: RCPT TO:<ann@example.org>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C| 1
    C| .
    C-silence 20ms
    S: 250 first
    Cgroup
    C: MAIL FROM:<me@client.example>
    C: RCPT TO:<ann@example.org>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C| 2
    C| .
    S: 250 second
    ";

// The switch for such servers: nothing follows a message before its reply.
#[test]
fn one_by_one() {
    let peer = listen(&["PIPELINING"], ONE_BY_ONE);
    let mut smtp = connect(&peer);
    let results = smtp.send_all(messages(2)).one_by_one(true);
    assert_eq!(results.filter(Result::is_ok).count(), 2);
    drop(smtp);
    peer.finish();
}

// A message that cannot be sent has its result in its place, and affects no other.
#[test]
fn a_message_that_cannot_be_sent_is_a_result_in_its_place() {
    let peer = Server::new().offer("PIPELINING").script().listen();
    let mut smtp = connect(&peer);
    let envelope = || Envelope::new(None, ["ann@example.org".parse().unwrap()]);
    let batch: [Consignment<'_>; 4] = [
        (envelope(), "one\n").into(),
        (envelope(), "zw\u{f6}lf\n").into(),
        message(3, &[]),
        (envelope(), "four\n").into(),
    ];
    let results: Vec<String> = smtp.send_all(batch).map(|r| told(&r)).collect();
    assert_eq!(results[0], "ann@example.org Accepted 250 2.0.0 taken");
    assert_eq!(results[1], "not delivered, permanent");
    assert_eq!(results[2], "not delivered, permanent");
    assert_eq!(results[3], "ann@example.org Accepted 250 2.0.0 taken");
    drop(smtp);
    assert_eq!(peer.finish().bodies(), 2);
}

// After the end of a connection every message has a result, and the caller gets the rest back.
#[test]
fn the_rest_is_given_back() {
    let dialog = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata
        S: 250 first
        C: MAIL FROM:<me@client.example>
        S: 421 4.3.2 going down
        Cclose
        ";
    let peer = listen(&[], dialog);
    let mut smtp = connect(&peer);
    let results: Vec<String> = smtp.send_all(messages(4)).map(|r| told(&r)).collect();
    let closed = "not delivered, transient, closed";
    assert_eq!(
        results,
        [
            "ann@example.org Accepted 250 first",
            "not delivered, transient, closed, 421, at MAIL",
            closed,
            closed,
        ]
    );
    peer.finish();

    let peer = listen(&[], dialog);
    let mut smtp = connect(&peer);
    let mut results = smtp.send_all(messages(4));
    while !results.is_over() {
        assert!(results.next().is_some());
    }
    assert_eq!(results.into_rest().count(), 2);
    peer.finish();
}

// RFC 9422: no more messages and recipients than the server allows.
#[test]
fn limits_are_obeyed() {
    let server = Server::new().offer("PIPELINING");
    let peer = server.offer("LIMITS RCPTMAX=2 MAILMAX=3").script().listen();
    let mut smtp = connect(&peer);
    let five = [
        "a@x.example",
        "b@x.example",
        "c@x.example",
        "d@x.example",
        "e@x.example",
    ];
    let outcome = smtp.sendmail("me@client.example", five, "Hi!\n").unwrap();
    assert!(outcome.is_complete());
    assert_eq!(outcome.recipients().len(), 5);
    assert!(!smtp.is_reusable());
    let error = smtp
        .sendmail("me@client.example", ["a@x.example"], "Hi!\n")
        .unwrap_err();
    assert_eq!(facts(&error), "not delivered, transient, closed");
    let exchanged = peer.finish();
    assert_eq!(exchanged.bodies(), 3);
    assert_eq!(*exchanged.commands().last().unwrap(), "QUIT");
    let recipients = exchanged
        .commands()
        .join(" ")
        .split("MAIL")
        .map(|part| part.matches("RCPT").count())
        .collect::<Vec<_>>();
    assert_eq!(recipients, [0, 2, 2, 1]);
}

// A reader can be read only once, so it is sent in one transaction, whatever the limits are.
#[test]
fn a_reader_is_never_split() {
    let dialog = "
        C: MAIL FROM:<>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 452 4.5.3 too many
        C: DATA
        S: 354 go
        Cdata
        S: 250 taken
        ";
    for offers in [&["LIMITS RCPTMAX=1"][..], &[]] {
        let peer = listen(offers, dialog);
        let mut smtp = connect(&peer);
        let to = ["ann@example.org", "bob@example.org"].map(|to| to.parse().unwrap());
        let outcome = smtp
            .send(&Envelope::new(None, to), long().as_bytes())
            .unwrap();
        assert_eq!(
            fates(&outcome),
            [
                "ann@example.org Accepted 250 taken",
                "bob@example.org Refused 452 4.5.3 too many"
            ]
        );
        drop(smtp);
        peer.finish();
    }
}

// An error in the last of many recipients shows before the first gets the message.
#[test]
fn a_later_share_is_checked_before_the_first() {
    let peer = listen(&["LIMITS RCPTMAX=1"], "Cclose");
    let mut smtp = connect(&peer);
    let envelope = Envelope::new(None, ["ann@example.org".parse().unwrap()]).recipient(
        "bob@example.org".parse().unwrap(),
        ["NOTIFY=NEVER".parse().unwrap()],
    );
    let error = smtp.send(&envelope, "Hi!\n".as_bytes()).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
    drop(smtp);
    peer.finish();
}

// Recipients for which there was no room, in a batch: they are sent later, and reported in the same
// outcome.
#[test]
fn crowded_recipients_in_a_batch() {
    let server = Server::new()
        .offer("PIPELINING")
        .on("RCPT TO:<late@", "452 4.5.3 too many");
    let peer = server.script().listen();
    let mut smtp = connect(&peer);
    let batch = [
        message(1, &["ann@example.org", "late@example.org"]),
        message(2, &["bob@example.org"]),
    ];
    let results: Vec<String> = smtp.send_all(batch).map(|r| told(&r)).collect();
    assert_eq!(
        results,
        [
            "ann@example.org Accepted 250 2.0.0 taken, late@example.org Refused 452 4.5.3 too many",
            "bob@example.org Accepted 250 2.0.0 taken",
        ]
    );
    drop(smtp);
    // It was tried again alone, and refused again: that is the result.
    assert_eq!(
        peer.finish()
            .commands()
            .iter()
            .filter(|command| command.contains("late@"))
            .count(),
        2
    );
}

// E9: a reply before the end of a message is not the reply to it.
#[test]
fn an_early_answer_is_none() {
    let line = "a line of a long message\r\n".repeat(200_000);
    for (early, expected) in [
        ("250 ok", "not delivered"),
        ("554 5.7.1 no", "not delivered"),
    ] {
        let peer = listen(
            &[],
            &format!(
                "
                C: MAIL FROM:<me@client.example>
                S: 250 ok
                C: RCPT TO:<ann@example.org>
                S: 250 ok
                C: DATA
                S: 354 go
                Coctets 65536
                ahead
                S: {early}
                Cignore
                "
            ),
        );
        let mut smtp = connect(&peer);
        let error = smtp
            .sendmail("me@client.example", ["ann@example.org"], &line)
            .unwrap_err();
        assert!(facts(&error).starts_with(expected), "{error}");
        assert!(!smtp.is_reusable());
        drop(smtp);
        assert!(!peer.finish().clear().ends_with(b"\r\n.\r\n"));
    }
}

// The same for a transaction step by step.
#[test]
fn a_transaction_obeys_the_limit_of_messages() {
    let peer = Server::new().offer("LIMITS MAILMAX=1").script().listen();
    let mut smtp = connect(&peer);
    assert!(send_hi(&mut smtp, &["ann@example.org"]).is_ok());
    let error = smtp.mail("me@client.example").unwrap_err();
    assert_eq!(facts(&error), "not delivered, transient, closed");
    assert_eq!(*peer.finish().commands().last().unwrap(), "QUIT");
}
