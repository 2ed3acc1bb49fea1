//! How a program that sends mail is tested: an outbox in memory takes the place of the server, and
//! fails when it is told to.
//!
//! ```text
//! cargo run --example testing
//! ```

use smtplib::outbox::Failure;
use smtplib::{Delivery, Mailer, Message, Outbox};

/// What is tested: a shop that confirms orders.
struct Shop {
    mailer: Mailer,
}

/// What became of a confirmation.
#[derive(Debug, PartialEq)]
enum Confirmation {
    Sent,
    /// Ask the customer for another address.
    Undeliverable,
    /// Put it back into the queue.
    TryAgain,
    /// It may have arrived: somebody has to look.
    Unknown,
}

impl Shop {
    fn confirm(&self, customer: &str, order: u32) -> Confirmation {
        let message = Message::builder()
            .from("The shop <orders@example.com>")
            .to(customer)
            .subject(format!("Your order {order} – thank you!"))
            .text(format!("We have received your order {order}.\n"))
            .build();
        let Ok(message) = message else {
            return Confirmation::Undeliverable;
        };
        match self.mailer.send(&message) {
            Ok(_) => Confirmation::Sent,
            Err(error) if error.delivery() == Delivery::Unknown => Confirmation::Unknown,
            Err(error) if error.is_transient() => Confirmation::TryAgain,
            Err(_) => Confirmation::Undeliverable,
        }
    }
}

// In a program of your own each of the following is a #[test].

/// A shop whose mail stays in memory.
fn shop() -> (Shop, Outbox) {
    let (mailer, outbox) = Mailer::outbox();
    (Shop { mailer }, outbox)
}

fn a_customer_gets_a_confirmation() {
    let (shop, outbox) = shop();
    assert_eq!(shop.confirm("ann@example.org", 7), Confirmation::Sent);
    let sent = outbox.take();
    let [message] = &sent[..] else {
        panic!("one message was expected: {sent:?}");
    };
    assert_eq!(message.subject(), "Your order 7 – thank you!");
    assert_eq!(message.header("To").as_deref(), Some("ann@example.org"));
    assert!(message.text().contains("your order 7"));
}

fn a_wrong_address_is_noticed() {
    let (shop, outbox) = shop();
    outbox.refuse("bob@example.org", 550, "5.1.1 no such user");
    for customer in ["bob@example.org", "bob at example.org"] {
        assert_eq!(shop.confirm(customer, 8), Confirmation::Undeliverable);
    }
    assert!(outbox.is_empty());
}

fn a_server_that_is_down_is_tried_again() {
    for failure in [
        Failure::connect(),
        Failure::sender(450, "4.7.1 come back later"),
        Failure::message(452, "4.3.1 disk full"),
        Failure::lost_before_end(),
    ] {
        let (shop, outbox) = shop();
        outbox.fail_next(failure);
        assert_eq!(shop.confirm("ann@example.org", 9), Confirmation::TryAgain);
        assert!(outbox.is_empty());
    }
}

fn nothing_is_sent_twice() {
    for failure in [Failure::lost_after_end(), Failure::timeout()] {
        let (shop, outbox) = shop();
        outbox.fail_next(failure);
        assert_eq!(shop.confirm("ann@example.org", 10), Confirmation::Unknown);
        assert_eq!(outbox.take().len(), 1);
    }
}

fn names_outside_ascii_need_a_server_that_knows_them() {
    let (shop, outbox) = shop();
    outbox.offer(["8BITMIME"]);
    assert_eq!(
        shop.confirm("jörg@example.org", 11),
        Confirmation::Undeliverable
    );
    assert!(outbox.is_empty());
}

fn main() {
    let tests: [(&str, fn()); 5] = [
        (
            "a customer gets a confirmation",
            a_customer_gets_a_confirmation,
        ),
        ("a wrong address is noticed", a_wrong_address_is_noticed),
        (
            "a server that is down is tried again",
            a_server_that_is_down_is_tried_again,
        ),
        ("nothing is sent twice", nothing_is_sent_twice),
        (
            "names outside ASCII need a server that knows them",
            names_outside_ascii_need_a_server_that_knows_them,
        ),
    ];
    for (name, test) in tests {
        test();
        println!("{name}: ok");
    }
}
