//! Where a peer listens.
use crate::peer::stream::Socket;
use socket2::SockRef;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::{os::unix::net::UnixListener, path::PathBuf};
#[cfg(unix)]
use tempfile::TempDir;

#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// What a client needs to connect.
#[derive(Debug)]
pub(crate) enum Endpoint {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(
        PathBuf,
        #[expect(dead_code, reason = "keeps the directory until the peer is dropped")] TempDir,
    ),
}

impl Listener {
    pub(crate) fn tcp(address: SocketAddr, recv_buffer: Option<usize>) -> (Self, Endpoint) {
        let listener = TcpListener::bind(address).unwrap();
        if let Some(octets) = recv_buffer {
            // Accepted sockets inherit it. Only in this way is the window small from the handshake
            // on.
            SockRef::from(&listener)
                .set_recv_buffer_size(octets)
                .unwrap();
        }
        listener.set_nonblocking(true).unwrap();
        let endpoint = Endpoint::Tcp(listener.local_addr().unwrap());
        (Self::Tcp(listener), endpoint)
    }

    #[cfg(unix)]
    pub(crate) fn unix() -> (Self, Endpoint) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("lmtp");
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        (Self::Unix(listener), Endpoint::Unix(path, directory))
    }

    /// The next connection, if there is one.
    pub(crate) fn accept(&self) -> Option<Socket> {
        let accepted = match self {
            Self::Tcp(listener) => listener.accept().map(|(stream, _)| {
                stream.set_nodelay(true).unwrap();
                Socket::Tcp(stream)
            }),
            #[cfg(unix)]
            Self::Unix(listener) => listener.accept().map(|(stream, _)| Socket::Unix(stream)),
        };
        match accepted {
            Ok(socket) => {
                // On some systems it inherits the listener's mode.
                socket.set_nonblocking(false).unwrap();
                Some(socket)
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => None,
            Err(e) => panic!("the peer cannot accept: {e}"),
        }
    }
}
