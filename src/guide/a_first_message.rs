//! A first message, with an attachment.
//!
//! ```no_run
//! use smtplib::{Attachment, Mailer, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder()
//!     .from("Alice <alice@example.com>")
//!     .to("Zoë Müller <zoe@example.org>")
//!     .subject("Résumé")
//!     .text("My résumé is attached.\n")
//!     .attach(Attachment::from_path("résumé.pdf")?)
//!     .build()?;
//!
//! let mailer: Mailer = "smtp://alice:secret@mail.example.com".parse()?;
//! let outcome = mailer.send(&message)?;
//! for recipient in outcome.refused() {
//!     eprintln!("{recipient}"); // zoe@example.org was refused: 550 5.1.1 no such user
//! }
//! # Ok(())
//! # }
//! ```
//!
//! You need three things: a server that sends mail for you, a user name, and a password. The chapter
//! [`providers`](super::providers) has them for common providers.
//!
//! # The URL
//!
//! - `smtp://` connects to port 587 and requires STARTTLS. `smtps://` connects to port 465, where TLS
//!   begins at once. Without TLS nothing is sent, unless the URL says so.
//! - Characters such as `@`, `/`, `:` and `%` in a user name or password are percent-encoded:
//!   `p@ss` is `p%40ss`.
//! - Keep the password out of your source. [`Mailer::from_env`](crate::Mailer::from_env) reads the
//!   URL from an environment variable. [`Config::ask_password`](crate::Config::ask_password) asks the
//!   user.
//! - [`Config`](crate::Config) has a table of all options. It can also be built step by step:
//!
//! ```no_run
//! use smtplib::{Config, Credentials, Mailer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let password = std::env::var("SMTP_PASSWORD")?;
//! let config = Config::new("mail.example.com") // STARTTLS on port 587
//!     .credentials(Credentials::password("alice", password));
//! let mailer = Mailer::new(config);
//! mailer.check()?; // connects and logs in once, so that a wrong password shows at once
//! # Ok(())
//! # }
//! ```
//!
//! # The message
//!
//! - [`from`](crate::MessageBuilder::from) and [`to`](crate::MessageBuilder::to) take one address as
//!   text, a pair of name and address, or any list of them.
//! - `Date` and `Message-ID` are added for you.
//! - [`Attachment::from_path`](crate::Attachment::from_path) reads the file while it is sent, so large
//!   files need little memory. [`Attachment::new`](crate::Attachment::new) takes bytes. The media type
//!   is guessed from the file extension.
//! - Setters never fail. [`build`](crate::MessageBuilder::build) returns the first error.
//!
//! # The result
//!
//! `Ok` means that the server took the message for at least one recipient.
//! [`Outcome`](crate::Outcome) lists each recipient with the server's reply. If no recipient gets
//! the message, you get an [`Error`](crate::Error). The chapter [`errors`](super::errors) says what
//! to do.
//!
//! # One connection by hand
//!
//! A [`Mailer`](crate::Mailer) opens connections when they are needed and keeps them for the next
//! message. If you want to hold one connection yourself, use [`Config::connect`](crate::Config::connect):
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use smtplib::Config;
//!
//! let mut smtp = Config::new("mail.example.com").connect()?;
//! let text = "Subject: Lunch?\n\nNoon at the usual place?\n";
//! let outcome = smtp.sendmail("alice@example.com", ["bob@example.org"], text)?;
//! println!("{} accepted", outcome.accepted().count());
//! smtp.quit();
//! # Ok(())
//! # }
//! ```
