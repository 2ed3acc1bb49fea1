//! Many messages through a mailer: over one connection after the other, and over several at a time.
use super::crowd::{Answer, Crowd};
use super::{LEAVES, connections};
use crate::batch::ONE_BY_ONE;
use crate::support::sending::{config, facts, fates, listen, session};
use smtplib::connection::Consignment;
use smtplib::{Address, Envelope, Error, Mailer, Outcome, Retry};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);

fn numbered(number: usize) -> Consignment<'static> {
    let from: Address = "me@client.example".parse().unwrap();
    let to: Address = "ann@example.org".parse().unwrap();
    (Envelope::new(from, [to]), format!("{number}\r\n")).into()
}

pub(super) fn messages(count: usize) -> impl Iterator<Item = Consignment<'static>> + Send {
    (1..=count).map(numbered)
}

fn told(result: &Result<Outcome, Error>) -> String {
    match result {
        Ok(outcome) => fates(outcome).join(", "),
        Err(error) => facts(error),
    }
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

/// Asserts that the server has every message exactly once.
pub(super) fn all_once(server: &Crowd, count: usize) {
    let taken = server.taken();
    assert!(taken.values().all(|times| *times == 1), "{taken:?}");
    let taken: BTreeSet<String> = taken.into_keys().collect();
    assert_eq!(taken, names(count).into_iter().collect());
}

fn usual(_: usize, _: usize, _: &str) -> Answer {
    Answer::Usual
}

/// The ways of a batch.
const OFFERS: [&[&str]; 4] = [
    &[],
    &["PIPELINING"],
    &["CHUNKING"],
    &["PIPELINING", "CHUNKING"],
];
/// Those in which no message goes with its envelope.
const CAREFUL: [&[&str]; 3] = [&[], &["PIPELINING"], &["CHUNKING"]];

#[test]
fn one_connection_carries_them_in_order() {
    for offers in OFFERS {
        let server = Crowd::new(offers, usual);
        let mailer = Mailer::new(server.config());
        let results: Vec<String> = mailer.send_all(messages(50)).map(|r| told(&r)).collect();
        assert_eq!(results, vec!["ann@example.org Accepted 250 taken"; 50]);
        let order: Vec<String> = server.order().into_iter().map(|(_, name)| name).collect();
        assert_eq!((order, server.connections()), (names(50), 1));
        drop(mailer);
        server.finish();
    }
}

#[test]
fn a_connection_carries_no_more_than_it_may() {
    for offers in OFFERS {
        let server = Crowd::new(offers, usual);
        let mailer = Mailer::new(server.config()).messages_per_connection(20);
        assert!(mailer.send_all(messages(50)).all(|result| result.is_ok()));
        let order = server.order();
        let on = |number| order.iter().filter(|(other, _)| *other == number).count();
        assert_eq!([on(0), on(1), on(2)], [20, 20, 10]);
        all_once(&server, 50);
        drop(mailer);
        server.finish();
    }
}

// A new connection carries a message, however short its time is.
#[test]
fn a_connection_beyond_its_age_has_carried_a_message() {
    for offers in OFFERS {
        let server = Crowd::new(offers, usual);
        let mailer = Mailer::new(server.config()).max_age(Duration::ZERO);
        assert!(mailer.send_all(messages(3)).all(|result| result.is_ok()));
        all_once(&server, 3);
        assert_eq!(server.connections(), 3);
        drop(mailer);
        server.finish();
    }
}

// The server closes each connection at some place. Messages that were certainly not delivered are
// sent again.
#[test]
fn it_goes_on_over_new_connections() {
    for offers in CAREFUL {
        let rule = |_: usize, commands: usize, line: &str| match line {
            line if commands > 30 && line.starts_with("MAIL") => Answer::Farewell("421 enough"),
            _ => Answer::Usual,
        };
        let server = Crowd::new(offers, rule);
        let mailer = Mailer::new(server.config());
        let results: Vec<_> = mailer.send_all(messages(50)).collect();
        assert_eq!(results.len(), 50);
        for result in &results {
            assert_eq!(told(result), "ann@example.org Accepted 250 taken");
        }
        assert!(server.connections() > 3);
        all_once(&server, 50);
        drop(mailer);
        server.finish();
    }
}

// The same for messages that were written together with their envelopes. Those behind the farewell are
// unknown, and the rest goes on.
#[test]
fn what_went_with_its_envelope_is_not_sent_again() {
    let rule = |_: usize, commands: usize, line: &str| match line {
        line if commands > 30 && line.starts_with("MAIL") => Answer::Farewell("421 enough"),
        _ => Answer::Usual,
    };
    let server = Crowd::new(&["PIPELINING", "CHUNKING"], rule);
    let mailer = Mailer::new(server.config());
    // It promises nothing, so not all are written before the first reply.
    let slowly = messages(50).filter(|_| {
        std::thread::sleep(MS);
        true
    });
    let results: Vec<String> = mailer.send_all(slowly).map(|r| told(&r)).collect();
    assert_eq!(results.len(), 50);
    let taken = server.taken();
    for (told, name) in results.iter().zip(names(50)) {
        let times = taken.get(&name).copied().unwrap_or_default();
        let is_unknown = told.starts_with("unknown");
        assert_eq!(times, usize::from(!is_unknown), "{name}: {told}");
    }
    assert!(server.connections() > 1);
    drop(mailer);
    server.finish();
}

#[test]
fn what_is_unknown_says_so_and_the_rest_goes_on() {
    for offers in OFFERS {
        // The first connection accepts message 3 and closes without a reply.
        let count = std::sync::atomic::AtomicUsize::new(0);
        let rule = move |number: usize, _: usize, line: &str| {
            let is_end = number == 0 && line == ".";
            let nth = is_end.then(|| count.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
            match nth {
                Some(2) => Answer::Drop,
                _ => Answer::Usual,
            }
        };
        let server = Crowd::new(offers, rule);
        let mailer = Mailer::new(server.config());
        let results: Vec<String> = mailer.send_all(messages(10)).map(|r| told(&r)).collect();
        let unknown = |told: &String| told.starts_with("unknown");
        assert!(unknown(&results[2]), "{results:?}");
        // The messages after it whose end was written are unknown, too, and no message is sent
        // twice.
        let taken = server.taken();
        for (told, name) in results.iter().zip(names(10)) {
            let times = taken.get(&name).copied().unwrap_or_default();
            assert!(
                times <= 1 && (unknown(told) || times == 1),
                "{name}: {told}, {times} times"
            );
        }
        assert!(
            !unknown(&results[9]) || offers.contains(&"CHUNKING"),
            "{results:?}"
        );
        drop(mailer);
        server.finish();
    }
}

// A message that makes the server hang up does not delay the messages after it.
#[test]
fn a_message_that_kills_connections_is_given_up() {
    let poison = |_: usize, _: usize, line: &str| match line {
        "RCPT TO:<poison@example.org>" => Answer::Drop,
        _ => Answer::Usual,
    };
    for offers in CAREFUL {
        let server = Crowd::new(offers, poison);
        let mailer = Mailer::new(server.config());
        let from: Address = "me@client.example".parse().unwrap();
        let to: Address = "poison@example.org".parse().unwrap();
        let bad: Consignment<'_> = (Envelope::new(from, [to]), "bad\r\n").into();
        let all = messages(3).chain([bad]).chain((4..=6).map(numbered));
        let results: Vec<String> = mailer.send_all(all).map(|r| told(&r)).collect();
        let (ok, lost): (Vec<_>, Vec<_>) =
            results.iter().partition(|told| told.contains("Accepted"));
        assert_eq!((ok.len(), lost.len()), (6, 1), "{results:?}");
        assert!(
            results[3].starts_with("not delivered, transient"),
            "{results:?}"
        );
        all_once(&server, 6);
        drop(mailer);
        server.finish();
    }
}

#[test]
fn refusals_do_not_touch_the_others() {
    let peer = connections([session(
        &[],
        &("C: MAIL FROM:<me@client.example>\nS: 550 no\nC: RSET\nS: 250 ok\n".to_owned()
            + &super::message("250 taken")
            + LEAVES),
    )]);
    let mailer = Mailer::new(config(&peer));
    let results: Vec<String> = mailer.send_all(messages(2)).map(|r| told(&r)).collect();
    assert_eq!(
        results,
        [
            "not delivered, permanent, 550, at MAIL",
            "ann@example.org Accepted 250 taken"
        ]
    );
    drop(mailer);
    peer.finish();
}

// With a policy, the message is sent again while others are sent, and its result is in its place.
#[test]
fn a_message_refused_for_now_goes_again() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let rule = move |_: usize, _: usize, line: &str| match line {
        "." if first.swap(false, std::sync::atomic::Ordering::SeqCst) => Answer::Reply("451 later"),
        _ => Answer::Usual,
    };
    let server = Crowd::new(&["PIPELINING"], rule);
    let (lines, heard) = std::sync::mpsc::channel();
    let config = server
        .config()
        .trace(move |line| lines.send(line.to_string()).unwrap());
    let mailer = Mailer::new(config).retry(Retry::new(3).pauses(MS, MS));
    let attempts: Vec<u32> = mailer
        .send_all(messages(5))
        .map(|result| result.unwrap().attempts())
        .collect();
    assert_eq!(attempts, [2, 1, 1, 1, 1]);
    let told = heard
        .try_iter()
        .filter(|line| line.contains("is sent again"));
    assert_eq!(told.count(), 1);
    drop(mailer);
    server.finish();
}

#[test]
fn it_pauses_for_a_server_that_has_too_much() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let rule = move |_: usize, _: usize, line: &str| match line {
        line if line.starts_with("MAIL")
            && first.swap(false, std::sync::atomic::Ordering::SeqCst) =>
        {
            Answer::Reply("454 4.7.0 rate limit, slow down")
        }
        _ => Answer::Usual,
    };
    let server = Crowd::new(&[], rule);
    let mailer = Mailer::new(server.config());
    let start = Instant::now();
    let results: Vec<String> = mailer.send_all(messages(3)).map(|r| told(&r)).collect();
    assert_eq!(
        results
            .iter()
            .filter(|told| told.contains("Accepted"))
            .count(),
        2
    );
    assert!(start.elapsed() >= Duration::from_millis(900));
    drop(mailer);
    server.finish();
}

