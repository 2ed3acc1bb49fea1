//! HTML with pictures, and a text for programs that show no HTML.
//!
//! ```no_run
//! use smtplib::{Attachment, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let message = Message::builder()
//!     .from("alice@example.com")
//!     .to("bob@example.org")
//!     .subject("The report")
//!     .text("The report is attached.\n")
//!     .html("<p><img src=\"cid:logo@example.com\" alt=\"\"> The <b>report</b> is attached.</p>\n")
//!     .attach(Attachment::from_path("logo.png")?.inline("logo@example.com"))
//!     .attach(Attachment::from_path("report.pdf")?)
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`text`](crate::MessageBuilder::text) and [`html`](crate::MessageBuilder::html) are two forms of
//!   the same message. Each mail program shows one of them. Give both: some people and some spam
//!   filters read only the text.
//! - [`inline`](crate::Attachment::inline) gives a picture an id. HTML shows it by `cid:` and the id.
//!   A picture that is inline is not listed as an attachment.
//! - An id can be any visible ASCII characters. Use a different id for each picture, such as
//!   `chart-42@example.com`: some mail programs mix up the same id in different messages.
//! - [`Attachment::url`](crate::Attachment::url) returns the `cid:` address, escaped for HTML.
//!
//! # Pictures that you have in memory
//!
//! ```
//! use smtplib::{Attachment, Message};
//!
//! let png = b"\x89PNG\r\n\x1a\n".to_vec();
//! let chart = Attachment::new("chart.png", png).inline("chart@example.com");
//! let url = chart.url().unwrap_or_default();
//! let message = Message::builder()
//!     .from("alice@example.com")
//!     .to("bob@example.org")
//!     .html(format!("<img src=\"{url}\" alt=\"Sales by month\">"))
//!     .attach(chart)
//!     .build()?;
//! # Ok::<(), smtplib::error::MessageError>(())
//! ```
//!
//! # Other structures
//!
//! [`Part`](crate::Part) builds any tree of parts, for instance a signed message or a report.
//! [`MessageBuilder::body`](crate::MessageBuilder::body) takes it.
//!
//! # To see the result
//!
//! Write the message to a file, and open it in a mail program:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let message = smtplib::Message::builder().from("alice@example.com").build()?;
//! std::fs::write("message.eml", message.to_bytes()?)?;
//! # Ok(())
//! # }
//! ```
