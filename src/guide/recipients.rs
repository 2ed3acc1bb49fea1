//! Several recipients, copies, and what a refusal means.
//!
//! ```no_run
//! use smtplib::{Mailer, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder()
//!     .from("alice@example.com")
//!     .to(["Ann <ann@example.org>", "bob@example.org"])
//!     .cc(("Carol", "carol@example.org"))
//!     .bcc("archive@example.com") // hidden from the other recipients
//!     .subject("Lunch?")
//!     .text("Noon at the usual place?\n")
//!     .build()?;
//!
//! let outcome = Mailer::from_env("SMTP_URL")?.send(&message)?;
//! for recipient in outcome.recipients() {
//!     println!("{recipient}"); // ann@example.org was accepted: 250 2.0.0 queued as 4F1A
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A refused recipient does not stop the others. `Ok` means that at least one recipient gets the
//! message, so look at [`Outcome::refused`](crate::Outcome::refused) as well. If the server refuses
//! all of them, the error is [`Error::RecipientsRefused`](crate::Error::RecipientsRefused), with
//! the same list.
//!
//! | [status](crate::RecipientStatus) | means, and what to do |
//! |---|---|
//! | `Accepted` | the server took the message for this recipient |
//! | `Refused`, reply 5yz | the server will never take it: correct or delete the address |
//! | `Refused`, reply 4yz | not now, as with a full mailbox or greylisting: send to this recipient later |
//! | `NotSent` | the message was not sent to this recipient: send it later |
//! | `Unknown` | it was sent, and no reply came: see [`trying_again`](super::trying_again) |
//!
//! [`Outcome::worth_retrying`](crate::Outcome::worth_retrying) lists the recipients for a second try.
//!
//! `Accepted` means that your server took the message. A later server may refuse it; then a bounce
//! comes to the sender's mailbox.
//!
//! # All or none
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mailer = smtplib::Mailer::from_env("SMTP_URL")?;
//! # let message = smtplib::Message::builder().from("alice@example.com").build()?;
//! let envelope = message.envelope().require_all(true);
//! let outcome = mailer.send_to(&envelope, &message)?; // one refusal is an error now
//! # Ok(())
//! # }
//! ```
//!
//! # Recipients that the header does not name
//!
//! The envelope decides who gets a message, not the header. [`Mailer::send`](crate::Mailer::send) makes
//! the envelope from the header. [`Mailer::send_to`](crate::Mailer::send_to) takes your own:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mailer = smtplib::Mailer::from_env("SMTP_URL")?;
//! # let message = smtplib::Message::builder().from("alice@example.com").build()?;
//! use smtplib::Envelope;
//!
//! let envelope = Envelope::parse("bounces@example.com", ["ann@example.org", "bob@example.org"])?;
//! let outcome = mailer.send_to(&envelope, &message)?;
//! # Ok(())
//! # }
//! ```
//!
//! Bounces go to the sender of the envelope, here `bounces@example.com`. `None` as the sender is the
//! null sender, which gets no bounces.
//!
//! # Lists from a file
//!
//! One text is one mailbox. For a text with several addresses, as in configuration files, use
//! [`AddressList`](crate::message::AddressList):
//!
//! ```
//! use smtplib::Message;
//! use smtplib::message::AddressList;
//!
//! let team: AddressList = "\"Doe, Jane\" <jane@example.org>, joe@example.org".parse()?;
//! let message = Message::builder().from("alice@example.com").to(team).build()?;
//! assert_eq!(message.envelope().recipients().count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reports about the delivery
//!
//! [`Envelope::notify`](crate::Envelope::notify) asks for a report by mail when a message is delivered,
//! late or lost (DSN, RFC 3461). If the server does not offer it, sending
//! returns [`Error::Unsupported`](crate::Error::Unsupported), unless you set
//! [`ignore_unsupported`](crate::Envelope::ignore_unsupported).
