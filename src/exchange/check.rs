//! Any dialog at all: what the planner does, held against what the replies mean when said plainly.

use super::{Action, Aftermath, Exchange, Rules, Verdict};
use crate::address::Address;
use crate::exchange::pipeline::{GROUP_COMMANDS, GROUP_OCTETS};
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::reply::{Code, Reply};
use crate::step::Step;

/// Plans a transaction and answers it as the octets say; whatever they say, the plan must be right.
///
/// The first four octets are the rules, the number of recipients, and the length of the commands;
/// each of the others is the reply to a command, or what happens to the message. When they are used
/// up the server agrees to everything.
pub(crate) fn fuzz_exchange(data: &[u8]) {
    let mut octets = data.iter().copied();
    let mut dialog = Dialog::new(&mut octets);
    dialog.run(&mut octets);
    dialog.check_end();
}

/// The peer of a planner, which believes nothing.
struct Dialog {
    exchange: Option<Exchange>,
    rules: Rules,
    /// Commands not queued yet: they are queued one by one, as by hand.
    later: Vec<(Step, Vec<u8>)>,
    /// All commands queued.
    queued: Vec<(Step, Vec<u8>)>,
    sent: usize,
    log: Log,
}

/// What the server said.
#[derive(Debug, Default)]
struct Log {
    rset: Option<u16>,
    mail: Option<u16>,
    rcpt: Vec<u16>,
    data: Option<u16>,
    body: Option<BodyFate>,
    end: Vec<u16>,
    is_lost: bool,
}

/// What happened to a message that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyFate {
    Cut,
    LoneDot,
    Refused,
    Sent,
}

/// Which verdict, whatever is in it.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Sent,
    SenderRefused,
    RecipientsRefused,
    DataRefused,
    Broken,
    Unexpected,
}

impl Dialog {
    fn new(octets: &mut impl Iterator<Item = u8>) -> Self {
        let mut octet = || octets.next().unwrap_or(0);
        let flags = octet();
        let is = |bit: u8| flags & (1 << bit) != 0;
        let rules = Rules {
            pipelining: is(0),
            lmtp: is(1),
            require_all: is(2),
        };
        let recipients = match octet() {
            many @ 200.. => usize::from(many - 200) * 5,
            few => usize::from(few % 8),
        };
        let padding = "x".repeat(usize::from(octet()) * 4);
        let mut dialog = Self {
            exchange: Some(Exchange::new(rules)),
            rules,
            later: Vec::new(),
            queued: Vec::new(),
            sent: 0,
            log: Log::default(),
        };
        if is(3) {
            dialog.later.push((Step::Reset, b"RSET\r\n".to_vec()));
        }
        dialog
            .later
            .push((Step::Mail, format!("MAIL{padding}\r\n").into_bytes()));
        for n in 0..recipients {
            let line = format!("RCPT {n}{padding}\r\n");
            dialog.later.push((Step::Rcpt, line.into_bytes()));
        }
        dialog.later.push((Step::Data, b"DATA\r\n".to_vec()));
        dialog.later.reverse();
        while !is(4) && dialog.queue_next() {}
        dialog
    }

    /// Queues one more command, if there is one.
    fn queue_next(&mut self) -> bool {
        let Some((step, line)) = self.later.pop() else {
            return false;
        };
        let Some(exchange) = &mut self.exchange else {
            return false;
        };
        match step {
            Step::Reset => exchange.queue_rset(),
            Step::Mail => exchange.queue_mail(&line),
            Step::Data => exchange.queue_data(),
            _ => exchange.queue_rcpt(address(self.queued.len()), &line),
        }
        self.queued.push((step, line));
        true
    }

    fn run(&mut self, octets: &mut impl Iterator<Item = u8>) {
        // Each command is queued, sent and answered at most once, and each recipient answered once
        // more.
        let most = 4 * (self.later.len() + self.queued.len()) + 8;
        for _ in 0..most {
            let Some(mut exchange) = self.exchange.take() else {
                return;
            };
            let goes_on = self.carry_out(&mut exchange, octets);
            self.exchange = Some(exchange);
            if !goes_on {
                return;
            }
        }
        panic!("the planner does not come to an end");
    }

