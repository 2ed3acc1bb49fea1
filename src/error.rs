//! The reasons inside an [`Error`], and the errors of calls that need no server.
//!
//! | call | its error |
//! |---|---|
//! | parsing an [`Address`](crate::Address) | [`AddressError`] |
//! | parsing a [`Mailbox`](crate::Mailbox) | [`MailboxError`] |
//! | [`MessageBuilder::build`](crate::MessageBuilder::build) | [`MessageError`] |
//! | parsing or checking a [`Config`](crate::Config) | [`ConfigError`] |

mod debug;
mod display;
pub(crate) mod error;
mod gave_up;
mod interrupted;
mod make;
pub(crate) mod seconds;
mod tls;

pub use crate::address::AddressError;
pub use crate::auth::dialog::AuthError;
pub use crate::auth::error::{AuthReason, CredentialsError};
pub use crate::command_error::CommandError;
pub use crate::config::error::ConfigError;
pub use crate::endpoint::Endpoint;
pub(crate) use crate::error::error::{Delivery, Error, Result, is_worth_another_try};
pub use crate::error::gave_up::GaveUp;
pub use crate::error::interrupted::Interrupted;
pub use crate::error::tls::{TlsError, TlsReason};
pub use crate::exchange::error::{ContentError, Unsupported};
pub use crate::message::error::{MailboxError, MessageError, MessageProblem};
pub use crate::protocol::error::ProtocolError;

#[cfg(test)]
mod tests;
