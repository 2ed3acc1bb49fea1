//! Opening the connection.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::opener::Opener;
use crate::config::{Config, Security, Server};
use crate::error::{Error, Result, is_worth_another_try};
use crate::net::stream::Stream;
use crate::net::stream::tcp::TcpTransport;
use crate::step::Step;
use crate::transport::Transport;

/// Opens the connection before the deadline.
///
/// The addresses of a host are tried in the resolver's order. Each gets a share of the time that is
/// left, so that an address that drops packets cannot use all of it.
pub(crate) fn dial(config: &Config, deadline: Instant) -> Result<Stream> {
    if let Some(opener) = &config.opener {
        return open(opener.clone(), config.clone(), deadline);
    }
    let connected = match &config.server {
        Server::Tcp { .. } => {
            let addresses = look_up(config.host_and_port(), deadline);
            let addresses = addresses.map_err(|error| look_up_error(config, error))?;
            connect_any(&within_reach(addresses, config), config, deadline).and_then(Stream::tcp)
        }
        Server::Unix(socket) => {
            let socket = socket.clone();
            let open = move || (socket.open)(&socket.path).map(Stream::boxed);
            within(deadline, Box::new(open))
        }
        Server::Place(place) => (place.open)(&place.path).map(Stream::boxed),
    };
    connected.map_err(|error| match error.kind() {
        // The connection was open, and was reset before anything was read.
        ErrorKind::ConnectionReset => Error::disconnected(first_step(config), None),
        _ => connect_error(error),
    })
}

/// The step that follows the connection attempt.
fn first_step(config: &Config) -> Step {
    match config.security {
        Security::ImplicitTls => Step::Handshake,
        _ => Step::Greeting,
    }
}

impl TcpTransport {
    /// Connects to this host and port before the deadline, which stays set on the stream.
    ///
    /// The addresses of the host are tried one after the other, each with its share of the time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`] if the deadline passes; otherwise the error of the name look-up or
    /// of the last address, or of an earlier one if only that may pass.
    pub fn connect(host: &str, port: u16, deadline: Instant) -> io::Result<Self> {
        let addresses = look_up((host, port), deadline)?;
        let stream = connect_any(&addresses, &Config::new(host), deadline)?;
        let mut transport = Self::new(stream)?;
        transport.set_deadline(deadline)?;
        Ok(transport)
    }
}

/// Opens the connection with the caller's function, which may have no time limit.
fn open(opener: Opener<Config>, config: Config, deadline: Instant) -> Result<Stream> {
    // A stream, so that a connection that comes too late is shut down, too.
    let open = move || opener.open(&config, deadline).map(Stream::boxed);
    let opened = within(deadline, Box::new(open));
    opened.map_err(|error| match error.kind() {
        // On Unix, a socket with its own timeout returns `WouldBlock`.
        ErrorKind::WouldBlock => Error::timeout(Step::Connect),
        _ => connect_error(error),
    })
}

fn connect_error(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::TimedOut => Error::timeout(Step::Connect),
        _ => Error::io(Step::Connect, error),
    }
}

/// The addresses of a host.
fn look_up((host, port): (&str, u16), deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    // An address needs no look-up.
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_owned();
    let look_up = move || {
        let addresses = (name.as_str(), port).to_socket_addrs()?;
        Ok(addresses.collect())
    };
    within(deadline, Box::new(look_up))
}

fn look_up_error(config: &Config, error: io::Error) -> Error {
    match is_unknown(&error.to_string()) {
        true => Error::UnknownHost {
            host: config.host_and_port().0.into(),
        },
        false => connect_error(error),
    }
}

/// Parts of the messages of resolvers for a name that does not exist or has no address: GNU, Apple
/// and the BSDs, musl, Windows. Any other failure may be temporary.
const UNKNOWN: [&str; 6] = [
    "not known",
    "o address associated with",
    "Name does not resolve",
    "o such host is known",
    "os error 11001",
    "os error 11004",
];

fn is_unknown(words: &str) -> bool {
    UNKNOWN.iter().any(|part| words.contains(part))
}

/// Runs work that has no time limit on another thread, and waits for it until the deadline. A
/// thread that takes longer is left alone; it ends when the operating system lets it.
fn within<T: Send + 'static>(
    deadline: Instant,
    work: Box<dyn FnOnce() -> io::Result<T> + Send>,
) -> io::Result<T> {
    let result = Arc::new(Mutex::new(None));
    let place = Arc::clone(&result);
    let work = move || {
        let done = work();
        *lock(&place) = Some(done);
    };
    run(deadline, Box::new(work))?;
    let done = lock(&result).take();
    done.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
}

