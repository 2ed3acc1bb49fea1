//! The outbox: what a test sees, and that scripted failures look like those of a server.
use super::message;
use crate::support::sending::{facts, fates, fates_in, taken};
use smtplib::config::Protocol;
use smtplib::connection::Consignment;
use smtplib::outbox::{Failure, Sent};
use smtplib::protocol::Notify;
use smtplib::{
    Address, Config, Delivery, Envelope, Error, Mailer, Message, Outbox, Outcome, SmtpConnection,
};
use std::thread;

fn connect(outbox: &Outbox) -> SmtpConnection {
    outbox.config().connect().unwrap()
}

fn send(smtp: &mut SmtpConnection, to: &[&str]) -> Result<Outcome, Error> {
    smtp.sendmail("alice@example.com", to, "Subject: Hi\n\nHi!\n")
}

/// Sends a message to Ben, and returns the result as one line.
fn told(smtp: &mut SmtpConnection) -> String {
    match send(smtp, &["ben@example.org"]) {
        Ok(outcome) => fates(&outcome).join(", "),
        Err(error) => facts(&error),
    }
}

const TAKEN: &str = "ben@example.org Accepted 250 2.0.0 accepted";

#[test]
fn a_message_is_there_as_a_server_would_have_got_it() {
    let outbox = Outbox::new();
    let mut smtp = connect(&outbox);
    let outcome = smtp.send_message(&message()).unwrap();
    assert!(outcome.is_complete());
    assert_eq!((outbox.len(), outbox.is_empty()), (1, false));
    let sent: Vec<Sent> = outbox.take();
    assert_eq!((outbox.len(), outbox.is_empty()), (0, true));
    let [sent] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(sent.subject(), "Größe");
    assert_eq!(
        sent.header("to").as_deref(),
        Some("ben@example.org, cleo@example.org")
    );
    assert_eq!(sent.header("Bcc"), None);
    assert_eq!(sent.sender().unwrap().to_string(), "alice@example.com");
    let recipients: Vec<String> = sent.recipients().map(ToString::to_string).collect();
    assert_eq!(recipients, ["ben@example.org", "cleo@example.org"]);
    assert_eq!(sent.envelope(), &message().envelope());
    assert!(
        sent.text().contains("Grüße\n.\n.. und Punkte\n"),
        "{}",
        sent.text()
    );
    assert!(
        sent.bytes()
            .ends_with("\r\n.\r\n.. und Punkte\r\n".as_bytes())
    );
    let parameters: Vec<String> = sent.parameters().iter().map(ToString::to_string).collect();
    let size = format!("SIZE={}", sent.bytes().len());
    assert_eq!(parameters, [size.as_str(), "BODY=8BITMIME"]);
}

#[test]
fn what_is_refused_is_refused_for_good() {
    let outbox = Outbox::new();
    outbox.refuse("ben@example.org", 550, "5.1.1 no such user");
    outbox.refuse("cleo@EXAMPLE.org", 450, "4.2.1 away");
    outbox.refuse("no address", 550, "never seen");
    let mut smtp = connect(&outbox);
    let to = ["ann@example.org", "ben@example.org", "cleo@example.org"];
    for _ in 0..2 {
        assert_eq!(
            fates(&send(&mut smtp, &to).unwrap()),
            [
                "ann@example.org Accepted 250 2.0.0 accepted",
                "ben@example.org Refused 550 5.1.1 no such user",
                "cleo@example.org Refused 450 4.2.1 away",
            ]
        );
    }
    let error = send(&mut smtp, &to[1..]).unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)), "{error:?}");
    assert_eq!(fates_in(&error).len(), 2);
    outbox.refuse("ben@example.org", 452, "4.2.2 full\nreally\r\n");
    let error = send(&mut smtp, &to[1..2]).unwrap_err();
    assert_eq!(
        fates_in(&error),
        ["ben@example.org Refused 452 4.2.2 full / really"]
    );
    let sent = outbox.take();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|sent| sent.recipients().count() == 1));

    outbox.refuse_sender("alice@example.com", 550, "5.1.8 not you");
    outbox.refuse_sender("", 550, "5.7.1 no bounces");
    let error = send(&mut smtp, &["ann@example.org"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the sender: 550 5.1.8 not you"
    );
    let error = smtp.sendmail("", ["ann@example.org"], "Hi!\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the sender: 550 5.7.1 no bounces"
    );
    assert!(
        smtp.sendmail("bob@example.com", ["ann@example.org"], "Hi!\n")
            .is_ok()
    );
}

