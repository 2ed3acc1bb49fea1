//! Addresses and names in any script.
//!
//! ```
//! use smtplib::Message;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder()
//!     .from("Zoë Müller <zoe@example.org>")
//!     .to(("山田太郎", "taro@example.com"))
//!     .subject("Grüße 👋")
//!     .text("Alles Gute!\n")
//!     .build()?;
//! assert!(!message.needs_smtputf8());
//! # Ok(())
//! # }
//! ```
//!
//! Names, subjects, texts and file names may have any character. They are encoded, and every server can
//! take them. There is nothing to set.
//!
//! # Addresses outside ASCII
//!
//! `jörg@example.org` and `info@bücher.example` are different. Only servers that offer SMTPUTF8 (RFC 6531)
//! can take them without changing them:
//!
//! ```
//! use smtplib::{Error, Mailer, Message, Outbox};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder().from("alice@example.com").to("jörg@example.org").build()?;
//! assert!(message.needs_smtputf8());
//!
//! let outbox = Outbox::new();
//! let mailer = Mailer::new(outbox.config());
//! mailer.send(&message)?; // the outbox offers SMTPUTF8
//!
//! let old = Outbox::new();
//! old.offer(["8BITMIME"]);
//! let result = Mailer::new(old.config()).send(&message);
//! assert!(matches!(result, Err(Error::Unsupported(_))));
//! # Ok(())
//! # }
//! ```
//!
//! Without SMTPUTF8 such an address is an [`Error::Unsupported`](crate::Error::Unsupported). The feature
//! `idna` helps where only the domain is outside ASCII:
//!
//! | address | with the feature `idna` |
//! |---|---|
//! | `info@bücher.example` | sent as `info@xn--bcher-kva.example` |
//! | `jörg@example.org` | the same error: the part before the `@` has no other form |
//!
//! The error comes before anything is sent. The mailbox must exist in this form: `jörg` and `joerg` are two
//! mailboxes.
//!
//! # Bytes that are not UTF-8
//!
//! Text in this crate is UTF-8. [`sendmail`](crate::Mailer::sendmail) takes bytes of a finished message in
//! any charset, as long as its header says which.
