//! Delivery options of an [`Envelope`](crate::Envelope), reply codes, and the steps of a session.
//!
//! SMTP or LMTP is chosen with [`config::Protocol`](crate::config::Protocol).

// Octets in, values out. Nothing here can read, write, wait or tell the time.

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
