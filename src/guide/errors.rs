//! What an error means, and what to do.
//!
//! ```no_run
//! use smtplib::{Delivery, Mailer, Message};
//!
//! # fn send(mailer: &Mailer, message: &Message) {
//! match mailer.send(message) {
//!     Ok(outcome) => {
//!         for recipient in outcome.refused() {
//!             eprintln!("{recipient}"); // some did not get it
//!         }
//!     }
//!     Err(error) if error.delivery() == Delivery::Unknown => {
//!         // Sending again may make a duplicate.
//!         eprintln!("it may have arrived: {error}");
//!     }
//!     Err(error) if error.is_transient() => {
//!         eprintln!("try again later: {error}");
//!     }
//!     Err(error) => eprintln!("this needs a change: {error}"),
//! }
//! # }
//! ```
//!
//! Ask in this order: may it have been delivered, is trying later useful, must something change? In
//! the last two cases the message was certainly not delivered. The exceptions are recipients that
//! [`Error::outcome`](crate::Error::outcome) lists as accepted.
//!
//! The lists at [`Error`](crate::Error) have each variant, what it means, and what to do.
//!
//! Printing the error is enough for a log: the sentence has the step, the server, and the server's
//! own words. Some sentences, and what to do:
//!
//! | sentence | what to do |
//! |---|---|
//! | mail.example.com:587 refused the login with PLAIN: 535 … | Check user name and password. Many providers want an app password or OAuth2: see [`providers`](super::providers). |
//! | logging in at mail.example.com:25 without TLS would show the password … | The configuration turns TLS off, or makes it optional. Remove `tls=none` or `tls=opportunistic`, or use `smtps://`. |
//! | mail.example.com:25 does not offer STARTTLS … | Use `smtps://`, or another port. |
//! | could not connect to mail.example.com:587 … | Check host and port. Cloud machines often block port 25. |
//! | the environment variable SMTP_URL is not set … | Set it. |
//! | none of the mailer's 4 connections became free … | Allow more [`connections`](crate::Mailer::connections), or wait longer. |
//! | gave up after 4 attempts: … | The rest of the sentence is the last failure. |
//!
//! # Details that a program can ask for
//!
//! | method | returns |
//! |---|---|
//! | [`reply`](crate::Error::reply), [`code`](crate::Error::code) | the server's reply, such as 550 |
//! | [`step`](crate::Error::step) | where: connecting, logging in, … |
//! | [`server`](crate::Error::server) | which server, while connecting |
//! | [`outcome`](crate::Error::outcome) | what is known of each recipient |
//! | [`is_timeout`](crate::Error::is_timeout) | whether time ran out |
//! | [`attempts`](crate::Error::attempts) | how many times it was tried |
//!
//! A reply that begins with 4 means "not now", and a reply that begins with 5 means "never like this".
//! [`Reply::enhanced`](crate::Reply::enhanced) has the detailed code, such as 5.1.1.
//!
//! # Errors before anything is sent
//!
//! [`MessageError`](crate::error::MessageError) comes from [`build`](crate::MessageBuilder::build), and
//! names the field. [`ConfigError`](crate::error::ConfigError) comes from a URL or from
//! [`Config::check`](crate::Config::check). Both can be shown to the person who typed the text.
//!
//! # See what was said
//!
//! ```no_run
//! # fn main() -> Result<(), smtplib::Error> {
//! # use smtplib::Config;
//! let config = Config::new("mail.example.com").trace_to_stderr();
//! # Ok(())
//! # }
//! ```
//!
//! The trace shows every line of the dialog. Passwords and tokens are masked, so you can put it into a
//! bug report.
