//! Any dialog: compares what the planner does with a simple model of what the replies mean.

mod message;

use std::collections::VecDeque;

use crate::address::Address;
use crate::exchange::ledger::{Settlement, Verdict};
use crate::exchange::transit::{Commands, EARLY_CHUNK, Framing, Order};
use crate::exchange::window::Bounds;
use crate::exchange::{Action, Exchange, Id, Policy};
use crate::fuzzing::exchange::message::{BodyFate, Log, Message};
use crate::outcome::RecipientOutcome;
use crate::reply::{Code, Reply};
use crate::step::Step;

/// The most transactions of one dialog.
const MOST_MESSAGES: usize = 6;

/// Plans transactions, and replies as the bytes say. The plan must always be right.
///
/// The first three bytes are the rules, the number of recipients, and the length of the commands.
/// If the rules say so, two more are the number of messages and how they are sent. Each of the
/// others is the reply to a command, or what happens to a message. When they are used up, the
/// server accepts everything.
pub(crate) fn check(data: &[u8]) {
    let mut octets = data.iter().copied();
    let mut dialog = Dialog::new(&mut octets);
    dialog.run(&mut octets);
    dialog.check_end();
}

/// The peer of a planner, which checks everything.
struct Dialog {
    exchange: Exchange,
    policy: Policy,
    limits: Bounds,
    require_all: bool,
    is_by_hand: bool,
    /// The server accepted a message before.
    is_proven: bool,
    /// A transaction may be open on the server.
    is_open: bool,
    padding: String,
    /// How each message is sent.
    framings: Vec<(Framing, bool)>,
    recipients: usize,
    messages: Vec<Message>,
    /// What waits for a reply: the message, the step, the number of bytes, and the position where
    /// it ends.
    owed: VecDeque<(usize, Step, usize, u64)>,
    /// The end of the newest command with a reply. Everything before it must have been sent.
    answered_at: u64,
    written: u64,
    is_lost: bool,
    settled: usize,
}

impl Dialog {
    fn new(octets: &mut impl Iterator<Item = u8>) -> Self {
        let mut octet = || octets.next().unwrap_or(0);
        let flags = octet();
        let is = |bit: u8| flags & (1 << bit) != 0;
        let recipients = match octet() {
            many @ 200.. => usize::from(many - 200) * 5,
            few => usize::from(few % 8),
        };
        let is_by_hand = is(4) && !is(7);
        let padding = "x".repeat(usize::from(octet()) * 4);
        let (mut framings, mut is_proven) = (vec![(Framing::Dot, true)], false);
        if is(7) {
            let (count, mut kind) = (usize::from(octet()) % MOST_MESSAGES + 1, octet());
            is_proven = kind & 1 != 0;
            framings = (0..count)
                .map(|_| {
                    kind = kind.rotate_right(3);
                    (framing(kind), kind & 8 == 0)
                })
                .collect();
        }
        let policy = Policy {
            pipelining: is(0),
            lmtp: is(1),
            across: is(5) && is(0),
        };
        let limits = match (policy.pipelining, policy.across) {
            (false, _) => Bounds::LOCK_STEP,
            (true, false) => Bounds::ENVELOPE,
            (true, true) => Bounds::STREAM,
        };
        Self {
            exchange: Exchange::new(policy).resume(is(3), is_proven),
            policy,
            limits,
            require_all: is(2) && !is_by_hand,
            is_by_hand,
            is_proven,
            is_open: is(3),
            padding,
            framings,
            recipients,
            messages: Vec::new(),
            owed: VecDeque::new(),
            answered_at: 0,
            written: 0,
            is_lost: false,
            settled: 0,
        }
    }

    fn run(&mut self, octets: &mut impl Iterator<Item = u8>) {
        // Each command is queued, written and replied to at most once, and each recipient gets one
        // more reply.
        let most = 12 * (self.recipients + 8) * self.framings.len();
        for _ in 0..most {
            if !self.carry_out(octets) {
                return;
            }
        }
        panic!("the planner does not come to an end: {:?}", self.messages);
    }

