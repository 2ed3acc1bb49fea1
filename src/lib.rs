//! Sends mail: a blocking SMTP and LMTP client, and the messages to send with it.
//!
//! ```no_run
//! use smtplib::{Attachment, Mailer, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder()
//!     .from("Alice <alice@example.com>")
//!     .to(["Zoë Müller <zoe@example.org>", "bob@example.org"])
//!     .subject("Résumé")
//!     .text("My résumé is attached.\n")
//!     .attach(Attachment::from_path("résumé.pdf")?)
//!     .build()?;
//!
//! let mailer: Mailer = "smtp://alice:secret@mail.example.com".parse()?; // STARTTLS, port 587
//! let outcome = mailer.send(&message)?;
//! for recipient in outcome.refused() {
//!     eprintln!("{recipient}"); // bob@example.org was refused: 550 5.1.1 no such user
//! }
//! # Ok(())
//! # }
//! ```
//!
//! One refused recipient does not stop the others. An error says what failed, and whether the
//! message may have been delivered in spite of it. Nothing is sent without TLS unless you allow it.
//!
//! # What do you want to do?
//!
#![doc = include_str!("guide/chapters.md")]
//!
//! # The types that matter
//!
//! | type | what it is for |
//! |---|---|
//! | [`Mailer`] | sends mail from any thread, and keeps connections |
//! | [`Message`], [`MessageBuilder`], [`Attachment`] | compose a message |
//! | [`Config`], [`Credentials`] | say which server, how safely, and who logs in |
//! | [`Outcome`] | the result for each recipient of a message |
//! | [`Error`], [`Delivery`] | why a message was not sent, and whether that is certain |
//! | [`Outbox`] | a mail server in memory, for tests |
//! | [`Envelope`] | the sender and recipients, and delivery options |
//! | [`SmtpConnection`] | one connection by hand, down to single commands |
//!
//! A module has the other types that belong to one of these:
//!
//! | module | what it has |
//! |---|---|
//! | [`message`] | lists of addresses, dates, media types |
//! | [`config`] | time limits, SMTP or LMTP |
//! | [`auth`] | login mechanisms, and a trait for your own |
//! | [`error`](mod@error) | the reasons inside an error |
//! | [`mailer`] | the results of many messages |
//! | [`connection`] | single transactions, the trace, and a trait for your own way to connect |
//! | [`protocol`] | delivery options, reply codes, steps |
//! | [`outbox`] | sent messages and failures, for tests |
//! | [`convert`] | what methods accept as recipients and texts |
//!
//! # Scope
//!
//! In scope: composing messages, connecting, TLS, logging in, sending, results for each recipient, LMTP.
//!
//! Out of scope: async, looking up MX records, a queue on disk, reading received mail. If you need a queue,
//! hand the message to a mail server: it has one.
//!
//! # Features
//!
//! No feature is on by default. A feature only adds.
//!
//! | feature | what it does |
//! |---|---|
//! | `vendored` | builds OpenSSL from source, where it is the platform's TLS |
//! | `scram` | logs in by SCRAM, which never shows the password to the server |
//! | `cram-md5` | logs in by CRAM-MD5, for old servers that have nothing else |
//! | `serde` | reads a [`Config`] from a file, and writes it without the password |
//! | `idna` | sends Unicode domains in ASCII to servers without SMTPUTF8 |
//! | `local-address` | adds `Config::local_address`, the address to connect from |

// docs.rs shows beside each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// First, because rustdoc lists methods in the order of the modules: the constructors stand there.
mod envelope;
pub mod message;

mod address;
pub mod auth;
mod capabilities;
mod command_error;
pub mod config;
pub mod connection;
mod endpoint;
pub mod error;
mod exchange;
#[cfg(any(all(test, properties), fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(any(doc, doctest))]
pub mod guide;
mod kind;
pub mod mailer;
mod net;
mod outcome;
mod parameter;
mod places;
pub mod protocol;
mod recipients;
mod reply;
mod secret;
mod step;
mod trace;
mod transport;

/// Traits that let one method take a text, a value, or a list of them.
///
/// You never name them: they only say which types a method takes.
pub mod convert {
    #[doc(hidden)]
    pub use crate::kind::{Many, One, Pair, Text};
    pub use crate::message::into_address_list::IntoAddressList;
    pub use crate::message::into_texts::IntoTexts;
    pub use crate::recipients::IntoRecipients;
}

/// Sent messages and failures of an [`Outbox`].
pub mod outbox {
    pub use crate::places::failure::Failure;
    pub use crate::places::sent::Sent;
}

pub use crate::address::Address;
pub use crate::auth::credentials::Credentials;
pub use crate::capabilities::Capabilities;
pub use crate::config::config::{Config, Security};
pub use crate::connection::smtp_connection::SmtpConnection;
pub use crate::envelope::Envelope;
pub use crate::error::error::{Delivery, Error, Result};
pub use crate::mailer::mailer::Mailer;
pub use crate::mailer::retry::Retry;
pub use crate::message::attachment::Attachment;
pub use crate::message::builder::MessageBuilder;
pub use crate::message::mailbox::Mailbox;
pub use crate::message::message::Message;
pub use crate::message::part::Part;
pub use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
pub use crate::places::outbox::Outbox;
pub use crate::reply::Reply;
pub use crate::secret::Secret;

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeDoctests;