    /// Does the next thing that is asked for; `false` at the end.
    fn carry_out(
        &mut self,
        exchange: &mut Exchange,
        octets: &mut impl Iterator<Item = u8>,
    ) -> bool {
        match exchange.next() {
            Action::Send(step, commands) => self.check_group(step, commands),
            Action::Read(step) => {
                self.check_awaited(step);
                let Some(code) = code(step, octets.next().unwrap_or(0)) else {
                    self.log.is_lost = true;
                    return false;
                };
                self.log.note(step, code);
                exchange.reply(reply(code));
                if self.log.is_broken() {
                    assert_eq!(
                        exchange.next(),
                        Action::Done,
                        "the dialog goes on: {:?}",
                        self.log
                    );
                }
            }
            Action::Body => return self.body(exchange, octets.next().unwrap_or(0)),
            Action::LoneDot => {
                self.check_lone_dot();
                self.log.body = Some(BodyFate::LoneDot);
                exchange.body_sent();
            }
            Action::Idle => {
                assert_eq!(self.answered(), self.queued.len());
                self.exchange = Some(std::mem::replace(exchange, Exchange::new(Rules::default())));
                assert!(self.queue_next(), "nothing to wait for: {:?}", self.log);
                if let Some(queued) = self.exchange.take() {
                    *exchange = queued;
                }
            }
            Action::Done => return false,
        }
        true
    }

    /// A group: the next commands and no others, within the limits, and only behind the last
    /// answer.
    fn check_group(&mut self, step: Step, commands: &[u8]) {
        assert_eq!(
            self.sent,
            self.answered(),
            "sent before the last group was answered"
        );
        let mut rest = commands;
        let first = self.sent;
        while !rest.is_empty() {
            let Some((next, line)) = self.queued.get(self.sent) else {
                panic!("more was sent than was queued");
            };
            assert!(first < self.sent || step == *next, "the wrong step");
            assert!(rest.starts_with(line), "out of order");
            rest = rest.get(line.len()..).unwrap_or_default();
            self.sent += 1;
            if *next == Step::Data {
                assert!(rest.is_empty(), "something follows DATA");
                self.check_data(first + 1 == self.sent);
            }
        }
        let count = self.sent - first;
        assert!(count > 0 && count <= GROUP_COMMANDS);
        assert!(count == 1 || (self.rules.pipelining && commands.len() <= GROUP_OCTETS));
    }

    /// DATA goes out only while somebody may get the message.
    fn check_data(&self, is_alone: bool) {
        let log = &self.log;
        assert!(log.mail.is_none_or(|code| code < 400));
        let accepted = log.accepted().count();
        if is_alone {
            assert!(accepted > 0, "DATA for nobody that was sent alone: {log:?}");
        }
        if self.rules.require_all {
            assert_eq!(
                accepted,
                self.recipients(),
                "DATA although somebody was refused"
            );
        }
    }

    /// A reply is read only to something that was sent.
    fn check_awaited(&self, step: Step) {
        let expected = match self.log.body {
            None => self.queued.get(self.answered()).map(|(step, _)| *step),
            Some(_) => Some(Step::EndOfData),
        };
        assert_eq!(Some(step), expected);
        assert!(self.log.body.is_some() || self.answered() < self.sent);
    }

    /// The message is asked for.
    fn body(&mut self, exchange: &mut Exchange, octet: u8) -> bool {
        let log = &self.log;
        assert_eq!(log.data, Some(354), "a message without 354");
        assert!(log.mail.is_some_and(|code| code < 300));
        assert!(log.accepted().count() > 0, "a message for nobody");
        if self.rules.require_all {
            assert_eq!(log.accepted().count(), self.recipients());
        }
        self.log.body = Some(match octet % 8 {
            6 => BodyFate::Cut,
            7 => BodyFate::Refused,
            _ => BodyFate::Sent,
        });
        match self.log.body {
            Some(BodyFate::Cut) => {
                self.log.is_lost = true;
                return false;
            }
            Some(BodyFate::Refused) => exchange.refused_in_body(&reply(552)),
            _ => exchange.body_sent(),
        }
        true
    }

