//! What must hold for a session, whatever a client writes.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a property panics where it does not hold"
)]

use std::time::Instant;

use crate::address::Address;
use crate::places::offers::Offers;
use crate::places::session::{End, Session};
use crate::places::store::{Answer, Halt, Mail, Store};

/// Keeps messages in memory, and does as its sender says.
#[derive(Debug, Default)]
pub(super) struct Memory {
    draft: Option<Vec<u8>>,
    pub(super) kept: Vec<String>,
    pub(super) aborted: usize,
    fate: Option<Halt>,
}

impl Store for Memory {
    fn sender(&mut self, sender: Option<&Address>) -> Result<(), Answer> {
        self.fate = match sender.map(Address::local_part) {
            Some("bad") => return Err(Answer::new(550, "5.1.8 bad sender")),
            Some("full") => Some(Answer::new(452, "4.3.1 full").into()),
            Some("lost") => Some(Halt::Lost),
            Some("slow") => Some(Halt::TimedOut),
            _ => None,
        };
        Ok(())
    }

    fn recipient(&mut self, recipient: &Address) -> Result<(), Answer> {
        match recipient.local_part() {
            "bad" => Err(Answer::new(550, "5.1.1 no such user")),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, mail: &Mail) -> Result<(), Answer> {
        assert!(self.draft.is_none(), "two messages at once");
        assert!(!mail.recipients.is_empty(), "a message for nobody");
        self.draft = Some(Vec::new());
        Ok(())
    }

    fn write(&mut self, octets: &[u8], _deadline: Option<Instant>) -> Result<(), Halt> {
        match &self.fate {
            Some(halt @ Halt::Refused(_)) => Err(halt.clone()),
            _ => {
                let draft = self.draft.as_mut().expect("a message that has begun");
                draft.extend_from_slice(octets);
                Ok(())
            }
        }
    }

    fn end(&mut self, _deadline: Option<Instant>) -> Result<Answer, Halt> {
        let octets = self.draft.take().expect("a message that has begun");
        self.kept.push(String::from_utf8_lossy(&octets).into());
        match self.fate.take() {
            Some(halt) => Err(halt),
            None => Ok(Answer::new(250, "2.0.0 kept")),
        }
    }

    fn abort(&mut self) {
        self.aborted += usize::from(self.draft.take().is_some());
    }
}

/// A session with what was read from it so far.
pub(super) struct Dialog {
    pub(super) session: Session<Memory>,
    said: Vec<u8>,
}

impl Dialog {
    /// Behind the greeting.
    pub(super) fn new(offers: &[&str]) -> Self {
        let mut dialog = Self {
            session: Session::new(Memory::default(), Offers::new(offers)),
            said: Vec::new(),
        };
        dialog.read();
        dialog
    }

    /// Writes this, and reads behind each write if asked to; false if the session takes no more.
    pub(super) fn write(&mut self, octets: &[u8], reads: bool) -> bool {
        let mut rest = octets;
        while !rest.is_empty() {
            match self.session.feed(rest, None) {
                Ok(taken) => {
                    assert!(taken > 0, "nothing was taken");
                    rest = &rest[taken..];
                }
                Err(_) => return false,
            }
            if reads {
                self.read();
            }
        }
        true
    }

    pub(super) fn read(&mut self) {
        self.session.complete(None);
        let mut buffer = [0; 7];
        loop {
            match self.session.take_output(&mut buffer) {
                0 => break,
                read => self.said.extend_from_slice(&buffer[..read]),
            }
        }
    }

    /// The codes of the replies, after the greeting.
    pub(super) fn codes(&self) -> Vec<u16> {
        let text = String::from_utf8_lossy(&self.said);
        let last = |line: &&str| line.as_bytes().get(3) == Some(&b' ');
        let codes = text.split_terminator("\r\n").filter(last);
        let codes = codes.map(|line| line[..3].parse().expect("a code"));
        codes.skip(1).collect()
    }
}

/// The codes of the replies, the messages, and the end.
type Outcome = (Vec<u16>, Vec<String>, Option<End>);

/// What comes of a dialog that is written in these pieces, and read at its end.
pub(super) fn run(offers: &[&str], pieces: &[&[u8]]) -> Outcome {
    let mut dialog = Dialog::new(offers);
    for piece in pieces {
        if !dialog.write(piece, false) {
            break;
        }
    }
    dialog.read();
    let end = dialog.session.end();
    (dialog.codes(), dialog.session.store.kept, end)
}

pub(super) const ALL: [&str; 8] = [
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "CHUNKING",
    "BINARYMIME",
    "DSN",
    "SIZE 100",
    "LIMITS RCPTMAX=2",
];

/// The first octet chooses what is offered, the second where the rest, which is what the client
/// writes, is cut in two.
pub(crate) fn fuzz_place(data: &[u8]) {
    let [offers, cut, octets @ ..] = data else {
        return;
    };
    let is_offered = |at: usize| offers >> at & 1 == 0;
    let offers: Vec<&str> = ALL
        .into_iter()
        .enumerate()
        .filter(|it| is_offered(it.0))
        .map(|it| it.1)
        .collect();
    let whole = run(&offers, &[octets]);
    // A recipient more of LMTP is a reply more.
    let count =
        |octets: &[u8], end: &[u8]| octets.windows(end.len()).filter(|it| *it == end).count();
    let lines = count(octets, b"\r\n") * 2;
    assert!(whole.0.len() <= lines, "{:?}", whole.0);
    let (head, tail) = octets.split_at(usize::from(*cut).min(octets.len()));
    assert_eq!(run(&offers, &[head, tail]), whole);
    let single: Vec<&[u8]> = octets.chunks(1).collect();
    assert_eq!(run(&offers, &single), whole);
}
