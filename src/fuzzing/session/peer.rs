//! [`Memory`]: the server's end of a connection without a network.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::fuzzing::session::witness::Witness;
use crate::transport::Transport;

/// A TLS record of a handshake (RFC 8446, 5.1). This server is gone when TLS begins: what a TLS library
/// makes of it is no part of this.
const HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// Says what it was told to say, and lets a witness see both directions.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) chunks: VecDeque<Chunk>,
    /// Whether the end of the chunks is the end of the stream; else nothing comes any more.
    pub(super) is_eof: bool,
    /// How many octets can be written before the connection breaks.
    pub(super) budget: usize,
    /// How many octets one write takes.
    pub(super) most_per_write: usize,
    pub(super) is_polling: bool,
    pub(super) witness: Arc<Mutex<Witness>>,
}

/// What one read brings.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) octets: Vec<u8>,
    /// It is there before anybody waits for it.
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
