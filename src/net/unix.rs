//! Configurations for a Unix socket.

use std::io;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::config::place::Place;
use crate::config::{Config, Protocol, Security, Server};
#[cfg(unix)]
use crate::net::stream::timed::Timed;
use crate::transport::Transport;

impl Config {
    /// Makes a configuration for LMTP over a Unix socket, without TLS: nothing leaves the machine.
    pub fn lmtp_unix(path: impl Into<PathBuf>) -> Self {
        let socket = Place {
            scheme: "unix",
            path: path.into(),
            open,
        };
        Self::with_server(Server::Unix(socket))
            .protocol(Protocol::Lmtp)
            .security(Security::None)
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<Box<dyn Transport>> {
    Ok(Box::new(Timed::new(UnixStream::connect(path)?)))
}

#[cfg(not(unix))]
fn open(_path: &Path) -> io::Result<Box<dyn Transport>> {
    Err(io::ErrorKind::Unsupported.into())
}
