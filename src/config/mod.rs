//! Parts of a [`Config`]: the protocol, and the time limits of single steps.

pub(crate) mod config;
mod display;
pub(crate) mod error;
mod getters;
mod no_server;
pub(crate) mod opener;
mod options;
mod pem;
pub(crate) mod place;
#[cfg(feature = "serde")]
mod serde;
pub(crate) mod timeouts;
pub(crate) mod tls;
mod url;

pub use crate::config::config::Protocol;
pub(crate) use crate::config::config::{Config, Security, Server};
pub(crate) use crate::config::error::ConfigError;
pub use crate::config::timeouts::Timeouts;

#[cfg(test)]
mod tests;
