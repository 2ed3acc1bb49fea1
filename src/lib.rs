//! A blocking SMTP and LMTP client, and the messages to send with it: what `smtplib`,
//! `EmailMessage` and `mimetypes` are to a Python program, for a Rust program that has no async
//! runtime and wants none.
//!
//! ```no_run
//! use smtplib::{Config, Credentials, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder()
//!     .from("Alice <alice@example.com>")
//!     .to("Zoë Müller <zoe@example.org>")
//!     .subject("Lunch?")
//!     .text("Noon at the usual place?\n")
//!     .build()?;
//!
//! let mut smtp = Config::new("mail.example.com") // STARTTLS on port 587, or nothing is sent
//!     .credentials(Credentials::password("alice", std::env::var("SMTP_PASSWORD")?))
//!     .connect()?;
//! let outcome = smtp.send_message(&message)?;
//! for recipient in outcome.refused() {
//!     eprintln!("{} will not get it", recipient.address());
//! }
//! smtp.quit();
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! - [`Message`] and [`Attachment`] compose, [`Config`] connects, and [`SmtpConnection`] sends:
//!   messages with [`send_message`](SmtpConnection::send_message), octets with
//!   [`sendmail`](SmtpConnection::sendmail), readers with [`send`](SmtpConnection::send).
//! - [`Outcome`] says what became of each recipient, [`Error`] why nothing was sent, and
//!   [`Error::delivery`] whether that is certain.
//! - [`Transaction`], [`DataWriter`] and the verbs of [`SmtpConnection`] do it all by hand.
//! - [`Outbox`] is a server in memory for tests, [`Config::maildir`] and
//!   [`Config::sendmail_command`] need no server either.
//! - [`Config::transport`] connects through proxies and other TLS libraries.
//! - [`Mechanism`] adds ways to log in, and [`Config::trace`] shows the dialog.
//!
//! # For a Python reader
//!
//! | `smtplib` | here |
//! |---|---|
//! | `SMTP(host, port)`, `SMTP_SSL(…)` | [`SmtpConnection::connect`], [`connect_tls`](SmtpConnection::connect_tls) |
//! | `LMTP(…)` | [`Config::lmtp`], [`Config::lmtp_unix`] |
//! | `starttls()`, `login(u, p)`, `auth(…)` | [`starttls`](SmtpConnection::starttls), [`login`](SmtpConnection::login), [`authenticate`](SmtpConnection::authenticate) |
//! | `sendmail(…)`, its dict of refused | [`sendmail`](SmtpConnection::sendmail), [`Outcome::refused`] |
//! | `send_message(msg)` | [`send_message`](SmtpConnection::send_message) |
//! | `mail()`, `rcpt()`, `data()` | [`mail`](SmtpConnection::mail), [`Transaction::rcpt`], [`Transaction::data`] |
//! | `docmd`, `rset`, `noop`, `verify`, `expn`, `help`, `quit` | [`command`](SmtpConnection::command), [`rset`](SmtpConnection::rset), [`noop`](SmtpConnection::noop), [`vrfy`](SmtpConnection::vrfy), [`expn`](SmtpConnection::expn), [`help`](SmtpConnection::help), [`quit`](SmtpConnection::quit) |
//! | `has_extn`, `esmtp_features` | [`Capabilities::has`], [`Capabilities::param`] |
//! | `set_debuglevel(1)` | [`Config::trace_to_stderr`] |
//! | `SMTPConnectError`, `SMTPHeloError` | [`Error::Refused`] with its [`Step`] |
//! | `SMTPNotSupportedError`, `SMTPAuthenticationError` | [`Error::Unsupported`], [`Error::AuthFailed`] |
//! | `SMTPSenderRefused`, `SMTPRecipientsRefused`, `SMTPDataError` | [`Error::SenderRefused`], [`Error::RecipientsRefused`], [`Error::DataRefused`] |
//! | `SMTPServerDisconnected` | [`Error::Disconnected`], [`Error::Closed`], [`Error::Timeout`] |
//! | `EmailMessage`: `set_content`, `add_alternative`, `add_related`, `add_attachment` | [`MessageBuilder::text`], [`html`](MessageBuilder::html), [`Attachment::inline`], [`attach`](MessageBuilder::attach) |
//! | `mimetypes.guess_type` | [`MediaType`] |
//!
//! # Scope
//!
//! In scope: connecting, TLS, logging in, envelope, data, results, LMTP, composing. Out of scope:
//! async, looking up MX records, a queue on disk (hand the message to a server that has one),
//! reading received mail.
//!
//! # Features
//!
//! None is on by default, and each only adds.
//!
//! - `vendored` builds OpenSSL from source where the platform would use the system's.
//! - `idna` sends domains outside ASCII in their ASCII form (RFC 5891) to servers without SMTPUTF8,
//!   in the envelope and in the header.
//! - `local-address` adds `Config::local_address`.
//! - `scram` adds SCRAM-SHA-256 and SCRAM-SHA-1, and ties the login to the TLS session where the
//!   server can do that.
//! - `cram-md5` adds CRAM-MD5, for old servers that have nothing else.
//! - `serde` reads and writes [`Config`] in configuration files.

