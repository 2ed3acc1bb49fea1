//! One message for many recipients: some are refused, and the others get it nevertheless.

use std::sync::{Arc, Mutex};

use smtplib::connection::TraceLine;
use smtplib::{Config, Error, Outcome, RecipientOutcome, RecipientStatus, Security};

use crate::aiosmtpd::Aiosmtpd;
use crate::postfix::Postfix;

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn postfix_refuses_one_recipient_and_delivers_to_the_others() {
    let postfix = Postfix::shared();
    let mut connection = postfix.submission().connect().unwrap();
    let to = [
        "alice@example.test",
        "nobody@example.test",
        "bob@example.test",
    ];
    let message = "Subject: two of three\r\n\r\nHello\r\n";
    let outcome = connection
        .sendmail("alice@example.test", to, message)
        .unwrap();
    assert_eq!(
        codes(&outcome),
        [("alice", 250), ("nobody", 550), ("bob", 250)]
    );
    assert_eq!(
        outcome.refused().next().unwrap().reply().unwrap().text(),
        "5.1.1 <nobody@example.test>: Recipient address rejected: User unknown in virtual mailbox table",
    );
    for name in ["alice", "bob"] {
        let delivered = postfix.delivered(name, "Subject: two of three");
        assert_eq!(delivered.message, message.replace("\r\n", "\n").as_bytes());
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn aiosmtpd_refuses_one_recipient_and_stores_for_the_others() {
    let aiosmtpd = Aiosmtpd::shared();
    let mut connection = aiosmtpd.starttls().connect().unwrap();
    let to = [
        "alice@example.test",
        "nobody@example.test",
        "bob@example.test",
    ];
    let message = "Subject: lock-step\r\n\r\nHello\r\n";
    let outcome = connection
        .sendmail("alice@example.test", to, message)
        .unwrap();
    assert_eq!(
        codes(&outcome),
        [("alice", 250), ("nobody", 550), ("bob", 250)]
    );
    for name in ["alice", "bob"] {
        let received = aiosmtpd.take(name, "Subject: lock-step").unwrap();
        assert_eq!(received.message, message.as_bytes());
        assert_eq!(
            received.facts,
            format!(
                r#"{{"from": "alice@example.test", "to": ["alice@example.test", "bob@example.test"], "options": ["SIZE={}"], "tls": true, "login": "alice@example.test", "resets": 0}}"#,
                message.len(),
            ),
        );
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_hundred_recipients_take_two_round_trips_to_postfix() {
    let postfix = Postfix::shared();
    let (config, dialog) = recorded(postfix.submission());
    let mut connection = config.connect().unwrap();
    let names: Vec<String> = (1..=100).map(|number| format!("list{number:03}")).collect();
    let to = names.iter().map(|name| format!("{name}@example.test"));
    let message = "Subject: a hundred\r\n\r\nHello\r\n";
    let outcome = connection
        .sendmail("alice@example.test", to, message)
        .unwrap();
    assert_eq!(outcome.accepted().count(), 100);
    for name in &names {
        let delivered = postfix.delivered(name, "Subject: a hundred");
        assert_eq!(delivered.message, message.replace("\r\n", "\n").as_bytes());
    }
    // RFC 2920, 3.1: groups must fit into the buffers. So 99 RCPT go with MAIL, and one goes alone.
    let dialog = dialog.lock().unwrap();
    let mail = dialog.iter().position(|line| line.starts_with("C: MAIL "));
    let body = dialog.iter().position(|line| line.starts_with("C: BDAT "));
    let transaction = &dialog[mail.unwrap()..body.unwrap()];
    let flights = transaction.chunk_by(|a, b| a[..1] == b[..1]);
    assert_eq!(flights.count(), 4, "{transaction:#?}");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_login_that_is_missing_refuses_every_recipient() {
    let postfix = Postfix::shared();
    let config = postfix
        .plain(Security::StartTls)
        .port(postfix.submission_port);
    let mut connection = config.connect().unwrap();
    let to = ["alice@example.test", "bob@example.test"];
    let error = connection
        .sendmail("alice@example.test", to, "Subject: no\r\n")
        .unwrap_err();
    let Error::RecipientsRefused(outcome) = error else {
        panic!("{error}");
    };
    assert_eq!(codes(&outcome), [("alice", 554), ("bob", 554)]);
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn lmtp_answers_for_each_recipient_after_the_message() {
    let aiosmtpd = Aiosmtpd::shared();
    for (way, config) in [("port", aiosmtpd.lmtp()), ("socket", aiosmtpd.lmtp_unix())] {
        let mut connection = config.connect().unwrap();
        let names = ["bob", "full", "nobody", "bob", "carol"];
        let to = names.map(|name| format!("{name}@example.test"));
        let message = format!("Subject: LMTP by {way}\r\n\r\nHello\r\n");
        let outcome = connection
            .sendmail("alice@example.test", to, &message)
            .unwrap();
        assert_eq!(
            codes(&outcome),
            [
                ("bob", 250),
                ("full", 552),
                ("nobody", 550),
                ("bob", 250),
                ("carol", 250)
            ],
        );
        assert_eq!(outcome.recipients()[1].status(), RecipientStatus::Refused);
        let text = |index: usize| outcome.recipients()[index].reply().unwrap().text();
        assert_eq!(text(1), "5.2.2 <full@example.test>: mailbox full");
        assert_eq!(text(4), "2.0.0 <carol@example.test>: stored");
        // Once for each recipient, however often it is in the list.
        for name in ["bob", "carol"] {
            let received = aiosmtpd
                .take(name, &format!("Subject: LMTP by {way}"))
                .unwrap();
            assert_eq!(received.message, message.as_bytes());
        }
        for name in ["bob", "full"] {
            let subject = format!("Subject: LMTP by {way}");
            assert!(aiosmtpd.take(name, &subject).is_none(), "{name}");
        }
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn addresses_outside_ascii_travel_by_smtputf8() {
    let aiosmtpd = Aiosmtpd::shared();
    let mut connection = aiosmtpd.starttls().connect().unwrap();
    let message = "Subject: Grüße\r\n\r\nHello\r\n";
    let outcome = connection
        .sendmail("", ["jürgen@example.test"], message)
        .unwrap();
    assert!(outcome.is_complete());
    let received = aiosmtpd.take("jürgen", "Subject: Grüße").unwrap();
    assert_eq!(received.message, message.as_bytes());
    assert_eq!(
        received.facts,
        format!(
            r#"{{"from": "<>", "to": ["jürgen@example.test"], "options": ["SIZE={}", "BODY=8BITMIME", "SMTPUTF8"], "tls": true, "login": "alice@example.test", "resets": 0}}"#,
            message.len(),
        ),
    );
}

/// The local part of every recipient, and the code of its reply.
fn codes(outcome: &Outcome) -> Vec<(&str, u16)> {
    let code = |recipient: &RecipientOutcome| recipient.reply().unwrap().code().as_u16();
    let recipients = outcome.recipients().iter();
    recipients
        .map(|recipient| (recipient.address().local_part(), code(recipient)))
        .collect()
}

/// The configuration with a record of its dialog.
fn recorded(config: Config) -> (Config, Arc<Mutex<Vec<String>>>) {
    let dialog = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&dialog);
    let write = move |line: TraceLine<'_>| sink.lock().unwrap().push(line.to_string());
    (config.trace(write), dialog)
}
