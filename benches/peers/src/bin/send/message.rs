//! The messages that are sent.

use std::io;

const HEADER: &str = "Subject: Lunch?";
/// Octets of a line without its end.
const LINE: usize = 76;

pub const SENDER: &str = "alice@example.com";

/// What the lines of a message are like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They can be sent as they are.
    Clean,
    /// Each begins with a dot, which has to be doubled.
    Dots,
    /// Each ends in LF, where CR is missing.
    Lf,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Dots => "dots",
            Self::Lf => "LF",
        }
    }

    pub fn named(name: &str) -> Self {
        let all = [Self::Clean, Self::Dots, Self::Lf];
        let kind = all.into_iter().find(|kind| kind.name() == name);
        kind.expect("clean, dots or LF")
    }

    fn end(self) -> &'static str {
        if self == Self::Lf { "\n" } else { "\r\n" }
    }
}

/// A message of about so many octets, which takes no more memory than that.
pub fn octets(size: usize, kind: Kind) -> Vec<u8> {
    let mut octets = Vec::with_capacity(size);
    octets.extend_from_slice(format!("{HEADER}{0}{0}", kind.end()).as_bytes());
    let line = line(kind);
    while octets.len() + line.len() <= size {
        octets.extend_from_slice(line.as_bytes());
    }
    octets
}

/// Lines of about so many octets, at least one.
pub fn text(size: usize, kind: Kind) -> String {
    let line = line(kind);
    line.repeat((size / line.len()).max(1))
}

fn line(kind: Kind) -> String {
    let first = if kind == Kind::Dots { "." } else { "x" };
    format!("{first}{}{}", "x".repeat(LINE - 1), kind.end())
}

pub fn recipients(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("reader{number}@example.org"))
        .collect()
}

/// The message with LF line ends in a file, as Postfix's smtp-source wants it.
pub fn write_lines(path: &std::path::Path, size: usize, kind: Kind) -> io::Result<()> {
    let octets = octets(size, kind);
    std::fs::write(path, String::from_utf8_lossy(&octets).replace('\r', ""))
}
