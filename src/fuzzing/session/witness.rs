//! [`Witness`]: reads both sides of a dialog, as a strict server would.

use std::collections::VecDeque;

use crate::fuzzing::session::transaction::{Sent, Transaction};

/// The longest line of the client: 512 bytes, and what RFC 1870, 6152 and 6531 add for their
/// parameters.
const MAX_COMMAND: usize = 512 + 26 + 17 + 10;
const MAX_RESPONSE: usize = 12288;
/// The most commands without a reply.
const MAX_GROUP: usize = 100;
/// Most bytes of a message that is sent before its envelope is answered.
const MAX_EARLY: usize = 64 * 1024;
/// The most chunks before the last one without a reply.
const MAX_CHUNKS: usize = 4;

/// Reads a dialog, and panics if the client breaks the rules.
#[derive(Debug)]
pub(super) struct Witness {
    is_lmtp: bool,
    /// What the replies that are due belong to.
    awaited: VecDeque<Awaited>,
    /// The reply that the server has begun.
    reply: Vec<u8>,
    /// The command or message that the client has begun.
    said: Vec<u8>,
    /// How far the end of it was searched for.
    looked: usize,
    mode: Mode,
    offers: Vec<String>,
    /// MAIL was sent, and nothing has ended the transaction.
    is_open: bool,
    /// A message was accepted on this connection.
    is_proven: bool,
    /// The transactions of the message that the client was asked to send.
    pub(super) transactions: Vec<Transaction>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt(usize),
    Data,
    Chunk,
    Message,
    MessageFor(usize),
    Rset,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Commands,
    /// After 334: one line of AUTH.
    Response,
    /// After 354: everything up to the end of data.
    Body,
    /// After BDAT: this many bytes, and whether they are the last of the message (RFC 3030).
    Chunk(usize, bool),
    /// Only QUIT is allowed.
    Farewell,
    /// Nobody may send anything.
    Over,
}

impl Witness {
    pub(super) fn new(is_lmtp: bool) -> Self {
        Self {
            is_lmtp,
            awaited: [Awaited::Greeting].into(),
            reply: Vec::new(),
            said: Vec::new(),
            looked: 0,
            mode: Mode::Commands,
            offers: Vec::new(),
            is_open: false,
            is_proven: false,
            transactions: Vec::new(),
        }
    }

    /// Whether the client may begin something else: nothing is incomplete, and every command has
    /// its reply.
    pub(super) fn is_settled(&self) -> bool {
        let is_idle = self.mode == Mode::Commands && self.awaited.is_empty();
        self.mode == Mode::Over || is_idle && self.said.is_empty()
    }

    /// The addresses that have the message, in alphabetical order.
    pub(super) fn taken(&self) -> Vec<String> {
        let taken = self.transactions.iter().flat_map(Transaction::taken);
        let mut taken: Vec<String> = taken.map(str::to_owned).collect();
        taken.sort();
        taken
    }

    /// Whether it is unknown if a recipient has the message.
    pub(super) fn is_unknown(&self) -> bool {
        self.transactions.iter().any(Transaction::is_unknown)
    }