/// Each failure on a new connection and on one that has sent a message, which works differently.
fn each_way(failure: impl Fn() -> Failure, expected: &[&str], kept: usize) {
    let ignored = [
        &[][..],
        &["CHUNKING"],
        &["PIPELINING"],
        &["CHUNKING", "PIPELINING"],
    ];
    for (ignored, before) in ignored.into_iter().flat_map(|it| [(it, 0), (it, 1)]) {
        let outbox = Outbox::new();
        let config = outbox.config().ignore(ignored.to_vec());
        let mut smtp = config.connect().unwrap();
        (0..before).for_each(|_| assert_eq!(told(&mut smtp), TAKEN));
        outbox.fail_next(failure());
        let shown = format!("{:?} without {ignored:?} behind {before}", failure());
        let told_by_error = told(&mut smtp);
        assert!(
            expected.contains(&told_by_error.as_str()),
            "{shown}: {told_by_error}"
        );
        assert_eq!(outbox.take().len(), before + kept, "{shown}");
        if smtp.is_reusable() {
            assert_eq!(told(&mut smtp), TAKEN, "{shown}");
        }
        assert_eq!(told(&mut config.connect().unwrap()), TAKEN, "{shown}");
    }
}

#[test]
fn the_next_message_fails_as_it_is_told() {
    each_way(
        || Failure::sender(450, "4.7.1 come back later"),
        &["not delivered, transient, 450, at MAIL"],
        0,
    );
    each_way(
        || Failure::sender(421, "4.3.2 going down"),
        &["not delivered, transient, closed, 421, at MAIL"],
        0,
    );
    each_way(
        || Failure::message(554, "5.7.1 spam"),
        &["not delivered, permanent, 554"],
        0,
    );
    each_way(
        Failure::lost_before_end,
        // The whole envelope was sent at once, so no command of it has a reply.
        &[
            "not delivered, transient, closed, at the message",
            "not delivered, transient, closed, at MAIL",
        ],
        0,
    );
    each_way(
        Failure::lost_after_end,
        &["unknown, closed, at the end of the message"],
        1,
    );
    each_way(
        Failure::timeout,
        &["unknown, timeout, closed, at the end of the message"],
        1,
    );
}

#[test]
fn a_server_that_refuses_to_connect() {
    let outbox = Outbox::new();
    outbox.fail_next(Failure::connect());
    let error = outbox.config().connect().unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not connect to localhost:25: connection refused"
    );
    assert_eq!(
        facts(&error),
        "not delivered, transient, closed, at the connection attempt"
    );
    let mut smtp = connect(&outbox);
    assert_eq!(told(&mut smtp), TAKEN);
    // A server that restarts closes its connections, too.
    outbox.fail_next(Failure::connect());
    assert!(!smtp.is_reusable());
    let error = send(&mut smtp, &["ben@example.org"]).unwrap_err();
    assert!(error.is_closed() && error.delivery() == Delivery::NotDelivered);
    assert!(outbox.config().connect().is_err());
    assert_eq!(told(&mut connect(&outbox)), TAKEN);
    assert_eq!(outbox.len(), 2);
}

#[test]
fn failures_wait_for_their_turn() {
    let outbox = Outbox::new();
    outbox.fail_next(Failure::message(452, "4.3.1 full"));
    outbox.fail_next(Failure::sender(450, "4.7.1 later"));
    outbox.fail_next(Failure::message(451, "4.3.0 later"));
    outbox.refuse("nobody@example.org", 550, "5.1.1 no");
    let mut smtp = connect(&outbox);
    // Without a recipient there is no message.
    let error = send(&mut smtp, &["nobody@example.org"]).unwrap_err();
    assert_eq!(error.code().unwrap(), 550);
    let codes: Vec<String> = (0..4).map(|_| told(&mut smtp)).collect();
    assert_eq!(
        codes,
        [
            "not delivered, transient, 452",
            "not delivered, transient, 450, at MAIL",
            "not delivered, transient, 451",
            TAKEN,
        ]
    );
}

