//! [`Pace`]: how fast messages may follow each other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::outcome::Outcome;
use crate::reply::Reply;

/// The first pause after a server has said that messages come too fast.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, however often it says so.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How fast messages may follow each other: at the rate that the caller sets, and slower if the
/// server asks for it.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// The least time between two messages.
    interval: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the next message may be sent.
    next: Option<Instant>,
    /// When the last message was sent, or should have been sent if it was a little late.
    used: Option<Instant>,
    /// Until when nothing is sent to a server that asked for a pause.
    rest: Option<Instant>,
    pause: Duration,
}

impl Pace {
    pub(crate) fn new(interval: Option<Duration>) -> Self {
        Self {
            interval,
            state: Mutex::default(),
        }
    }

    /// Takes the next turn, and returns its time.
    pub(crate) fn turn(&self, now: Instant) -> Instant {
        let Some(interval) = self.interval else {
            return now;
        };
        let mut state = self.lock();
        let turn = state.next.map_or(now, |next| next.max(now));
        state.next = turn.checked_add(interval);
        turn
    }

    /// The same for one of many messages, which also waits for the end of a pause.
    pub(crate) fn turn_of_many(&self, now: Instant) -> Instant {
        let turn = self.turn(now);
        self.lock().rest.map_or(turn, |rest| rest.max(turn))
    }

    /// Uses a turn that has come. If another message was late and has just gone, returns the time to
    /// wait for instead.
    pub(crate) fn claim(&self, turn: Instant, now: Instant) -> Instant {
        let Some(interval) = self.interval else {
            return turn;
        };
        let mut state = self.lock();
        let free = state.used.and_then(|used| used.checked_add(interval));
        let due = free.map_or(turn, |free| free.max(turn));
        if due > now {
            return due;
        }
        // A sleep is often a little too long, which must not add up.
        let is_missed = now.saturating_duration_since(due) >= interval;
        state.used = Some(if is_missed { now } else { due });
        turn
    }

    /// The same for one of many messages, which also waits for the end of a pause that has begun since.
    pub(crate) fn claim_of_many(&self, turn: Instant, now: Instant) -> Instant {
        self.pause_at(now).unwrap_or_else(|| self.claim(turn, now))
    }

    /// The end of a pause, if there is one at this time.
    pub(crate) fn pause_at(&self, now: Instant) -> Option<Instant> {
        self.lock().rest.filter(|rest| *rest > now)
    }

    /// Learns from a result whether the server needs a pause.
    pub(crate) fn learn(&self, result: &Result<Outcome>, now: Instant) {
        if is_too_much(result) {
            self.slow_down(now);
        } else if result.is_ok() {
            self.go_on(now);
        }
    }

