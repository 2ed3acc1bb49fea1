//! [`Body`]: a message on its way into DATA or BDAT.

use std::io::{self, ErrorKind, Write};

use crate::error::{Error, Result};
use crate::exchange::admission::BodyRules;
use crate::net::wire::Wire;
use crate::protocol::data::{DataEncoder, Profiler};

/// How much of a message is gathered before it is written: enough that neither system calls nor TLS
/// records show.
const BUFFER: usize = 64 * 1024;

/// A message on its way: encoded as it comes, and written through the connection's one buffer.
#[derive(Debug)]
pub(crate) struct Body {
    transfer: Transfer,
    /// Looks at a message that nobody has seen before, while it passes.
    inspection: Option<(Profiler, BodyRules)>,
    octets: u64,
    /// Why the connection is gone; the `io::Error` that the source of the message sees is a
    /// stand-in.
    failure: Option<Error>,
}

impl Body {
    /// A message for DATA; if nobody has looked at it yet, with the rules that it has to keep.
    pub(crate) fn data(rules: Option<BodyRules>) -> Self {
        let inspection = rules.map(|rules| (Profiler::new(), rules));
        Self {
            inspection,
            ..Self::new(Transfer::Data(DataEncoder::new()))
        }
    }

    /// A message of so many octets in one chunk, the command in front of it (RFC 3030, 2).
    pub(crate) fn chunk(wire: &mut Wire, size: u64) -> Self {
        wire.trace.client(format_args!("BDAT {size} LAST"));
        wire.body_buffer
            .extend_from_slice(format!("BDAT {size} LAST\r\n").as_bytes());
        Self::new(Transfer::Chunk { left: size })
    }

    fn new(transfer: Transfer) -> Self {
        Self {
            transfer,
            inspection: None,
            octets: 0,
            failure: None,
        }
    }

    /// Takes the next part of the message.
    pub(crate) fn write(&mut self, wire: &mut Wire, octets: &[u8]) -> io::Result<usize> {
        // The encoder can double its input; half a buffer at a time keeps the buffer's size.
        for piece in octets.chunks(BUFFER / 2) {
            self.inspect(wire, piece);
            if let Some(failure) = &self.failure {
                return Err(failure.again().into());
            }
            self.transfer.encode(piece, &mut wire.body_buffer);
            if wire.body_buffer.len() >= BUFFER {
                self.flush(wire);
            }
        }
        self.octets += octets.len() as u64;
        Ok(octets.len())
    }

    /// Writes the end of data, in one piece with the rest of the message. Only when this returns
    /// `Ok` can the server have the whole message.
    pub(crate) fn finish(&mut self, wire: &mut Wire) -> Result<()> {
        if let Err(error) = self.transfer.finish(&mut wire.body_buffer) {
            return Err(self.fail(wire, error));
        }
        self.flush(wire);
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => {
                wire.trace
                    .client(format_args!("<message of {} octets>", self.octets));
                if let Transfer::Data(_) = self.transfer {
                    wire.trace.client(format_args!("."));
                }
                Ok(())
            }
        }
    }

    /// Gives up: the connection is cut, so that the server cannot take what it has for the whole
    /// message.
    pub(crate) fn fail(&mut self, wire: &mut Wire, error: io::Error) -> Error {
        wire.abort();
        self.failure.take().unwrap_or(Error::Source(error))
    }

    /// Cuts the connection when the message turns out to break a rule.
    fn inspect(&mut self, wire: &mut Wire, piece: &[u8]) {
        let Some((profiler, rules)) = &mut self.inspection else {
            return;
        };
        profiler.update(piece);
        if let Err(error) = rules.check(&profiler.profile()) {
            wire.abort();
            self.failure.get_or_insert_with(|| error.into());
        }
    }

    fn flush(&mut self, wire: &mut Wire) {
        let mut buffer = std::mem::take(&mut wire.body_buffer);
        if self.failure.is_none() {
            self.failure = wire.send_body(&buffer).err();
        }
        buffer.clear();
        wire.body_buffer = buffer;
    }
}

/// How a message travels.
#[derive(Debug)]
enum Transfer {
    /// As it is, so many octets more.
    Chunk { left: u64 },
    /// As lines, up to the final dot.
    Data(DataEncoder),
}

impl Transfer {
    fn encode(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Chunk { left } => {
                *left = left.wrapping_sub(piece.len() as u64);
                out.extend_from_slice(piece);
            }
            Self::Data(encoder) => {
                out.reserve(DataEncoder::max_growth(piece.len()));
                encoder.encode(piece, out);
            }
        }
    }

    /// Ends the message. Too few or too many octets would be taken for commands, or commands for
    /// octets.
    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Chunk { left: 0 } => Ok(()),
            Self::Chunk { .. } => Err(ErrorKind::InvalidData.into()),
            Self::Data(encoder) => {
                encoder.finish(out);
                Ok(())
            }
        }
    }
}

/// A body and its connection, as a writer. Dropped before its end, it cuts the connection.
#[derive(Debug)]
pub(crate) struct BodyWriter<'w> {
    body: Body,
    wire: &'w mut Wire,
    is_over: bool,
}

impl<'w> BodyWriter<'w> {
    pub(crate) fn new(body: Body, wire: &'w mut Wire) -> Self {
        Self {
            body,
            wire,
            is_over: false,
        }
    }

    /// As [`Body::finish`].
    pub(crate) fn finish(mut self) -> Result<()> {
        self.is_over = true;
        self.body.finish(self.wire)
    }

    /// As [`Body::fail`].
    pub(crate) fn fail(mut self, error: io::Error) -> Error {
        self.body.fail(self.wire, error)
    }
}

impl Write for BodyWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.body.write(self.wire, octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BodyWriter<'_> {
    /// A source that panics must not leave half a message behind, to which the next one would be
    /// added.
    fn drop(&mut self) {
        if !self.is_over {
            self.wire.abort();
        }
    }
}
