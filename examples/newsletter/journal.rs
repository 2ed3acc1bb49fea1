//! The result for each reader, in a file beside the list, so that another run can continue.
//!
//! A line has an address, its result, and the server's words, with tabs between them. Each address
//! gets a line `sending` *before* its message is handed over, and another after its result. The
//! last line counts. If the program ends between the two, the result is unknown, and the message is
//! not sent again.
//!
//! Each line is written before the program continues. Lines survive a crash of the program, but
//! perhaps not of the machine: for that, call [`File::sync_data`] after each.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use smtplib::error::Unsupported;
use smtplib::{Address, Delivery, Error, Outcome, Reply};

use crate::lock::Lock;

/// The result for a reader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Handed over, and nothing more is known.
    Sending,
    Accepted,
    /// Not sent, and worth another try.
    Later,
    /// Refused for good.
    Refused,
    /// Sent, and no reply came.
    Unknown,
}

const WORDS: [(Fate, &str); 5] = [
    (Fate::Sending, "sending"),
    (Fate::Accepted, "accepted"),
    (Fate::Later, "later"),
    (Fate::Refused, "refused"),
    (Fate::Unknown, "unknown"),
];

impl Fate {
    /// Whether the reader has certainly not got the newsletter, and another try makes sense.
    pub(crate) fn is_due(self) -> bool {
        self == Self::Later
    }

    fn word(self) -> &'static str {
        let mut words = WORDS.iter().filter(|(fate, _)| *fate == self);
        words.next().map_or("", |(_, word)| word)
    }

    fn of_word(word: &str) -> Option<Self> {
        let mut fates = WORDS.iter().filter(|(_, known)| *known == word);
        fates.next().map(|(fate, _)| *fate)
    }
}

/// What a result means for the reader, and the words to keep.
pub(crate) fn fate(reader: &Address, result: &smtplib::Result<Outcome>) -> (Fate, String) {
    match result {
        Ok(outcome) => {
            let reply = outcome.reply().map(ToString::to_string);
            (Fate::Accepted, reply.unwrap_or_default())
        }
        Err(error) if error.delivery() == Delivery::Unknown => (Fate::Unknown, error.to_string()),
        Err(error) if is_about(reader, error) => (Fate::Refused, error.to_string()),
        // The text, the sender, the login or the server is the cause: this says nothing about the
        // reader.
        Err(error) => (Fate::Later, error.to_string()),
    }
}

/// Whether the server will never take a message to this reader.
fn is_about(reader: &Address, error: &Error) -> bool {
    match error {
        Error::RecipientsRefused(_) => {
            error.is_permanent() && !error.reply().is_some_and(is_about_sender)
        }
        // It may be about the sender's address instead.
        Error::Unsupported(
            Unsupported::Utf8Address(address) | Unsupported::Utf8Header { address, .. },
        ) => **address == *reader,
        _ => false,
    }
}

/// Whether the reply is about policy, as for relaying, or about too much mail, as for a quota (RFC
/// 3463, 3.8 and 3.5). Another reader would get the same.
fn is_about_sender(reply: &Reply) -> bool {
    let code = reply.enhanced();
    let code = code.map(|code| (code.subject(), code.detail()));
    matches!(code, Some((7, _) | (4, 5)))
}

pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// Held as long as the journal is open.
    _lock: Lock,
}

impl Journal {
    /// Opens the journal of a list, or begins it. It belongs to one newsletter, known by its
    /// subject. No other run can open it meanwhile.
    pub(crate) fn open(list: &Path, subject: &str) -> Result<Self, String> {
        let path = with_ending(list, ".sent");
        let lock = Lock::take(with_ending(&path, ".lock"))?;
        let failed = |error: io::Error| format!("{}: {error}", path.display());

        let title = format!("# {subject}\n");
        let mut options = OpenOptions::new();
        let mut file = options
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed)?;
        match cut_half_line(&path).map_err(failed)?.as_str() {
            "" => file.write_all(title.as_bytes()).map_err(failed)?,
            text if text.starts_with(&title) => {}
            _ => {
                return Err(format!(
                    "{} is about another newsletter: move it away",
                    path.display()
                ));
            }
        }
        Ok(Self {
            path,
            file,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is known of each address, with the number of the line that says so.
    pub(crate) fn fates(&self) -> Result<HashMap<Address, (usize, Fate)>, String> {
        let failed = |reason: &str| format!("{}: {reason}", self.path.display());
        let text = fs::read_to_string(&self.path).map_err(|error| failed(&error.to_string()))?;
        let lines = text.lines().zip(1..).skip(1);
        lines
            .map(|(line, number)| {
                let wrong = || failed(&format!("line {number} cannot be understood"));
                let (address, fate) = known(line).ok_or_else(wrong)?;
                Ok((address, (number, fate)))
            })
            .collect()
    }

    /// Adds a line in one piece, from any thread.
    pub(crate) fn note(&self, address: &Address, fate: Fate, words: &str) -> io::Result<()> {
        let line = format!("{address}\t{}\t{words}\n", fate.word());
        (&self.file).write_all(line.as_bytes())
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn known(line: &str) -> Option<(Address, Fate)> {
    let mut columns = line.split('\t');
    let (address, word) = (columns.next()?, columns.next()?);
    Some((address.parse().ok()?, Fate::of_word(word)?))
}

/// Removes a half-written last line and returns the rest. Its message was not handed over yet, or
/// an earlier line has its `sending`.
fn cut_half_line(path: &Path) -> io::Result<String> {
    let mut text = fs::read(path)?;
    let whole = text
        .iter()
        .rposition(|octet| *octet == b'\n')
        .map_or(0, |at| at + 1);
    if whole < text.len() {
        text.truncate(whole);
        OpenOptions::new()
            .write(true)
            .open(path)?
            .set_len(whole as u64)?;
    }
    String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
