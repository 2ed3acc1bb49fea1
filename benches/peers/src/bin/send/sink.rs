//! A server that takes every message and keeps none.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::TcpStreamExt;
use std::sync::LazyLock;
use std::thread;

use memchr::memchr;
use memchr::memmem::Finder;
use native_tls::{Identity, TlsAcceptor};

const BUFFER: usize = 256 * 1024;
const END: &[u8] = b"\r\n.\r\n";

/// What a sink offers beside 8BITMIME and SIZE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offers {
    Plain,
    Pipelining,
    Chunking,
    /// PIPELINING, and TLS from the first byte.
    Tls,
}

pub const OFFERS: [Offers; 4] = [
    Offers::Plain,
    Offers::Pipelining,
    Offers::Chunking,
    Offers::Tls,
];

/// A sink for each kind of offers.
pub struct Sinks([SocketAddr; 4]);

impl Sinks {
    pub fn start() -> Self {
        Self(OFFERS.map(listen))
    }

    pub fn address(&self, offers: Offers) -> SocketAddr {
        self.0[offers as usize]
    }
}

fn listen(offers: Offers) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("no port for the sink");
    let address = listener.local_addr().expect("the sink has no address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream, offers));
        }
    });
    address
}

fn serve(stream: TcpStream, offers: Offers) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = stream.try_clone()?;
    if offers == Offers::Tls {
        let tls = ACCEPTOR.accept(stream).map_err(io::Error::other)?;
        return Session::new(tls, socket, offers).run();
    }
    Session::new(stream, socket, offers).run()
}

/// Nobody verifies the certificate.
static ACCEPTOR: LazyLock<TlsAcceptor> = LazyLock::new(|| {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("no certificate");
    let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let identity = Identity::from_pkcs8(certificate.as_bytes(), key.as_bytes());
    TlsAcceptor::new(identity.expect("no identity")).expect("no TLS")
});

struct Session<S> {
    stream: S,
    /// The same, below TLS.
    socket: TcpStream,
    offers: Offers,
    state: State,
    replies: Vec<u8>,
    end: Finder<'static>,
    is_over: bool,
}

#[derive(Clone, Copy)]
enum State {
    Commands,
    Message,
    Chunk(usize),
}

impl<S: Read + Write> Session<S> {
    fn new(stream: S, socket: TcpStream, offers: Offers) -> Self {
        Self {
            stream,
            socket,
            offers,
            state: State::Commands,
            replies: b"220 sink.example ESMTP\r\n".to_vec(),
            end: Finder::new(END),
            is_over: false,
        }
    }

    fn run(mut self) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        let mut filled = 0;
        loop {
            if !self.replies.is_empty() {
                self.stream.write_all(&self.replies)?;
                self.replies.clear();
            }
            if self.is_over {
                return Ok(());
            }
            // The kernel forgets it now and then.
            self.socket.set_quickack(true)?;
            let read = self.stream.read(&mut buffer[filled..])?;
            if read == 0 {
                return Ok(());
            }
            filled += read;
            let mut used = 0;
            while let Some(more) = self.take(&buffer[used..filled]) {
                used += more;
            }
            // What is left is the beginning of a line, or may be that of an end.
            let rest = match self.state {
                State::Message => (filled - used).min(END.len() - 1),
                _ => filled - used,
            };
            buffer.copy_within(filled - rest..filled, 0);
            filled = rest;
        }
    }

    /// Takes a command, or a part of a message, and tells how long it was.
    fn take(&mut self, input: &[u8]) -> Option<usize> {
        match self.state {
            State::Commands => {
                let length = memchr(b'\n', input)? + 1;
                self.command(&input[..length]);
                Some(length)
            }
            State::Message => {
                let length = self.end.find(input)? + END.len();
                self.accept();
                Some(length)
            }
            State::Chunk(left) => {
                let length = left.min(input.len());
                self.state = State::Chunk(left - length);
                if length == left {
                    self.accept();
                }
                (length > 0 || left == 0).then_some(length)
            }
        }
    }

    fn accept(&mut self) {
        self.state = State::Commands;
        self.reply("250 2.0.0 Ok: queued");
    }

    fn command(&mut self, line: &[u8]) {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match &*verb {
            b"EHLO" => self.hello(),
            b"DATA" => {
                self.state = State::Message;
                self.reply("354 End data with <CR><LF>.<CR><LF>");
            }
            b"BDAT" => {
                let text = String::from_utf8_lossy(line);
                let size = text.split_whitespace().nth(1).map(str::parse);
                self.state = State::Chunk(size.and_then(Result::ok).expect("BDAT without a size"));
            }
            b"QUIT" => {
                self.is_over = true;
                self.reply("221 2.0.0 Bye");
            }
            b"MAIL" => self.reply("250 2.1.0 Ok"),
            b"RCPT" => self.reply("250 2.1.5 Ok"),
            b"HELO" | b"RSET" | b"NOOP" => self.reply("250 2.0.0 Ok"),
            _ => self.reply("502 5.5.2 What?"),
        }
    }

    fn hello(&mut self) {
        self.replies
            .extend_from_slice(b"250-sink.example\r\n250-SIZE 104857600\r\n");
        if self.offers != Offers::Plain {
            self.replies.extend_from_slice(b"250-PIPELINING\r\n");
        }
        if self.offers == Offers::Chunking {
            self.replies.extend_from_slice(b"250-CHUNKING\r\n");
        }
        self.reply("250 8BITMIME");
    }

    fn reply(&mut self, text: &str) {
        self.replies.extend_from_slice(text.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }
}
