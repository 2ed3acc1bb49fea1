//! Opening the connection.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::config::{Config, Server};
use crate::net::stream::Stream;

/// Opens the connection before the deadline.
///
/// The addresses of a host are tried in the resolver's order, each with its share of the time that
/// is left, so that one that swallows packets cannot use it all up.
pub(crate) fn dial(config: &Config, deadline: Instant) -> io::Result<Stream> {
    match &config.server {
        Server::Tcp { .. } => {
            let addresses = config.host_and_port().to_socket_addrs()?;
            let addresses: Vec<SocketAddr> = addresses
                .filter(|address| is_within_reach(*address, config))
                .collect();
            Stream::tcp(connect_any(&addresses, config, deadline)?)
        }
        #[cfg(unix)]
        Server::Unix(path) => Ok(Stream::unix(std::os::unix::net::UnixStream::connect(path)?)),
        #[cfg(not(unix))]
        Server::Unix(_) => Err(ErrorKind::Unsupported.into()),
    }
}

fn connect_any(
    addresses: &[SocketAddr],
    config: &Config,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(
        ErrorKind::NotFound,
        "the host has no address that can be reached",
    );
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let waiting = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = left / waiting;
        if share.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        match connect(*address, config, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[cfg(not(feature = "local-address"))]
fn is_within_reach(_address: SocketAddr, _config: &Config) -> bool {
    true
}

/// From an IPv4 address no IPv6 address can be reached, nor the other way round.
#[cfg(feature = "local-address")]
fn is_within_reach(address: SocketAddr, config: &Config) -> bool {
    config
        .local_address
        .is_none_or(|local| local.is_ipv4() == address.is_ipv4())
}

#[cfg(not(feature = "local-address"))]
fn connect(address: SocketAddr, _config: &Config, budget: Duration) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&address, budget)
}

#[cfg(feature = "local-address")]
fn connect(address: SocketAddr, config: &Config, budget: Duration) -> io::Result<TcpStream> {
    use socket2::{Domain, Socket, Type};

    let Some(local) = config.local_address else {
        return TcpStream::connect_timeout(&address, budget);
    };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.bind(&local.into())?;
    socket.connect_timeout(&address.into(), budget)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};

    fn config() -> Config {
        Config::new("localhost")
    }

    /// A socket that is bound, so that nobody else has its port.
    fn bound() -> socket2::Socket {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&address.into()).unwrap();
        socket
    }

    fn address(socket: &socket2::Socket) -> SocketAddr {
        socket.local_addr().unwrap().as_socket().unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(2)
    }

    // Dialog 70
    #[test]
    fn the_next_address_is_tried_when_one_refuses() {
        let (refusing, listener) = (bound(), TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = [address(&refusing), listener.local_addr().unwrap()];
        let stream = connect_any(&addresses, &config(), soon()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
    }

    #[test]
    fn the_last_failure_is_told() {
        let refusing = [bound(), bound()];
        let addresses = refusing.each_ref().map(address);
        let error = connect_any(&addresses, &config(), soon()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = connect_any(&[], &config(), soon()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn no_time_is_a_timeout() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [listener.local_addr().unwrap()];
        let error = connect_any(&addresses, &config(), Instant::now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    // L4: Linux ignores whoever wants into a full queue, as a firewall does.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let deaf = bound();
        deaf.listen(0).unwrap();
        let wait = Duration::from_millis(20);
        let fill = || TcpStream::connect_timeout(&address(&deaf), wait).ok();
        let _queue: Vec<TcpStream> = std::iter::from_fn(fill).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [address(&deaf), listener.local_addr().unwrap()];
        let stream = connect_any(&addresses, &config(), soon()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        let error = connect_any(&addresses[..1], &config(), Instant::now() + wait).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