    fn check_lone_dot(&self) {
        assert_eq!(self.log.data, Some(354));
        assert!(!self.rules.lmtp);
        assert!(
            self.log.accepted().next().is_none(),
            "an empty message for somebody"
        );
    }

    /// The end: everything the planner tells must follow from what the server said.
    fn check_end(&mut self) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        let (verdict, outcome, aftermath) = exchange.conclude();
        let log = &self.log;
        assert_eq!(statuses(&outcome), self.expected_statuses(), "{log:?}");
        assert_eq!(
            verdict.as_ref().map(kind),
            self.expected_kind(&outcome),
            "{log:?}"
        );
        assert_eq!(aftermath, self.expected_aftermath(), "{log:?}");
        let is_unknown = statuses(&outcome).contains(&RecipientStatus::Unknown);
        assert!(!is_unknown || log.body == Some(BodyFate::Sent));
        if let Some(Verdict::SenderRefused(reply)) = verdict {
            assert_eq!(Some(reply.code().as_u16()), log.mail);
        }
    }

    fn expected_statuses(&self) -> Vec<RecipientStatus> {
        let mut answers = self.log.end.iter().copied();
        // A message that was refused as a whole, or taken or refused by its one reply.
        let shared = match (self.log.body, self.log.data) {
            (Some(BodyFate::Refused), _) => Some(552),
            (Some(BodyFate::Sent), _) if !self.rules.lmtp => answers.next(),
            (None, Some(code)) if code >= 400 => Some(code),
            _ => None,
        };
        let queued = self.recipients();
        let mut codes = self.log.rcpt.iter().copied();
        let mut next = || {
            let of_rcpt = codes.next();
            match (self.log.is_sender_refused(), of_rcpt) {
                (false, Some(200..=299)) => {}
                (false, Some(code)) if code >= 400 && code != 421 => {
                    return RecipientStatus::Refused;
                }
                _ => return RecipientStatus::NotSent,
            }
            let of_message = if self.rules.lmtp && self.log.body == Some(BodyFate::Sent) {
                answers.next()
            } else {
                shared
            };
            match (of_message, self.log.body) {
                (Some(421), _) => RecipientStatus::NotSent,
                (Some(400..), _) => RecipientStatus::Refused,
                (Some(200..=299), _) => RecipientStatus::Accepted,
                (_, Some(BodyFate::Sent)) => RecipientStatus::Unknown,
                _ => RecipientStatus::NotSent,
            }
        };
        (0..queued).map(|_| next()).collect()
    }

    fn expected_kind(&self, outcome: &Outcome) -> Option<Kind> {
        let log = &self.log;
        let statuses = statuses(outcome);
        let is_any = |status| statuses.contains(&status);
        if log.is_unexpected() {
            return Some(Kind::Unexpected);
        }
        if log.is_sender_refused() {
            return Some(Kind::SenderRefused);
        }
        if self.is_envelope_refused() {
            return Some(Kind::RecipientsRefused);
        }
        if is_any(RecipientStatus::Accepted) && !is_any(RecipientStatus::Unknown) {
            return Some(Kind::Sent);
        }
        if log.is_lost {
            return None;
        }
        if log.all().any(|(_, code)| code == 421) || log.rset.is_some_and(|code| code >= 300) {
            return Some(Kind::Broken);
        }
        if self.rules.lmtp && log.body == Some(BodyFate::Sent) {
            return Some(Kind::RecipientsRefused);
        }
        Some(Kind::DataRefused)
    }

    /// Everybody was asked, and too many were refused.
    fn is_envelope_refused(&self) -> bool {
        let log = &self.log;
        let answered = log.rcpt.iter().filter(|code| is_answer(Step::Rcpt, **code));
        let is_known = self.later.is_empty()
            && log.mail.is_some_and(|code| code < 300)
            && answered.count() == self.recipients();
        let accepted = log.accepted().count();
        is_known && (accepted == 0 || (self.rules.require_all && accepted < self.recipients()))
    }

    fn expected_aftermath(&self) -> Aftermath {
        let log = &self.log;
        let is_cut = log.is_lost || log.is_broken() || log.body == Some(BodyFate::Refused);
        let is_stuck = log.data == Some(354) && log.body.is_none();
        if is_cut || is_stuck {
            Aftermath::Close
        } else if log.body.is_some() {
            Aftermath::Clean
        } else {
            Aftermath::ResetOwed
        }
    }

    /// How many commands were answered.
    fn answered(&self) -> usize {
        self.log
            .all()
            .filter(|(step, _)| *step != Step::EndOfData)
            .count()
    }

    /// How many recipients were queued.
    fn recipients(&self) -> usize {
        self.queued
            .iter()
            .filter(|(step, _)| *step == Step::Rcpt)
            .count()
    }
}

