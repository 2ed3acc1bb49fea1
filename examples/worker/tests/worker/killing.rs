//! Workers are killed at random under load, and the server makes every kind of trouble.

use crate::processes::{Aside, Redis, THREADS, Worker};
use crate::sink::{Sink, State, Trouble};
use crate::{id, message, times};
use std::collections::{HashMap, HashSet};
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

const JOBS: usize = 300;
const WORKERS: usize = 4;
const KILLS: usize = 20;

/// A job that the test put into the queue.
struct Put {
    name: String,
    to: Vec<String>,
    again: bool,
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn nothing_is_lost_and_nothing_is_sent_twice_unknown_to_the_queue() {
    let seed = seed();
    println!("SMTPLIB_TEST_SEED={seed} chooses the same again");
    let redis = Redis::start();
    let sink = Sink::start(move |number| trouble(number, dice(seed, number)));
    let jobs: HashMap<String, Put> = (0..JOBS).map(|number| put(&redis, number)).collect();

    let server = sink.address.to_string();
    let mut workers: Vec<Worker> = (0..WORKERS).map(|_| redis.worker(&server)).collect();
    for kill in 0..KILLS {
        let dice = dice(!seed, kill as u64);
        thread::sleep(Duration::from_millis(50 + dice % 300));
        // The newest workers are at the end.
        let place = if dice % 3 == 0 { WORKERS - 1 } else { 0 };
        workers.remove(place).kill();
        workers.push(redis.worker(&server));
    }
    redis.wait_until_empty();
    redis.program().args(["stop"]).success();
    for worker in workers {
        assert!(worker.wait().success());
    }

    let refused = by_recipient(redis.set_aside("mail:refused"));
    let unknown = by_recipient(redis.set_aside("mail:unknown"));
    let state = sink.state();
    for (job, put) in &jobs {
        for to in &put.to {
            let place = (job.clone(), to.clone());
            let reports = (refused.get(&place), unknown.get(&place));
            assert_accounted(put, to, times(&state, &id(&put.name), to), reports);
        }
    }
    assert_explained(&jobs, &state, unknown.into_keys());
}

/// Asserts that each recipient has the message once, or that there is a report.
fn assert_accounted(
    put: &Put,
    to: &str,
    times: u32,
    (refused, unknown): (Option<&String>, Option<&String>),
) {
    let what = format!(
        "{} for {to}: {times} times, {refused:?}, {unknown:?}",
        put.name
    );
    match (refused, unknown) {
        (None, None) if put.again => assert!(times >= 1, "{what}"),
        (None, None) => assert_eq!(times, 1, "{what}"),
        (Some(why), None) => {
            assert!(times == 0 && why.contains(": 550 "), "{what}");
            assert!(to.starts_with("nobody"), "{what}");
        }
        (None, Some(_)) => assert!(times <= 1 && !put.again, "{what}"),
        (Some(_), Some(_)) => panic!("{what}"),
    }
}

/// Asserts that the server's silences and the killed workers explain all reports, and all
/// duplicates of jobs that allow them.
fn assert_explained(
    jobs: &HashMap<String, Put>,
    state: &State,
    unknown: impl Iterator<Item = (String, String)>,
) {
    let mut unclear: HashSet<&str> = unknown.map(|(job, _)| &*jobs[&job].name).collect();
    let again = jobs.values().filter(|put| put.again);
    unclear.extend(again.filter_map(|put| {
        let has_two = |to: &String| times(state, &id(&put.name), to) > 1;
        put.to.iter().any(has_two).then_some(&*put.name)
    }));
    unclear.retain(|name| !state.unanswered.contains(&id(name)));
    println!(
        "{} jobs were unclear because of their workers",
        unclear.len()
    );
    assert!(unclear.len() <= KILLS * THREADS, "{unclear:?}");
}

/// Puts a job, and returns its id.
fn put(redis: &Redis, number: usize) -> (String, Put) {
    let names = match number % 5 {
        0 => &["ann", "nobody", "ben"][..],
        1 => &["ann", "ben"],
        2 => &["nobody"],
        _ => &["ann"],
    };
    let put = Put {
        name: format!("job-{number}"),
        to: names
            .iter()
            .map(|name| format!("{name}@example.org"))
            .collect(),
        again: number % 3 == 0,
    };
    let again = if put.again { "yes" } else { "no" };
    let job = redis.put(&put.to.join("\n"), &message(&put.name), again);
    (job, put)
}

/// The reasons by job and recipient. There is never more than one.
fn by_recipient(asides: Vec<Aside>) -> HashMap<(String, String), String> {
    let mut reasons = HashMap::new();
    for aside in &asides {
        for to in aside["to"].lines() {
            let place = (aside["job"].clone(), to.to_owned());
            let before = reasons.insert(place, aside["why"].clone());
            assert_eq!(before, None, "{aside:?}");
        }
    }
    reasons
}

/// The trouble for a message, by its number. There is none after the first 350, so that the pauses
/// between attempts stay short.
fn trouble(number: u64, dice: u64) -> Trouble {
    match dice % 100 {
        _ if number > 350 => Trouble::Late(Duration::ZERO),
        0..4 => Trouble::SenderLater,
        4..8 => Trouble::RecipientLater,
        8..12 => Trouble::DataLater,
        12..16 => Trouble::DropBefore,
        16..18 => Trouble::DropTaken,
        18..20 => Trouble::DropUntaken,
        _ => Trouble::Late(Duration::from_millis(dice / 100 % 200)),
    }
}

/// A number that depends only on these two (splitmix64).
fn dice(seed: u64, throw: u64) -> u64 {
    let mut x = seed.wrapping_add(throw.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn seed() -> u64 {
    match env::var("SMTPLIB_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().hash_one(0_u8),
    }
}
