//! The words of SMTP: codes of replies, the steps of a session, and the parameters of MAIL and RCPT that
//! an [`Envelope`](crate::Envelope) takes.

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
