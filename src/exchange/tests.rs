mod strict;

use super::*;
#[cfg(properties)]
use crate::fuzzing::exchange::check as fuzz_exchange;
use crate::outcome::RecipientStatus;
use crate::reply::Code;
use strict::Strict;

/// A generator of the same numbers in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    #[cfg(properties)]
    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

// 2920-03, 2920-06, 3030-01, V3, V4: any rules, any number of recipients, and from no trouble at
// all to nothing but trouble.
#[cfg(properties)]
#[test]
fn any_dialog_is_planned_as_its_replies_say() {
    let mut numbers = Numbers(0x5321_2920_2033_1870);
    for round in 0..24_000_u64 {
        let trouble = [0, 1, 8, 50, 128, 255][(round % 6) as usize];
        let mut script: Vec<u8> = (0..5).map(|_| numbers.octet()).collect();
        script[2] = if round % 2 == 0 { 0 } else { script[2] };
        for _ in 0..numbers.octet() {
            let is_trouble = numbers.octet() < trouble;
            script.push(if is_trouble { numbers.octet() } else { 0 });
        }
        fuzz_exchange(&script);
    }
}
const SMTP: Policy = Policy {
    pipelining: false,
    across: false,
    lmtp: false,
};
const PIPELINED: Policy = Policy {
    pipelining: true,
    ..SMTP
};
const ACROSS: Policy = Policy {
    across: true,
    ..PIPELINED
};

fn order(number: usize, recipients: usize, framing: Framing) -> Order {
    let mut commands = Commands::default();
    let mut line = |text: String| {
        commands.octets().extend_from_slice(text.as_bytes());
        commands.end_line();
    };
    line(format!("MAIL {number}\r\n"));
    for recipient in 0..recipients {
        line(format!("RCPT {number}.{recipient}\r\n"));
    }
    let outcome =
        |n| RecipientOutcome::unanswered(Address::new(&format!("r{n}"), "example.org").unwrap());
    Order {
        commands,
        recipients: (0..recipients).map(outcome).collect(),
        require_all: false,
        framing,
        is_firm: true,
    }
}

fn exchange(policy: Policy, recipients: usize) -> Exchange {
    let mut exchange = Exchange::new(policy);
    exchange.push(order(0, recipients, Framing::Dot));
    exchange
}

fn reply(text: &str) -> Reply {
    let code = Code::parse(*text.as_bytes().first_chunk().unwrap()).unwrap();
    Reply::from_checked(code, format!("{text}\r\n").into_bytes().into())
}

/// Carries out the exchange with these replies. Returns each flight in a word or two, and how the
/// exchange ended.
fn told(exchange: &mut Exchange, replies: &[&str]) -> (Vec<String>, Option<Settlement>) {
    let mut replies = replies.iter();
    let (mut flights, mut flight) = (Vec::new(), String::new());
    loop {
        let over = match exchange.next(0) {
            Action::Write(_, command) => {
                flight += &String::from_utf8_lossy(command).replace("\r\n", " ");
                continue;
            }
            Action::Body(id, _) => {
                exchange.end_written(id, 1, 0);
                flight += "body ";
                continue;
            }
            Action::LoneDot(id) => {
                exchange.end_written(id, 3, 0);
                flight += "dot ";
                continue;
            }
            Action::Close => {
                exchange.lost(0);
                continue;
            }
            Action::Read(_) => {
                if !flight.is_empty() {
                    flights.push(std::mem::take(&mut flight).trim_end().to_owned());
                }
                match replies.next() {
                    Some(text) => {
                        exchange.replied(reply(text));
                        continue;
                    }
                    None => (String::from("read"), None),
                }
            }
            Action::Idle => ("idle".into(), None),
            Action::Settled(_, settlement) => ("done".into(), Some(settlement)),
        };
        flights.push(over.0);
        return (flights, over.1);
    }
}

