//! Calendar invitations.
//!
//! ```
//! use smtplib::Message;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let calendar = "BEGIN:VCALENDAR\n\
//!     VERSION:2.0\n\
//!     PRODID:-//example.com//planner//EN\n\
//!     METHOD:REQUEST\n\
//!     BEGIN:VEVENT\n\
//!     UID:20261204-lunch@example.com\n\
//!     SEQUENCE:0\n\
//!     DTSTAMP:20261127T090000Z\n\
//!     DTSTART:20261204T120000Z\n\
//!     DTEND:20261204T130000Z\n\
//!     SUMMARY:Lunch\n\
//!     ORGANIZER:mailto:alice@example.com\n\
//!     ATTENDEE;RSVP=TRUE:mailto:bob@example.org\n\
//!     END:VEVENT\n\
//!     END:VCALENDAR\n";
//!
//! let invitation = Message::builder()
//!     .from("alice@example.com")
//!     .to("bob@example.org")
//!     .subject("Lunch")
//!     .text("Lunch on 4 December, 12:00 UTC.\n")
//!     .calendar("REQUEST", calendar)
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! Mail programs show such a message as an invitation, with buttons to accept or decline. The answer is a
//! mail to the organizer.
//!
//! - The method must be the same in [`calendar`](crate::MessageBuilder::calendar) and in the calendar
//!   itself.
//! - To change the event, send it again with the same `UID` and a higher `SEQUENCE`. To cancel it, send the
//!   method `CANCEL`.
//! - The organizer should be the sender, and the attendees the recipients.
//! - Give a text as well: not every program reads calendars.
//! - This crate does not check the calendar. RFC 5545 describes its lines, and RFC 6047 how they are
//!   mailed.
//!
//! # A calendar file to download
//!
//! ```
//! use smtplib::{Attachment, Message};
//!
//! # let calendar = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";
//! let message = Message::builder()
//!     .from("alice@example.com")
//!     .to("bob@example.org")
//!     .text("The dates are attached.\n")
//!     .attach(Attachment::new("dates.ics", calendar))
//!     .build()?;
//! # Ok::<(), smtplib::error::MessageError>(())
//! ```
