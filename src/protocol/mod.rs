//! Delivery options of an [`Envelope`](crate::Envelope), reply codes, and the steps of a session.
//!
//! SMTP or LMTP is chosen with [`config::Protocol`](crate::config::Protocol).

// Turns octets into values and values into octets. Nothing here does I/O, waits or asks for the
// time.

pub(crate) mod command;
pub(crate) mod data;
pub(crate) mod error;
pub(crate) mod extension;
pub(crate) mod line;
pub(crate) mod parser;
mod quoted;

pub use crate::parameter::Parameter;
pub use crate::protocol::extension::deliver_by::DeliverBy;
pub use crate::protocol::extension::dsn::{Notify, NotifyOn, ReturnContent};
pub use crate::reply::{Code, EnhancedCode};
pub use crate::step::Step;