    /// Begins a pause, longer each time.
    pub(crate) fn slow_down(&self, now: Instant) {
        let mut state = self.lock();
        // Results of messages that were already on their way do not count again.
        if state.rest.is_none_or(|rest| now >= rest) {
            state.pause = (state.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            state.rest = now.checked_add(state.pause);
        }
    }

    /// The server takes messages again.
    fn go_on(&self, now: Instant) {
        let mut state = self.lock();
        if state.rest.is_none_or(|rest| now >= rest) {
            state.pause = Duration::ZERO;
            state.rest = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a server says that messages come too fast.
fn is_too_much(result: &Result<Outcome>) -> bool {
    let of_recipients = |outcome: &Outcome| {
        let replies = outcome.recipients().iter().filter_map(|one| one.reply());
        replies.into_iter().any(asks_for_rest)
    };
    match result {
        Ok(outcome) => of_recipients(outcome),
        Err(error) => {
            error.reply().is_some_and(asks_for_rest) || error.outcome().is_some_and(of_recipients)
        }
    }
}

/// Whether a reply has 4.7.0 or words about speed. The same codes stand for full mailboxes,
/// greylisting, and connections that were idle too long. A pause does not help with those.
fn asks_for_rest(reply: &Reply) -> bool {
    const CODES: [u16; 5] = [421, 450, 451, 452, 454];
    const WORDS: [&str; 3] = ["busy", "rate", "throttling"];
    const PHRASES: [&str; 5] = ["slow down", "throttled", "too fast", "too many", "too much"];
    let is_policy = reply
        .enhanced()
        .is_some_and(|code| (code.class(), code.subject(), code.detail()) == (4, 7, 0));
    let text = reply.text().to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_said = PHRASES.iter().any(|phrase| text.contains(phrase))
        || words.any(|word| WORDS.contains(&word));
    CODES.iter().any(|code| reply.code() == *code)
        && (is_policy || is_said && !text.contains("mailbox"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::protocol::parser::ReplyParser;

    const MS: Duration = Duration::from_millis(1);

    fn refused(line: &str) -> Result<Outcome> {
        let reply = ReplyParser::default().push(format!("{line}\r\n").as_bytes());
        Err(Error::SenderRefused(reply.unwrap().unwrap()))
    }

    #[test]
    fn turns_are_an_interval_apart() {
        let (pace, now) = (Pace::new(Some(100 * MS)), Instant::now());
        let turns = [0, 0, 0, 250, 1000, 1000].map(|at| pace.turn(now + at * MS) - now);
        assert_eq!(turns, [0, 100, 200, 300, 1000, 1100].map(|at| at * MS));
    }

    // Three messages have their turns, and a slow server takes none of them before the third second.
    #[test]
    fn missed_turns_are_not_made_up_for() {
        let (pace, begun) = (Pace::new(Some(1000 * MS)), Instant::now());
        let at = |at| begun + at * MS;
        let [first, second, third] = [0, 0, 0].map(|now| pace.turn(at(now)));
        assert_eq!(pace.claim(first, at(3000)), first);
        // The others wait, and one of them is first again.
        for turn in [second, third] {
            assert_eq!(pace.claim(turn, at(3000)), at(4000));
        }
        assert_eq!(pace.claim(third, at(4000)), third);
        assert_eq!(pace.claim(second, at(4000)), at(5000));
        assert_eq!(pace.claim(second, at(5000)), second);
    }

    #[test]
    fn small_delays_do_not_add_up() {
        let (pace, begun) = (Pace::new(Some(100 * MS)), Instant::now());
        for number in 0..100 {
            let turn = pace.turn(begun);
            assert_eq!(turn, begun + number * 100 * MS);
            assert_eq!(pace.claim(turn, turn + 30 * MS), turn);
        }
    }

    #[test]
    fn a_pause_counts_for_a_turn_that_was_chosen_before() {
        for interval in [None, Some(100 * MS)] {
            let (pace, now) = (Pace::new(interval), Instant::now());
            let turn = pace.turn_of_many(now);
            pace.learn(&refused("451 4.7.0 slow down"), now);
            assert_eq!(pace.claim_of_many(turn, now), now + 1000 * MS);
            // Single messages are not delayed.
            assert_eq!(pace.claim(turn, now), turn);
            let rest = now + 1000 * MS;
            assert_eq!(pace.claim_of_many(rest, rest), rest);
            // Not all go at once at the end of the pause.
            let later = rest + interval.unwrap_or_default();
            assert_eq!(pace.claim_of_many(rest, rest), later);
        }
    }

    #[test]
    fn without_a_rate_it_is_always_ones_turn() {
        let (pace, now) = (Pace::new(None), Instant::now());
        assert_eq!(pace.turn(now), now);
        assert_eq!(pace.turn_of_many(now), now);
        assert_eq!(pace.claim_of_many(now, now), now);
    }

    #[test]
    fn a_server_that_had_too_much_is_left_alone_for_a_while() {
        let (pace, mut now) = (Pace::new(None), Instant::now());
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            let pause = Duration::from_secs(pause);
            // Messages that were already on their way count once.
            for _ in 0..3 {
                pace.learn(&refused("451 4.7.0 slow down"), now);
            }
            assert_eq!(pace.turn_of_many(now), now + pause);
            // Single messages are not delayed.
            assert_eq!(pace.turn(now), now);
            now += pause;
        }
        assert_eq!(pace.turn_of_many(now), now);
    }

    #[test]
    fn what_asks_for_rest_and_what_does_not() {
        for line in [
            "421 4.3.2 too busy",
            "450 Rate limit exceeded",
            "451 you are rate-limited",
            "421 4.7.0 try again later",
            "454 4.7.0 wait",
            "454 Throttling failure: Maximum sending rate exceeded",
            "450 4.2.1 receiving mail at a rate that",
            "452 4.5.3 Too many messages",
        ] {
            assert!(is_too_much(&refused(line)), "{line}");
        }
        for line in [
            "450 4.2.0 greylisted",
            "450 4.2.1 mailbox busy",
            "451 4.3.0 cannot be generated",
            "452 4.2.2 mailbox full",
            "421 4.4.2 idle for too long",
            "550 5.7.0 no",
            "451 later",
        ] {
            assert!(!is_too_much(&refused(line)), "{line}");
        }
    }
}
