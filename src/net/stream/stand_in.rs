//! [`StandIn`]: a TLS library with its own error texts, so that no test depends on those of a real
//! one.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::net::stream::channel::Channel;
use crate::net::stream::duplex::Duplex;
use crate::net::stream::secured::{Layer, Secured, StreamFailure, reason_of_handshake};
use crate::net::stream::tcp::TcpTransport;
use crate::net::stream::witness::Witness;
use crate::net::stream::{Stream, deadline_in};

/// Records without encryption. Every failure below becomes an error with an unknown text.
#[derive(Debug)]
struct StandIn(Witness);

/// A stream with the stand-in on it, and the server's end of its socket.
pub(crate) fn stand_in() -> (Stream, TcpStream) {
    let (witness, server) = connected();
    let secured = Secured::new(StandIn(witness.clone()), witness);
    (Stream::Tls(secured), server)
}

/// The failure of a handshake with a server that does this. If the function returns the socket, it
/// stays open.
pub(crate) fn failed_handshake(
    budget: Duration,
    server_does: impl FnOnce(TcpStream) -> Option<TcpStream>,
) -> StreamFailure {
    let (witness, server) = connected();
    witness.set_deadline(deadline_in(budget));
    let stays = server_does(server);
    let mut tls = StandIn(witness.clone());
    let shaken = tls.write(b"hello").and_then(|_| tls.read(&mut [0; 512]));
    let failure = reason_of_handshake(&witness, shaken.unwrap_err().into());
    drop(stays);
    failure
}

fn connected() -> (Witness, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let channel = Channel::new(Box::new(TcpTransport::new(socket).unwrap()));
    (Witness::of(channel), server)
}

/// A record of application data.
pub(crate) fn record(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [b"\x17\x03\x03", &length[..], text.as_bytes()].concat()
}

/// The record of an alert.
pub(crate) fn alert(number: u8) -> [u8; 7] {
    [0x15, 3, 3, 0, 2, 2, number]
}

impl StandIn {
    /// Reads this many octets. TLS libraries read the head of a record first, and then its content.
    fn octets(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut octets = vec![0; count];
        let mut filled = 0;
        while filled < count {
            match self.0.read(&mut octets[filled..]) {
                Ok(0) => return Err(io::Error::other("no end was announced")),
                Ok(read) => filled += read,
                Err(error) => return Err(in_its_own_words(&error)),
            }
        }
        Ok(octets)
    }
}

fn in_its_own_words(error: &io::Error) -> io::Error {
    io::Error::other(format!("the record layer is unhappy: {:?}", error.kind()))
}

impl Duplex for StandIn {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = self.octets(5)?;
        let content = match head[0] {
            0x15 | 0x17 => self.octets(usize::from(u16::from_be_bytes([head[3], head[4]])))?,
            _ => return Err(io::Error::other("this is no record")),
        };
        if head[0] == 0x15 {
            let words = format!("they complained: alert number {}", content[1]);
            return Err(io::Error::other(words));
        }
        buffer[..content.len()].copy_from_slice(&content);
        Ok(content.len())
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0
            .write(octets)
            .map_err(|error| in_its_own_words(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for StandIn {
    fn say_goodbye(&mut self) -> io::Result<()> {
        self.write(b"\x15\x03\x03\0\x02\x01\0").map(drop)
    }

    fn certificate(&self) -> Option<Vec<u8>> {
        None
    }

    fn end_point(&self) -> Option<Vec<u8>> {
        None
    }
}
