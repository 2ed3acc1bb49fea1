//! Tests of the peer itself, with raw sockets: every directive does what it says, and fails if the
//! client does something else.
mod client_says;
mod connection;
mod handlers;
mod life;
mod script_text;
mod server_says;

use crate::peer::{Exchanged, Peer, Script, TestCa};
use native_tls::TlsStream;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// A client that does what a test tells it.
struct Client<S = TcpStream> {
    stream: S,
}

impl Client {
    fn connect(peer: &Peer) -> Self {
        let stream = TcpStream::connect(peer.addr()).unwrap();
        stream.set_nodelay(true).unwrap();
        // It waits without a limit: the peer has one.
        Self { stream }
    }

    fn secure(self) -> Client<TlsStream<TcpStream>> {
        let stream = TestCa::get()
            .connector()
            .connect("localhost", self.stream)
            .unwrap();
        Client { stream }
    }
}

impl<S: Read + Write> Client<S> {
    /// A peer that has found a failure has closed, so the result is ignored.
    fn send(&mut self, octets: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(octets.as_ref());
    }

    fn expect(&mut self, octets: &str) {
        let mut got = vec![0; octets.len()];
        self.stream.read_exact(&mut got).unwrap();
        assert_eq!(String::from_utf8_lossy(&got), octets);
    }

    /// What one `read` returns.
    fn read(&mut self) -> Vec<u8> {
        let mut got = vec![0; 4096];
        let n = self.stream.read(&mut got).unwrap();
        got.truncate(n);
        got
    }

    fn expect_eof(&mut self) {
        assert_eq!(self.read(), b"");
    }

    fn expect_reset(&mut self) {
        let error = self.stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

/// Runs a script against a client that closes at the end.
fn play(script: &str, client: impl FnOnce(&mut Client)) -> Result<Exchanged, String> {
    let peer = Script::new(script).listen();
    let mut connected = Client::connect(&peer);
    client(&mut connected);
    drop(connected);
    peer.outcome()
}

/// Asserts that the dialog is good.
fn passes(script: &str, client: impl FnOnce(&mut Client)) -> Exchanged {
    play(script, client).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Asserts that the dialog breaks with this sentence at this line.
fn breaks(script: &str, line: usize, why: &str, client: impl FnOnce(&mut Client)) {
    let failure = play(script, client).unwrap_err();
    let expected = format!("the dialog broke on connection 1, line {line}: {why}\nscript:\n");
    assert!(failure.starts_with(&expected), "{failure}");
}

fn pause() {
    thread::sleep(Duration::from_millis(15));
}

/// The bound in the tests that wait until it is over.
const BOUND: Duration = Duration::from_secs(1);
