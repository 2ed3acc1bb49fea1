//! Sockets: connecting, TLS, reading replies and sending messages. Only this part of the crate
//! waits for the network.

pub(crate) mod body;
pub(crate) mod dial;
mod failed;
pub(crate) mod last_words;
pub(crate) mod stream;
mod unix;
pub(crate) mod wire;
