//! Ten thousand messages: `send_all`, several connections, and a rate.
//!
//! ```no_run
//! use smtplib::{Mailer, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let readers = vec!["ann@example.org".to_owned()];
//! let mailer = Mailer::from_env("SMTP_URL")?.messages_per_connection(10_000);
//! let newsletter = |reader: &String| {
//!     Message::builder()
//!         .from("news@example.com")
//!         .to(reader)
//!         .subject("News")
//!         .text("Nothing happened today.\n")
//!         .build()
//! };
//! let messages = readers.iter().map(newsletter).collect::<Result<Vec<_>, _>>()?;
//!
//! for (reader, result) in readers.iter().zip(mailer.send_all(&messages)) {
//!     match result {
//!         Ok(outcome) if outcome.is_complete() => println!("{reader}: sent"),
//!         Ok(outcome) => outcome.refused().for_each(|refused| println!("{refused}")),
//!         Err(error) => eprintln!("{reader}: {error}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Mailer::send_all`](crate::Mailer::send_all) takes messages from any iterator, and returns one
//! result for each, in the same order. A refused message does not affect the others. Nothing is
//! sent until you ask for the first result.
//!
//! Messages are taken when there is room for them. An iterator that makes each message when it is
//! asked for one needs little memory, however many there are. One that does not know whether another
//! message comes may wait for it, as one that reads a channel does: everything before is sent first.
//!
//! # Why it is fast
//!
//! A single message with PIPELINING takes two flights. The client waits twice:
//!
//! ```text
//! client                        server
//! 1 │── MAIL FROM, RCPT TO, DATA ──►│
//!   │◄─────────── 250, 250, 354 ────│
//! 2 │── the message and a dot ─────►│
//!   │◄─────────── 250 accepted ─────│
//! ```
//!
//! `send_all` does not wait. While replies are on their way back, the next messages are on their way
//! out. The window is what was sent and has no reply yet: at most 1 MiB and 4096 messages.
//!
//! ```text
//!  1  2  3   4  5  6  7  8   9  10  …
//! └───┬───┘ └──────┬──────┘ └───┬────┘
//!   have a        the      still in the
//!   result       window      iterator
//! ```
//!
//! With CHUNKING, messages stream without a pause. Without CHUNKING, each message waits for one reply.
//! Without PIPELINING, each command waits for its reply. The results are the same.
//!
//! Some servers fail when a command directly follows a message. For them, call
//! [`one_by_one(true)`](crate::mailer::SendAll::one_by_one) on what `send_all` returns.
//!
//! # Several connections at a time
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let messages: Vec<smtplib::Message> = Vec::new();
//! # use smtplib::Mailer;
//! let mailer = Mailer::from_env("SMTP_URL")?.connections(8);
//! mailer.send_all(&messages).concurrency(8).for_each(|place, result| {
//!     if let Err(error) = result {
//!         eprintln!("message {place}: {error}");
//!     }
//! });
//! # Ok(())
//! # }
//! ```
//!
//! [`concurrency`](crate::mailer::SendAll::concurrency) uses that many threads and connections. Results
//! come as they are ready, each with the place of its message. This helps with servers that take long
//! for each message. Many servers allow only a few connections from one client.
//!
//! # Limit the rate
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use smtplib::Mailer;
//! use std::time::Duration;
//!
//! let mailer = Mailer::from_env("SMTP_URL")?.rate(14, Duration::from_secs(1)); // 14 in a second
//! # Ok(())
//! # }
//! ```
//!
//! Providers allow a number of messages in a second and in a day. [`rate`](crate::Mailer::rate) spreads
//! them evenly; by default there is no limit. If the server replies that it is too much, `send_all`
//! pauses, for 1 second at first and for at most 60.
//!
//! # When a connection is lost
//!
//! The messages that were certainly not delivered go over a new connection. A message that may have
//! been delivered is not sent again: its result says so. See [`trying_again`](super::trying_again).
//!
//! # One message for everybody, or one for each?
//!
//! One message with many recipients is sent once, and everybody sees the same header. One message for
//! each reader can greet the reader, has its own unsubscribe link, and has its own result. For
//! newsletters take one for each; see [`lists`](super::lists).
