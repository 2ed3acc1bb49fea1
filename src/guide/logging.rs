//! Log what happens, with `log` or `tracing`.
//!
//! With the crate `log`:
//!
//! ```no_run
//! use smtplib::{Config, Mailer};
//!
//! let config = Config::new("mail.example.com")
//!     .trace(|line| log::debug!(target: "smtp", "{line}"));
//! let mailer = Mailer::new(config);
//! ```
//!
//! With the crate `tracing`:
//!
//! ```no_run
//! use smtplib::{Config, Mailer};
//!
//! let config = Config::new("mail.example.com")
//!     .trace(|line| tracing::debug!(target: "smtp", "{line}"));
//! let mailer = Mailer::new(config);
//! ```
//!
//! Your function sees each line of the dialog as it happens:
//!
//! ```text
//! *: connecting to mail.example.com:587
//! S: 220 mail.example.com ESMTP
//! C: EHLO [192.0.2.1]
//! S: 250-mail.example.com
//! S: 250 STARTTLS
//! C: STARTTLS
//! S: 220 go ahead
//! *: TLS from here on, with mail.example.com
//! C: EHLO [192.0.2.1]
//! S: 250-mail.example.com
//! S: 250 AUTH PLAIN
//! C: AUTH PLAIN ***
//! S: 235 welcome
//! ```
//!
//! - `C` is the client, `S` the server, and `*` a remark. [`TraceLine`](crate::connection::TraceLine)
//!   has a variant for each.
//! - Passwords and tokens are masked before your function sees the line. A message is one line with its
//!   size. Addresses are shown.
//! - Control characters are escaped, so that a server cannot write into your terminal.
//! - By default nothing is traced. [`trace_to_stderr`](crate::Config::trace_to_stderr) needs no logger.
//!
//! # One line for each message
//!
//! Most programs want results in their log, and the dialog only when something is wrong:
//!
//! ```no_run
//! use smtplib::{Mailer, Message, Reply};
//!
//! fn send(mailer: &Mailer, message: &Message) {
//!     let id = message.message_id();
//!     match mailer.send(message) {
//!         Ok(outcome) => {
//!             let reply = outcome.reply().map(Reply::text).unwrap_or_default(); // has the queue id
//!             log::info!("{id}: {} accepted: {reply}", outcome.accepted().count());
//!             for refused in outcome.refused() {
//!                 log::warn!("{id}: {refused}");
//!             }
//!         }
//!         Err(error) => log::error!("{id}: {error}"),
//!     }
//! }
//! ```
//!
//! [`Error`](crate::Error), [`Outcome`](crate::Outcome) and their parts show no password, neither by
//! `Display` nor by `Debug`.
