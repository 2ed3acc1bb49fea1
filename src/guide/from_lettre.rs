//! From lettre: call by call.
//!
//! ```no_run
//! use smtplib::{Config, Credentials, Mailer, Message, Security};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let email = Message::builder()
//!     .from("NoBody <nobody@example.com>") // no parse()
//!     .reply_to("Yuin <yuin@example.com>")
//!     .to("Hei <hei@example.org>")
//!     .subject("Happy new year")
//!     .text("Be happy!\n")
//!     .build()?;
//!
//! // SmtpTransport::relay("mail.example.com")?.credentials(creds).build()
//! let config = Config::new("mail.example.com")
//!     .security(Security::ImplicitTls) // port 465
//!     .credentials(Credentials::password("alice", "secret"));
//! let mailer = Mailer::new(config);
//! let outcome = mailer.send(&email)?;
//! # Ok(())
//! # }
//! ```
//!
//! | lettre 0.11 | here |
//! |---|---|
//! | `SmtpTransport::relay(host)` | [`Config::new`](crate::Config::new) with [`Security::ImplicitTls`](crate::Security::ImplicitTls), or `smtps://host` |
//! | `SmtpTransport::starttls_relay(host)` | [`Config::new`](crate::Config::new), or `smtp://host` |
//! | `SmtpTransport::unencrypted_localhost()` | `smtp://localhost?tls=none` |
//! | `SmtpTransport::builder_dangerous(host)` | [`Config::new`](crate::Config::new) with [`Security::None`](crate::Security::None) |
//! | `.tls(Tls::Wrapper(…))`, `Required`, `Opportunistic`, `None` | [`security`](crate::Config::security) with `ImplicitTls`, `StartTls`, `Opportunistic`, `None` |
//! | `SmtpTransport::from_url(url)` | `url.parse::<Mailer>()`; [`Config`](crate::Config) has the table of URLs |
//! | `.credentials(Credentials::new(u, p))` | [`Credentials::password`](crate::Credentials::password) |
//! | `.authentication(vec![Mechanism::Xoauth2])` | [`Credentials::bearer`](crate::Credentials::bearer), [`token_from`](crate::Credentials::token_from) |
//! | `.port(n)`, `.timeout(…)`, `.hello_name(…)` | [`port`](crate::Config::port), [`timeout`](crate::Config::timeout), [`hello_name`](crate::Config::hello_name) |
//! | `.pool_config(PoolConfig::new().max_size(n))` | [`Mailer::connections`](crate::Mailer::connections) |
//! | `PoolConfig::idle_timeout(…)` | [`Mailer::idle_time`](crate::Mailer::idle_time) |
//! | `PoolConfig::min_idle(n)` | none: connections are opened when needed |
//! | `TlsParameters::builder(…).add_root_certificate(…)` | [`Config::root_certificates`](crate::Config::root_certificates) |
//! | `mailer.send(&email)?` | [`Mailer::send`](crate::Mailer::send) |
//! | `mailer.send_raw(&envelope, &bytes)?` | [`Mailer::sendmail`](crate::Mailer::sendmail) |
//! | `mailer.test_connection()?` | [`Mailer::check`](crate::Mailer::check) |
//! | `error.is_transient()`, `is_permanent()`, `status()` | [`is_transient`](crate::Error::is_transient), [`is_permanent`](crate::Error::is_permanent), [`code`](crate::Error::code) |
//! | `error.is_timeout()` | [`is_timeout`](crate::Error::is_timeout) |
//! | `StubTransport` | [`Outbox`](crate::Outbox) |
//! | `FileTransport`, `SendmailTransport` | `maildir:///path`, `sendmail:///usr/sbin/sendmail` |
//! | `AsyncSmtpTransport` | none: the crate blocks |
//!
//! | lettre's `message` | here |
//! |---|---|
//! | `.header(ContentType::TEXT_HTML).body(html)` | [`html`](crate::MessageBuilder::html) |
//! | `MultiPart::alternative_plain_html(text, html)` | [`text`](crate::MessageBuilder::text) and [`html`](crate::MessageBuilder::html) |
//! | `Attachment::new(name).body(bytes, content_type)` | [`Attachment::new`](crate::Attachment::new), with the media type guessed |
//! | `Attachment::new_inline(cid).body(…)` | [`Attachment::inline`](crate::Attachment::inline) |
//! | `MultiPart::mixed()`, `related()`, `SinglePart` | [`Part`](crate::Part) and [`body`](crate::MessageBuilder::body) |
//! | `.message_id(…)`, `.in_reply_to(…)`, `.references(…)` | the same names |
//! | `message.sign(&dkim_config)` | none: let your provider or mail server sign |
//! | `email.formatted()` | [`Message::to_bytes`](crate::Message::to_bytes) |
//! | `Address`, `Mailbox`, `Envelope` | the same names |
//!
//! # What is different
//!
//! - `send` returns an [`Outcome`](crate::Outcome), with a result for each recipient. It is `Ok` if
//!   at least one recipient gets the message, so look at [`refused`](crate::Outcome::refused). To
//!   send to all or none, set [`Envelope::require_all`](crate::Envelope::require_all).
//! - After an error, [`Error::delivery`](crate::Error::delivery) says whether the message may have
//!   arrived.
//! - Setters take text, and [`build`](crate::MessageBuilder::build) returns the first error. So there is no
//!   `parse()?` for each address.
//! - A URL without options requires STARTTLS.
