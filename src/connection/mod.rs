//! Types for one [`SmtpConnection`]: batches, transactions, transports and the trace.

// In this order rustdoc lists the methods of a connection: open it, log in, send, and the rest.
mod open;

mod hello;
mod login;

mod message;
mod send;

mod admit;
pub(crate) mod batch;
pub(crate) mod cargo;
pub(crate) mod drive;
mod goodbye;
mod job;
pub(crate) mod rest;
pub(crate) mod run;
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
