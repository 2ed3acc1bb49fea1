//! One connection for a handler: lines, message data and chunks.
use crate::peer::ca::{Leaf, TestCa};
use crate::peer::exchanged::{Body, Session, escaped};
use crate::peer::failure::{Failure, Result, fail};
use crate::peer::link::{Fill, Link};
use crate::peer::settings::{Control, Settings};
use crate::peer::stream::Socket;
use native_tls::TlsAcceptor;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// The server's side of one connection.
///
/// Every method waits no longer than the peer's bound, and fails with a sentence. A handler returns
/// it with `?`.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(super) link: Link,
    /// Body lines of a script, up to the dot.
    open_body: Vec<u8>,
}

impl Conn {
    pub(super) fn new(socket: Socket, settings: Settings, control: Arc<Control>) -> Self {
        Self {
            link: Link::new(socket, settings, control),
            open_body: Vec::new(),
        }
    }

    /// Writes `line` and CRLF in one segment.
    pub(crate) fn reply(&mut self, line: &str) -> Result<()> {
        self.write(format!("{line}\r\n").as_bytes())
    }

    /// Writes bytes in one segment, or cut as the settings say.
    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<()> {
        Ok(self.link.send(octets)?)
    }

    /// Reads one line, which must end in CRLF and have no other CR. Returns it without CRLF.
    pub(crate) fn read_line(&mut self) -> Result<String> {
        let line = self.take_line()?;
        let text = String::from_utf8_lossy(&line).into_owned();
        self.link.session.commands.push(text.clone());
        Ok(text)
    }

    /// Reads one line, which must be `line`.
    pub(crate) fn expect(&mut self, line: &str) -> Result<()> {
        let got = self.read_line()?;
        same(line.as_bytes(), got.as_bytes())
    }

    /// Reads message data up to the final dot. It must not have a bare CR or LF. Returns it
    /// unstuffed.
    pub(crate) fn read_data(&mut self) -> Result<Vec<u8>> {
        let mut wire = Vec::new();
        let mut from = 0;
        let end = loop {
            wire.append(&mut self.link.buffer);
            if let Some(end) = end_of_data(&wire, from) {
                break end;
            }
            from = wire.len().saturating_sub(TERMINATOR.len());
            self.link.more("the end of the message data")?;
        };
        self.link.buffer = wire.split_off(end);
        check_line_ends(&wire)?;
        let body = Body::stuffed(wire);
        let message = body.message();
        self.link.session.bodies.push(body);
        Ok(message)
    }

    /// Reads exactly `n` bytes.
    pub(crate) fn read_octets(&mut self, n: usize) -> Result<Vec<u8>> {
        while self.link.buffer.len() < n {
            self.link.more(&format!("{n} octets"))?;
        }
        Ok(self.link.buffer.drain(..n).collect())
    }

    /// Reads `BDAT n` or `BDAT n LAST` and its bytes. Returns them, and whether it was the last
    /// chunk.
    pub(crate) fn read_bdat(&mut self) -> Result<(Vec<u8>, bool)> {
        let line = self.read_line()?;
        self.read_chunk(&line)
    }

    /// Waits for the client to close the connection without sending anything.
    pub(crate) fn expect_close(&mut self) -> Result<()> {
        match self.link.look(self.link.bound())? {
            Fill::End => Ok(()),
            Fill::Octets => fail(format!(
                "expected the client to close, got {}",
                self.link.surplus()
            )),
            Fill::Quiet => fail("expected the client to close, it did not"),
        }
    }

    /// Asserts that the client sends nothing for this long.
    pub(crate) fn expect_silence(&mut self, wait: Duration) -> Result<()> {
        let got = match self.link.look(wait)? {
            Fill::Quiet => return Ok(()),
            Fill::End => "the client closed".into(),
            Fill::Octets => format!("got {}", self.link.surplus()),
        };
        fail(format!("expected {wait:?} of silence, {got}"))
    }

    /// The server's side of the TLS handshake.
    pub(crate) fn start_tls(&mut self, leaf: Leaf) -> Result<()> {
        self.handshake(&server_side(leaf)?)
    }

    /// Sends `close_notify` if TLS is on, then FIN. The client can still be read.
    pub(crate) fn finish_sending(&mut self) {
        self.link.finish(true);
    }

    /// Closes both directions. Unread bytes turn this into a reset.
    pub(crate) fn close(&mut self) {
        self.link.close();
    }

    /// Closes with a reset.
    pub(crate) fn reset(&mut self) {
        self.link.reset();
    }

    /// Does nothing for a while.
    pub(crate) fn pause(&self, wait: Duration) -> Result<()> {
        self.link.pause(wait)
    }
}

/// The acceptor for a handshake. `.ci/fresh` counts the tests that fail with this sentence.
pub(super) fn server_side(leaf: Leaf) -> Result<TlsAcceptor> {
    let acceptor = TestCa::get().acceptor(leaf);
    acceptor.map_err(|e| Failure(format!("this system has no TLS for servers: {e}")))
}

