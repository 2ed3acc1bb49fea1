//! What belongs to one [`SmtpConnection`]: many messages at once, a transaction by hand, your own way to
//! connect, and the dialog as it can be shown.

mod admit;
pub(crate) mod batch;
pub(crate) mod cargo;
pub(crate) mod drive;
mod goodbye;
mod hello;
mod job;
mod login;
mod message;
mod open;
pub(crate) mod run;
mod send;
pub(crate) mod smtp_connection;
pub(crate) mod transaction;
mod verbs;
mod verdict;

pub use crate::connection::batch::SendAll;
pub use crate::connection::cargo::Consignment;
pub(crate) use crate::connection::smtp_connection::SmtpConnection;
pub use crate::connection::transaction::{DataWriter, Transaction};
pub use crate::net::stream::tcp::TcpTransport;
pub use crate::trace::TraceLine;
pub use crate::transport::Transport;
