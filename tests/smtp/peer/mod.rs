//! The scripted peer: a server on a thread that follows a transcript and asserts both sides of it.
//!
//! ```ignore
//! let peer = Script::new("
//!     S: 220 mx.example.org
//!     C: EHLO client.example
//!     S: 250-mx.example.org
//!     S: 250 STARTTLS
//!     C: STARTTLS
//!     S: 220 go ahead
//!     TLS
//!     C: EHLO client.example
//!     S: 250 mx.example.org
//! ").listen();
//! // ... the client runs against peer.host() and peer.port() ...
//! peer.finish();
//! ```
//!
//! [`Peer::finish`] waits for the end and panics when the client did something else than the script
//! says, did more, did less, or never came: with the script, the failing line marked, and
//! everything that was exchanged. Its value, [`Exchanged`], has the commands, the message data, and
//! every octet that was sent in the clear. No wait for the client is longer than 10 s
//! ([`Script::bound`]), so that no test can hang in the peer.
//!
//! # The language
//!
//! One directive in a line. Indentation, empty lines and lines that begin with `#` do not count;
//! spaces at the end of a line do. What is not understood panics in [`Script::new`]. A time is
//! `50us`, `200ms` or `2s`. Escapes are `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH`, and only where
//! they are named below: a script with escapes is best a raw string, `r"..."`.
//!
//! ## The server speaks
//!
//! | directive | meaning |
//! |---|---|
//! | `S: text` | the line and CRLF |
//! | `S+ text` | the same; says that it must be in the segment before: an injection |
//! | `Sraw: octets` | with escapes, without CRLF |
//! | `S~200ms: text` | after a pause, in a segment of its own |
//! | `S.. 50ms: text` | octet by octet, a pause behind each; the client may close meanwhile |
//! | `S*100000: text` | so many times; the client may close meanwhile |
//! | `Sforever: text` | until the client closes, which it must before 16 MiB |
//!
//! Server lines that follow one another are one block, written at once, unless `S~` or `S..` gives
//! a line its own time. Before a block the peer looks whether the client has sent more than it was
//! asked for, which is a failure (but see `ahead`). The modifiers combine: `S.. 5ms forever raw: x`
//! drips until the client closes, which it must within the bound.
//!
//! ## The client speaks
//!
//! | directive | meaning |
//! |---|---|
//! | `C: text` | exactly this line, ended by CRLF, without another CR or LF |
//! | `C~: EHLO *` | a line of this form; each `*` stands for anything |
//! | `Craw: octets` | exactly these octets, with escapes |
//! | `Cgroup` | the client lines below, up to another directive, come in one segment |
//! | `C\| text` | a line of message data as on the wire, with escapes; `C\| .` ends it |
//! | `Cdata`, `Cdata 1000` | message data up to its dot; of so many octets when unstuffed |
//! | `Cbdat`, `Cbdat LAST` | a `BDAT n` command, with or without `LAST`, and its n octets |
//! | `Coctets 65536` | so many octets, whatever they are: a part of a body |
//! | `C-silence 50ms` | nothing for so long |
//! | `Cclose` | the client closes, and sends nothing before |
//! | `Cclose or QUIT` | the same, but it may say QUIT first, which is answered |
//! | `Cignore` | whatever the client still sends until it closes |
//! | `Chello`, `Chello name` | a `ClientHello` (with this name in it), which is left unanswered |
//! | `ahead` | from here on the client may send before it is answered |
//!
//! Pipelined commands are `C:` lines one after the other, `Cgroup` says that they come at once, and
//! `C-silence` that nothing more comes before the reply. A client that writes a group in two pieces
//! is nearly always caught, since the peer waits in `read`; one that writes it in one piece is
//! never blamed, up to 16 KiB inside TLS and 64 KiB without. Message data must hold no bare CR or
//! LF.
//!
//! ## The connection
//!
//! | directive | meaning |
//! |---|---|
//! | `TLS`, `TLS wrong-name` | the handshake, with a certificate of [`Leaf`] |
//! | `TLS-refused expired` | the client gives up in the handshake, or right behind it |
//! | `TLS-refused 1.1` | the client gives up, since the peer answers with TLS 1.1 |
//! | `EOF` | FIN, inside TLS behind `close_notify`; the client can still be heard |
//! | `EOF-bare` | FIN without `close_notify` |
//! | `close` | closes both directions; octets that were not read make a reset of it |
//! | `RST` | a reset |
//! | `stall 300ms` | neither reads nor writes for so long |
//! | `stop-reading` | reads nothing until [`Peer::finish`] is called, then resets |
//! | `slow-read 1 per 50ms`, `slow-read off` | so many octets per read, a pause before each |
//!
//! A peer whose script is at its end does not close. It watches until the client closes or `finish`
//! is called, and what the client sends meanwhile is a failure.
//!
//! # The socket
//!
//! [`Script::listen`], [`Script::listen_v6`], [`Script::listen_unix`], [`Script::listen_at`], and
//! [`Script::listen_tls`] for TLS from the first byte. [`Script::split`] cuts what the server says
//! into segments of so many octets; [`Script::split_at`] cuts each block once, so that a loop over
//! `1..script.longest_block()` shows the client every reply cut everywhere. [`Script::recv_buffer`]
//! makes a window so small that a client which does not read blocks soon. [`Refusing`] and [`Deaf`]
//! are addresses where nobody is.
//!
//! # More than one connection, and more than a transcript
//!
//! [`Script::sessions`] has one script for each connection, in their order; an empty list means
//! that nobody may connect. What a transcript cannot say is said in Rust: [`Peer::serve`] runs a
//! function for each connection, with [`Conn`] to read, expect and reply. [`Server`] is such a
//! function ready to use: it takes everything, except where a rule says otherwise.
//!
//! # Three that are not obvious
//!
//! A server that refuses a body half-way and goes (the client's words in flight are not its fault):
//!
//! ```text
//! S: 354 go ahead
//! Coctets 65536
//! ahead
//! S: 552 5.3.4 too big
//! EOF
//! Cignore
//! ```
//!
//! A connection lost between the dot and its reply: `Cdata`, `EOF`, `Cclose`. A client that speaks
//! TLS to a server that does not: `Chello`, `S: 220 mx.example.org`, `Cclose`.
mod ca;
mod conn;
mod exchanged;
mod failure;
mod link;
mod listen;
mod nobody;
mod parse;
mod run;
mod script;
mod server;
mod settings;
mod stream;
mod worker;

