//! Values for the fields of a [`Message`]: lists of addresses, dates, media types,
//! and the fields of a message that is sent again.
//!
//! Most methods of [`MessageBuilder`](crate::MessageBuilder) take a text. You need these types for
//! other values, such as several mailboxes in one text:
//!
//! ```
//! use smtplib::Message;
//! use smtplib::message::{AddressList, Date};
//!
//! let list: AddressList = "Bob <bob@example.org>, zoe@example.org".parse()?;
//! let date: Date = "Fri, 21 Nov 1997 09:55:06 -0600".parse()?;
//! let message = Message::builder()
//!     .from("alice@example.com")
//!     .to(list)
//!     .date(date)
//!     .text("Noon at the usual place?\n")
//!     .build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// A `MessageBuilder` checks what it is given and makes a `Message` from it: a header (`head`) and a
// tree of parts (`entity`). `render` makes bytes from it.
pub(crate) mod address_list;
pub(crate) mod attachment;
mod boundary;
pub(crate) mod builder;
pub(crate) mod date;
mod date_parser;
pub(crate) mod decode;
mod disposition;
mod encoded_word;
mod entity;
pub(crate) mod error;
mod extension;
mod field;
mod first_error;
mod head;
mod header;
mod id;
pub(crate) mod into_address_list;
pub(crate) mod into_texts;
mod lines;
mod list_fields;
mod list_parser;
pub(crate) mod mailbox;
pub(crate) mod media_type;
pub(crate) mod message;
mod parameter;
pub(crate) mod part;
mod phrase;
mod posting;
#[cfg(any(all(test, properties), fuzzing))]
pub(crate) mod properties;
pub(crate) mod random;
#[cfg(any(all(test, properties), fuzzing))]
mod reader;
mod render;
pub(crate) mod resent;
mod source;
mod transfer;
pub(crate) mod unfold;

pub use crate::message::address_list::{AddressList, Group, ListEntry};
pub use crate::message::date::Date;
pub use crate::message::media_type::MediaType;
pub(crate) use crate::message::message::Message;
pub(crate) use crate::message::render::Rendering;
pub use crate::message::resent::Resent;
pub(crate) use crate::message::transfer::Offers;
