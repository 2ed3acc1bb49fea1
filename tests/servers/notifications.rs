//! Delivery status notifications with real servers.

use smtplib::protocol::{Notify, NotifyOn, ReturnContent};
use smtplib::{Address, Envelope, Security};

use crate::exim::Exim;
use crate::postfix::Postfix;

/// An envelope that asks for everything.
fn envelope() -> Envelope {
    let address = |name| Address::new(name, "example.test").unwrap();
    Envelope::new(address("alice"), [address("bob")])
        .notify(Notify::on([NotifyOn::Success, NotifyOn::Failure]))
        .original_recipients()
        .return_content(ReturnContent::Headers)
        .envelope_id("QQ 314+159")
        .unwrap()
}

#[test]
#[ignore = "needs Postfix: see CONTRIBUTING.md"]
fn postfix_reports_the_delivery_it_was_asked_to_report() {
    let postfix = Postfix::shared();
    let mut connection = postfix.plain(Security::StartTls).connect().unwrap();
    let message = "From: alice@example.test\r\nSubject: tell me\r\n\r\nHello\r\n";
    let sent = connection.send(&envelope(), message.as_bytes()).unwrap();
    assert!(sent.is_complete() && sent.ignored().is_empty());

    let report = postfix.delivered("alice", "Subject: Successful Mail Delivery Report");
    let report = String::from_utf8(report.message).unwrap();
    for line in [
        "Original-Envelope-Id: QQ 314+159",
        "Original-Recipient: rfc822;bob@example.test",
        "Action: delivered",
        "Subject: tell me",
    ] {
        assert!(
            report.lines().any(|found| found == line),
            "{line}: {report}"
        );
    }
}

#[test]
#[ignore = "needs Exim: see CONTRIBUTING.md"]
fn exim_keeps_what_it_was_asked_for() {
    let exim = Exim::shared();
    let mut connection = exim.plain(Security::StartTls).connect().unwrap();
    let message = "Subject: tell me\r\n\r\nHello\r\n";
    assert!(
        connection
            .send(&envelope(), message.as_bytes())
            .unwrap()
            .is_complete()
    );
    let queued = exim.queued("Subject: tell me");
    for part in [
        "-dsn_envid QQ+20314+2B159\n",
        "-dsn_ret ",
        "rfc822;bob@example.test",
    ] {
        assert!(queued.contains(part), "{part}: {queued}");
    }
}
