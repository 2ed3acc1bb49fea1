//! Sockets: connecting, TLS, lines in and messages out. The only part of the crate that waits.

pub(crate) mod body;
pub(crate) mod dial;
mod failed;
pub(crate) mod stream;
pub(crate) mod wire;
