//! One run: messages go out, and results are kept as they come.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressStyle};
use smtplib::{Envelope, Error, Mailer, Message, Outcome};

use crate::journal::{Fate, Journal, fate};
use crate::letter::Letter;
use crate::readers::Reader;

/// After this many failures in a row sending stops, whatever they are: the server may refuse
/// everything, and then each reader would be written off.
const ENOUGH: u32 = 10;

pub(crate) struct Sending<'a> {
    letter: &'a Letter,
    due: &'a [&'a Reader],
    journal: &'a Journal,
    bar: ProgressBar,
    /// Failures since a message was last accepted.
    in_a_row: AtomicU32,
    /// Why no more messages are made, if that is so.
    stopped: OnceLock<String>,
}

impl<'a> Sending<'a> {
    pub(crate) fn new(
        letter: &'a Letter,
        due: &'a [&'a Reader],
        journal: &'a Journal,
    ) -> Result<Self, TemplateError> {
        // The bar is drawn on a terminal only.
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec}, {eta} left")?;
        Ok(Self {
            letter,
            due,
            journal,
            bar: ProgressBar::new(due.len() as u64).with_style(style),
            in_a_row: AtomicU32::new(0),
            stopped: OnceLock::new(),
        })
    }

    pub(crate) fn over(&self, mailer: &Mailer, connections: usize) {
        // Messages are made when there is room for them: a million would take no more memory.
        let messages = self.due.iter().map_while(|reader| self.prepare(reader));
        let results = mailer.send_all(messages).concurrency(connections);
        results.for_each(|place, result| {
            if let Some(reader) = self.due.get(place) {
                self.settle(reader, &result);
            }
        });
        self.bar.finish_and_clear();
        if let Some(reason) = self.stopped.get() {
            eprintln!("newsletter: {reason}");
        }
    }

    /// The message to the next reader, unless there is a reason to stop.
    fn prepare(&self, reader: &Reader) -> Option<(Envelope, Message)> {
        if self.stopped.get().is_some() {
            return None;
        }
        match self.letter.to(reader) {
            Ok(message) => {
                let is_noted = self.note(reader, Fate::Sending, "");
                is_noted.then(|| (message.envelope(), message))
            }
            Err(reason) => {
                self.stop(reason);
                None
            }
        }
    }

    fn settle(&self, reader: &Reader, result: &smtplib::Result<Outcome>) {
        let (fate, words) = fate(&reader.address, result);
        self.note(reader, fate, &words);
        self.bar.inc(1);
        if fate != Fate::Accepted {
            self.bar
                .suspend(|| eprintln!("{}: {words}", reader.address));
        }
        match result {
            Ok(_) => self.in_a_row.store(0, Ordering::Relaxed),
            // The server was not asked.
            Err(Error::Unsupported(_)) if fate == Fate::Refused => {}
            Err(_) => {
                if self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= ENOUGH {
                    self.stop(format!("{ENOUGH} failures in a row: the rest has to wait"));
                }
            }
        }
    }

    /// Keeps the result for a reader. If that fails, nothing more may be sent.
    fn note(&self, reader: &Reader, fate: Fate, words: &str) -> bool {
        let noted = self.journal.note(&reader.address, fate, words);
        if let Err(error) = &noted {
            self.stop(format!("{}: {error}", self.journal.path().display()));
        }
        noted.is_ok()
    }

    fn stop(&self, reason: String) {
        // The first reason counts.
        let _ = self.stopped.set(reason);
    }
}
