//! Try again without sending twice, and what "unknown" means.
//!
//! ```no_run
//! use std::time::Duration;
//! use smtplib::{Mailer, Retry};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let message = smtplib::Message::builder().from("alice@example.com").build()?;
//! let mailer = Mailer::from_env("SMTP_URL")?.retry(
//!     Retry::new(5) // attempts in all
//!         .pauses(Duration::from_secs(2), Duration::from_secs(60))
//!         .deadline(Duration::from_secs(300)),
//! );
//! let outcome = mailer.send(&message)?; // may take five minutes
//! println!("{} attempts", outcome.attempts());
//! # Ok(())
//! # }
//! ```
//!
//! # What is tried again
//!
//! | what happened | without [`Retry`](crate::Retry) | with it |
//! |---|---|---|
//! | a kept connection was closed by the server meanwhile | once more, over a new connection | the same |
//! | no connection, a timeout, a reply 4yz | the error is returned | tried again after a pause |
//! | some recipients were refused for now | they are in the [`Outcome`](crate::Outcome) | tried again, for them alone |
//! | a reply 5yz, a wrong password, a wrong address | the error is returned | the same |
//! | the message may have been delivered | the error is returned | the same |
//!
//! Pauses double from the first to the longest; the defaults are 1 second and 60 seconds. A part of each
//! pause is random, so that many programs do not come back at the same moment.
//!
//! Servers that greylist refuse a new sender for some minutes. If you send to such servers directly, make
//! the [`pauses`](crate::Retry::pauses) longer.
//!
//! # What "unknown" means
//!
//! ```text
//! client                 server
//!   │── the message, a dot ►│ takes it,
//!   │ ✗ connection breaks   │ or not
//!   │    250 accepted ──────│ is lost
//! ```
//!
//! If the connection breaks at this moment, or no valid reply comes in time, the message may have been
//! delivered. There is no way to find out. [`Error::delivery`](crate::Error::delivery) then returns
//! [`Delivery::Unknown`](crate::Delivery::Unknown). In every other case it returns
//! [`NotDelivered`](crate::Delivery::NotDelivered). That is certain, except for recipients that
//! [`Error::outcome`](crate::Error::outcome) lists as accepted.
//!
//! The crate never sends such a message again. You decide:
//!
//! - A duplicate does no harm, as with a login code: send the same [`Message`](crate::Message) again. Its
//!   `Message-ID` is the same, so that a mail program can recognise the duplicate.
//! - A duplicate does harm: tell a person, or look for a bounce or a reply.
//!
//! Servers that check a message for a long time before they reply make this more likely. So the
//! time for the last reply is 10 minutes, as RFC 5321 asks.
//! [`Config::timeout`](crate::Config::timeout) shortens it; set single steps with
//! [`Timeouts`](crate::config::Timeouts) instead.
//!
//! # Your own loop
//!
//! ```no_run
//! use std::{thread, time::Duration};
//! use smtplib::{Error, Mailer, Message, Outcome};
//!
//! fn send(mailer: &Mailer, message: &Message) -> Result<Outcome, Error> {
//!     loop {
//!         match mailer.send(message) {
//!             Err(error) if error.is_transient() => thread::sleep(Duration::from_secs(60)),
//!             result => return result,
//!         }
//!     }
//! }
//! ```
//!
//! [`is_transient`](crate::Error::is_transient) is false when the fate is unknown, so this loop never makes
//! a duplicate. For a queue that survives a restart see [`many_machines`](super::many_machines).
