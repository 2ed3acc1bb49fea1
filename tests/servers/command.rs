//! Postfix's command `sendmail` instead of a server.

use smtplib::{Address, Envelope, Error};

use crate::postfix::Postfix;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
#[ignore = "needs Postfix: see CONTRIBUTING.md"]
fn a_message_goes_through_the_command_as_it_is() {
    let postfix = Postfix::shared();
    let mut smtp = postfix.command().connect().unwrap();
    for (number, sender) in [Some("alice@example.test"), None].into_iter().enumerate() {
        let marker = format!("X-Test: command {number}");
        let message = format!("{marker}\nSubject: Hi\n\n.\n..\nGrüße\n.\n");
        let to = ["bob@example.test", "\"carol\"@example.test"].map(address);
        let envelope = Envelope::new(sender.map(address), to);
        let outcome = smtp.send(&envelope, message.as_bytes()).unwrap();
        assert!(outcome.is_complete());
        for name in ["bob", "carol"] {
            let delivered = postfix.delivered(name, &marker);
            let path = format!("Return-Path: <{}>\n", sender.unwrap_or_default());
            assert!(delivered.trace.starts_with(&path), "{}", delivered.trace);
            let kept = String::from_utf8(delivered.message).unwrap();
            // Postfix adds missing header fields to mail from this machine.
            let (header, body) = kept.split_once("\n\n").unwrap();
            assert!(header.starts_with(&marker), "{header}");
            assert_eq!(body, ".\n..\nGrüße\n.\n");
        }
    }
    smtp.quit();
}

#[test]
#[ignore = "needs Postfix: see CONTRIBUTING.md"]
fn what_the_command_refuses_is_refused() {
    let postfix = Postfix::shared();
    let mut smtp = postfix.command().connect().unwrap();
    let envelope = Envelope::new(None, [address("bob@example.test")]);
    let large = "0123456789abcde\n".repeat(crate::postfix::SIZE_LIMIT / 15);
    let error = smtp.send(&envelope, large.as_bytes()).unwrap_err();
    assert!(matches!(error, Error::DataRefused(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("sendmail: fatal: "), "{text}");
    assert!(text.contains("message file too big"), "{text}");
}
