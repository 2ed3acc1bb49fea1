//! The scripted peer: a server on a thread that follows a transcript and asserts the client's side of it.
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
//! // ... the client runs against 127.0.0.1, peer.port() ...
//! peer.finish();
//! ```
//!
//! `finish` joins the thread and panics, with the script, the failing line marked, and everything that was exchanged,
//! when the client did something else than the script says, did more, did less, or never came. What it returns
//! ([`Exchanged`]) has the commands, the message data, and every octet that was sent in the clear. No wait is longer
//! than 10 s ([`Script::bound`]), so no test can hang in the peer.
//!
//! # The language
//!
//! One directive in a line. Indentation, empty lines and lines that begin with `#` do not count; spaces at the end do.
//! What is not understood panics in `Script::new`. Times are `50us`, `200ms`, `2s`. "Escapes" are `\r`, `\n`, `\t`,
//! `\0`, `\\` and `\xHH`: write the script as a raw string (`r"..."`) where they occur.
//!
//! ## The server speaks
//!
//! Lines that follow one another are written as one segment, after a look whether the client has sent more than it was
//! asked for, which is a failure (see `ahead`).
//!
//! | directive | meaning |
//! |---|---|
//! | `S: text` | the line and CRLF |
//! | `S+ text` | the same, and says that it has to be in the segment of the line before: an injection |
//! | `Sraw: octets` | escapes, and no CRLF by itself |
//! | `S~200ms: text` | another segment, after a pause (`S~1ms:` merely separates) |
//! | `S.. 50ms: text` | octet by octet, with a pause behind each; the client may close meanwhile |
//! | `S*100000: text` | the line so many times; the client may close meanwhile |
//! | `Sforever: text` | the line until the client closes; it has to before 64 MiB |
//!
//! The modifiers combine: `S.. 5ms forever raw: x` drips until the client closes, which it has to within the bound.
//!
//! ## The client speaks
//!
//! | directive | meaning |
//! |---|---|
//! | `C: text` | exactly this line, ended by CRLF, without another CR or LF in it |
//! | `C~: EHLO *` | a line of this form; each `*` stands for anything |
//! | `Craw: octets` | exactly these octets, with escapes |
//! | `Cgroup` | the client lines below it, up to the next directive of another kind, come in one segment |
//! | `C\| text` | a line of message data as on the wire, dots stuffed, with escapes; `C\| .` ends the body |
//! | `Cdata`, `Cdata 1000000` | message data up to its lone dot, without bare CR or LF; so many octets when unstuffed |
//! | `Cbdat`, `Cbdat LAST` | a `BDAT n` command, with or without `LAST`, and its n octets |
//! | `Coctets 65536` | so many octets, whatever they are, such as a part of a body |
//! | `C-silence 50ms` | nothing for so long |
//! | `Cclose` | the client closes and sends nothing before |
//! | `Cclose or QUIT` | the same, but it may say QUIT first, which is answered |
//! | `Cignore` | whatever the client sends until it closes |
//! | `ahead` | from here on the client may send more before it is answered |
//! | `Chello`, `Chello name` | a `ClientHello`, left without an answer; with this name (SNI) in it |
//!
//! Every body that was read is [`Exchanged::body`]. Commands that are pipelined are `C:` lines one after the other; that
//! nothing more comes before the reply is `C-silence`, that they come at once is `Cgroup`. A client that writes a group
//! in two pieces is nearly always caught, since the peer waits in `read`; one that writes it at once is never blamed, up
//! to 16 KiB under TLS and 64 KiB without.
//!
//! ## The connection
//!
//! | directive | meaning |
//! |---|---|
//! | `TLS`, `TLS wrong-name` | the handshake, with a certificate of [`Leaf`] or (`TLS 1.1`) an old protocol |
//! | `TLS-refused`, `TLS-refused expired` | the handshake; the client gives up in it or sends nothing through it |
//! | `EOF` | FIN, under TLS behind `close_notify`; the client can still be heard |
//! | `EOF-bare` | FIN without `close_notify` |
//! | `close` | closes both directions; with octets unread the kernel makes a reset of it |
//! | `RST` | a reset |
//! | `stall 300ms` | does and reads nothing |
//! | `stop-reading` | reads nothing any more until `finish` is called, then resets |
//! | `slow-read 1 per 50ms`, `slow-read off` | so many octets per read, with a pause before it |
//!
//! The peer does not close by itself when a script is at its end: it watches until the client closes or `finish` is
//! called, and what the client sends then is a failure.
//!
//! # The socket
//!
//! [`Script::listen`], `listen_v6`, `listen_unix`, `listen_tls` (TLS from the first octet), `listen_at`.
//! [`Script::split`] cuts what the server says into segments of n octets; [`Script::split_at`] cuts each block once, so
//! that a loop over `1..script.longest_block()` sees every reply cut everywhere. [`Script::recv_buffer`] makes a window
//! so small that a client which does not read blocks soon.
//!
//! # More than one connection, and more than a transcript
//!
//! [`Script::sessions`] has one script for each connection, in their order; the empty list means that nobody may
//! connect. What a transcript cannot say is said in Rust: [`Peer::serve`] runs a function for each connection, with
//! [`Conn`] to read, expect and reply. [`Server`] is such a function ready-made: it takes everything, except where a rule
//! says otherwise, and can be made to answer only when there is nothing left to read.
mod ca;
mod conn;
mod exchanged;
mod failure;
mod link;
mod listen;
mod parse;
mod run;
mod script;
mod server;
mod settings;
mod stream;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use crate::peer::ca::{Leaf, TestCa};
pub(crate) use crate::peer::conn::Conn;
pub(crate) use crate::peer::exchanged::Exchanged;
pub(crate) use crate::peer::failure::Result;
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
/// Dropped without [`Peer::finish`] it does the same. While the test unwinds from a panic it stops at once and prints
/// what was exchanged, so that a client's error never hides the server's reason for it.
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

    /// Runs `handler` for each connection on a free port of 127.0.0.1; short for `Script::handler(..).listen()`.
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
    /// When the client did not do what the script says, did more, or never came: with the script, the failing line
    /// marked, and everything that was exchanged.
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
