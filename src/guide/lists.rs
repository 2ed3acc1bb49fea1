//! Newsletters and lists: unsubscribe with one click.
//!
//! ```
//! use smtplib::Message;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder()
//!     .from("The news <news@example.com>")
//!     .to("ann@example.org")
//!     .subject("News of November")
//!     .list_id("The news", "news.example.com")
//!     .list_unsubscribe(["https://example.com/u/2f1c", "mailto:leave@example.com"], true)
//!     .text("Nothing happened today.\n\nUnsubscribe: https://example.com/u/2f1c\n")
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! With `true`, mail programs show a button, and the reader leaves with one click (RFC 8058). Large mailbox
//! providers ask this of everybody who sends many messages. Your web server must do three things:
//!
//! 1. Accept a POST to the `https://` address. Do it at once, without a login and without a question.
//! 2. Not unsubscribe anybody on a GET: link checkers send GET requests.
//! 3. Know the reader from the address. Put a random code into it, not the mail address.
//!
//! The two header fields must be signed with DKIM. Most providers sign for you. Your own mail server
//! needs a DKIM filter.
//!
//! # Send it
//!
//! Make one message for each reader, and send them all with
//! [`Mailer::send_all`](crate::Mailer::send_all): see [`many_messages`](super::many_messages).
//!
//! `examples/newsletter` in the repository is a whole program. If it is stopped and run again, it
//! continues with the readers who have not got the newsletter. Two runs at once are not possible, and
//! it stops if the server takes nothing.
//!
//! # Who is gone?
//!
//! A reader whose mailbox is gone shows in one of two ways:
//!
//! - The server refuses the recipient at once with a reply 5yz. It is in
//!   [`Outcome::refused`](crate::Outcome::refused), or in the error.
//! - A bounce comes later, to the sender of the envelope. Give each message its own sender with the
//!   reader in it, and the address that the bounce goes to names the reader:
//!
//! ```no_run
//! use smtplib::{Envelope, Mailer, Message};
//!
//! # fn send(mailer: &Mailer, message: &Message) -> Result<(), Box<dyn std::error::Error>> {
//! let envelope = Envelope::parse("news-bounce+ann=example.org@example.com", "ann@example.org")?;
//! let outcome = mailer.send_to(&envelope, message)?;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/verp.rs` in the repository does this for a whole list. Delete an address after such a bounce.
//! Servers distrust senders who keep writing to such addresses.
//!
//! # Other fields
//!
//! | method | field |
//! |---|---|
//! | [`list_id`](crate::MessageBuilder::list_id) | `List-Id`: lets readers sort their mail |
//! | [`list_help`](crate::MessageBuilder::list_help), [`list_owner`](crate::MessageBuilder::list_owner) | who helps |
//! | [`list_post`](crate::MessageBuilder::list_post), [`list_subscribe`](crate::MessageBuilder::list_subscribe), [`list_archive`](crate::MessageBuilder::list_archive) | for lists on which members write |
//! | [`header`](crate::MessageBuilder::header) | any other, such as `Precedence: bulk` or `Auto-Submitted: auto-generated` |
