//! Addresses where no dialog can begin. They test how a client goes from one address to the next.
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr};
#[cfg(target_os = "linux")]
use std::{net::TcpStream, time::Duration};

/// An address of 127.0.0.1 that refuses every connection.
///
/// The port is bound but does not listen, so that no other program gets it meanwhile.
#[derive(Debug)]
pub(crate) struct Refusing(Socket);

impl Refusing {
    pub(crate) fn new() -> Self {
        Self(bound())
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        address(&self.0)
    }
}

/// An address of 127.0.0.1 that does not reply: a connection attempt lasts until it is given up.
///
/// Its queue of connections is full, and then Linux ignores further attempts.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(crate) struct Deaf {
    listener: Socket,
    /// They fill the queue.
    _queue: Vec<TcpStream>,
}

#[cfg(target_os = "linux")]
impl Deaf {
    pub(crate) fn new() -> Self {
        let listener = bound();
        listener.listen(0).unwrap();
        let address = address(&listener);
        let wait = Duration::from_millis(20);
        let queue = std::iter::from_fn(|| TcpStream::connect_timeout(&address, wait).ok());
        Self {
            _queue: queue.collect(),
            listener,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        address(&self.listener)
    }
}

fn bound() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .unwrap();
    socket
}

fn address(socket: &Socket) -> SocketAddr {
    socket.local_addr().unwrap().as_socket().unwrap()
}