    /// Does the next action of the planner. Returns false at the end.
    fn carry_out(&mut self, octets: &mut impl Iterator<Item = u8>) -> bool {
        let asked = match self.exchange.next(self.written) {
            Action::Write(step, commands) => {
                let commands = String::from_utf8_lossy(commands).into_owned();
                self.check_commands(step, &commands);
                return true;
            }
            Action::Body(id, framing) => Asked::Body(index(id), framing),
            Action::LoneDot(id) => Asked::LoneDot(index(id)),
            Action::Read(awaited) => Asked::Read(awaited.step),
            Action::Settled(id, settlement) => Asked::Settled(index(id), settlement),
            Action::Idle => Asked::Idle,
            Action::Close => Asked::Close,
        };
        match asked {
            Asked::Body(at, framing) => self.body(at, framing, octets.next().unwrap_or(0)),
            Asked::LoneDot(at) => self.lone_dot(at),
            Asked::Read(step) => self.answer(step, octets),
            Asked::Settled(at, settlement) => self.check_settled(at, settlement),
            Asked::Idle => return self.queue_next(octets),
            Asked::Close => self.lose(self.written),
        }
        true
    }

    /// Queues another message or command, or waits for a reply. Returns false if there is neither.
    fn queue_next(&mut self, octets: &mut impl Iterator<Item = u8>) -> bool {
        let is_open = self.messages.iter().any(|message| !message.is_complete);
        if is_open && self.settled == 0 && !self.is_lost {
            self.queue_by_hand();
            return true;
        }
        if !self.is_lost {
            if let Some((framing, is_firm)) = self.framings.get(self.messages.len()).copied() {
                self.push(framing, is_firm);
                return true;
            }
        }
        let Some(awaited) = self.exchange.awaited() else {
            assert!(self.owed.is_empty(), "nothing is awaited: {:?}", self.owed);
            return false;
        };
        self.answer(awaited.step, octets);
        true
    }

    fn push(&mut self, framing: Framing, is_firm: bool) {
        let number = self.messages.len();
        let (padding, count) = (self.padding.clone(), self.recipients);
        let mut lines = vec![(Step::Mail, format!("MAIL {number}{padding}\r\n"))];
        lines.extend((0..count).map(|n| (Step::Rcpt, format!("RCPT {number}.{n}{padding}\r\n"))));
        let mut message = Message {
            framing,
            is_firm,
            later: lines.iter().rev().cloned().collect(),
            is_begun: false,
            recipients: count,
            is_complete: !self.is_by_hand,
            log: Log::default(),
            end_at: None,
            is_end_taken: false,
            settlement: None,
        };
        if self.is_by_hand {
            self.exchange.open(lines[0].1.as_bytes());
            message.later.truncate(count + 1);
            message.later.drain(..count);
            message.recipients = 0;
        } else {
            let mut commands = Commands::default();
            for (_, line) in &lines {
                commands.octets().extend_from_slice(line.as_bytes());
                commands.end_line();
            }
            let id = self.exchange.push(Order {
                commands,
                recipients: (0..count)
                    .map(|n| RecipientOutcome::unanswered(address(n)))
                    .collect(),
                require_all: self.require_all,
                framing,
                is_firm,
            });
            assert_eq!(index(id), number);
        }
        self.messages.push(message);
    }

    /// By hand: queues the next recipient, and DATA after the last one.
    fn queue_by_hand(&mut self) {
        let message = &mut self.messages[0];
        if message.recipients < self.recipients {
            let line = format!("RCPT 0.{}{}\r\n", message.recipients, self.padding);
            self.exchange
                .add(address(message.recipients), line.as_bytes());
            message.later.push((Step::Rcpt, line));
            message.recipients += 1;
        } else {
            self.exchange.complete();
            message.is_complete = true;
        }
    }

    /// Checks commands: each must be the next one, within the limits, and for a recipient.
    fn check_commands(&mut self, step: Step, commands: &str) {
        let mut lines = commands.split_inclusive("\r\n").peekable();
        while let Some(line) = lines.next() {
            let of_line = match line.split(' ').next() {
                Some("MAIL") => Step::Mail,
                Some("RCPT") => Step::Rcpt,
                _ => step,
            };
            assert!(lines.peek().is_some() || of_line == step, "{commands:?}");
            self.check_command(of_line, line);
        }
    }

