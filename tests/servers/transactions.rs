//! Several transactions on one connection, also after a refusal.

use std::io::{self, Read};

use smtplib::connection::Consignment;
use smtplib::{Address, Config, Delivery, Envelope, Error};

use crate::aiosmtpd::Aiosmtpd;
use crate::postfix::{Postfix, SIZE_LIMIT};

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn five_messages_take_one_connection_to_postfix() {
    let postfix = Postfix::shared();
    let mut connection = postfix.smtps().connect().unwrap();
    for number in 1..=5 {
        let message = format!("Subject: number {number}\r\n\r\n{number}\r\n");
        let sent = connection.sendmail("alice@example.test", ["alice@example.test"], message);
        assert!(sent.unwrap().is_complete());
    }
    assert_eq!(connection.quit().unwrap().code(), 221);
    for number in 1..=5 {
        let delivered = postfix.delivered("alice", &format!("Subject: number {number}"));
        let expected = format!("Subject: number {number}\n\n{number}\n");
        assert_eq!(delivered.message, expected.as_bytes());
        assert_eq!(
            postfix.session_of(&delivered.trace),
            "ehlo=1 auth=1 mail=5 rcpt=5 bdat=5 quit=1 commands=18",
        );
    }
}

// A batch streams to Postfix, with chunks or without. A refusal in the middle affects no other
// message.
#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_batch_streams_to_postfix() {
    let config = Postfix::shared().smtps();
    send_batch(config.clone(), "chunked");
    send_batch(config.clone().ignore(["CHUNKING"]), "pipelined");
    send_batch(config.ignore(["CHUNKING", "PIPELINING"]), "in lock-step");
}

fn send_batch(config: Config, way: &str) {
    let postfix = Postfix::shared();
    let mut connection = config.connect().unwrap();
    let address = |text: &str| text.parse::<Address>().unwrap();
    let message = |number: usize| {
        let to = match number % 7 {
            3 => address("nobody@example.test"),
            _ => address("alice@example.test"),
        };
        let envelope = Envelope::new(address("alice@example.test"), [to]);
        let text = format!("Subject: batch {way} {number:02}\r\n\r\n.{number}\r\n");
        Consignment::from((envelope, text))
    };
    let results: Vec<_> = connection.send_all((0..40).map(message)).collect();
    assert_eq!(results.len(), 40);
    for (number, result) in results.iter().enumerate() {
        match result {
            Ok(outcome) => assert!(outcome.is_complete() && number % 7 != 3, "{number}"),
            Err(error) => {
                assert!(matches!(error, Error::RecipientsRefused(_)), "{error}");
                assert_eq!(number % 7, 3);
            }
        }
    }
    assert_eq!(connection.quit().unwrap().code(), 221);
    for number in (0..40).filter(|number| number % 7 != 3) {
        let delivered = postfix.delivered("alice", &format!("Subject: batch {way} {number:02}"));
        let expected = format!("Subject: batch {way} {number:02}\n\n.{number}\n");
        assert_eq!(delivered.message, expected.as_bytes());
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn postfix_is_reset_after_refusing_everybody() {
    let postfix = Postfix::shared();
    let mut connection = postfix.submission().connect().unwrap();
    let message = "Subject: after a refusal\r\n\r\nHello\r\n";
    let sent = connection.sendmail("alice@example.test", ["nobody@example.test"], message);
    let error = sent.unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)), "{error}");
    let sent = connection.sendmail("alice@example.test", ["carol@example.test"], message);
    assert!(sent.unwrap().is_complete());
    assert_eq!(connection.quit().unwrap().code(), 221);

    let delivered = postfix.delivered("carol", "Subject: after a refusal");
    assert_eq!(delivered.message, message.replace("\r\n", "\n").as_bytes());
    assert_eq!(
        postfix.session_of(&delivered.trace),
        "ehlo=2 starttls=1 auth=1 mail=2 rcpt=1/2 bdat=1 rset=1 quit=1 commands=10/11",
    );
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn aiosmtpd_is_reset_after_refusing_everybody() {
    let aiosmtpd = Aiosmtpd::shared();
    let mut connection = aiosmtpd.implicit_tls().connect().unwrap();
    let message = "Subject: reset\r\n\r\nHello\r\n";
    for _ in 0..2 {
        let sent = connection.sendmail("alice@example.test", ["nobody@example.test"], message);
        let error = sent.unwrap_err();
        assert!(matches!(error, Error::RecipientsRefused(_)), "{error}");
    }
    let sent = connection.sendmail("alice@example.test", ["carol@example.test"], message);
    assert!(sent.unwrap().is_complete());
    let received = aiosmtpd.take("carol", "Subject: reset").unwrap();
    assert_eq!(received.message, message.as_bytes());
    assert!(
        received.facts.ends_with(r#""resets": 2}"#),
        "{}",
        received.facts
    );
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_message_too_large_is_refused_before_mail() {
    let postfix = Postfix::shared();
    let mut connection = postfix.submission().connect().unwrap();
    // The missing line end, which is added, makes the message too large.
    let line = "0123456789\r\n";
    let message = "Subject: too large\r\n\r\n".to_owned() + &line.repeat(SIZE_LIMIT / line.len());
    let message = &message.as_bytes()[..SIZE_LIMIT - 1];
    let sent = connection.sendmail("alice@example.test", ["bob@example.test"], message);
    let error = sent.unwrap_err();
    let Error::TooLarge { size, limit, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(limit, 4_194_304);
    assert_eq!(size, 4_194_305);

    let message = "Subject: small enough\r\n\r\nHello\r\n";
    let sent = connection.sendmail("alice@example.test", ["bob@example.test"], message);
    assert!(sent.unwrap().is_complete());
    assert_eq!(connection.quit().unwrap().code(), 221);
    let delivered = postfix.delivered("bob", "Subject: small enough");
    assert_eq!(
        postfix.session_of(&delivered.trace),
        "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 bdat=1 quit=1 commands=8",
    );
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn postfix_throws_away_what_a_failing_reader_has_begun() {
    let postfix = Postfix::shared();
    let mut connection = postfix.submission().connect().unwrap();
    let address = |text: &str| text.parse::<Address>().unwrap();
    let envelope = Envelope::new(address("alice@example.test"), [address("bob@example.test")]);
    // Longer than what is read before MAIL, so that the failure comes in the middle of the message.
    let head = "Subject: cut off\r\n\r\n".to_owned() + &"Hello\r\n".repeat(40_000);
    let error = connection
        .send(&envelope, head.as_bytes().chain(Broken))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the message could not be read: the disk is gone"
    );
    assert_eq!(error.delivery(), Delivery::NotDelivered);
    let lost = "lost connection after BDAT";
    postfix.wait_for(|| postfix.log().contains(lost).then_some(()), lost);
    assert!(postfix.find("bob", "Subject: cut off").is_none());
}

/// A reader that fails, like a file on a broken disk.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}