#[test]
fn a_batch_has_its_failures_in_the_middle() {
    let consignment = |number: usize| -> Consignment<'static> {
        let to: Address = "ben@example.org".parse().unwrap();
        (Envelope::new(None, [to]), format!("{number}\n")).into()
    };
    let outbox = Outbox::new();
    outbox.fail_next(Failure::message(452, "4.3.1 full"));
    let mut smtp = connect(&outbox);
    let results: Vec<bool> = smtp
        .send_all((0..20).map(consignment))
        .map(|result| result.is_ok())
        .collect();
    assert_eq!(results.len(), 20);
    assert_eq!(results.iter().filter(|is_ok| !**is_ok).count(), 1);
    assert_eq!(outbox.take().len(), 19);

    // Without a reply the message may have been accepted: the result never reports more than the
    // outbox has.
    outbox.fail_next(Failure::lost_after_end());
    let results: Vec<_> = smtp.send_all((0..20).map(consignment)).collect();
    let accepted = results.iter().filter(|result| result.is_ok()).count();
    let is_unknown = |result: &&Result<Outcome, Error>| {
        let error = result.as_ref().err();
        error.is_some_and(|error| error.delivery() == Delivery::Unknown)
    };
    let unknown = results.iter().filter(is_unknown).count();
    let kept = outbox.take().len();
    assert!(
        accepted <= kept && kept <= accepted + unknown,
        "{accepted} {kept} {unknown}"
    );
    assert!(unknown > 0 && kept == 1);
}

