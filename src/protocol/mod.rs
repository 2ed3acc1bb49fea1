//! Parts of the protocol: reply codes, the steps of a session, and parameters of an
//! [`Envelope`](crate::Envelope).

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