// The second message has its turn by the rate before the reply to the first has come.
#[test]
fn a_pause_also_counts_for_a_message_that_has_its_turn() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let rule = move |_: usize, _: usize, line: &str| match line {
        "." if first.swap(false, std::sync::atomic::Ordering::SeqCst) => {
            std::thread::sleep(50 * MS);
            Answer::Reply("451 4.7.0 slow down")
        }
        _ => Answer::Usual,
    };
    let server = Crowd::new(&["PIPELINING"], rule);
    let mailer = Mailer::new(server.config()).rate(1, 500 * MS);
    let start = Instant::now();
    let results: Vec<String> = mailer.send_all(messages(2)).map(|r| told(&r)).collect();
    assert_eq!(
        results,
        [
            "not delivered, transient, 451",
            "ann@example.org Accepted 250 taken"
        ]
    );
    assert!(start.elapsed() >= 900 * MS);
    drop(mailer);
    server.finish();
}

// The turns of eight threads pass while their connections are opened.
#[test]
fn slow_connections_keep_nothing_from_being_sent() {
    let rule = |_: usize, _: usize, line: &str| {
        if line == "CONNECT" {
            std::thread::sleep(200 * MS);
        }
        Answer::Usual
    };
    let server = Crowd::new(&[], rule);
    let mailer = Mailer::new(server.config())
        .connections(8)
        .max_age(Duration::ZERO)
        .rate(1, 100 * MS);
    let sent = mailer.send_all(messages(16)).concurrency(8);
    let mut accepted = 0;
    sent.for_each(|_, result| accepted += usize::from(result.is_ok()));
    assert_eq!(accepted, 16);
    drop(mailer);
    server.finish();
}