// The same checks as on the wire.
#[test]
fn what_a_server_could_not_take_is_an_error_here_too() {
    let outbox = Outbox::new();
    outbox.offer(["PIPELINING"]);
    let mut smtp = connect(&outbox);
    let mut send = |to: &str, text: &str| smtp.sendmail("", [to], text).map(drop);
    assert!(matches!(
        send("ben@example.org", "Grüße\n"),
        Err(Error::Unsupported(_))
    ));
    assert!(matches!(
        send("jö@example.org", "Hi!\n"),
        Err(Error::Unsupported(_))
    ));
    assert!(matches!(send("ben", "Hi!\n"), Err(Error::Address { .. })));
    let long = "x".repeat(999);
    assert!(matches!(
        send("ben@example.org", &long),
        Err(Error::Content(_))
    ));
    // A composed message is encoded for this server.
    taken(smtp.send_message(&message()));
    let sent = outbox.take().pop().unwrap();
    assert!(sent.bytes().is_ascii());
    assert_eq!(sent.subject(), "Größe");
    assert!(sent.text().contains("Gr=C3=BC=C3=9Fe\n"), "{}", sent.text());

    outbox.offer(["SIZE 100", "8BITMIME"]);
    let mut smtp = connect(&outbox);
    let text = "x\n".repeat(34);
    let result = smtp.sendmail("", ["ben@example.org"], &text);
    let Err(Error::TooLarge { size, limit, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!((size, limit), (102, 100));
    assert!(smtp.sendmail("", ["ben@example.org"], "\nGrüße\n").is_ok());
    // By hand the size is not known before, so it is counted while the message is sent.
    let mut transaction = smtp.mail("").unwrap();
    transaction.rcpt("ben@example.org").unwrap();
    let error = transaction.data(text.as_bytes()).unwrap_err();
    assert_eq!(facts(&error), "not delivered, permanent, closed");
    assert_eq!(outbox.len(), 1);
}

#[test]
fn options_reach_the_envelope() {
    let outbox = Outbox::new();
    let envelope = Envelope::new(
        "alice@example.com".parse::<Address>().unwrap(),
        ["ben@example.org".parse().unwrap()],
    )
    .notify(Notify::never());
    let mut smtp = connect(&outbox);
    taken(smtp.send_message_to(&envelope, &message()));
    let sent = outbox.take();
    assert_eq!(sent[0].envelope(), &envelope);
    outbox.offer(["8BITMIME"]);
    let error = connect(&outbox)
        .send_message_to(&envelope, &message())
        .unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
}

#[test]
fn threads_share_an_outbox() {
    let outbox = Outbox::new();
    thread::scope(|scope| {
        for number in 0..8 {
            let outbox = outbox.clone();
            scope.spawn(move || {
                let mut smtp = connect(&outbox);
                for _ in 0..20 {
                    let text = format!("Subject: {number}\n\n{number}\n");
                    taken(smtp.sendmail("", ["ben@example.org"], &text));
                }
            });
        }
    });
    let sent = outbox.take();
    assert_eq!(sent.len(), 160);
    for sent in sent {
        let number = sent.subject();
        assert_eq!(sent.text(), format!("Subject: {number}\n\n{number}\n"));
    }
}

// A kept connection of a mailer may have been lost meanwhile. The mailer opens another one.
#[test]
fn a_mailer_keeps_connections_to_it() {
    let outbox = Outbox::new();
    let mailer = Mailer::new(outbox.config());
    let send = || match mailer.send(&message()) {
        Ok(outcome) => fates(&outcome).remove(0),
        Err(error) => facts(&error),
    };
    assert_eq!(send(), TAKEN);
    outbox.fail_next(Failure::connect());
    outbox.fail_next(Failure::lost_before_end());
    outbox.fail_next(Failure::lost_after_end());
    let refused = "not delivered, transient, closed, at the connection attempt";
    assert_eq!(send(), refused);
    assert_eq!(send(), "not delivered, transient, closed, at the message");
    assert_eq!(send(), "unknown, closed, at the end of the message");
    assert_eq!(send(), TAKEN);
    assert_eq!(outbox.take().len(), 3);

    let messages: Vec<Message> = (0..50).map(|_| message()).collect();
    let results: Vec<bool> = mailer
        .send_all(&messages)
        .map(|result| result.is_ok_and(|outcome| outcome.is_complete()))
        .collect();
    assert_eq!(results, [true; 50]);
    mailer.close();
    assert_eq!(outbox.len(), 50);
}

#[test]
fn verbs_by_hand_and_their_replies() {
    let outbox = Outbox::new();
    let mut smtp = connect(&outbox);
    assert_eq!(smtp.greeting().code(), 220);
    assert!(smtp.capabilities().has("DSN"));
    smtp.noop().unwrap();
    assert_eq!(smtp.vrfy("ben").unwrap().code(), 252);
    assert_eq!(smtp.command("XYZZY").unwrap().code(), 502);
    let mut transaction = smtp.mail("a@example.com").unwrap();
    transaction.rcpt("ben@example.org").unwrap();
    transaction.reset().unwrap();
    assert_eq!(told(&mut smtp), TAKEN);
    let farewell = smtp.quit();
    assert_eq!(farewell.unwrap().code(), 221);
    assert_eq!(outbox.len(), 1);
}

// 2033-03: a reply for each recipient.
#[test]
fn it_speaks_lmtp_to_those_who_do() {
    let outbox = Outbox::new();
    outbox.refuse("ben@example.org", 550, "5.1.1 no such user");
    let config = outbox.config().protocol(Protocol::Lmtp);
    let mut smtp = config.connect().unwrap();
    let to = ["ann@example.org", "ben@example.org", "cleo@example.org"];
    for _ in 0..2 {
        let outcome = send(&mut smtp, &to).unwrap();
        assert_eq!(
            fates(&outcome),
            [
                "ann@example.org Accepted 250 2.0.0 accepted",
                "ben@example.org Refused 550 5.1.1 no such user",
                "cleo@example.org Accepted 250 2.0.0 accepted",
            ]
        );
    }
    assert_eq!(outbox.take().len(), 2);
}

#[test]
fn a_trace_shows_the_dialog() {
    use std::sync::{Arc, Mutex};

    let outbox = Outbox::new();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let config: Config = outbox
        .config()
        .hello_name("client.example")
        .trace(move |line| sink.lock().unwrap().push(line.to_string()));
    let mut smtp = config.connect().unwrap();
    taken(smtp.sendmail("", ["ben@example.org"], "Hi!\n"));
    smtp.quit();
    let lines = lines.lock().unwrap().join("\n");
    for line in [
        "C: EHLO client.example",
        "S: 250-PIPELINING",
        "C: RCPT TO:<ben@example.org>",
    ] {
        assert!(lines.contains(line), "{lines}");
    }
}

#[test]
fn its_debug_shows_no_mail() {
    let outbox = Outbox::new();
    outbox.fail_next(Failure::timeout());
    let message = Message::builder()
        .from("alice@example.com")
        .to("ben@example.org")
        .text("secret\n")
        .build()
        .unwrap();
    let _ = connect(&outbox).send_message(&message);
    assert_eq!(
        format!("{outbox:?}"),
        "Outbox { sent: 1, failures: [], .. }"
    );
}
