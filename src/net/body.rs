//! [`Body`] sends the content of a message, after DATA or in chunks.

use std::io::{self, ErrorKind, Write};

use crate::error::{Error, Result};
use crate::exchange::admission::Inspection;
use crate::exchange::transit::Framing;
use crate::exchange::{Exchange, Id};
use crate::net::wire::Wire;
use crate::protocol::data::DataEncoder;
use crate::step::Step;

/// How many octets of a message are collected before a write. With this many, the cost of system
/// calls and TLS records does not matter.
const BUFFER: usize = 64 * 1024;
/// How many octets at the end of a message are held back until the rest is written. A reply that
/// comes before the server has the last octet is not a reply to the message.
const TAIL: usize = 4 * 1024;
/// The length at which a chunk is sent, if the length of the message is not known.
const CHUNK: usize = 256 * 1024;

/// Sends a message. It is encoded piece by piece and written through the outbox of the connection.
///
/// The last octets stay in the outbox, so that the next transaction can go out in the same write.
#[derive(Debug)]
pub(crate) struct Body {
    id: Id,
    transfer: Transfer,
    /// Checks the message while it is sent, if it was not checked before.
    inspection: Option<Inspection>,
    octets: u64,
    /// The position in the stream before the message.
    start: u64,
    /// Why the connection failed. The source of the message gets a copy as an `io::Error`.
    failure: Option<Error>,
}

/// How the message is sent.
#[derive(Debug)]
enum Transfer {
    /// Encoded for DATA, up to the final dot.
    Dot(DataEncoder),
    /// Unchanged, up to the final dot.
    Verbatim,
    /// Unchanged, in one chunk. This many octets are left.
    Exact(u64),
    /// With CRLF line ends, in one chunk. This many octets are left.
    Lines(u64, DataEncoder),
    /// With CRLF line ends, in several chunks. The vector is the next chunk.
    Chunks(DataEncoder, Vec<u8>),
}

impl Body {
    /// Begins a message. If `is_verbatim` is false, its line ends become CRLF. `inspection` has the
    /// rules for a message that was not checked before.
    pub(crate) fn begin(
        wire: &mut Wire,
        (id, framing): (Id, Framing),
        is_verbatim: bool,
        inspection: Option<Inspection>,
    ) -> Self {
        let start = wire.position();
        let transfer = match framing {
            // Unchanged octets would skip the inspection, so an inspected message is encoded.
            Framing::Dot if is_verbatim && inspection.is_none() => Transfer::Verbatim,
            Framing::Dot => Transfer::Dot(DataEncoder::new()),
            Framing::Chunks => Transfer::Chunks(DataEncoder::chunked(), Vec::new()),
            Framing::Chunk(size) => {
                wire.queue(format_args!("BDAT {size} LAST\r\n"));
                match is_verbatim {
                    true => Transfer::Exact(size),
                    false => Transfer::Lines(size, DataEncoder::chunked()),
                }
            }
        };
        Self {
            id,
            transfer,
            inspection,
            octets: 0,
            start,
            failure: None,
        }
    }

    /// Takes the next part of the message.
    pub(crate) fn write(
        &mut self,
        wire: &mut Wire,
        exchange: &mut Exchange,
        octets: &[u8],
    ) -> io::Result<usize> {
        let result = self.take(wire, exchange, octets);
        if let Err(error) = result {
            wire.abort();
            self.failure.get_or_insert(error);
        }
        match &self.failure {
            Some(failure) => Err(failure.again().into()),
            None if exchange.is_over() => Err(ErrorKind::BrokenPipe.into()),
            None => Ok(octets.len()),
        }
    }

