//! Configurations for a place instead of a server.

use std::path::Path;

use crate::config::place::Place;
use crate::config::{Config, ConfigError, Protocol, Security, Server};

impl Config {
    /// A configuration for a place.
    pub(crate) fn with_place(place: Place) -> Self {
        Self {
            security: Security::None,
            ..Self::with_server(Server::Place(place))
        }
    }

    /// The path of the place with this scheme, if it is one.
    pub(super) fn place(&self, scheme: &str) -> Option<&Path> {
        match &self.server {
            Server::Place(place) if place.scheme == scheme => Some(&place.path),
            _ => None,
        }
    }

    /// A place is no server: whatever is for servers would be without effect, and is an error.
    pub(super) fn check_place(&self) -> Result<(), ConfigError> {
        let mut options = vec![
            (self.security != Security::None, "TLS"),
            (self.tls.is_any_set(), "the TLS options"),
            (self.tls.server_name().is_some(), "the TLS server name"),
            (self.protocol != Protocol::Smtp, "LMTP"),
            (self.credentials.is_some(), "the user"),
            (self.mechanisms.is_some(), "the SASL mechanisms"),
        ];
        #[cfg(feature = "local-address")]
        options.push((self.local_address.is_some(), "the local address"));
        options.retain(|(is_set, _)| *is_set);
        match options.first() {
            Some((_, option)) => Err(ConfigError::NoServer(option)),
            None => Ok(()),
        }
    }
}