impl Log {
    fn note(&mut self, step: Step, code: u16) {
        match step {
            Step::Reset => self.rset = Some(code),
            Step::Mail => self.mail = Some(code),
            Step::Rcpt => self.rcpt.push(code),
            Step::Data => self.data = Some(code),
            _ => self.end.push(code),
        }
    }

    /// All replies in their order.
    fn all(&self) -> impl Iterator<Item = (Step, u16)> {
        let first = [(Step::Reset, self.rset), (Step::Mail, self.mail)];
        let first = first
            .into_iter()
            .filter_map(|(step, code)| Some((step, code?)));
        let rcpt = self.rcpt.iter().map(|code| (Step::Rcpt, *code));
        let data = self.data.into_iter().map(|code| (Step::Data, code));
        let end = self.end.iter().map(|code| (Step::EndOfData, *code));
        first.chain(rcpt).chain(data).chain(end)
    }

    /// Whether the dialog cannot go on.
    fn is_broken(&self) -> bool {
        self.rset.is_some_and(|code| code >= 300)
            || self.all().any(|(step, code)| !is_answer(step, code))
    }

    /// Whether a code was no answer to its command; behind RSET, everything but 2yz is a refusal.
    fn is_unexpected(&self) -> bool {
        let is_unexpected = |(step, code)| match step {
            Step::Reset => false,
            Step::EndOfData => self.body == Some(BodyFate::Sent) && code / 100 == 3,
            _ => code != 421 && !is_answer(step, code),
        };
        self.all().any(is_unexpected)
    }

    fn is_sender_refused(&self) -> bool {
        self.mail.is_some_and(|code| code >= 400 && code != 421)
    }

    /// The replies to RCPT that were positive.
    fn accepted(&self) -> impl Iterator<Item = u16> {
        self.rcpt.iter().copied().filter(|code| *code < 300)
    }
}

/// Whether a code answers a command, rather than ending the dialog.
fn is_answer(step: Step, code: u16) -> bool {
    match code {
        421 => false,
        354 => step == Step::Data,
        200..=299 => step != Step::Data,
        300..=399 => false,
        _ => true,
    }
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

fn statuses(outcome: &Outcome) -> Vec<RecipientStatus> {
    let recipients = outcome.recipients().iter();
    recipients.map(RecipientOutcome::status).collect()
}

fn kind(verdict: &Verdict) -> Kind {
    match verdict {
        Verdict::Sent => Kind::Sent,
        Verdict::SenderRefused(_) => Kind::SenderRefused,
        Verdict::RecipientsRefused => Kind::RecipientsRefused,
        Verdict::DataRefused => Kind::DataRefused,
        Verdict::Broken(..) => Kind::Broken,
        Verdict::Unexpected(..) => Kind::Unexpected,
    }
}