pub(crate) use crate::peer::ca::{Leaf, TestCa};
pub(crate) use crate::peer::conn::Conn;
pub(crate) use crate::peer::exchanged::Exchanged;
pub(crate) use crate::peer::failure::Result;
#[cfg(target_os = "linux")]
pub(crate) use crate::peer::nobody::Deaf;
pub(crate) use crate::peer::nobody::Refusing;
pub(crate) use crate::peer::script::Script;
pub(crate) use crate::peer::server::Server;

use crate::peer::listen::Endpoint;
use crate::peer::settings::Control;
use crate::peer::worker::Report;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A peer that listens, on a thread of its own.
///
/// Dropped without [`Peer::finish`] it does the same. While the test unwinds from a panic it stops
/// at once and prints what was exchanged, so that a client's error never hides the server's reason
/// for it.
#[derive(Debug)]
pub(crate) struct Peer {
    control: Arc<Control>,
    thread: Option<JoinHandle<Report>>,
    endpoint: Endpoint,
}

impl Peer {
    fn new(control: Arc<Control>, thread: JoinHandle<Report>, endpoint: Endpoint) -> Self {
        Self {
            control,
            thread: Some(thread),
            endpoint,
        }
    }

    /// Runs `handler` for each connection on a free port of 127.0.0.1; short for
    /// `Script::handler(..).listen()`.
    pub(crate) fn serve(handler: impl FnMut(&mut Conn) -> Result<()> + Send + 'static) -> Self {
        Script::handler(handler).listen()
    }

    /// The TCP address.
    pub(crate) fn addr(&self) -> SocketAddr {
        match &self.endpoint {
            Endpoint::Tcp(address) => *address,
            #[cfg(unix)]
            Endpoint::Unix(..) => panic!("this peer listens on a Unix socket"),
        }
    }

    /// The TCP address without its port, as text: a name in the certificate of the peer.
    pub(crate) fn host(&self) -> String {
        self.addr().ip().to_string()
    }

    /// The TCP port.
    pub(crate) fn port(&self) -> u16 {
        self.addr().port()
    }

    /// The path of the Unix socket.
    #[cfg(unix)]
    pub(crate) fn path(&self) -> &Path {
        match &self.endpoint {
            Endpoint::Tcp(_) => panic!("this peer listens on TCP"),
            Endpoint::Unix(path, _) => path,
        }
    }

    /// Waits for the end of the dialog.
    ///
    /// # Panics
    ///
    /// When the client did not do what the script says, did more, or never came: with the script,
    /// the failing line marked, and everything that was exchanged.
    pub(crate) fn finish(self) -> Exchanged {
        self.outcome().unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// As [`Peer::finish`], for a test that expects the client to fall short.
    pub(crate) fn outcome(mut self) -> Result<Exchanged, String> {
        self.control.finish();
        self.join()
    }

    fn join(&mut self) -> Result<Exchanged, String> {
        let Some(thread) = self.thread.take() else {
            return Ok(Exchanged::default());
        };
        let report = thread.join().expect("the peer's thread does not panic");
        match report.failure {
            None => Ok(report.exchanged),
            Some(why) => Err(format!("the dialog broke {why}\n{}", report.exchanged)),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if thread::panicking() {
            self.control.abort();
            match self.join() {
                Ok(exchanged) => eprintln!("{exchanged}"),
                Err(failure) => eprintln!("{failure}"),
            }
        } else {
            self.control.finish();
            if let Err(failure) = self.join() {
                panic!("{failure}");
            }
        }
    }
}