mod address;
mod auth;
mod capabilities;
mod command_error;
mod config;
mod connection;
mod endpoint;
mod envelope;
mod error;
mod exchange;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod kind;
mod mailer;
mod message;
mod net;
mod outcome;
mod parameter;
mod places;
mod protocol;
mod recipients;
mod reply;
mod secret;
mod step;
mod trace;
mod transport;

pub use crate::address::{Address, AddressError};
pub use crate::auth::Mechanism;
pub use crate::auth::anonymous::Anonymous;
#[cfg(feature = "cram-md5")]
pub use crate::auth::cram_md5::CramMd5;
pub use crate::auth::credentials::Credentials;
pub use crate::auth::dialog::AuthError;
pub use crate::auth::error::{AuthReason, CredentialsError};
pub use crate::auth::external::External;
pub use crate::auth::login::Login;
pub use crate::auth::oauth::{OAuthBearer, XOAuth2};
pub use crate::auth::plain::Plain;
#[cfg(feature = "scram")]
pub use crate::auth::scram::Scram;
pub use crate::capabilities::Capabilities;
pub use crate::command_error::CommandError;
pub use crate::config::{Config, ConfigError, Protocol, Security, Timeouts};
pub use crate::connection::SmtpConnection;
pub use crate::connection::batch::SendAll;
pub use crate::connection::cargo::Consignment;
pub use crate::connection::transaction::{DataWriter, Transaction};
pub use crate::endpoint::Endpoint;
pub use crate::envelope::Envelope;
pub use crate::error::{Delivery, Error, GaveUp, Interrupted, Result, TlsError, TlsReason};
pub use crate::exchange::error::{ContentError, Unsupported};
#[doc(hidden)]
pub use crate::kind::{Many, One, Pair, Text};
pub use crate::mailer::Mailer;
pub use crate::mailer::concurrently::Concurrently;
pub use crate::mailer::retry::Retry;
pub use crate::mailer::send_all::MailerSendAll;
pub use crate::message::Message;
pub use crate::message::address_list::{AddressList, Group, ListEntry};
pub use crate::message::attachment::Attachment;
pub use crate::message::builder::MessageBuilder;
pub use crate::message::date::Date;
pub use crate::message::error::{MailboxError, MessageError, MessageProblem};
pub use crate::message::into_address_list::IntoAddressList;
pub use crate::message::into_texts::IntoTexts;
pub use crate::message::mailbox::Mailbox;
pub use crate::message::media_type::MediaType;
pub use crate::message::part::Part;
pub use crate::message::resent::Resent;
pub use crate::net::stream::tcp::TcpTransport;
pub use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
pub use crate::parameter::Parameter;
pub use crate::places::failure::Failure;
pub use crate::places::outbox::Outbox;
pub use crate::places::sent::Sent;
pub use crate::protocol::error::ProtocolError;
pub use crate::protocol::extension::deliver_by::DeliverBy;
pub use crate::protocol::extension::dsn::{Notify, NotifyOn, ReturnContent};
pub use crate::recipients::IntoRecipients;
pub use crate::reply::{Code, EnhancedCode, Reply};
pub use crate::secret::Secret;
pub use crate::step::Step;
pub use crate::trace::TraceLine;
pub use crate::transport::Transport;

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeDoctests;