// 2920-02, 5321-24, 5321-48: what is sent, and after which replies.
#[test]
fn what_is_sent_when() {
    for (policy, replies, flights) in [
        (
            SMTP,
            &["250", "250", "354", "250"][..],
            &["MAIL 0", "RCPT 0.0", "DATA", "body", "done"][..],
        ),
        (
            PIPELINED,
            &["250", "250", "354", "250"],
            &["MAIL 0 RCPT 0.0 DATA", "body", "done"],
        ),
        (
            PIPELINED,
            &["250", "550", "354", "554"],
            &["MAIL 0 RCPT 0.0 DATA", "dot", "done"],
        ),
        (
            PIPELINED,
            &["250", "550", "554"],
            &["MAIL 0 RCPT 0.0 DATA", "done"],
        ),
        (
            PIPELINED,
            &["250", "250"],
            &["MAIL 0 RCPT 0.0 DATA", "read"],
        ),
        (SMTP, &["550"], &["MAIL 0", "done"]),
        (SMTP, &["250", "550"], &["MAIL 0", "RCPT 0.0", "done"]),
        (
            SMTP,
            &["250", "250", "451"],
            &["MAIL 0", "RCPT 0.0", "DATA", "done"],
        ),
        (SMTP, &["250", "421"], &["MAIL 0", "RCPT 0.0", "done"]),
        (PIPELINED, &["421"], &["MAIL 0 RCPT 0.0 DATA", "done"]),
    ] {
        let (told, _) = told(&mut exchange(policy, 1), replies);
        assert_eq!(told, flights, "{replies:?}");
    }
}

// 3030-01: a chunk waits for the replies to RCPT until a message was accepted. It always waits if
// it is large, may fail, or is for LMTP.
#[test]
fn when_a_chunk_goes_with_its_envelope() {
    let small = Framing::Chunk(1000);
    let large = Framing::Chunk(transit::EARLY_CHUNK + 1);
    let lmtp = Policy {
        lmtp: true,
        ..PIPELINED
    };
    let apart = &["MAIL 0 RCPT 0.0", "body", "done"][..];
    let together = &["MAIL 0 RCPT 0.0 body", "done"][..];
    for (policy, is_proven, framing, is_firm, flights) in [
        (PIPELINED, false, small, true, apart),
        (PIPELINED, true, small, true, together),
        (PIPELINED, true, large, true, apart),
        (PIPELINED, true, small, false, apart),
        (PIPELINED, true, Framing::Chunks, false, apart),
        (lmtp, true, small, true, apart),
        (
            SMTP,
            true,
            small,
            true,
            &["MAIL 0", "RCPT 0.0", "body", "done"],
        ),
    ] {
        let mut exchange = Exchange::new(policy).resume(false, is_proven);
        exchange.push(Order {
            is_firm,
            ..order(0, 1, framing)
        });
        let (told, end) = told(&mut exchange, &["250", "250", "250"]);
        assert_eq!(told, flights, "{policy:?} {framing:?}");
        assert_eq!(end.unwrap().verdict, Some(Verdict::Sent));
        assert!(exchange.is_proven());
    }
}

// 2920-06: at most 100 commands without a reply, and DATA at the end of the last group.
#[test]
fn groups_are_limited() {
    let mut exchange = exchange(PIPELINED, 250);
    let (mut groups, mut count) = (Vec::new(), 0);
    loop {
        match exchange.next(0) {
            Action::Write(_, commands) => {
                count += commands.iter().filter(|octet| **octet == b'\n').count();
            }
            Action::Read(awaited) => {
                groups.extend(Some(std::mem::take(&mut count)).filter(|count| *count > 0));
                let text = if awaited.step == Step::Data {
                    "354"
                } else {
                    "250"
                };
                exchange.replied(reply(text));
            }
            _ => break,
        }
    }
    assert_eq!(groups, [100, 100, 52]);
}

// V1: where all recipients are required, DATA waits for the replies.
#[test]
fn data_waits_where_all_are_required() {
    let strict = || {
        let mut exchange = Exchange::new(PIPELINED);
        exchange.push(Order {
            require_all: true,
            ..order(0, 2, Framing::Dot)
        });
        exchange
    };
    let replies = ["250", "250", "250", "354", "250"];
    assert_eq!(
        told(&mut strict(), &replies).0,
        ["MAIL 0 RCPT 0.0 RCPT 0.1", "DATA", "body", "done"]
    );
    let (flights, end) = told(&mut strict(), &["250", "250", "450"]);
    assert_eq!(flights, ["MAIL 0 RCPT 0.0 RCPT 0.1", "done"]);
    let end = end.unwrap();
    assert_eq!(end.verdict, Some(Verdict::RecipientsRefused));
    assert_eq!(end.aftermath, Aftermath::ResetOwed);
}

