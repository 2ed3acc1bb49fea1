//! [`Memory`]: the server's end of a connection without a network.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};

use crate::fuzzing::session::witness::Witness;
use crate::net::stream::Peer;

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

impl Peer for Memory {
    fn set_polling(&mut self, yes: bool) {
        self.is_polling = yes;
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
        if length == 0 {
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
