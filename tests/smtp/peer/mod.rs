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
//! [`Peer::finish`] waits for the end. It panics if the client did something else than the script
//! says, did more, did less, or never came. The panic shows the script with the failing line
//! marked, and everything that was exchanged. The value that it returns, [`Exchanged`], has the
//! commands, the message data, and every byte that was sent in the clear. No wait for the client is
//! longer than 10 s ([`Script::bound`]), so no test can hang in the peer.
//!
//! # The language
//!
//! Each line has one directive. Indentation, empty lines and lines that begin with `#` are ignored.
//! Spaces at the end of a line are not. [`Script::new`] panics if it does not understand a line. A
//! time is `50us`, `200ms` or `2s`. Escapes are `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH`, but only
//! in the directives that name them below. Write a script with escapes as a raw string, `r"..."`.
//!
//! ## What the server sends
//!
//! | directive | meaning |
//! |---|---|
//! | `S: text` | the line and CRLF |
//! | `S+ text` | the same; must be in the same segment as the line before: an injection |
//! | `Sraw: octets` | with escapes, without CRLF |
//! | `S~200ms: text` | after a pause, in a separate segment |
//! | `S.. 50ms: text` | byte by byte, with a pause after each; the client may close meanwhile |
//! | `S*100000: text` | this many times; the client may close meanwhile |
//! | `Sforever: text` | until the client closes, which it must do before 16 MiB |
//!
//! Server lines that follow each other are one block. It is written at once, unless `S~` or `S..`
//! gives a line its own time. Before a block the peer checks whether the client has sent more than
//! it was asked for. That is a failure (but see `ahead`). The modifiers can be combined:
//! `S.. 5ms forever raw: x` drips until the client closes, which it must do within the bound.
//!
//! ## What the client sends
//!
//! | directive | meaning |
//! |---|---|
//! | `C: text` | exactly this line, with CRLF at its end and no other CR or LF |
//! | `C~: EHLO *` | a line of this form; each `*` stands for any text |
//! | `Craw: octets` | exactly these bytes, with escapes |
//! | `Cgroup` | the client lines below, up to another directive, come in one segment |
//! | `C\| text` | a line of message data as on the wire, with escapes; `C\| .` ends it |
//! | `Cdata`, `Cdata 1000` | message data up to its dot; with this many bytes when unstuffed |
//! | `Cbdat`, `Cbdat LAST` | a `BDAT n` command, with or without `LAST`, and its n bytes |
//! | `Coctets 65536` | this many bytes of any value: a part of a body |
//! | `C-silence 50ms` | nothing for this long |
//! | `Cclose` | the client closes, and sends nothing before |
//! | `Cclose or QUIT` | the same, but it may send QUIT first, which gets a reply |
//! | `Cignore` | everything that the client still sends until it closes |
//! | `Chello`, `Chello name` | a `ClientHello` (with this name in it), which gets no reply |
//! | `ahead` | from here on the client may send before it gets a reply |
//!
//! Pipelined commands are `C:` lines one after the other. `Cgroup` says that they come at once, and
//! `C-silence` says that nothing more comes before the reply. The peer nearly always notices a
//! group in two pieces, because it waits in `read`. It accepts every group that was written in one
//! piece, up to 16 KiB inside TLS and 64 KiB without. Message data must not have a bare CR or LF.
//!
//! ## The connection
//!
//! | directive | meaning |
//! |---|---|
//! | `TLS`, `TLS wrong-name` | the handshake, with a certificate of [`Leaf`] |
//! | `TLS-refused expired` | the client gives up in the handshake, or directly after it |
//! | `TLS-refused 1.1` | the client gives up, because the peer replies with TLS 1.1 |
//! | `EOF` | FIN, inside TLS after `close_notify`; the client can still send |
//! | `EOF-bare` | FIN without `close_notify` |
//! | `close` | closes both directions; unread bytes turn this into a reset |
//! | `RST` | a reset |
//! | `stall 300ms` | neither reads nor writes for this long |
//! | `stop-reading` | reads nothing until [`Peer::finish`] is called, then resets |
//! | `slow-read 1 per 50ms`, `slow-read off` | this many bytes per read, with a pause before each |
//!
//! At the end of its script the peer does not close. It watches until the client closes or `finish`
//! is called. If the client sends anything meanwhile, that is a failure.
//!
//! # The socket
//!
//! A peer listens by [`Script::listen`], [`Script::listen_v6`], [`Script::listen_unix`],
//! [`Script::listen_at`], or [`Script::listen_tls`] for TLS from the first byte. [`Script::split`]
//! cuts what the server sends into segments of this many bytes. [`Script::split_at`] cuts each
//! block once, so a loop over `1..script.longest_block()` cuts every reply at every place.
//! [`Script::recv_buffer`] makes a small window, so that a client that does not read blocks soon.
//! [`Refusing`] and [`Deaf`] are addresses without a server.
//!
//! # More than one connection, and more than a transcript
//!
//! [`Script::sessions`] has one script for each connection, in order. With an empty list nobody may
//! connect. For what a transcript cannot say, [`Peer::serve`] runs a function for each connection,
//! with [`Conn`] to read, expect and reply. [`Server`] is such a function, ready to use: it accepts
//! everything, unless a rule says otherwise.
//!
//! # Three scripts that are not obvious
//!
//! A server that refuses a body half-way and closes (the client may still send meanwhile):
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
//! A connection that is lost between the dot and its reply: `Cdata`, `EOF`, `Cclose`. A client with
//! TLS and a server without: `Chello`, `S: 220 mx.example.org`, `Cclose`.
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
pub(crate) use crate::peer::stream::uninterrupted;

use crate::peer::listen::Endpoint;
use crate::peer::settings::Control;
use crate::peer::worker::Report;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A peer that listens, on a separate thread.
///
/// If it is dropped without [`Peer::finish`], it does the same. While the test unwinds from a
/// panic, it stops at once and prints what was exchanged. So the client's error does not hide the
/// server's reason for it.
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

    /// Runs `handler` for each connection on a free port of 127.0.0.1. It is short for
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
    /// If the client did not do what the script says, did more, or never came. The panic shows the
    /// script with the failing line marked, and everything that was exchanged.
    pub(crate) fn finish(self) -> Exchanged {
        self.outcome().unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// As [`Peer::finish`], for a test in which the client should fail.
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
