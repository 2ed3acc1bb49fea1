//! For the tests up to the first MAIL: configurations for a peer, and what the trace saw.
use crate::peer::{Peer, Script, TestCa, uninterrupted};
use smtplib::connection::TraceLine;
use smtplib::{Config, Error, Security, SmtpConnection};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A configuration for this peer, without TLS, as `client.example`.
pub(crate) fn config(peer: &Peer) -> Config {
    config_for(&peer.host(), peer.port())
}

/// A configuration for this host and port, without TLS, as `client.example`. If TLS is turned on,
/// it trusts the authority of the tests.
pub(crate) fn config_for(host: &str, port: u16) -> Config {
    Config::new(host)
        .port(port)
        .security(Security::None)
        .hello_name("client.example")
        .tls_connector(TestCa::get().connector())
        .timeout(PATIENCE)
}

/// As [`config`], with STARTTLS.
pub(crate) fn starttls(peer: &Peer) -> Config {
    config(peer).security(Security::StartTls)
}

/// As [`config`], with TLS from the first byte.
pub(crate) fn implicit(peer: &Peer) -> Config {
    config(peer).security(Security::ImplicitTls)
}

/// Greeting and EHLO with these offers, and then the rest.
pub(crate) fn session(offers: &[&str], rest: &str) -> Script {
    Script::new(&format!("{}\n{rest}", opening(offers)))
}

/// Greeting and EHLO with these offers, as text.
pub(crate) fn opening(offers: &[&str]) -> String {
    format!("S: 220 mx.example.org\n{}", hello(offers))
}

/// EHLO with these offers, as text.
pub(crate) fn hello(offers: &[&str]) -> String {
    let mut lines = vec!["mx.example.org"];
    lines.extend(offers);
    let last = lines.pop().unwrap();
    let lines: String = lines
        .iter()
        .map(|line| format!("S: 250-{line}\n"))
        .collect();
    format!("C: EHLO client.example\n{lines}S: 250 {last}")
}

/// The error of a connection that must fail, in bounded time.
pub(crate) fn failure(config: &Config) -> Error {
    soon(|| config.connect()).unwrap_err()
}

/// The sentence of an error, without the port that the system chose. The `dial::` tests check that.
pub(crate) fn said(error: &Error) -> String {
    match error.server() {
        Some(server) => error.to_string().replace(server.as_str(), "the server"),
        None => error.to_string(),
    }
}

/// The value of a call that must end in bounded time, much sooner than the peers allow.
pub(crate) fn soon<T>(call: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let value = call();
    let took = begun.elapsed();
    assert!(took < BOUND, "it took {took:?}");
    value
}

/// Connects, and returns a second handle of the socket, for [`wait_for_input`].
pub(crate) fn connect_watched(peer: &Peer, config: &Config) -> (SmtpConnection, TcpStream) {
    let stream = TcpStream::connect(peer.addr()).unwrap();
    let watched = stream.try_clone().unwrap();
    let smtp = SmtpConnection::from_tcp_stream(stream, config).unwrap();
    (smtp, watched)
}

/// Waits until there is something to read, or an end. Do not call it if the client may have read it
/// already.
pub(crate) fn wait_for_input(watched: &TcpStream) {
    watched.set_read_timeout(Some(LATE)).unwrap();
    // Whatever it is, the client will see it.
    let _ = uninterrupted(|| watched.peek(&mut [0]));
}

/// A peer without connections: errors must show before there is one.
pub(crate) fn nobody() -> Peer {
    Script::sessions::<&str>([]).listen()
}

/// The lines that a trace has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub(crate) fn sink(&self) -> impl Fn(TraceLine<'_>) + Send + Sync + 'static {
        let lines = Arc::clone(&self.0);
        move |line| lines.lock().unwrap().push(line.to_string())
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A short budget, but long enough for the steps before it on a machine under load.
pub(crate) const SHORT: Duration = Duration::from_secs(1);
/// A budget that is not used up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);
/// When input has come that the client has read already.
const LATE: Duration = Duration::from_secs(4);
/// Longer than every budget that a test uses up, on a machine under load.
const BOUND: Duration = Duration::from_secs(5);
