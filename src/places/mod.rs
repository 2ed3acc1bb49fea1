//! Places other than a server: a Maildir, the system's `sendmail` command, and memory.
//!
//! Each place is a small SMTP server within the process. The client writes into a [`Session`],
//! which passes the message on to a [`Store`], and reads the session's replies. So every check,
//! result and error comes from the same code as with a real server.

pub(crate) mod command;
mod config;
mod dots;
pub(crate) mod failure;
mod local_lines;
pub(crate) mod maildir;
mod offers;
pub(crate) mod outbox;
mod pipe;
#[cfg(any(all(test, properties), fuzzing))]
pub(crate) mod properties;
mod request;
mod rules;
pub(crate) mod sent;
mod session;
mod stderr;
mod store;
mod sysexits;
mod unique;

use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

use crate::places::offers::Offers;
use crate::places::session::{End, Session};
use crate::places::store::Store;
use crate::transport::Transport;

/// The extensions of a Maildir and a program: both take a message unchanged.
///
/// PIPELINING would save nothing, and the end of a message would share its deadline with the next
/// one.
const LOCAL_OFFERS: [&str; 5] = [
    "8BITMIME",
    "SMTPUTF8",
    "CHUNKING",
    "ENHANCEDSTATUSCODES",
    "SIZE",
];

/// The client's end of a connection to a place. Its session is compiled once for all places.
struct PlaceStream {
    session: Session<Box<dyn Store + Send + Sync>>,
    deadline: Option<Instant>,
    is_nonblocking: bool,
}

impl PlaceStream {
    fn new(store: impl Store + Send + Sync + 'static, offers: Offers) -> Self {
        Self {
            session: Session::new(Box::new(store), offers),
            deadline: None,
            is_nonblocking: false,
        }
    }
}

impl Read for PlaceStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A nonblocking read must not wait for a program to end.
        if !self.is_nonblocking {
            self.session.complete(self.deadline);
        }
        match self.session.take_output(buffer) {
            0 if buffer.is_empty() => Ok(0),
            0 => self.end(),
            read => Ok(read),
        }
    }
}

impl PlaceStream {
    /// The result of a read when there is nothing to read.
    fn end(&self) -> io::Result<usize> {
        match self.session.end() {
            Some(End::Closed) => Ok(0),
            None if self.session.is_idle() && self.session.store.is_down() => Ok(0),
            None if self.is_nonblocking => Err(ErrorKind::WouldBlock.into()),
            // Nothing can arrive before the next command.
            Some(End::Silent) | None => Err(ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for PlaceStream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.session.feed(octets, self.deadline)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for PlaceStream {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.deadline = Some(deadline);
        Ok(())
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.is_nonblocking = yes;
        Ok(())
    }

    /// Nothing leaves the machine.
    fn is_protected(&self) -> bool {
        true
    }
}