#[test]
fn it_obeys_the_rate() {
    let server = Crowd::new(&["PIPELINING", "CHUNKING"], usual);
    let mailer = Mailer::new(server.config()).rate(100, Duration::from_secs(1));
    let start = Instant::now();
    assert!(mailer.send_all(messages(6)).all(|result| result.is_ok()));
    assert!(start.elapsed() >= 50 * MS);
    drop(mailer);
    server.finish();
}

#[test]
fn messages_are_taken_as_there_is_room() {
    let server = Crowd::new(&["PIPELINING", "CHUNKING"], usual);
    let mailer = Mailer::new(server.config());
    let taken = Cell::new(0_usize);
    let body = "x".repeat(998) + "\r\n";
    let body = body.repeat(100);
    let all = (0..1000).map(|_| {
        taken.set(taken.get() + 1);
        let to: Address = "ann@example.org".parse().unwrap();
        Consignment::from((Envelope::new(to.clone(), [to]), body.as_str()))
    });
    let mut sent = mailer.send_all(all);
    assert_eq!(taken.get(), 0);
    drop(sent.next().unwrap().unwrap());
    assert!(taken.get() < 100, "{}", taken.get());
    let before = taken.get();
    assert_eq!(sent.into_rest().count(), 1000 - before);
    drop(mailer);
    server.finish();
}

