//! Test a program that sends mail: an outbox in memory that fails on demand.
//!
//! ```
//! use smtplib::{Mailer, Message};
//!
//! // What is tested.
//! fn welcome(mailer: &Mailer, user: &str) -> Result<(), Box<dyn std::error::Error>> {
//!     let message = Message::builder()
//!         .from("shop@example.com")
//!         .to(user)
//!         .subject("Welcome!")
//!         .text("Good to have you here.\n")
//!         .build()?;
//!     mailer.send(&message)?;
//!     Ok(())
//! }
//!
//! // In your program this is a #[test].
//! let (mailer, outbox) = Mailer::outbox();
//! welcome(&mailer, "ann@example.org")?;
//!
//! let sent = outbox.take();
//! assert_eq!(sent.len(), 1);
//! assert_eq!(sent[0].subject(), "Welcome!");
//! assert!(sent[0].recipients().eq([&"ann@example.org".parse()?]));
//! assert!(sent[0].text().contains("Good to have you"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Mailer::outbox`](crate::Mailer::outbox) returns a mailer and an [`Outbox`](crate::Outbox), which is a
//! mail server in memory. It needs no port, and no test waits for it. It makes the same checks as a real
//! server, so a message that a server cannot take fails in the test, too. A program that holds a
//! [`Config`](crate::Config) gets [`Outbox::config`](crate::Outbox::config).
//!
//! # Failures
//!
//! ```
//! use smtplib::outbox::Failure;
//! use smtplib::{Delivery, Mailer};
//!
//! let (mailer, outbox) = Mailer::outbox();
//! outbox.refuse("bob@example.org", 550, "5.1.1 no such user"); // from now on
//! outbox.fail_next(Failure::message(452, "4.3.1 disk full")); // the next attempt
//! outbox.fail_next(Failure::lost_after_end()); // and the one behind it
//!
//! let send = |to: &str| mailer.sendmail("shop@example.com", to, "Subject: Hi\n\nHi!\n");
//! assert!(send("ann@example.org").unwrap_err().is_transient());
//! assert_eq!(send("ann@example.org").unwrap_err().delivery(), Delivery::Unknown);
//! assert!(!send("bob@example.org").unwrap_err().is_transient());
//! ```
//!
//! | what fails | how a test says it |
//! |---|---|
//! | a recipient, a sender | [`Outbox::refuse`](crate::Outbox::refuse), [`refuse_sender`](crate::Outbox::refuse_sender) |
//! | the connection | [`Failure::connect`](crate::outbox::Failure::connect) |
//! | the sender, once | [`Failure::sender`](crate::outbox::Failure::sender) |
//! | the message | [`Failure::message`](crate::outbox::Failure::message) |
//! | the connection, during the message | [`Failure::lost_before_end`](crate::outbox::Failure::lost_before_end) |
//! | the connection, before the last reply | [`Failure::lost_after_end`](crate::outbox::Failure::lost_after_end) |
//! | the server says nothing | [`Failure::timeout`](crate::outbox::Failure::timeout) |
//! | an extension is missing | [`Outbox::offer`](crate::Outbox::offer) |
//!
//! After `lost_after_end` and `timeout` the outbox has the message, and the program cannot know it. So a
//! test can see whether the program sends it twice. No time passes in a `timeout`.
//!
//! # No mail leaves the machine during development
//!
//! The URL decides where mail goes. A program that reads `SMTP_URL` needs no change for these:
//!
//! | URL | what happens |
//! |---|---|
//! | `maildir:///home/me/outbox` | each message becomes a file in a Maildir |
//! | `sendmail:///usr/sbin/sendmail` | each message goes to this program |
//! | `smtp://localhost:1025?tls=none` | a web page shows each message (Mailpit, MailHog) |
//!
//! # Errors and outcomes without a server
//!
//! A test of your error handling can make the values without a server:
//!
//! ```
//! use smtplib::Error;
//! use smtplib::protocol::Step;
//!
//! let error = Error::refused(Step::Mail, "450 4.7.1 come back later".parse()?);
//! assert!(error.is_transient());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Error`](crate::Error), [`Outcome`](crate::Outcome) and [`Reply`](crate::Reply) have constructors for
//! this.
//!
//! `examples/testing.rs` in the repository tests a small shop in this way.
