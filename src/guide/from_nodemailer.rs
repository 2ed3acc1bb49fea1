//! From Nodemailer: call by call.
//!
//! ```no_run
//! use smtplib::{Attachment, Config, Credentials, Mailer, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // nodemailer.createTransport({ host, port: 587, requireTLS: true, auth: { user, pass }, pool: true })
//! let config = Config::new("mail.example.com")
//!     .credentials(Credentials::password("alice", "secret"));
//! let transporter = Mailer::new(config);
//!
//! // await transporter.sendMail({ from, to, subject, text, html, attachments: [{ path }] })
//! let message = Message::builder()
//!     .from("Alice <alice@example.com>")
//!     .to(["bob@example.org", "carol@example.org"])
//!     .subject("Hello")
//!     .text("Hello!\n")
//!     .html("<b>Hello!</b>\n")
//!     .attach(Attachment::from_path("report.pdf")?)
//!     .build()?;
//! let info = transporter.send(&message)?;
//! println!("{}: {} accepted", message.message_id(), info.accepted().count());
//! # Ok(())
//! # }
//! ```
//!
//! | `createTransport` | here |
//! |---|---|
//! | `service: "Gmail"` | the URL in the table of [`providers`](super::providers) |
//! | `secure: true` | [`Security::ImplicitTls`](crate::Security::ImplicitTls), `smtps://` |
//! | `secure: false, requireTLS: true` | the default, `smtp://` |
//! | `secure: false` | [`Security::Opportunistic`](crate::Security::Opportunistic), `?tls=opportunistic` |
//! | `ignoreTLS: true` | [`Security::None`](crate::Security::None), `?tls=none` |
//! | `auth: { user, pass }` | [`Credentials::password`](crate::Credentials::password) |
//! | `auth: { type: "OAuth2", … }` | [`Credentials::token_from`](crate::Credentials::token_from) |
//! | `pool`, `maxConnections`, `maxMessages` | always; [`connections`](crate::Mailer::connections), [`messages_per_connection`](crate::Mailer::messages_per_connection) |
//! | `rateLimit`, `rateDelta` | [`Mailer::rate`](crate::Mailer::rate) |
//! | `tls: { ca, servername }` | [`root_certificates`](crate::Config::root_certificates), [`tls_server_name`](crate::Config::tls_server_name) |
//! | `tls: { rejectUnauthorized: false }` | [`danger_accept_invalid_certs`](crate::Config::danger_accept_invalid_certs); better trust the [certificate](super::certificates) |
//! | `name` | [`Config::hello_name`](crate::Config::hello_name) |
//! | `localAddress` | `Config::local_address`, with the feature `local-address` |
//! | `connectionTimeout`, `greetingTimeout`, `socketTimeout` | [`Timeouts`](crate::config::Timeouts) |
//! | `proxy` | [`Config::transport`](crate::Config::transport) |
//! | `logger: true, debug: true` | [`Config::trace`](crate::Config::trace), [`trace_to_stderr`](crate::Config::trace_to_stderr) |
//! | `dkim` | none: let your provider or mail server sign |
//! | `sendmail: true, path` | `sendmail:///usr/sbin/sendmail` |
//! | `streamTransport`, `jsonTransport` | [`Outbox`](crate::Outbox), [`Message::to_bytes`](crate::Message::to_bytes) |
//! | `transporter.verify()`, `close()` | [`Mailer::check`](crate::Mailer::check), [`close`](crate::Mailer::close) |
//!
//! | `sendMail` | here |
//! |---|---|
//! | `from`, `to`, `cc`, `bcc`, `replyTo` | [`from`](crate::MessageBuilder::from), [`to`](crate::MessageBuilder::to), [`cc`](crate::MessageBuilder::cc), [`bcc`](crate::MessageBuilder::bcc), [`reply_to`](crate::MessageBuilder::reply_to) |
//! | `sender` | [`sender`](crate::MessageBuilder::sender) |
//! | `to: "a@x, b@x"` in one text | [`AddressList`](crate::message::AddressList), or a list of texts |
//! | `text`, `html` | [`text`](crate::MessageBuilder::text), [`html`](crate::MessageBuilder::html) |
//! | `attachments: [{ filename, content }]`, `[{ path }]` | [`Attachment::new`](crate::Attachment::new), [`from_path`](crate::Attachment::from_path) |
//! | `content` as a stream | [`Attachment::streamed`](crate::Attachment::streamed), [`from_reader`](crate::Attachment::from_reader) |
//! | `contentType`, `cid` | [`media_type`](crate::Attachment::media_type), [`inline`](crate::Attachment::inline) |
//! | `href` | none: fetch the file, and give its bytes to [`Attachment::new`](crate::Attachment::new) |
//! | `alternatives` | [`Part::alternative`](crate::Part::alternative) with [`body`](crate::MessageBuilder::body) |
//! | `icalEvent: { method, content }` | [`calendar`](crate::MessageBuilder::calendar) |
//! | `list: { unsubscribe }` | [`list_unsubscribe`](crate::MessageBuilder::list_unsubscribe) |
//! | `headers: { … }` | [`header`](crate::MessageBuilder::header) |
//! | `inReplyTo`, `references`, `messageId`, `date` | [`in_reply_to`](crate::MessageBuilder::in_reply_to), [`references`](crate::MessageBuilder::references), [`message_id`](crate::MessageBuilder::message_id), [`date`](crate::MessageBuilder::date) |
//! | `envelope: { from, to }` | [`Mailer::send_to`](crate::Mailer::send_to) |
//! | `dsn` | [`Envelope::notify`](crate::Envelope::notify) |
//! | `raw` | [`Mailer::sendmail`](crate::Mailer::sendmail) |
//!
//! | result | here |
//! |---|---|
//! | `info.accepted`, `info.rejected` | [`Outcome::accepted`](crate::Outcome::accepted), [`refused`](crate::Outcome::refused) |
//! | `info.response`, `info.messageId` | [`Outcome::reply`](crate::Outcome::reply), [`Message::message_id`](crate::Message::message_id) |
//! | `err.code`: `EAUTH`, `ECONNECTION`, `ETIMEDOUT`, `EENVELOPE` | the variant of [`Error`](crate::Error) |
//! | `err.responseCode`, `err.command` | [`Error::code`](crate::Error::code), [`Error::step`](crate::Error::step) |
//!
//! # What is different
//!
//! - Calls block; there is no `await`. From an async program see
//!   [`many_threads`](super::many_threads#in-an-async-program).
//! - TLS is required unless you say otherwise.
//! - After an error, [`Error::delivery`](crate::Error::delivery) says whether the message may have
//!   arrived.