    /// The messages that were sent to accepted recipients.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Sent> {
        let transactions = self.transactions.iter();
        let sent = transactions.filter(|transaction| transaction.accepted().next().is_some());
        sent.filter_map(|transaction| transaction.message.as_ref())
    }

    /// Takes what the client has read from the server.
    pub(super) fn server_said(&mut self, octets: &[u8]) {
        for octet in octets {
            self.reply.push(*octet);
            if *octet != b'\n' || self.mode == Mode::Over {
                continue;
            }
            let is_greeting = self.awaited.front() == Some(&Awaited::Greeting);
            match last_line(&self.reply, is_greeting) {
                Some((code, true)) => self.replied(code),
                Some((_, false)) => {}
                None => self.mode = Mode::Over,
            }
        }
    }

    /// Takes what the client wrote.
    pub(super) fn client_said(&mut self, octets: &[u8]) {
        let is_quiet = self.reply.is_empty();
        assert!(
            is_quiet,
            "it went on although the server had said {:?}",
            self.reply
        );
        self.said.extend_from_slice(octets);
        while let Some(end) = self.end_of_saying() {
            let rest = self.said.split_off(end);
            let said = std::mem::replace(&mut self.said, rest);
            self.looked = 0;
            match self.mode {
                Mode::Body => self.message(Sent::Lines(said)),
                Mode::Chunk(_, is_last) => self.chunk(&said, is_last),
                Mode::Response => self.response(&said),
                Mode::Commands => self.command(&said),
                Mode::Farewell => assert_eq!(said, b"QUIT\r\n"),
                Mode::Over => panic!("it went on after the end with {said:?}"),
            }
        }
        let is_body = matches!(self.mode, Mode::Body | Mode::Chunk(..));
        assert!(
            is_body || self.said.len() <= MAX_RESPONSE,
            "an endless line"
        );
    }

    /// The end of the current line or message of the client, if it is complete.
    fn end_of_saying(&mut self) -> Option<usize> {
        let end: &[u8] = match self.mode {
            Mode::Body if self.said.starts_with(b".\r\n") => return Some(3),
            Mode::Chunk(size, _) => return (self.said.len() >= size).then_some(size),
            Mode::Body => b"\r\n.\r\n",
            _ => b"\r\n",
        };
        let from = std::mem::replace(&mut self.looked, self.said.len());
        let ends = (from..self.said.len()).filter(|at| self.said[*at] == b'\n');
        let mut ends = ends.map(|at| at + 1);
        ends.find(|at| self.said[..*at].ends_with(end))
    }

    fn command(&mut self, line: &[u8]) {
        assert!(line.len() <= MAX_COMMAND, "{} octets", line.len());
        let line = text(line);
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let awaited = match verb {
            "EHLO" | "LHLO" | "HELO" => Awaited::Hello,
            "STARTTLS" => Awaited::StartTls,
            "AUTH" => Awaited::Auth,
            "MAIL" => self.mail(argument),
            "RCPT" => self.rcpt(argument),
            "DATA" => self.data(),
            "BDAT" => return self.bdat(argument),
            "RSET" => Awaited::Rset,
            _ => Awaited::Other,
        };
        self.check_order(awaited);
        self.is_open &= !matches!(awaited, Awaited::Rset);
        if verb == "QUIT" {
            self.mode = Mode::Over;
        }
        self.awaited.push_back(awaited);
    }

    /// One command at a time, or with PIPELINING a group of a transaction's commands (RFC 2920).
    fn check_order(&self, next: Awaited) {
        let may_join =
            |awaited: &Awaited| matches!(awaited, Awaited::Rset | Awaited::Mail | Awaited::Rcpt(_));
        let has_pipelining = self.offers.iter().any(|offer| offer == "PIPELINING");
        let joins = match next {
            // A server that refuses the envelope could read the message as commands, unless an
            // earlier message has shown that it does not.
            Awaited::Message => self.is_proven && !self.is_lmtp,
            Awaited::Data => true,
            next => may_join(&next),
        };
        let is_group = self.awaited.iter().all(may_join) && joins;
        let has_chunks = self
            .awaited
            .iter()
            .all(|awaited| *awaited == Awaited::Chunk);
        let is_behind = has_chunks && next == Awaited::Chunk && self.awaited.len() < MAX_CHUNKS;
        assert!(
            self.awaited.is_empty() || (is_group || is_behind) && has_pipelining,
            "{next:?} behind {:?}",
            self.awaited
        );
        assert!(self.awaited.len() < MAX_GROUP);
    }

    fn mail(&mut self, argument: &str) -> Awaited {
        assert!(!self.is_open, "MAIL within a transaction");
        assert!(argument.starts_with("FROM:<"), "{argument:?}");
        self.is_open = true;
        self.transactions.push(Transaction::default());
        Awaited::Mail
    }

    fn rcpt(&mut self, argument: &str) -> Awaited {
        assert!(self.is_open, "RCPT outside of a transaction");
        let path = argument.strip_prefix("TO:<").expect("a path");
        let path = &path[..path.rfind('>').unwrap()];
        Awaited::Rcpt(self.transactions.last_mut().unwrap().add(path))
    }

    fn data(&self) -> Awaited {
        self.check_recipients();
        Awaited::Data
    }

    fn check_recipients(&self) {
        let newest = self.transactions.last();
        let has_recipients = newest.is_some_and(|newest| !newest.recipients.is_empty());
        assert!(self.is_open && has_recipients, "a message for nobody");
    }

    /// `BDAT n` or `BDAT n LAST`: the chunk follows at once.
    fn bdat(&mut self, argument: &str) {
        self.check_recipients();
        assert!(self.offers.iter().any(|offer| offer == "CHUNKING"));
        let (size, is_last) = match argument.strip_suffix(" LAST") {
            Some(size) => (size, true),
            None => (argument, false),
        };
        let next = if is_last {
            Awaited::Message
        } else {
            Awaited::Chunk
        };
        self.check_order(next);
        let size: usize = size.parse().unwrap();
        assert!(self.awaited.is_empty() || !is_last || size <= MAX_EARLY);
        self.mode = Mode::Chunk(size, is_last);
    }

    fn chunk(&mut self, chunk: &[u8], is_last: bool) {
        let newest = self.transactions.last_mut().unwrap();
        newest.chunks.extend_from_slice(chunk);
        if is_last {
            let message = std::mem::take(&mut newest.chunks);
            self.message(Sent::Chunks(message));
        } else {
            self.awaited.push_back(Awaited::Chunk);
            self.mode = Mode::Commands;
        }
    }

    fn response(&mut self, line: &[u8]) {
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        assert!(text(line) == "*" || text(line).chars().all(is_base64));
        self.mode = Mode::Commands;
        self.awaited.push_back(Awaited::Auth);
    }

    fn message(&mut self, message: Sent) {
        let newest = self.transactions.last_mut().unwrap();
        let accepted: Vec<usize> = newest.accepted().collect();
        let is_envelope = |awaited: &Awaited| matches!(awaited, Awaited::Mail | Awaited::Rcpt(_));
        let is_early = self.awaited.iter().any(is_envelope);
        assert!(
            is_early || !accepted.is_empty() || message == Sent::Lines(b".\r\n".to_vec()),
            "a message to nobody"
        );
        if self.is_lmtp {
            self.awaited
                .extend(accepted.into_iter().map(Awaited::MessageFor));
        } else {
            self.awaited.push_back(Awaited::Message);
        }
        newest.message = Some(message);
        self.is_open = false;
        self.mode = Mode::Commands;
    }

    /// Takes a whole reply.
    fn replied(&mut self, code: u16) {
        let reply = std::mem::take(&mut self.reply);
        let Some(awaited) = self.awaited.pop_front() else {
            self.mode = Mode::Over;
            return;
        };
        self.mode = self.mode_after(awaited, code);
        let is_positive = code / 100 == 2;
        if awaited == Awaited::Hello && is_positive {
            // A refusal changes nothing (RFC 5321, 4.1.4).
            self.take_offers(&reply);
        }
        self.is_proven |= awaited == Awaited::Message && is_positive;
        // A code that is not valid for its command says nothing.
        let is_accepted = (code / 100 != 3).then_some(is_positive);
        let Some(newest) = self.transactions.last_mut() else {
            return;
        };
        match awaited {
            // Without a sender no recipient gets the message.
            Awaited::Rset if code == 421 => newest.is_sender_accepted = Some(false),
            Awaited::Mail => newest.is_sender_accepted = is_accepted,
            Awaited::Rcpt(index) => newest.recipients[index].is_accepted = is_accepted,
            Awaited::Message => {
                newest.settle(0.., code);
                // Behind a refused chunk the transaction is still open (RFC 3030, 2).
                let is_chunk = matches!(newest.message, Some(Sent::Chunks(_)));
                self.is_open |= is_chunk && !is_positive;
            }
            Awaited::MessageFor(index) => newest.settle(index..=index, code),
            _ => {}
        }
    }

    fn mode_after(&self, awaited: Awaited, code: u16) -> Mode {
        match (awaited, code) {
            _ if self.mode == Mode::Over => Mode::Over,
            (Awaited::Greeting, 421) => Mode::Over,
            (Awaited::Greeting, 220) => Mode::Commands,
            (Awaited::Greeting, _) => Mode::Farewell,
            (Awaited::Auth, 334) => Mode::Response,
            (Awaited::Data, 354) => Mode::Body,
            // TLS would begin here, and this server has none.
            (Awaited::StartTls, 220) => Mode::Over,
            (Awaited::Data, 200..=299) => Mode::Over,
            (Awaited::Rset, 300..) => Mode::Over,
            (_, 300..=399 | 421) => Mode::Over,
            _ => Mode::Commands,
        }
    }

    fn take_offers(&mut self, reply: &[u8]) {
        self.is_open = false;
        let text = String::from_utf8_lossy(reply).to_ascii_uppercase();
        let keyword = |line: &str| {
            line.get(4..)
                .unwrap_or("")
                .split([' ', '=', '\t'])
                .next()
                .unwrap_or("")
                .to_owned()
        };
        self.offers = text.split("\r\n").skip(1).map(keyword).collect();
    }
}

/// The line without its line end. It must not have control characters.
fn text(line: &[u8]) -> &str {
    let line = std::str::from_utf8(line)
        .unwrap()
        .strip_suffix("\r\n")
        .unwrap();
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}

/// The code of the last line of a reply, and whether it ends the reply; `None` if it is not a valid
/// line. The lines before it were checked when they came.
fn last_line(reply: &[u8], is_greeting: bool) -> Option<(u16, bool)> {
    let lines = reply.strip_suffix(b"\r\n")?;
    let mut newest_first = lines.rsplit(|octet| *octet == b'\n');
    let line = newest_first.next()?;
    let code = code_of(line)?;
    let is_last = match line.get(3) {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let is_clean = !line.contains(&b'\r') && !line.contains(&0);
    let has_one_code = newest_first
        .next()
        .and_then(code_of)
        .is_none_or(|before| before == code || is_greeting && before == 220 && code >= 400);
    (is_clean && has_one_code).then_some((code, is_last))
}

fn code_of(line: &[u8]) -> Option<u16> {
    let digits = line.get(..3)?;
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (is_number && (200..600).contains(&code)).then_some(code)
}