// L1: what is known when the connection is lost before a reply.
#[test]
fn what_is_known_when_it_is_lost() {
    for (replies, expected) in [
        (&[][..], None),
        (&["550"][..], Some(Verdict::SenderRefused(reply("550")))),
        (&["250", "550"], Some(Verdict::RecipientsRefused)),
        (&["250", "250"], None),
        (&["250", "250", "354"], None),
        (&["250", "550", "354"], Some(Verdict::RecipientsRefused)),
    ] {
        let mut exchange = exchange(PIPELINED, 1);
        assert_eq!(told(&mut exchange, replies).0.last().unwrap(), "read");
        exchange.lost(0);
        let end = told(&mut exchange, &[]).1.unwrap();
        assert_eq!(end.verdict, expected, "{replies:?}");
        assert_eq!(end.aftermath, Aftermath::Close);
        let is_unknown = end.outcome.recipients[0].status == RecipientStatus::Unknown;
        assert_eq!(is_unknown, replies == ["250", "250", "354"]);
    }
}

// By hand: nothing is queued until the caller says so, and without recipients DATA is not sent.
#[test]
fn queued_one_by_one() {
    let mut exchange = Exchange::new(PIPELINED).resume(true, false);
    exchange.open(b"MAIL\r\n");
    assert_eq!(
        told(&mut exchange, &["250", "250"]).0,
        ["RSET MAIL", "idle"]
    );
    let address = Address::new("r", "example.org").unwrap();
    exchange.add(address, b"RCPT\r\n");
    assert_eq!(told(&mut exchange, &["550 no"]).0, ["RCPT", "idle"]);
    assert_eq!(exchange.recipients()[0].reply, Some(reply("550 no")));
    exchange.complete();
    let (flights, end) = told(&mut exchange, &[]);
    assert_eq!(flights, ["done"]);
    let end = end.unwrap();
    assert_eq!(end.verdict, Some(Verdict::RecipientsRefused));
    assert_eq!(end.aftermath, Aftermath::ResetOwed);
    assert!(exchange.is_reset_owed());
}

/// Messages on a connection that is cut after this many bytes.
struct Simulation {
    exchange: Exchange,
    server: Strict,
    replies: VecDeque<&'static str>,
    out: Vec<u8>,
    queued: usize,
    taken: usize,
    cut: usize,
    flights: usize,
    ends: Vec<Settlement>,
}

/// Sends messages to two recipients each.
fn simulate(
    (policy, framing): (Policy, Framing),
    messages: usize,
    seed: u64,
    cut: usize,
) -> Simulation {
    let mut simulation = Simulation {
        exchange: Exchange::new(policy),
        server: Strict::new(seed, policy.lmtp),
        replies: VecDeque::new(),
        out: Vec::new(),
        queued: 0,
        taken: 0,
        cut,
        flights: 0,
        ends: Vec::new(),
    };
    let mut pushed = 0;
    loop {
        while simulation.goes_on() {}
        if pushed < messages && !simulation.exchange.is_over() {
            simulation.exchange.push(order(pushed, 2, framing));
            pushed += 1;
        } else if simulation.exchange.awaited().is_some() {
            simulation.hear();
        } else {
            assert_eq!(simulation.ends.len(), pushed);
            return simulation;
        }
    }
}

impl Simulation {
    fn position(&self) -> u64 {
        (self.queued + self.out.len()) as u64
    }

    /// Does the next action. Returns false if there is room for another message or nothing is left.
    fn goes_on(&mut self) -> bool {
        let position = self.position();
        match self.exchange.next(position) {
            Action::Write(_, command) => self.out.extend_from_slice(command),
            Action::Body(id, framing) => {
                match framing {
                    Framing::Dot => self.out.extend_from_slice(b"text\r\n.\r\n"),
                    _ => self.out.extend_from_slice(b"BDAT 6 LAST\r\ntext\r\n"),
                }
                let end_at = self.position();
                self.exchange.end_written(id, 6, end_at);
            }
            Action::LoneDot(id) => {
                self.out.extend_from_slice(b".\r\n");
                let end_at = self.position();
                self.exchange.end_written(id, 3, end_at);
            }
            Action::Settled(id, end) => {
                assert_eq!(id, self.ends.len() as Id, "in order, each once");
                self.ends.push(end);
            }
            Action::Read(_) => self.hear(),
            Action::Idle => return false,
            Action::Close => panic!("nothing broke"),
        }
        true
    }

