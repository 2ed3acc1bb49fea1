//! The message or the text as it is read.

use std::fs::File;
use std::io::{self, Cursor, IsTerminal, Read};
use std::path::Path;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use smtplib::Address;

use crate::failure::{Failure, Status};
use crate::header;

/// How much is read before the message is sent, in bytes: the header must be complete by then.
const HEAD: u64 = 1024 * 1024;
/// The longest text of a composed message, in bytes. Attachments are not kept in memory.
const TEXT: u64 = 16 * 1024 * 1024;
/// From this size on, in bytes, a progress bar is shown.
const LARGE: u64 = 1024 * 1024;

/// What was read already, and the rest.
pub(crate) struct Input {
    head: Vec<u8>,
    rest: Box<dyn Read>,
}

impl Input {
    pub(crate) fn stdin() -> Result<Self, Failure> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            let key = if cfg!(windows) { "Ctrl-Z" } else { "Ctrl-D" };
            eprintln!("sendmail: reading from the terminal; end with {key} on a line of its own");
        }
        Self::read(stdin.lock())
    }

    pub(crate) fn file(path: &Path, may_show_bar: bool) -> Result<Self, Failure> {
        let file = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = file.map_err(|error| {
            Status::NoInput.because(format_args!("{}: {error}", path.display()))
        })?;
        if size < LARGE || !may_show_bar || !io::stderr().is_terminal() {
            return Self::read(file);
        }
        Self::read(progress_bar(size).wrap_read(file))
    }

    fn read(mut rest: impl Read + 'static) -> Result<Self, Failure> {
        let mut head = Vec::new();
        let read = rest.by_ref().take(HEAD).read_to_end(&mut head);
        read.map_err(unreadable)?;
        // In a terminal, more can be typed after the end; do not ask for it.
        let rest: Box<dyn Read> = match head.len() as u64 {
            HEAD => Box::new(rest),
            _ => Box::new(io::empty()),
        };
        Ok(Self { head, rest })
    }

    /// Only white space usually means that the program before the pipe failed.
    pub(crate) fn must_not_be_empty(&self) -> Result<(), Failure> {
        if self.head.trim_ascii().is_empty() {
            return Err(Status::Data.because("the message is empty: nothing is sent"));
        }
        Ok(())
    }

    /// The recipients in the header; from here on `Bcc` is not part of the message.
    pub(crate) fn take_recipients(&mut self) -> Result<Vec<Address>, Failure> {
        let (fields, behind) = header::split(&self.head);
        // The rest of a line may make it a field, for instance a `Bcc`.
        let is_cut = !behind.contains(&b'\n') && self.head.len() as u64 == HEAD;
        if is_cut {
            return Err(Status::Data.because("the header has no end within 1 MiB"));
        }
        let recipients = header::recipients(&fields)?;
        let mut head = fields;
        head.retain(|field| !header::is_blind(field));
        head.push(behind);
        self.head = head.concat();
        Ok(recipients)
    }

    /// All of it as text.
    pub(crate) fn into_text(self) -> Result<String, Failure> {
        let mut text = Vec::new();
        let read = self.into_reader().take(TEXT + 1).read_to_end(&mut text);
        read.map_err(unreadable)?;
        if text.len() as u64 > TEXT {
            return Err(Status::Data.because("the text is longer than 16 MiB: attach it as a file"));
        }
        String::from_utf8(text).map_err(|_| {
            Status::Data.because("the text is not UTF-8: convert it, or attach it as a file")
        })
    }

    pub(crate) fn into_reader(self) -> impl Read {
        Cursor::new(self.head).chain(self.rest)
    }
}

fn unreadable(error: io::Error) -> Failure {
    Status::NoInput.because(format_args!("the message could not be read: {error}"))
}

/// A bar that moves while a message of this size is read, and is gone afterwards.
fn progress_bar(size: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(size)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_finish(ProgressFinish::AndClear)
}
