//! A blocking SMTP and LMTP client.

mod address;
mod auth;
mod body;
mod config;
mod connection;
mod dial;
mod envelope;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod outcome;
mod protocol;
mod secret;
mod send;
mod step;
mod stream;
mod tls;
mod trace;
mod transaction;
mod url;
mod wire;

pub use crate::address::{Address, AddressError};
pub use crate::auth::Mechanism;
pub use crate::auth::credentials::{Credentials, CredentialsError};
pub use crate::auth::dialog::{AuthError, AuthReason};
pub use crate::auth::login::Login;
pub use crate::auth::oauth::{OAuthBearer, XOAuth2};
pub use crate::auth::plain::Plain;
pub use crate::config::{Config, ConfigError, Protocol, Security, Timeouts};
pub use crate::connection::SmtpConnection;
pub use crate::envelope::Envelope;
pub use crate::error::{ContentError, Delivery, Error, Interrupted, Result, Unsupported};
pub use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
pub use crate::protocol::capabilities::Capabilities;
pub use crate::protocol::command::{CommandError, Parameter};
pub use crate::protocol::error::ProtocolError;
pub use crate::protocol::reply::{Code, EnhancedCode, Reply};
pub use crate::secret::Secret;
pub use crate::step::Step;
pub use crate::trace::TraceLine;
pub use crate::transaction::{DataWriter, Transaction};