    fn check_command(&mut self, step: Step, command: &str) {
        // The planner begins the first message that has not begun, or continues the newest that
        // has.
        let begun = self
            .messages
            .iter()
            .filter(|message| message.is_begun)
            .count();
        let is_first = step == Step::Reset || (step == Step::Mail && self.is_next_unbegun(begun));
        let at = if is_first { begun } else { begun - 1 };
        self.check_order(at);
        self.check_window(command.len());
        let (is_alone, require_all) = (self.owed.is_empty(), self.require_all);
        let message = &mut self.messages[at];
        message.is_begun = true;
        match step {
            Step::Reset => {
                assert_eq!(command, "RSET\r\n");
                self.is_open = false;
            }
            Step::Data => {
                assert_eq!(command, "DATA\r\n");
                assert!(message.later.is_empty() && message.is_complete);
                assert_eq!(message.framing, Framing::Dot);
                message.check_data(is_alone, require_all);
            }
            _ => {
                assert_eq!(message.later.pop(), Some((step, command.to_owned())));
                assert!(!message.log.is_sender_refused(), "behind a refused sender");
                if step == Step::Mail {
                    assert!(!self.is_open, "MAIL inside a transaction");
                    self.is_open = true;
                }
            }
        }
        self.write(at, step, command.len());
    }

    /// Whether MAIL is the first command of its message, without RSET.
    fn is_next_unbegun(&self, begun: usize) -> bool {
        let newest = begun.checked_sub(1).map(|at| &self.messages[at]);
        newest.is_none_or(|message| !message.later.iter().any(|(step, _)| *step == Step::Mail))
    }

    /// No message overtakes another: all messages before this one were written or are over.
    fn check_order(&self, at: usize) {
        for before in &self.messages[..at] {
            let is_written = before.end_at.is_some() || before.settlement.is_some();
            assert!(is_written, "overtaken");
            assert!(
                self.policy.across || before.settlement.is_some(),
                "behind a message without an answer"
            );
        }
    }

    fn check_window(&self, octets: usize) {
        let under_way: usize = self.owed.iter().map(|owed| owed.2).sum();
        let fits =
            under_way + octets <= self.limits.octets && self.owed.len() < self.limits.replies;
        assert!(self.owed.is_empty() || fits, "beyond the window");
    }

    fn write(&mut self, at: usize, step: Step, octets: usize) {
        self.written += octets as u64;
        self.owed.push_back((at, step, octets, self.written));
    }

    /// A reply is read only for something that was written, and in the same order.
    fn answer(&mut self, step: Step, octets: &mut impl Iterator<Item = u8>) {
        let (at, owed, _, end_at) = self.owed.pop_front().expect("something owed");
        assert_eq!(step, owed);
        let awaited = self.exchange.awaited().expect("a reply");
        assert_eq!((awaited.step, awaited.end_at), (step, end_at));
        let Some(code) = code(step, octets.next().unwrap_or(0)) else {
            // Only the loss of the connection shows how much of it had been sent.
            let lost = u64::from(octets.next().unwrap_or(0)) * 3;
            let taken = self.written.saturating_sub(lost);
            return self.lose(taken.max(self.answered_at));
        };
        self.answered_at = end_at;
        let is_newest = at + 1 == self.messages.len();
        let message = &mut self.messages[at];
        message.log.note(step, code);
        if message.log.ends_cleanly(step, message.framing) && is_newest {
            self.is_open = false;
        }
        self.exchange.replied(reply(code));
        if message.log.is_broken {
            let is_closing = matches!(self.exchange.next(self.written), Action::Close);
            assert!(is_closing, "the dialog goes on: {:?}", message.log);
        }
    }

    /// The planner asks for a message.
    fn body(&mut self, at: usize, framing: Framing, octet: u8) {
        self.check_order(at);
        let size = match framing {
            Framing::Chunk(size) => usize::try_from(size).unwrap(),
            _ => 100,
        };
        let is_early = self.owed.iter().any(|owed| owed.0 == at);
        let message = &mut self.messages[at];
        assert_eq!(message.framing, framing);
        assert!(message.later.is_empty() && message.log.body.is_none());
        if is_early {
            assert!(self.policy.pipelining && !self.policy.lmtp && !self.require_all);
            assert!(self.is_proven && message.is_firm, "early");
            assert!(matches!(framing, Framing::Chunk(size) if size <= EARLY_CHUNK));
            assert!(!message.log.is_sender_refused());
            self.check_window(size);
        } else {
            assert!(self.owed.is_empty());
            message.check_body(self.require_all);
        }
        let message = &mut self.messages[at];
        match octet % 8 {
            6 => {
                message.log.body = Some(BodyFate::Cut);
                self.lose(self.written);
            }
            7 if !is_early => {
                message.log.body = Some(BodyFate::Refused);
                self.exchange.refused_in_body(reply(552));
            }
            _ => self.send_body(at, size, usize::from(octet / 8 % 4)),
        }
    }

