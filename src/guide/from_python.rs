//! From Python: the calls of `smtplib`, `EmailMessage`, `email.utils` and `mimetypes`.
//!
//! ```no_run
//! use smtplib::{Config, Credentials, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // msg = EmailMessage(); msg["From"] = …; msg.set_content("…")
//! let message = Message::builder()
//!     .from("alice@example.com")
//!     .to("bob@example.org")
//!     .subject("Lunch?")
//!     .text("Noon at the usual place?\n")
//!     .build()?;
//!
//! // with smtplib.SMTP("mail.example.com", 587) as smtp: smtp.starttls(); smtp.login("alice", "secret")
//! let mut smtp = Config::new("mail.example.com")
//!     .credentials(Credentials::password("alice", "secret"))
//!     .connect()?;
//! let outcome = smtp.send_message(&message)?; // refused = smtp.send_message(msg)
//! smtp.quit();
//! # Ok(())
//! # }
//! ```
//!
//! A [`Mailer`](crate::Mailer) is often better than a connection: it connects when needed, keeps
//! connections, and can be shared by threads.
//!
//! | `smtplib` | here |
//! |---|---|
//! | `SMTP(host, port)`, `SMTP_SSL(…)` | [`SmtpConnection::connect`](crate::SmtpConnection::connect), [`connect_tls`](crate::SmtpConnection::connect_tls); better a [`Config`](crate::Config) |
//! | `connect(host, port)`, `close()` | [`Config::connect`](crate::Config::connect) makes a connection, and dropping it closes it |
//! | `LMTP(host, port)`, `LMTP("/path")` | [`Config::lmtp`](crate::Config::lmtp), [`Config::lmtp_unix`](crate::Config::lmtp_unix) |
//! | `starttls()`, `login(u, p)`, `auth(…)` | [`starttls`](crate::SmtpConnection::starttls), [`login`](crate::SmtpConnection::login), [`authenticate`](crate::SmtpConnection::authenticate); with a `Config`, `connect` does it |
//! | `context=` | [`root_certificates`](crate::Config::root_certificates), [`client_identity`](crate::Config::client_identity), or your own [`tls_connector`](crate::Config::tls_connector) |
//! | `local_hostname=` | [`hello_name`](crate::Config::hello_name) |
//! | `source_address=` | `Config::local_address`, with the feature `local-address` |
//! | `sendmail(from, to, text)`, its dict of refused | [`sendmail`](crate::SmtpConnection::sendmail), [`Outcome::refused`](crate::Outcome::refused) |
//! | `send_message(msg)` | [`send_message`](crate::SmtpConnection::send_message) |
//! | `mail_options=`, `rcpt_options=` | [`Envelope::parameter`](crate::Envelope::parameter), [`Envelope::recipient`](crate::Envelope::recipient); methods such as [`notify`](crate::Envelope::notify) |
//! | `mail()`, `rcpt()`, `data()` | [`mail`](crate::SmtpConnection::mail), [`Transaction::rcpt`](crate::connection::Transaction::rcpt), [`Transaction::data`](crate::connection::Transaction::data) |
//! | `helo` | none: HELO is sent if the server does not know EHLO |
//! | `putcmd`, `getreply` | [`command`](crate::SmtpConnection::command) does both |
//! | `docmd`, `ehlo`, `rset`, `noop` | [`command`](crate::SmtpConnection::command), [`ehlo`](crate::SmtpConnection::ehlo), [`rset`](crate::SmtpConnection::rset), [`noop`](crate::SmtpConnection::noop) |
//! | `verify`, `expn`, `help`, `quit` | [`vrfy`](crate::SmtpConnection::vrfy), [`expn`](crate::SmtpConnection::expn), [`help`](crate::SmtpConnection::help), [`quit`](crate::SmtpConnection::quit) |
//! | `has_extn`, `esmtp_features` | [`Capabilities::has`](crate::Capabilities::has), [`Capabilities::param`](crate::Capabilities::param) |
//! | `set_debuglevel(1)` | [`Config::trace_to_stderr`](crate::Config::trace_to_stderr) |
//! | `timeout=30` | [`Config::timeout`](crate::Config::timeout) |
//! | `SMTPException`; `smtp_code`, `smtp_error` | [`Error`](crate::Error); [`Error::code`](crate::Error::code), [`Error::reply`](crate::Error::reply) |
//! | `SMTPConnectError`, `SMTPHeloError` | [`Error::Refused`](crate::Error::Refused) with its [`Step`](crate::protocol::Step) |
//! | `SMTPNotSupportedError`, `SMTPAuthenticationError` | [`Error::Unsupported`](crate::Error::Unsupported), [`Error::AuthFailed`](crate::Error::AuthFailed) |
//! | `SMTPSenderRefused`, `SMTPRecipientsRefused` | [`Error::SenderRefused`](crate::Error::SenderRefused), [`Error::RecipientsRefused`](crate::Error::RecipientsRefused) |
//! | `SMTPDataError` | [`Error::DataRefused`](crate::Error::DataRefused) |
//! | `SMTPServerDisconnected` | [`Error::Disconnected`](crate::Error::Disconnected), [`Error::Closed`](crate::Error::Closed), [`Error::Timeout`](crate::Error::Timeout), [`Error::Interrupted`](crate::Error::Interrupted) |
//!
//! | `EmailMessage` | here |
//! |---|---|
//! | `set_content(text)`, `add_alternative(html, subtype="html")` | [`text`](crate::MessageBuilder::text), [`html`](crate::MessageBuilder::html) |
//! | `add_attachment(data, …, filename=…)` | [`attach`](crate::MessageBuilder::attach) with [`Attachment::new`](crate::Attachment::new) |
//! | `add_related(data, …, cid=…)` | the same with [`inline`](crate::Attachment::inline) |
//! | `msg["X-Name"] = value` | [`header`](crate::MessageBuilder::header) |
//! | `as_bytes()`, `as_string()` | [`to_bytes`](crate::Message::to_bytes), and `String::from_utf8` |
//! | `email.utils.formataddr((name, address))` | a pair: `("Ann", "ann@example.org")` |
//! | `parseaddr`, `getaddresses` | parse a [`Mailbox`](crate::Mailbox), an [`AddressList`](crate::message::AddressList) |
//! | `make_msgid`, `formatdate` | added for you; or [`message_id`](crate::MessageBuilder::message_id), [`date`](crate::MessageBuilder::date) |
//! | `mimetypes.guess_type(name)` | [`MediaType::of_file`](crate::message::MediaType::of_file); `Attachment` does it |
//! | `mimetypes.guess_extension(type)` | none |
//!
//! # What is different
//!
//! - Certificates are verified. A server with its own certificate needs
//!   [`root_certificates`](crate::Config::root_certificates), once.
//! - [`connect`](crate::Config::connect) sends EHLO, and again after STARTTLS.
//! - A refused recipient is in the [`Outcome`](crate::Outcome) and is no error, as in Python. If all are
//!   refused, it is [`Error::RecipientsRefused`](crate::Error::RecipientsRefused).
//! - [`Outcome::reply`](crate::Outcome::reply) is the server's last reply, often with a queue id.
//! - `sendmail` takes text or bytes, and turns every line end into CRLF. It adds no `Date` and no
//!   `Message-ID`; [`Message`](crate::Message) does.
//! - There is a timeout by default. It is [`Error::Timeout`](crate::Error::Timeout).
//! - `Bcc` is in the envelope and never in the message. `to`, `cc` and `attach` add to what was there.
