//! [`Memory`]: a connection to a server, without a network.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::fuzzing::session::witness::Witness;
use crate::transport::Transport;

/// The beginning of a TLS handshake (RFC 8446, 5.1). This server closes the connection when TLS
/// begins, because TLS libraries are not tested here.
const HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// Sends what it was given, and shows both directions to a witness.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) chunks: VecDeque<Chunk>,
    /// Whether the stream ends after the chunks. If not, reading times out there.
    pub(super) is_eof: bool,
    /// How many bytes can be written before the connection breaks.
    pub(super) budget: usize,
    /// How many bytes one write takes.
    pub(super) most_per_write: usize,
    pub(super) is_polling: bool,
    pub(super) witness: Arc<Mutex<Witness>>,
}

/// What one read returns.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) octets: Vec<u8>,
    /// It arrives before the client waits for it.
    pub(super) is_early: bool,
}

impl Transport for Memory {
    fn set_deadline(&mut self, _deadline: Instant) -> io::Result<()> {
        Ok(())
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.is_polling = yes;
        Ok(())
    }
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut chunk) = self.chunks.pop_front() else {
            return match (self.is_eof, self.is_polling) {
                (true, _) => Ok(0),
                (false, true) => Err(ErrorKind::WouldBlock.into()),
                (false, false) => Err(ErrorKind::TimedOut.into()),
            };
        };
        if self.is_polling && !chunk.is_early {
            self.chunks.push_front(chunk);
            return Err(ErrorKind::WouldBlock.into());
        }
        let rest = chunk.octets.split_off(chunk.octets.len().min(buffer.len()));
        buffer[..chunk.octets.len()].copy_from_slice(&chunk.octets);
        self.witness.lock().unwrap().server_said(&chunk.octets);
        if !rest.is_empty() {
            let octets = rest;
            self.chunks.push_front(Chunk { octets, ..chunk });
        }
        Ok(chunk.octets.len())
    }
}

impl Write for Memory {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let length = octets.len().min(self.most_per_write).min(self.budget);
        if length == 0 || octets.starts_with(&HANDSHAKE) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.budget -= length;
        self.witness.lock().unwrap().client_said(&octets[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
