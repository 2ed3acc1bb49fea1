//! Many threads, and a server that drops, delays and refuses at random. Every message has exactly
//! one result, and the server has it exactly as often as reported.
use super::crowd::{Answer, Crowd};
use smtplib::connection::Consignment;
use smtplib::{Address, Delivery, Envelope, Error, Mailer, Outcome, Retry};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// A number from 0 to 999 that depends only on these two.
fn dice(seed: usize, throw: usize) -> u64 {
    let mut x = (seed as u64) << 32 | throw as u64;
    for _ in 0..3 {
        x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x ^= x >> 32;
    }
    x % 1000
}

/// Trouble at two of a hundred commands.
fn moody(seed: usize) -> impl Fn(usize, usize, &str) -> Answer + Send + Sync + 'static {
    move |connection, command, line| {
        if ["CONNECT", "EHLO client.example", "QUIT"].contains(&line) {
            return Answer::Usual;
        }
        match dice(seed * 7919 + connection, command) {
            0..5 => Answer::Drop,
            5..8 => Answer::Farewell("421 enough"),
            8..12 if !line.starts_with("RSET") && line != "DATA" => Answer::Reply("451 later"),
            12..16 if !line.starts_with("RSET") => Answer::Reply("550 no"),
            16..30 => Answer::Late(MS),
            _ => Answer::Usual,
        }
    }
}

fn message(name: &str) -> Consignment<'static> {
    let to: Address = "ann@example.org".parse().unwrap();
    (Envelope::new(to.clone(), [to]), format!("{name}\r\n")).into()
}

/// Compares what was reported about a message with what the server has.
fn compare(name: &str, result: &Result<Outcome, Error>, times: usize) {
    match result {
        Ok(outcome) => assert!(outcome.is_complete() && times == 1, "{name}: {times} times"),
        Err(error) if error.delivery() == Delivery::Unknown => {
            assert!(times <= 1, "{name}: {times} times, and {error}");
        }
        Err(error) => assert_eq!(times, 0, "{name}: {error:?}"),
    }
}

const OFFERS: [&[&str]; 3] = [&[], &["PIPELINING"], &["PIPELINING", "CHUNKING"]];

#[test]
fn threads_and_a_moody_server() {
    for (seed, offers) in OFFERS.into_iter().enumerate() {
        let server = Crowd::new(offers, moody(seed));
        let mailer = Mailer::new(server.config())
            .connections(4)
            .max_wait(60_000 * MS)
            .retry(Retry::new(2).pauses(MS, MS));
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..200 {
                let (mailer, results) = (&mailer, &results);
                scope.spawn(move || {
                    for nth in 0..3 {
                        let name = format!("{number}-{nth}");
                        let to = "ann@example.org";
                        let result = mailer.sendmail(to, to, format!("{name}\r\n"));
                        results.lock().unwrap().push((name, result));
                    }
                });
            }
        });
        let taken = server.taken();
        let results = results.into_inner().unwrap();
        assert_eq!(results.len(), 600);
        for (name, result) in &results {
            compare(name, result, taken.get(name).copied().unwrap_or_default());
        }
        let sent = results.iter().filter(|(_, result)| result.is_ok()).count();
        assert!(sent > 500, "{sent}");
        drop(mailer);
        server.finish();
    }
}

#[test]
fn batches_and_a_moody_server() {
    for (seed, offers) in OFFERS.into_iter().enumerate() {
        for threads in [1, 4] {
            let server = Crowd::new(offers, moody(seed + 10 * threads));
            let mut mailer = Mailer::new(server.config());
            if threads == 4 {
                mailer = mailer.retry(Retry::new(3).pauses(MS, 3 * MS));
            }
            let names: Vec<String> = (0..400).map(|number| number.to_string()).collect();
            let mut results: Vec<Option<Result<Outcome, Error>>> = Vec::new();
            results.resize_with(names.len(), || None);
            let all = names.iter().map(|name| message(name));
            mailer
                .send_all(all)
                .concurrency(threads)
                .for_each(|place, result| {
                    assert!(results[place].replace(result).is_none());
                });
            let taken = server.taken();
            for (name, result) in names.iter().zip(&results) {
                let times = taken.get(name).copied().unwrap_or_default();
                compare(name, result.as_ref().unwrap(), times);
            }
            drop(mailer);
            server.finish();
        }
    }
}

// The first call is served first: with one connection, no thread gets far ahead of another.
#[test]
fn nobody_starves() {
    let server = Crowd::new(&["PIPELINING"], |_, _, _| Answer::Usual);
    let mailer = Mailer::new(server.config())
        .connections(2)
        .messages_per_connection(10_000)
        .max_wait(60_000 * MS);
    let counts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let to = "ann@example.org";
                        assert!(mailer.sendmail(to, to, "x\r\n").is_ok());
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().is_ok())
            .collect()
    });
    assert_eq!(counts, vec![true; 50]);
    assert!(server.most_open() <= 2 && server.connections() <= 2);
    drop(mailer);
    server.finish();
}
