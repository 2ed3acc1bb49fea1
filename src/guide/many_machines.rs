//! More than one machine: workers with a queue.
//!
//! If several machines send, or if a message must survive a crash of your program, put each message
//! into a queue first. A worker takes one job after the other:
//!
//! ```no_run
//! use smtplib::{Delivery, Mailer};
//!
//! struct Job { from: String, to: Vec<String>, message: Vec<u8> }
//!
//! enum Fate { Done, Later(Vec<String>), Failed(String), Unknown(String) }
//!
//! fn work(mailer: &Mailer, job: &Job) -> Fate {
//!     let result = mailer.sendmail(&job.from, &job.to, &job.message);
//!     let outcome = match &result {
//!         Ok(outcome) => Some(outcome),
//!         Err(error) if error.delivery() == Delivery::Unknown => return Fate::Unknown(error.to_string()),
//!         Err(error) => error.outcome(),
//!     };
//!     if let Some(outcome) = outcome {
//!         for refused in outcome.refused().filter(|recipient| !recipient.is_worth_retrying()) {
//!             eprintln!("{refused}"); // will never get it
//!         }
//!         let left = outcome.worth_retrying().map(|recipient| recipient.address().to_string());
//!         let left: Vec<String> = left.collect();
//!         if !left.is_empty() {
//!             return Fate::Later(left); // only those who have not got it
//!         }
//!     }
//!     match result {
//!         Ok(_) => Fate::Done,
//!         Err(error) if error.is_transient() => Fate::Later(job.to.clone()),
//!         Err(error) => Fate::Failed(error.to_string()),
//!     }
//! }
//! ```
//!
//! A job holds the finished message, made by [`Message::to_bytes`](crate::Message::to_bytes), and not
//! its parts. Then every attempt sends the same `Message-ID`, and a mail program can recognise a
//! duplicate.
//!
//! Before you build this: a mail server such as Postfix is a queue, and can be the queue for all your
//! machines. Build your own if the jobs come from your own system, or if you need every result there.
//!
//! # What "unknown" means here
//!
//! In two cases you do not know the result:
//!
//! 1. The connection breaks after the end of the message was sent, and no reply came. The error says
//!    [`Delivery::Unknown`](crate::Delivery::Unknown).
//! 2. The worker dies while it sends.
//!
//! In both cases the server may have the message or not, and you cannot ask it. So decide for each
//! kind of message, before it happens:
//!
//! | message | if its fate is unknown |
//! |---|---|
//! | a password reset, a login code | send it again: a duplicate does no harm |
//! | an invoice, a newsletter | set it aside for a person, or leave it |
//!
//! For the second case, write down that a job has begun *before* you send it. Mark it as done after
//! the result. A job that has begun and has no result is unknown when another worker finds it.
//!
//! # A whole program
//!
//! `examples/worker` in the repository, a package of its own, does this with a Redis stream. Any number
//! of workers may run, and each of them may be killed at any time. It needs no more than Redis.
//!
//! # Across machines
//!
//! - [`rate`](crate::Mailer::rate) and [`connections`](crate::Mailer::connections) count in one process.
//!   Divide what the provider allows by the number of workers.
//! - Tell a worker to stop with a signal or a flag. Let it finish its message, and call
//!   [`Mailer::close`](crate::Mailer::close).
