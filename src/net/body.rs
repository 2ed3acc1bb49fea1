//! [`Body`]: a message on its way, behind DATA or in chunks.

use std::io::{self, ErrorKind, Write};

use crate::error::{Error, Result};
use crate::exchange::admission::Inspection;
use crate::exchange::transit::Framing;
use crate::exchange::{Exchange, Id};
use crate::net::wire::Wire;
use crate::protocol::data::DataEncoder;
use crate::step::Step;

/// How much of a message is gathered before it is written: enough that neither system calls nor TLS
/// records show.
const BUFFER: usize = 64 * 1024;
/// How much of the end of a message is held back until all before it was written: whatever the
/// server says before it has the last octet is no answer to the message.
const TAIL: usize = 4 * 1024;
/// How long the chunks of a message of unknown length are.
const CHUNK: usize = 256 * 1024;

/// A message on its way: encoded as it comes, and written through the connection's one outbox.
///
/// Its last octets stay in the outbox, where the next transaction may join them.
#[derive(Debug)]
pub(crate) struct Body {
    id: Id,
    transfer: Transfer,
    /// Looks at a message that nobody has seen before, while it passes.
    inspection: Option<Inspection>,
    octets: u64,
    /// Where the connection stood before the message.
    start: u64,
    /// Why the connection is gone; the `io::Error` that the source of the message sees is a copy.
    failure: Option<Error>,
}

/// How the octets travel.
#[derive(Debug)]
enum Transfer {
    /// As lines, up to the final dot.
    Dot(DataEncoder),
    /// As they are, up to the final dot.
    Verbatim,
    /// So many octets more, as they are.
    Exact(u64),
    /// So many octets more, as lines.
    Lines(u64, DataEncoder),
    /// As lines, in chunks of which this is the next.
    Chunks(DataEncoder, Vec<u8>),
}

impl Body {
    /// Begins a message. One that is not `verbatim` becomes lines that end in CRLF; of a
    /// message that nobody has looked at yet, the inspection has the rules.
    pub(crate) fn begin(
        wire: &mut Wire,
        (id, framing): (Id, Framing),
        is_verbatim: bool,
        inspection: Option<Inspection>,
    ) -> Self {
        let start = wire.position();
        let transfer = match framing {
            // What is to be inspected on its way is encoded on its way.
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

    /// Ends the message. Only when this returns `Ok`, and the connection has been written up to
    /// here, can the server have the whole message.
    pub(crate) fn finish(&mut self, wire: &mut Wire, exchange: &mut Exchange) -> Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if exchange.is_over() {
            // A chunk was refused: no end follows.
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

    /// Gives up: the connection is cut, so that the server cannot take what it has for the whole
    /// message.
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
        // The encoder can double its input; half a buffer at a time keeps the buffer's size.
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

/// Encodes a piece, and tells how many octets came of it.
fn encode(encoder: &mut DataEncoder, piece: &[u8], out: &mut Vec<u8>) -> usize {
    let before = out.len();
    out.reserve(DataEncoder::max_growth(piece.len()));
    encoder.encode(piece, out);
    out.len() - before
}

/// What is left of a chunk. Octets that are too many would be taken for commands.
fn less(left: u64, octets: usize) -> Result<u64> {
    left.checked_sub(octets as u64).ok_or_else(length_differs)
}

/// The message is not as long as its source said.
fn length_differs() -> Error {
    Error::Source(ErrorKind::InvalidData.into())
}

/// Writes a chunk that is not the last, and waits until another may follow.
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

/// Reads all replies that are owed to chunks.
fn drain(wire: &mut Wire, exchange: &mut Exchange) -> Result<()> {
    while let Some(awaited) = exchange.awaited().filter(|_| !exchange.is_over()) {
        exchange.replied(wire.read_reply(awaited)?);
    }
    Ok(())
}

/// A body and its connection, as a writer. Dropped before its end, it cuts the connection.
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

    /// As [`Body::finish`], or as [`Body::fail`].
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
    /// A source that panics must not leave half a message behind, to which the next one would be
    /// added.
    fn drop(&mut self) {
        if !self.is_over {
            self.wire.abort();
        }
    }
}
