//! Workers, with a Redis and a server that the tests start.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

mod killing;
mod processes;
mod program;
mod sink;

use crate::processes::{LEASE, Redis, wait_for};
use crate::program::Program;
use crate::sink::{Sink, State, Trouble};
use std::thread;
use std::time::Duration;

const PROMPT: Trouble = Trouble::Late(Duration::ZERO);

#[test]
fn what_is_missing_is_told() {
    let complaint = Program::new().args(["fly"]).failure();
    assert_eq!(
        complaint,
        "worker: give nothing to work, or put [--again] FROM TO..., status, again WHAT ID, stop\n"
    );
    let complaint = Program::new().failure();
    let start = "worker: the environment variable SMTP_URL is not set: ";
    assert!(complaint.starts_with(start), "{complaint}");
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn what_is_put_is_sent_until_the_worker_is_stopped() {
    let (redis, sink) = (Redis::start(), Sink::start(|_| PROMPT));
    let worker = redis.worker(&sink.address.to_string());
    let addresses = ["ann@example.com", "ben@example.org", "cleo@example.org"];
    let put = redis.program().args(["put"]).args(addresses).input("Hi!\n");
    let said = put.success();
    let (_, id) = said.trim().split_once(": ").unwrap();
    redis.wait_until_empty();

    let state = sink.state();
    for to in &addresses[1..] {
        assert_eq!(times(&state, id, to), 1, "{to}");
    }
    assert!(
        state
            .last
            .contains("\nTo: ben@example.org, cleo@example.org\n")
    );
    assert!(state.last.ends_with("\nHi!\n"), "{}", state.last);
    let status = redis.program().args(["status"]).success();
    assert_eq!(
        status,
        "0 in the queue, 0 of them for another try\n0 refused, 0 unknown\n"
    );
    redis.program().args(["stop"]).success();
    assert!(worker.wait().success());
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn jobs_of_a_worker_that_died_while_sending_are_set_aside_or_sent_again() {
    let hold = |number| if number < 2 { Trouble::Hold } else { PROMPT };
    let (redis, sink) = (Redis::start(), Sink::start(hold));
    let server = sink.address.to_string();
    let worker = redis.worker(&server);
    redis.put("ann@example.org", &message("once"), "no");
    redis.put("ann@example.org", &message("again"), "yes");
    let taken = |name| times(&sink.state(), &id(name), "ann@example.org");
    wait_for(|| taken("once") == 1 && taken("again") == 1);
    worker.kill();
    let _worker = redis.worker(&server);
    redis.wait_until_empty();

    assert_eq!((taken("once"), taken("again")), (1, 2));
    let unknown = redis.set_aside("mail:unknown");
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0]["why"], "the worker died while sending");
    assert_eq!(unknown[0]["to"], "ann@example.org");
    assert_eq!(unknown[0]["data"], message("once"));

    let status = redis.program().args(["status"]).success();
    let [_, "0 refused, 1 unknown", line] = status.lines().collect::<Vec<_>>()[..] else {
        panic!("{status}");
    };
    let (what, why) = line.split_once(": ").unwrap();
    assert_eq!(why, "ann@example.org: the worker died while sending");
    let again = redis.program().args(["again"]).args(what.split(' '));
    again.success();
    redis.wait_until_empty();
    assert_eq!((taken("once"), taken("again")), (2, 2));
    assert!(redis.set_aside("mail:unknown").is_empty());
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn jobs_of_a_worker_that_died_before_it_began_are_sent() {
    let (redis, sink) = (Redis::start(), Sink::start(|_| PROMPT));
    redis.ask::<()>(&["XGROUP", "CREATE", "mail", "senders", "0", "MKSTREAM"]);
    redis.put("ann@example.org", &message("once"), "no");
    let dead = ["GROUP", "senders", "dead", "STREAMS", "mail", ">"];
    let read: redis::Value = redis.ask(&[&["XREADGROUP"], &dead[..]].concat());
    assert_ne!(read, redis::Value::Nil);
    let _worker = redis.worker(&sink.address.to_string());
    redis.wait_until_empty();
    assert_eq!(times(&sink.state(), &id("once"), "ann@example.org"), 1);
}

// A stopped worker looks dead, and changes nothing when it continues.
#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn a_worker_that_was_given_up_changes_nothing() {
    let hold = |number| if number < 1 { Trouble::Hold } else { PROMPT };
    let (redis, sink) = (Redis::start(), Sink::start(hold));
    let server = sink.address.to_string();
    let sleeper = redis.worker(&server);
    redis.put("ann@example.org", &message("once"), "no");
    let taken = || times(&sink.state(), &id("once"), "ann@example.org");
    wait_for(|| taken() == 1);
    sleeper.signal("STOP");
    let _other = redis.worker(&server);
    redis.wait_until_empty();
    sink.release();
    sleeper.signal("CONT");
    redis.program().args(["stop"]).success();
    assert!(sleeper.wait().success());
    assert_eq!(taken(), 1);
    assert_eq!(redis.set_aside("mail:unknown").len(), 1);
    let said = redis.said();
    assert!(
        said.contains(": settled before, or claimed by another worker"),
        "{said}"
    );
    redis.wait_until_empty();
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn a_job_of_another_worker_is_not_begun() {
    let redis = Redis::start();
    redis.ask::<()>(&["XGROUP", "CREATE", "mail", "senders", "0", "MKSTREAM"]);
    let job = redis.put("ann@example.org", &message("once"), "no");
    let read = ["GROUP", "senders", "one", "STREAMS", "mail", ">"];
    redis.ask::<redis::Value>(&[&["XREADGROUP"], &read[..]].concat());
    let known = format!("mail:job:{job}");
    let begin = |worker| -> bool {
        let script = include_str!("../../src/begin.lua");
        redis.ask(&["EVAL", script, "2", "mail", &known, &job, worker])
    };
    assert!(!begin("other"));
    assert!(begin("one"));
    // As if the first reply had been lost.
    assert!(begin("one"));
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn a_slow_server_does_not_make_a_worker_look_dead() {
    let hold = |number| if number < 1 { Trouble::Hold } else { PROMPT };
    let (redis, sink) = (Redis::start(), Sink::start(hold));
    let server = sink.address.to_string();
    let _workers = [redis.worker(&server), redis.worker(&server)];
    redis.put("ann@example.org", &message("once"), "no");
    let taken = || times(&sink.state(), &id("once"), "ann@example.org");
    wait_for(|| taken() == 1);
    thread::sleep(2 * LEASE);
    sink.release();
    redis.wait_until_empty();
    assert_eq!(taken(), 1);
    assert!(redis.set_aside("mail:unknown").is_empty());
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn jobs_that_are_none_are_set_aside() {
    let (redis, sink) = (Redis::start(), Sink::start(|_| PROMPT));
    redis.put("ann@example.org", "", "no");
    redis.put("ann", &message("none"), "no");
    redis.ask::<String>(&["XADD", "mail", "*", "data", &message("none")]);
    let _worker = redis.worker(&sink.address.to_string());
    redis.wait_until_empty();
    let mut reasons: Vec<String> = redis
        .set_aside("mail:refused")
        .into_iter()
        .map(|aside| format!("{}: {}", aside["to"], aside["why"]))
        .collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            ": the message has no recipients: add at least one",
            "ann: \"ann\" is not an address: the address has no @",
            "ann@example.org: the job has no message in the field `data`",
        ]
    );
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn a_job_that_is_too_old_is_given_up() {
    let (redis, sink) = (Redis::start(), Sink::start(|_| Trouble::DataLater));
    let (old, data) = (["XADD", "mail", "1-0"], message("old"));
    let fields = ["to", "ann@example.org", "data", &data];
    redis.ask::<String>(&[&old[..], &fields].concat());
    let _worker = redis.worker(&sink.address.to_string());
    redis.wait_until_empty();
    let [aside] = &redis.set_aside("mail:refused")[..] else {
        panic!("not set aside");
    };
    assert_eq!(aside["job"], "1-0");
    assert_eq!(aside["why"], "ann@example.org was refused: 451 4.3.0 busy");
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn a_server_that_refuses_everybody_costs_no_job() {
    let (redis, sink) = (Redis::start(), Sink::start(|_| PROMPT));
    sink.close(true);
    let names = ["a", "b", "c", "d", "e", "f"];
    for name in names {
        redis.put("ann@example.org", &message(name), "no");
    }
    let _worker = redis.worker(&sink.address.to_string());
    wait_for(|| redis.ask::<u64>(&["ZCARD", "mail:later"]) > 0);
    sink.close(false);
    redis.wait_until_empty();
    for name in names {
        assert_eq!(times(&sink.state(), &id(name), "ann@example.org"), 1);
    }
    assert!(redis.set_aside("mail:refused").is_empty());
}

#[test]
#[ignore = "needs redis-server: see CONTRIBUTING.md"]
fn a_worker_outlives_redis() {
    let (mut redis, sink) = (Redis::start(), Sink::start(|_| PROMPT));
    let _worker = redis.worker(&sink.address.to_string());
    let send = |redis: &Redis, name| {
        redis.put("ann@example.org", &message(name), "no");
        wait_for(|| times(&sink.state(), &id(name), "ann@example.org") == 1);
        redis.wait_until_empty();
    };
    send(&redis, "before");
    redis.restart();
    send(&redis, "behind");
}

fn message(name: &str) -> String {
    format!("Message-ID: {}\r\n\r\nHi!\r\n", id(name))
}

fn id(name: &str) -> String {
    format!("<{name}@example.com>")
}

fn times(state: &State, id: &str, to: &str) -> u32 {
    let entry = (id.to_owned(), to.to_owned());
    state.taken.get(&entry).copied().unwrap_or_default()
}