/// The part of [`within`] that does not depend on the result, so that it is compiled only once.
fn run(deadline: Instant, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let end = Arc::new(End::default());
    let told = Arc::clone(&end);
    let thread = thread::Builder::new().name("smtplib connect".to_owned());
    let thread = thread.spawn(move || {
        let _teller = Teller(told);
        work();
    })?;
    if !end.comes_before(deadline) {
        return Err(ErrorKind::TimedOut.into());
    }
    // A panic in the caller's function continues in the caller's thread.
    thread.join().or_else(|panic| resume_unwind(panic))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a thread has ended.
#[derive(Default)]
struct End {
    is_there: Mutex<bool>,
    news: Condvar,
}

impl End {
    /// Waits for the end; returns true if it came before the deadline.
    fn comes_before(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_there = lock(&self.is_there);
        let waited = self
            .news
            .wait_timeout_while(is_there, left, |is_there| !*is_there);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Reports the end of its thread, even by a panic.
struct Teller(Arc<End>);

impl Drop for Teller {
    fn drop(&mut self) {
        *lock(&self.0.is_there) = true;
        self.0.news.notify_one();
    }
}

fn connect_any(
    addresses: &[SocketAddr],
    config: &Config,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let mut failure = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let waiting = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = left / waiting;
        if share.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        match connect(*address, config, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(heavier(failure, error)),
        }
    }
    Err(failure.unwrap_or_else(|| {
        io::Error::new(
            ErrorKind::NotFound,
            "the host has no address that can be reached",
        )
    }))
}

/// Which of two failures is told: the later one, unless only the earlier one may pass. A machine
/// without IPv6 must not make a server that is down for a moment unreachable for good.
fn heavier(earlier: Option<io::Error>, later: io::Error) -> io::Error {
    match earlier {
        Some(earlier)
            if is_worth_another_try(earlier.kind()) && !is_worth_another_try(later.kind()) =>
        {
            earlier
        }
        _ => later,
    }
}

#[cfg(not(feature = "local-address"))]
fn within_reach(addresses: Vec<SocketAddr>, _config: &Config) -> Vec<SocketAddr> {
    addresses
}

/// An IPv4 address cannot connect to an IPv6 address, nor the other way round.
#[cfg(feature = "local-address")]
fn within_reach(mut addresses: Vec<SocketAddr>, config: &Config) -> Vec<SocketAddr> {
    if let Some(local) = config.local_address {
        addresses.retain(|address| local.is_ipv4() == address.is_ipv4());
    }
    addresses
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
    use std::sync::mpsc;

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

    // `::1` behind `127.0.0.1` on a machine without IPv6.
    #[test]
    fn a_failure_that_may_pass_is_told_before_one_that_stays() {
        use ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, PermissionDenied};
        for (earlier, later, told) in [
            (None, AddrNotAvailable, AddrNotAvailable),
            (None, ConnectionRefused, ConnectionRefused),
            (Some(ConnectionRefused), AddrNotAvailable, ConnectionRefused),
            (Some(AddrNotAvailable), ConnectionRefused, ConnectionRefused),
            (Some(ConnectionRefused), HostUnreachable, HostUnreachable),
            (Some(AddrNotAvailable), PermissionDenied, PermissionDenied),
        ] {
            let failure = heavier(earlier.map(io::Error::from), later.into());
            assert_eq!(failure.kind(), told, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn no_time_is_a_timeout() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [listener.local_addr().unwrap()];
        let error = connect_any(&addresses, &config(), Instant::now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    // Field C7
    #[test]
    fn an_unknown_name_is_told_from_a_resolver_that_cannot_say() {
        let prefix = "failed to lookup address information: ";
        for words in [
            "Name or service not known",
            "No address associated with hostname",
            "nodename nor servname provided, or not known",
            "Name does not resolve",
            "No such host is known. (os error 11001)",
        ] {
            assert!(is_unknown(&format!("{prefix}{words}")), "{words}");
        }
        for words in ["Temporary failure in name resolution", "Try again"] {
            assert!(!is_unknown(&format!("{prefix}{words}")), "{words}");
        }
    }

    // Field E2: a resolver that never replies.
    #[test]
    fn what_has_no_limit_of_its_own_gets_one() {
        let (release, wait) = mpsc::channel::<()>();
        let endless = move || {
            let _ = wait.recv();
            Ok(())
        };
        let error = within(
            Instant::now() + Duration::from_millis(20),
            Box::new(endless),
        )
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(release);
        assert_eq!(within(soon(), Box::new(|| Ok(7))).unwrap(), 7);
        let missing = || -> io::Result<()> { Err(ErrorKind::NotFound.into()) };
        let error = within(soon(), Box::new(missing));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    }

    // L4: Linux ignores new connections if the queue is full, as a firewall does.
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