    /// Ends the message. The server can have the whole message only if this returns `Ok` and the
    /// outbox was then written.
    pub(crate) fn finish(&mut self, wire: &mut Wire, exchange: &mut Exchange) -> Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if exchange.is_over() {
            // A chunk was refused, so there is nothing to end.
            return Ok(());
        }
        if let Err(error) = self.end(wire, exchange) {
            wire.abort();
            return Err(error);
        }
        if exchange.is_over() {
            return Ok(());
        }
        wire.trace
            .client(format_args!("<message of {} bytes>", self.octets));
        if matches!(self.transfer, Transfer::Dot(_) | Transfer::Verbatim) {
            wire.trace.client(format_args!("."));
        }
        let end_at = wire.position();
        let octets = usize::try_from(end_at - self.start).unwrap_or(usize::MAX);
        exchange.end_written(self.id, octets, end_at);
        Ok(())
    }

    /// Gives up and cuts the connection. Otherwise the server could take the first part for the
    /// whole message.
    pub(crate) fn fail(&mut self, wire: &mut Wire, error: io::Error) -> Error {
        wire.abort();
        self.failure.take().unwrap_or(Error::Source(error))
    }

    fn take(&mut self, wire: &mut Wire, exchange: &mut Exchange, octets: &[u8]) -> Result<()> {
        if self.failure.is_some() || exchange.is_over() {
            return Ok(());
        }
        self.octets += octets.len() as u64;
        match &mut self.transfer {
            Transfer::Exact(left) => *left = less(*left, octets.len())?,
            Transfer::Verbatim => {}
            _ => return self.take_lines(wire, exchange, octets),
        }
        let (head, tail) = octets.split_at(octets.len().saturating_sub(TAIL));
        wire.write_body(head, BUFFER)?;
        wire.outbox().extend_from_slice(tail);
        Ok(())
    }

    fn take_lines(
        &mut self,
        wire: &mut Wire,
        exchange: &mut Exchange,
        octets: &[u8],
    ) -> Result<()> {
        // The encoder can double its input, so it gets half a buffer at a time.
        for piece in octets.chunks(BUFFER / 2) {
            if let Some(inspection) = &mut self.inspection {
                inspection.update(piece)?;
            }
            self.encode(wire, exchange, piece)?;
        }
        Ok(())
    }

    fn encode(&mut self, wire: &mut Wire, exchange: &mut Exchange, piece: &[u8]) -> Result<()> {
        match &mut self.transfer {
            Transfer::Chunks(encoder, chunk) => {
                encode(encoder, piece, chunk);
                if chunk.len() >= CHUNK {
                    write_chunk(wire, exchange, self.id, chunk)?;
                }
                return Ok(());
            }
            Transfer::Dot(encoder) => {
                encode(encoder, piece, wire.outbox());
            }
            Transfer::Lines(left, encoder) => {
                *left = less(*left, encode(encoder, piece, wire.outbox()))?;
                if *left == 0 {
                    return Ok(());
                }
            }
            Transfer::Exact(_) | Transfer::Verbatim => {}
        }
        wire.flush_over(BUFFER, Step::Body)
    }

    /// Appends the end of the message.
    fn end(&mut self, wire: &mut Wire, exchange: &mut Exchange) -> Result<()> {
        match &mut self.transfer {
            Transfer::Exact(left) => *left = less(*left, 0)?,
            Transfer::Lines(left, encoder) => {
                let before = wire.outbox().len();
                encoder.finish(wire.outbox());
                *left = less(*left, wire.outbox().len() - before)?;
            }
            Transfer::Chunks(encoder, chunk) => {
                encoder.finish(chunk);
                drain(wire, exchange)?;
            }
            Transfer::Dot(_) | Transfer::Verbatim => {}
        }
        if matches!(
            self.transfer,
            Transfer::Exact(1..) | Transfer::Lines(1.., _)
        ) {
            return Err(length_differs());
        }
        if wire.taken() > self.start && exchange.is_quiet() && !exchange.is_over() {
            wire.check_silence()?;
        }
        match &mut self.transfer {
            Transfer::Dot(encoder) => encoder.finish(wire.outbox()),
            Transfer::Verbatim => wire.outbox().extend_from_slice(b".\r\n"),
            Transfer::Chunks(_, chunk) if !exchange.is_over() => {
                wire.queue(format_args!("BDAT {} LAST\r\n", chunk.len()));
                wire.outbox().extend_from_slice(chunk);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Encodes a piece. Returns how many octets it appended.
fn encode(encoder: &mut DataEncoder, piece: &[u8], out: &mut Vec<u8>) -> usize {
    let before = out.len();
    out.reserve(DataEncoder::max_growth(piece.len()));
    encoder.encode(piece, out);
    out.len() - before
}

/// How much of a chunk is left after these octets. Surplus octets are an error: the server would
/// read them as commands.
fn less(left: u64, octets: usize) -> Result<u64> {
    left.checked_sub(octets as u64).ok_or_else(length_differs)
}

/// The error for a message that is longer or shorter than its source said.
fn length_differs() -> Error {
    Error::Source(ErrorKind::InvalidData.into())
}

/// Writes a chunk that is not the last, and waits until the next one may be sent.
fn write_chunk(
    wire: &mut Wire,
    exchange: &mut Exchange,
    id: Id,
    chunk: &mut Vec<u8>,
) -> Result<()> {
    wire.queue(format_args!("BDAT {}\r\n", chunk.len()));
    wire.write_body(chunk, BUFFER)?;
    exchange.chunk_written(id, chunk.len(), wire.position());
    chunk.clear();
    while let Some(awaited) = exchange.awaited_by_chunk() {
        exchange.replied(wire.read_reply(awaited)?);
    }
    Ok(())
}

/// Reads all replies that are still due.
fn drain(wire: &mut Wire, exchange: &mut Exchange) -> Result<()> {
    while let Some(awaited) = exchange.awaited().filter(|_| !exchange.is_over()) {
        exchange.replied(wire.read_reply(awaited)?);
    }
    Ok(())
}

/// Writes a body to its connection. If it is dropped before its end, it cuts the connection.
#[derive(Debug)]
pub(crate) struct BodyWriter<'w> {
    body: Body,
    wire: &'w mut Wire,
    exchange: &'w mut Exchange,
    is_over: bool,
}

impl<'w> BodyWriter<'w> {
    pub(crate) fn new(body: Body, wire: &'w mut Wire, exchange: &'w mut Exchange) -> Self {
        Self {
            body,
            wire,
            exchange,
            is_over: false,
        }
    }

    /// Ends the message, or gives it up if `written` is an error. Once the exchange is over, the
    /// error does not matter.
    pub(crate) fn end(mut self, written: io::Result<()>) -> Result<()> {
        self.is_over = true;
        match written {
            Err(error) if !self.exchange.is_over() => Err(self.body.fail(self.wire, error)),
            _ => self.body.finish(self.wire, self.exchange),
        }
    }
}

impl Write for BodyWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.body.write(self.wire, self.exchange, octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BodyWriter<'_> {
    /// Cuts the connection if the source has panicked. Otherwise the next message would be appended
    /// to half a message.
    fn drop(&mut self) {
        if !self.is_over {
            self.wire.abort();
        }
    }
}
