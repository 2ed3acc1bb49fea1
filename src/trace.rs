//! [`TraceLine`]: one line of the dialog, safe to show.

use std::fmt;
use std::sync::Arc;

use crate::reply::Escaped;

/// One line of the dialog, with passwords and tokens masked.
///
/// ```
/// use smtplib::Config;
/// use smtplib::connection::TraceLine;
///
/// let config = Config::new("mail.example.com").trace(|line| {
///     if let TraceLine::Server(text) = line {
///         println!("the server says {text}");
///     }
/// });
/// ```
///
/// `Display` escapes control characters. It writes `C: ` before lines of the client, `S: ` before
/// lines of the server, and `*: ` before remarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceLine<'a> {
    /// A line that the client sent, without its line end. A message is one line with its size.
    Client(&'a str),
    /// A remark, such as "TLS from here on, with mail.example.com".
    Note(&'a str),
    /// A line that the server sent, without its line end.
    Server(&'a str),
}

impl fmt::Display for TraceLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, text) = match self {
            Self::Client(text) => ("C", text),
            Self::Note(text) => ("*", text),
            Self::Server(text) => ("S", text),
        };
        write!(f, "{mark}: {}", Escaped(text))
    }
}

/// The function that gets the lines of the dialog, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Trace(Option<Arc<Sink>>);

type Sink = dyn Fn(TraceLine<'_>) + Send + Sync;

impl Trace {
    pub(crate) fn new(sink: impl Fn(TraceLine<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sink)))
    }

    #[cold]
    pub(crate) fn note(&self, text: fmt::Arguments<'_>) {
        if let Some(sink) = &self.0 {
            sink(TraceLine::Note(&text.to_string()));
        }
    }

    pub(crate) fn client(&self, text: fmt::Arguments<'_>) {
        if let Some(sink) = &self.0 {
            sink(TraceLine::Client(&text.to_string()));
        }
    }

    /// Shows commands, line by line.
    pub(crate) fn client_lines(&self, octets: &[u8]) {
        let Some(sink) = &self.0 else { return };
        for line in String::from_utf8_lossy(octets).split_terminator("\r\n") {
            sink(TraceLine::Client(line));
        }
    }

    /// Shows a reply, line by line, each with its code.
    pub(crate) fn server_lines(&self, octets: &[u8]) {
        let Some(sink) = &self.0 else { return };
        for line in String::from_utf8_lossy(octets).split_terminator("\r\n") {
            sink(TraceLine::Server(line));
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Trace(on)"
        } else {
            "Trace(off)"
        })
    }
}