#[test]
fn a_server_that_is_not_there_fails_each_message() {
    let refusing = crate::peer::Refusing::new();
    let config = smtplib::Config::new("127.0.0.1")
        .port(refusing.addr().port())
        .security(smtplib::Security::None);
    let mailer = Mailer::new(config);
    let results: Vec<_> = mailer.send_all(messages(3)).collect();
    assert_eq!(results.len(), 3);
    for result in results {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
    }
}

#[test]
fn several_connections_share_the_work() {
    for offers in OFFERS {
        let rule = |_: usize, _: usize, line: &str| match line {
            "." => Answer::Late(2 * MS),
            _ => Answer::Usual,
        };
        let server = Crowd::new(offers, rule);
        let mailer = Mailer::new(server.config()).connections(3);
        let mut places = BTreeSet::new();
        mailer
            .send_all(messages(120))
            .concurrency(8)
            .for_each(|place, result| {
                assert!(result.unwrap().is_complete());
                assert!(places.insert(place));
            });
        assert_eq!(places, (0..120).collect());
        assert_eq!((server.connections(), server.most_open()), (3, 3));
        all_once(&server, 120);
        drop(mailer);
        server.finish();
    }
}

// The server allows two connections and refuses the others. These two send everything.
#[test]
fn a_server_that_allows_few_connections_gets_everything() {
    for offers in OFFERS {
        let rule = |number: usize, _: usize, line: &str| match line {
            "CONNECT" if number >= 2 => Answer::Farewell("421 too many connections"),
            _ => Answer::Usual,
        };
        let server = Crowd::new(offers, rule);
        let mailer = Mailer::new(server.config());
        let mut places = BTreeSet::new();
        mailer
            .send_all(messages(60))
            .concurrency(4)
            .for_each(|place, result| {
                assert_eq!(told(&result), "ann@example.org Accepted 250 taken");
                assert!(places.insert(place));
            });
        assert_eq!(places, (0..60).collect());
        all_once(&server, 60);
        drop(mailer);
        server.finish();
    }
}

// What a thread without a connection gives back does not wait for the end of the list: a channel may
// have none.
#[test]
fn what_is_given_back_is_sent_before_the_end_of_the_list() {
    let rule = |number: usize, _: usize, line: &str| match line {
        "CONNECT" if number >= 1 => Answer::Farewell("554 go away"),
        _ => Answer::Usual,
    };
    let server = Crowd::new(&[], rule);
    let mailer = Mailer::new(server.config())
        .connections(2)
        .messages_per_connection(u64::MAX);
    let (told, heard) = std::sync::mpsc::channel();
    let all = std::iter::from_fn(move || heard.recv().ok());
    let results = std::sync::Mutex::new(BTreeSet::new());
    let count = std::thread::scope(|scope| {
        scope.spawn(|| {
            mailer
                .send_all(all)
                .concurrency(2)
                .for_each(|place, result| {
                    assert!(result.unwrap().is_complete());
                    assert!(results.lock().unwrap().insert(place));
                });
        });
        let start = Instant::now();
        let mut count = 0;
        while !(0..2).all(|place| results.lock().unwrap().contains(&place)) {
            assert!(start.elapsed() < 10_000 * MS);
            count += 1;
            told.send(numbered(count)).unwrap();
            std::thread::sleep(5 * MS);
        }
        drop(told);
        count
    });
    assert_eq!(results.into_inner().unwrap(), (0..count).collect());
    all_once(&server, count);
    drop(mailer);
    server.finish();
}