    /// Reads a reply. What is not written yet is written before.
    fn hear(&mut self) {
        if self.replies.is_empty() {
            self.flights += usize::from(!self.out.is_empty());
            let part = self.out.len().min(self.cut - self.taken);
            self.server.input.extend_from_slice(&self.out[..part]);
            self.taken += part;
            self.queued += self.out.len();
            self.out.clear();
            self.server.answer(&mut self.replies);
        }
        match self.replies.pop_front() {
            Some(code) => self.exchange.replied(reply(code)),
            None => {
                assert!(self.taken < self.queued, "a deadlock");
                self.exchange.lost(self.taken as u64);
            }
        }
    }
}

const POLICIES: [(Policy, Framing); 8] = [
    (SMTP, Framing::Dot),
    (SMTP, Framing::Chunk(6)),
    (PIPELINED, Framing::Dot),
    (PIPELINED, Framing::Chunk(6)),
    (ACROSS, Framing::Dot),
    (ACROSS, Framing::Chunk(6)),
    (
        Policy {
            lmtp: true,
            ..ACROSS
        },
        Framing::Dot,
    ),
    (
        Policy {
            lmtp: true,
            ..ACROSS
        },
        Framing::Chunk(6),
    ),
];

/// Asserts that no result of the planner contradicts what the server did.
fn assert_truth(simulation: &Simulation, context: &str) {
    for (message, end) in simulation.ends.iter().enumerate() {
        for (recipient, outcome) in end.outcome.recipients.iter().enumerate() {
            let is_taken = simulation.server.taken.contains(&(message, recipient));
            match outcome.status {
                RecipientStatus::Accepted => assert!(is_taken, "{context}: {message}.{recipient}"),
                RecipientStatus::Unknown => {}
                _ => assert!(!is_taken, "{context}: {message}.{recipient}"),
            }
        }
    }
}

// A batch with refusals at any place, under every policy: the result of every recipient is true.
#[test]
fn refusals_never_touch_the_neighbours() {
    for way in POLICIES {
        for seed in 1..600 {
            let simulation = simulate(way, 6, seed * 7919, usize::MAX);
            assert_eq!(simulation.ends.len(), 6);
            assert_truth(&simulation, &format!("{way:?} {seed}"));
            let ends = simulation.ends.iter();
            let mut outcomes = ends.flat_map(|end| &end.outcome.recipients);
            assert!(outcomes.all(|outcome| outcome.status != RecipientStatus::Unknown));
        }
    }
}

// The connection is cut after each byte of a batch, under every policy: the result of every
// recipient is true.
#[test]
fn wherever_a_batch_is_cut_its_results_are_true() {
    for way in POLICIES {
        for seed in [31, 4711] {
            for cut in 0..simulate(way, 3, seed, usize::MAX).queued {
                let simulation = simulate(way, 3, seed, cut);
                assert_truth(&simulation, &format!("{way:?} at {cut}"));
            }
        }
    }
}

// The purpose of it all: few round trips.
#[test]
fn flights_of_fifty_messages() {
    // With this seed hardly anything is refused.
    let flights = POLICIES.map(|way| simulate(way, 50, 42, usize::MAX).flights);
    let [
        lock_step,
        lock_step_chunks,
        pipelined,
        chunks,
        across,
        streamed,
        ..,
    ] = flights;
    assert!(lock_step > 200 && lock_step_chunks > 150, "{flights:?}");
    assert!(pipelined <= 100 && chunks <= 60, "{flights:?}");
    assert!(across <= 56 && streamed <= 6, "{flights:?}");
}

// A message goes with its envelope, and the connection ends in the middle of it: the refusal of its
// recipient is the reason, and not what the server says about a message for nobody.
#[test]
fn an_earlier_refusal_is_the_reason() {
    let mut exchange = Exchange::new(ACROSS).resume(false, true);
    exchange.push(order(0, 1, Framing::Chunk(100)));
    while matches!(exchange.next(0), Action::Write(..)) {}
    assert!(matches!(exchange.next(0), Action::Body(..)));
    exchange.replied(reply("250 ok"));
    exchange.replied(reply("450 greylisted"));
    exchange.refused_in_body(reply("554 nobody gets it"));
    exchange.lost(0);
    let Action::Settled(_, settlement) = exchange.next(0) else {
        panic!("it has no end");
    };
    assert_eq!(settlement.verdict, Some(Verdict::RecipientsRefused));
    let refused = &settlement.outcome.recipients()[0];
    assert_eq!(refused.reply().unwrap().code(), 450);
}