    fn send_body(&mut self, at: usize, size: usize, chunks: usize) {
        let is_chunked = self.messages[at].framing == Framing::Chunks;
        for _ in 0..chunks * usize::from(is_chunked) {
            if self.exchange.awaited_by_chunk().is_some() {
                // The replies that are due accept, because otherwise the chunks would end here.
                self.answer(Step::Body, &mut std::iter::empty());
            }
            self.write(at, Step::Body, size);
            self.exchange.chunk_written(at as Id, size, self.written);
        }
        let message = &mut self.messages[at];
        message.log.body = Some(BodyFate::Sent);
        self.written += size as u64;
        message.end_at = Some(self.written);
        self.exchange.end_written(at as Id, size, self.written);
        let message = &self.messages[at];
        let replies = match self.policy.lmtp {
            true => message.log.accepted().count(),
            false => 1,
        };
        for n in 0..replies {
            let octets = if n == 0 { size } else { 0 };
            self.owed
                .push_back((at, Step::EndOfData, octets, self.written));
        }
    }

    fn lone_dot(&mut self, at: usize) {
        let message = &mut self.messages[at];
        assert_eq!(message.log.data, Some(354));
        assert!(!self.policy.lmtp && message.log.accepted().next().is_none());
        message.log.body = Some(BodyFate::LoneDot);
        self.written += 3;
        message.end_at = Some(self.written);
        self.exchange.end_written(at as Id, 3, self.written);
        self.owed.push_back((at, Step::EndOfData, 3, self.written));
    }

    /// The connection is lost, and this many bytes had been sent.
    fn lose(&mut self, taken: u64) {
        for message in &mut self.messages {
            message.is_end_taken = message.end_at.is_some_and(|end| end <= taken);
        }
        self.owed.clear();
        self.is_lost = true;
        self.exchange.lost(taken);
    }

    /// Each message is settled once, in order.
    fn check_settled(&mut self, at: usize, settlement: Settlement) {
        assert_eq!(at, self.settled, "out of order");
        self.settled += 1;
        let message = &mut self.messages[at];
        if !self.is_lost {
            message.is_end_taken = message.end_at.is_some();
        }
        self.is_proven |= settlement.verdict == Some(Verdict::Sent);
        message.settlement = Some(settlement);
    }

    /// The end: everything that the planner reports must follow from the server's replies.
    fn check_end(&mut self) {
        let count = self.messages.len();
        assert_eq!(self.settled, count, "no end: {:?}", self.exchange);
        for message in &self.messages {
            message.check(self.policy.lmtp, self.require_all, self.is_lost);
        }
    }
}

/// What the planner asks for, without a borrow of the planner.
enum Asked {
    Body(usize, Framing),
    LoneDot(usize),
    Read(Step),
    Settled(usize, Settlement),
    Idle,
    Close,
}

fn framing(kind: u8) -> Framing {
    match kind % 4 {
        0 => Framing::Dot,
        1 => Framing::Chunk(100),
        2 => Framing::Chunk(EARLY_CHUNK + 1),
        _ => Framing::Chunks,
    }
}

fn index(id: Id) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

/// The reply to a command; `None` if the connection is lost instead.
fn code(step: Step, octet: u8) -> Option<u16> {
    let code = match octet % 16 {
        0..=5 if step == Step::Data => 354,
        0..=6 => 250,
        7 => 251,
        8 => 354,
        9 => 450,
        10 => 550,
        11 => 452,
        12 => 421,
        13 => 334,
        14 => 299,
        _ if octet > 127 => return None,
        _ => 503,
    };
    Some(code)
}

fn reply(code: u16) -> Reply {
    let raw = format!("{code} so it is\r\n").into_bytes();
    let digits = raw.first_chunk().copied();
    let Some(code) = digits.and_then(Code::parse) else {
        panic!("{code} is no reply code");
    };
    Reply::from_checked(code, raw.into())
}

fn address(number: usize) -> Address {
    match Address::new(&format!("r{number}"), "example.org") {
        Ok(address) => address,
        Err(error) => panic!("{error}"),
    }
}