#[test]
fn a_server_that_allows_none_fails_each_message() {
    let rule = |_: usize, _: usize, line: &str| match line {
        "CONNECT" => Answer::Farewell("554 go away"),
        _ => Answer::Usual,
    };
    let server = Crowd::new(&[], rule);
    let mailer = Mailer::new(server.config());
    let mut places = BTreeSet::new();
    mailer
        .send_all(messages(10))
        .concurrency(4)
        .for_each(|place, result| {
            assert!(matches!(result.unwrap_err(), Error::Refused { .. }));
            assert!(places.insert(place));
        });
    assert_eq!(places, (0..10).collect());
    server.finish();
}

// The deadline is for each message, and not for the pauses between them. These are so short that the
// batch keeps its connection, and together they are longer than the deadline.
#[test]
fn pauses_do_not_use_up_the_deadline() {
    let server = Crowd::new(&[], usual);
    let config = server.config().deadline(Duration::from_secs(2));
    let mailer = Mailer::new(config).rate(1, Duration::from_millis(450));
    let results: Vec<String> = mailer.send_all(messages(6)).map(|r| told(&r)).collect();
    assert_eq!(results, vec!["ann@example.org Accepted 250 taken"; 6]);
    drop(mailer);
    server.finish();
}

// While a batch pauses, others can send. The second pause is 2 s, which is enough for the other message
// on a slow machine. If the batch kept the only connection, its message would be first.
#[test]
fn a_batch_that_rests_holds_no_connection() {
    let ends = std::sync::atomic::AtomicUsize::new(0);
    let rule = move |_: usize, _: usize, line: &str| match line {
        "." if ends.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 => {
            Answer::Reply("451 4.7.0 slow down")
        }
        _ => Answer::Usual,
    };
    let server = Crowd::new(&[], rule);
    let mailer = Mailer::new(server.config()).connections(1);
    std::thread::scope(|scope| {
        let (refused, was_refused) = std::sync::mpsc::channel();
        let batch = mailer.clone();
        scope.spawn(move || {
            let mut results = batch.send_all(messages(3));
            let both = results.by_ref().take(2).all(|result| result.is_err());
            refused.send(both).unwrap();
            assert!(results.next().unwrap().is_ok());
        });
        assert!(was_refused.recv().unwrap());
        super::sent(&mailer);
    });
    let order: Vec<String> = server.order().into_iter().map(|(_, name)| name).collect();
    assert_eq!(order, ["Hi!", "3"]);
    drop(mailer);
    server.finish();
}

// After a lost connection a new one is opened, instead of using another kept one.
#[test]
fn what_was_kept_beside_a_lost_connection_is_not_used() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (is_over, barrier) = (AtomicBool::new(false), std::sync::Barrier::new(3));
    let shared = std::sync::Arc::new((is_over, barrier));
    let rule = {
        let shared = std::sync::Arc::clone(&shared);
        move |number: usize, _: usize, line: &str| match line {
            "." if number < 3 => {
                shared.1.wait();
                Answer::Usual
            }
            line if line.starts_with("MAIL") && number < 3 && shared.0.load(Ordering::SeqCst) => {
                Answer::Farewell("421 restarting")
            }
            _ => Answer::Usual,
        }
    };
    let server = Crowd::new(&[], rule);
    let mailer = Mailer::new(server.config());
    std::thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(|| super::sent(&mailer))));
    });
    shared.0.store(true, Ordering::SeqCst);
    let results: Vec<String> = mailer.send_all(messages(2)).map(|r| told(&r)).collect();
    assert_eq!(results, vec!["ann@example.org Accepted 250 taken"; 2]);
    assert_eq!(server.connections(), 4);
    drop(mailer);
    server.finish();
}

