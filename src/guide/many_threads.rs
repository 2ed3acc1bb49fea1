//! Many threads, or a web server: clone one `Mailer`.
//!
//! ```no_run
//! use std::thread;
//! use smtplib::{Mailer, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mailer = Mailer::from_env("SMTP_URL")?;
//! let jobs: Vec<_> = ["ann@example.org", "bob@example.org"]
//!     .into_iter()
//!     .map(|reader| {
//!         let mailer = mailer.clone(); // shares the connections
//!         thread::spawn(move || {
//!             let message = Message::builder()
//!                 .from("shop@example.com")
//!                 .to(reader)
//!                 .subject("Your order")
//!                 .text("Thank you!\n")
//!                 .build()?;
//!             Ok::<_, Box<dyn std::error::Error + Send + Sync>>(mailer.send(&message)?)
//!         })
//!     })
//!     .collect();
//! # Ok(())
//! # }
//! ```
//!
//! Make one [`Mailer`](crate::Mailer) when the program starts. All its methods take `&self`, so threads
//! can share it by reference or by clone. Clones share the connections and the rate.
//!
//! A mailer is a pool:
//!
//! | option | default | at the limit |
//! |---|---|---|
//! | [`connections`](crate::Mailer::connections) at a time | 4 | callers wait |
//! | [`max_wait`](crate::Mailer::max_wait) for a connection | 30 seconds | [`Error::Busy`](crate::Error::Busy) |
//! | [`idle_time`](crate::Mailer::idle_time) | 60 seconds | closed at the next use |
//! | [`max_age`](crate::Mailer::max_age) | 10 minutes | a new connection |
//! | [`messages_per_connection`](crate::Mailer::messages_per_connection) | 100 | a new connection |
//! | [`rate`](crate::Mailer::rate) | no limit | callers wait |
//!
//! There is no background thread. At the end of the program [`close`](crate::Mailer::close) sends QUIT on
//! all connections, and takes at most 5 seconds.
//!
//! # One mailer for the whole program
//!
//! ```no_run
//! use std::sync::LazyLock;
//! use smtplib::{Config, Mailer};
//!
//! static MAILER: LazyLock<Mailer> = LazyLock::new(|| Mailer::new(Config::new("mail.example.com")));
//!
//! # fn main() -> Result<(), smtplib::Error> {
//! MAILER.check()?;
//! # Ok(())
//! # }
//! ```
//!
//! # In a web server
//!
//! Sending takes as long as the mail server takes, often a second or more. Three ways to deal with that:
//!
//! 1. Send in the request, and show the visitor the error. This is simple and honest.
//! 2. Send to a mail server on the same machine, which takes the message at once and has a queue. Its
//!    URL is `smtp://localhost?tls=none`.
//! 3. Put the message into a queue of your own; see [`many_machines`](super::many_machines).
//!
//! `examples/web.rs` in the repository is a small web server whose threads share one mailer.
//!
//! # In an async program
//!
//! The crate blocks. Call it on a thread that may block, for instance with `spawn_blocking`:
//!
//! ```no_run
//! # mod tokio { pub mod task { pub async fn spawn_blocking<T>(f: impl FnOnce() -> T) -> std::io::Result<T> { Ok(f()) } } }
//! # async fn send(mailer: smtplib::Mailer, message: smtplib::Message) -> Result<(), Box<dyn std::error::Error>> {
//! let outcome = tokio::task::spawn_blocking(move || mailer.send(&message)).await??;
//! # Ok(())
//! # }
//! ```
//!
//! # One connection by hand
//!
//! An [`SmtpConnection`](crate::SmtpConnection) sends one message after the other. Its methods take
//! `&mut self`, so two threads cannot use it at the same time.
