//! What was exchanged, for tests to check and for failures to show.
use std::fmt::{self, Write as _};

/// All connections of a finished peer, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    pub(crate) sessions: Vec<Session>,
}

impl Exchanged {
    /// Every command line that a script or a handler has read, without CRLF, over all connections.
    pub(crate) fn commands(&self) -> Vec<&str> {
        self.sessions
            .iter()
            .flat_map(|s| &s.commands)
            .map(String::as_str)
            .collect()
    }

    /// The message data number `n`, counted from 0 over all connections.
    pub(crate) fn body(&self, n: usize) -> &Body {
        let mut bodies = self.sessions.iter().flat_map(|s| &s.bodies);
        bodies
            .nth(n)
            .unwrap_or_else(|| panic!("the client sent no body number {n}\n{self}"))
    }

    pub(crate) fn bodies(&self) -> usize {
        self.sessions.iter().map(|s| s.bodies.len()).sum()
    }

    /// Every byte of the client that an observer of the network could read, over all connections.
    pub(crate) fn clear(&self) -> Vec<u8> {
        self.sessions.iter().flat_map(Session::clear).collect()
    }
}

impl fmt::Display for Exchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, session) in self.sessions.iter().enumerate() {
            write!(f, "exchanged on connection {}:\n{session}", n + 1)?;
        }
        Ok(())
    }
}

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) commands: Vec<String>,
    pub(crate) bodies: Vec<Body>,
    log: Vec<Entry>,
}

#[derive(Debug)]
enum Entry {
    Client(Vec<u8>),
    Note(String),
    Server(Vec<u8>),
    Tls,
}

impl Session {
    /// Every byte of the client, decrypted, message data included.
    pub(crate) fn received(&self) -> Vec<u8> {
        octets_of_client(&self.log)
    }

    /// The bytes of the client before the TLS handshake, or all if there was none.
    pub(crate) fn clear(&self) -> Vec<u8> {
        let tls = self.log.iter().position(|e| matches!(e, Entry::Tls));
        octets_of_client(&self.log[..tls.unwrap_or(self.log.len())])
    }

    /// Every byte of the peer, except repetitions of one text.
    pub(crate) fn sent(&self) -> Vec<u8> {
        let server = self.log.iter().filter_map(|e| match e {
            Entry::Server(octets) => Some(octets.as_slice()),
            _ => None,
        });
        server.flatten().copied().collect()
    }

    pub(super) fn log_client(&mut self, octets: &[u8]) {
        match self.log.last_mut() {
            Some(Entry::Client(last)) => last.extend_from_slice(octets),
            _ => self.log.push(Entry::Client(octets.to_vec())),
        }
    }

    pub(super) fn log_server(&mut self, octets: &[u8]) {
        match self.log.last_mut() {
            Some(Entry::Server(last)) => last.extend_from_slice(octets),
            _ => self.log.push(Entry::Server(octets.to_vec())),
        }
    }

    pub(super) fn log_tls(&mut self) {
        self.log.push(Entry::Tls);
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.log.push(Entry::Note(note.into()));
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.log {
            match entry {
                Entry::Client(octets) => f.write_str(&lines('C', octets))?,
                Entry::Note(note) => writeln!(f, "       ({note})")?,
                Entry::Server(octets) => f.write_str(&lines('S', octets))?,
                Entry::Tls => writeln!(f, "       TLS")?,
            }
        }
        Ok(())
    }
}

/// Message data, unchanged.
#[derive(Debug)]
pub(crate) struct Body {
    wire: Vec<u8>,
    stuffed: bool,
}

impl Body {
    /// From DATA: with stuffed dots, and with the terminator unless the client broke off.
    pub(super) fn stuffed(wire: Vec<u8>) -> Self {
        Self {
            wire,
            stuffed: true,
        }
    }

    /// From BDAT, or any part of a stream.
    pub(super) fn plain(wire: Vec<u8>) -> Self {
        Self {
            wire,
            stuffed: false,
        }
    }

    /// The bytes on the wire, including the terminator of DATA.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The message that the recipient gets: unstuffed, without the terminator of DATA.
    pub(crate) fn message(&self) -> Vec<u8> {
        if !self.stuffed {
            return self.wire.clone();
        }
        let mut message = Vec::with_capacity(self.wire.len());
        for line in self
            .wire
            .split_inclusive(|&b| b == b'\n')
            .filter(|l| l != b".\r\n")
        {
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        message
    }
}

/// Bytes for a person: CR, LF and other control characters escaped, 8-bit as `\xHH`.
pub(crate) fn escaped(octets: &[u8]) -> String {
    octets
        .escape_ascii()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'")
}

fn octets_of_client(log: &[Entry]) -> Vec<u8> {
    let client = log.iter().filter_map(|e| match e {
        Entry::Client(octets) => Some(octets.as_slice()),
        _ => None,
    });
    client.flatten().copied().collect()
}

/// One line for each line. Only line ends other than CRLF are shown.
fn lines(who: char, octets: &[u8]) -> String {
    let lines: Vec<&[u8]> = octets.split_inclusive(|&b| b == b'\n').collect();
    let mut out = String::new();
    for (n, line) in lines.iter().enumerate() {
        if n == LINES && lines.len() > 2 * LINES {
            let _ = writeln!(out, "       ({} lines left out)", lines.len() - 2 * LINES);
        }
        if n < LINES || n + LINES >= lines.len() {
            let _ = writeln!(out, "    {who}: {}", line_text(line));
        }
    }
    out
}

fn line_text(line: &[u8]) -> String {
    let (text, end) = match line.strip_suffix(b"\r\n") {
        Some(text) => (text, ""),
        None => (line, " (no CRLF)"),
    };
    if text.len() > COLUMNS {
        return format!(
            "{}... ({} octets){end}",
            escaped(&text[..COLUMNS]),
            text.len()
        );
    }
    escaped(text) + end
}

/// A failure shows this many lines at each end of a long text.
const LINES: usize = 100;
/// A failure shows this much of a line.
const COLUMNS: usize = 600;