// The server allows one connection at a time. While a batch pauses after a lost one, another message
// opens one that is kept.
#[test]
fn what_was_kept_is_closed_before_a_new_connection_opens() {
    let (goodbye, was_said) = std::sync::mpsc::channel();
    let (lost, was_lost) = std::sync::mpsc::channel();
    let was_said = std::sync::Mutex::new(was_said);
    let rule = move |number: usize, _: usize, line: &str| match (number, line) {
        (0, line) if line.starts_with("MAIL") => {
            lost.send(()).unwrap();
            Answer::Farewell("421 slow down")
        }
        (1, "QUIT") => {
            goodbye.send(()).unwrap();
            Answer::Usual
        }
        (2, "CONNECT") => match was_said.lock().unwrap().recv_timeout(5000 * MS) {
            Ok(()) => Answer::Usual,
            Err(_) => Answer::Farewell("421 too many connections"),
        },
        _ => Answer::Usual,
    };
    let server = Crowd::new(&[], rule);
    let mailer = Mailer::new(server.config()).connections(1);
    std::thread::scope(|scope| {
        let other = mailer.clone();
        scope.spawn(move || {
            was_lost.recv().unwrap();
            super::sent(&other);
        });
        let results: Vec<String> = mailer.send_all(messages(2)).map(|r| told(&r)).collect();
        assert_eq!(results, vec!["ann@example.org Accepted 250 taken"; 2]);
    });
    drop(mailer);
    server.finish();
}

// Each result is in the place of its message.
#[test]
fn each_result_has_its_place() {
    let rule = |_: usize, _: usize, line: &str| match line.strip_prefix("RCPT TO:<7") {
        Some(_) => Answer::Reply("550 no"),
        None => Answer::Usual,
    };
    let server = Crowd::new(&["PIPELINING"], rule);
    let mailer = Mailer::new(server.config());
    let all = (0..80).map(|number| {
        let to: Address = format!("{}@example.org", number % 10).parse().unwrap();
        Consignment::from((Envelope::new(to.clone(), [to]), format!("{number}\r\n")))
    });
    let mut refused = BTreeSet::new();
    mailer
        .send_all(all)
        .concurrency(4)
        .for_each(|place, result| {
            if result.is_err() {
                refused.insert(place);
            }
        });
    assert_eq!(refused, (0..80).filter(|place| place % 10 == 7).collect());
    drop(mailer);
    server.finish();
}

#[test]
fn a_panic_in_the_callers_function_ends_the_threads() {
    let server = Crowd::new(&[], usual);
    let mailer = Mailer::new(server.config());
    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        mailer
            .send_all(messages(1000))
            .concurrency(4)
            .for_each(|_, _| panic!("the function of a test"));
    }));
    assert!(sent.is_err());
    assert!(mailer.send_all(messages(1)).all(|result| result.is_ok()));
    drop(mailer);
    server.finish();
}

// For servers that fail when a command directly follows a message.
#[test]
fn one_by_one() {
    let dialog = format!("{ONE_BY_ONE}{LEAVES}");
    let peer = listen(&["PIPELINING"], &dialog);
    let mailer = Mailer::new(config(&peer));
    let results = mailer.send_all(messages(2)).one_by_one(true);
    assert_eq!(results.filter(Result::is_ok).count(), 2);
    drop(mailer);
    peer.finish();

    let peer = listen(&["PIPELINING"], &dialog);
    let mailer = Mailer::new(config(&peer));
    let all = mailer.send_all(messages(2)).one_by_one(true).concurrency(1);
    let mut sent = 0;
    all.for_each(|_, result| sent += usize::from(result.is_ok()));
    assert_eq!(sent, 2);
    drop(mailer);
    peer.finish();
}