/// More methods, for scripts.
impl Conn {
    pub(super) fn take_line(&mut self) -> Result<Vec<u8>> {
        let mut from = 0;
        let end = loop {
            if let Some(at) = self.link.buffer[from..].iter().position(|&b| b == b'\n') {
                break from + at + 1;
            }
            from = self.link.buffer.len();
            if from > LONGEST_LINE {
                return fail(format!(
                    "more than {LONGEST_LINE} octets and no end of line"
                ));
            }
            self.link.more("a line")?;
        };
        let mut line: Vec<u8> = self.link.buffer.drain(..end).collect();
        check_line_ends(&line)?;
        line.truncate(end - 2);
        Ok(line)
    }

    /// Reads a line of message data, which must be `line`. The final dot makes a body of the lines.
    pub(super) fn expect_body_line(&mut self, line: &[u8]) -> Result<()> {
        let got = self.take_line()?;
        self.open_body.extend_from_slice(&got);
        self.open_body.extend_from_slice(b"\r\n");
        if got == b"." {
            self.end_body();
        }
        same(line, &got)
    }

    pub(super) fn expect_octets(&mut self, octets: &[u8]) -> Result<()> {
        let got = self.read_octets(octets.len())?;
        same(octets, &got)
    }

    /// Reads the bytes that a BDAT command announces.
    pub(super) fn read_chunk(&mut self, command: &str) -> Result<(Vec<u8>, bool)> {
        let words: Vec<&str> = command.split(' ').collect();
        let (size, last) = match *words.as_slice() {
            ["BDAT", size] => (size, false),
            ["BDAT", size, "LAST"] => (size, true),
            _ => {
                return fail(format!(
                    "expected BDAT, got \"{}\"",
                    escaped(command.as_bytes())
                ));
            }
        };
        let size = size
            .parse()
            .map_err(|_| format!("\"{size}\" is no chunk size"))?;
        let chunk = self.read_part(size)?;
        Ok((chunk, last))
    }

    /// Reads bytes that count as a body.
    pub(super) fn read_part(&mut self, n: usize) -> Result<Vec<u8>> {
        let octets = self.read_octets(n)?;
        self.link.session.bodies.push(Body::plain(octets.clone()));
        Ok(octets)
    }

    pub(super) fn handshake(&mut self, acceptor: &TlsAcceptor) -> Result<()> {
        self.nothing_ahead()?;
        self.link
            .handshake(acceptor)
            .map_err(|e| Failure(format!("no TLS: {e}")))
    }

    /// Asserts that no bytes came with the last command: the client must wait before it begins TLS.
    pub(super) fn nothing_ahead(&self) -> Result<()> {
        match self.link.buffer.is_empty() {
            true => Ok(()),
            false => fail(format!(
                "before TLS the client sent {}",
                self.link.surplus()
            )),
        }
    }

    /// The record, with the rest of a body that was not finished.
    pub(super) fn into_session(mut self) -> Session {
        if !self.open_body.is_empty() {
            self.end_body();
        }
        self.link.session
    }

    fn end_body(&mut self) {
        let wire = mem::take(&mut self.open_body);
        self.link.session.bodies.push(Body::stuffed(wire));
    }
}

fn same(expected: &[u8], got: &[u8]) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    fail(format!(
        "expected \"{}\", got \"{}\"",
        escaped(expected),
        escaped(got)
    ))
}

/// Where the bytes after the final dot begin. The terminator may begin at `from` or later, and an
/// empty message is only the terminator.
fn end_of_data(wire: &[u8], from: usize) -> Option<usize> {
    if wire.starts_with(&TERMINATOR[2..]) {
        return Some(TERMINATOR.len() - 2);
    }
    let at = wire[from..]
        .windows(TERMINATOR.len())
        .position(|w| w == TERMINATOR)?;
    Some(from + at + TERMINATOR.len())
}

/// RFC 5321, 2.3.8: CR and LF are sent together or not at all.
fn check_line_ends(octets: &[u8]) -> Result<()> {
    let mut last = 0;
    for (at, &octet) in octets.iter().enumerate() {
        if (octet == b'\n') != (last == b'\r') {
            let name = if octet == b'\n' { "LF" } else { "CR" };
            let near = &octets[at.saturating_sub(40)..octets.len().min(at + 20)];
            return fail(format!(
                "bare {name} before octet {at}, near \"{}\"",
                escaped(near)
            ));
        }
        last = octet;
    }
    Ok(())
}

const TERMINATOR: &[u8] = b"\r\n.\r\n";
/// RFC 4954, 4.5.1 allows 12,288 octets. A line that is much longer is not a command.
const LONGEST_LINE: usize = 64 * 1024;
