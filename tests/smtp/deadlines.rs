//! Each step has its budget. A peer that drips or does not read cannot extend it.
use crate::peer::{Peer, Server, TestCa};
use crate::support::sending::{budgets, config, facts, listen, script, send_hi, taken};
use smtplib::config::Timeouts;
use smtplib::{Config, Error, Security};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough, on a machine under load, for the steps before that must succeed.
const BUDGET: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(5);

const ENVELOPE: &str =
    "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n";

/// Sends with these budgets, and returns the error, which must come soon but not too soon.
fn send_late(peer: Peer, configure: impl FnOnce(Config) -> Config) -> Error {
    send_later_than(BUDGET, peer, configure)
}

fn send_later_than(
    budget: Duration,
    peer: Peer,
    configure: impl FnOnce(Config) -> Config,
) -> Error {
    let mut smtp = configure(config(&peer)).connect().unwrap();
    let begin = Instant::now();
    let error = send_hi(&mut smtp, &["ann@example.org"]).unwrap_err();
    assert!((budget..SOON).contains(&begin.elapsed()), "{error}");
    assert!(!smtp.is_reusable());
    peer.finish();
    error
}

// F7: a server that replies to a group at once has the time of its slowest command.
#[test]
fn a_group_has_the_time_of_its_slowest_command() {
    let group = "
        C: MAIL FROM:<me@client.example>
        C: RCPT TO:<ann@example.org>
        C: DATA
        ";
    let patient = budgets(|all| all.command(BUDGET).data(SOON));
    let peer = listen(
        &["PIPELINING"],
        &format!("{group}S~1500ms: 250 ok\nS: 250 ok\nS: 354 go\nCdata 5\nS: 250 taken\n"),
    );
    let mut smtp = config(&peer).timeouts(patient).connect().unwrap();
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    drop(smtp);
    peer.finish();

    let hasty = budgets(|all| all.command(BUDGET).data(2 * BUDGET));
    let peer = listen(&["PIPELINING"], &format!("{group}Cclose\n"));
    let error = send_later_than(2 * BUDGET, peer, |config| config.timeouts(hasty));
    assert_eq!(
        facts(&error),
        "not delivered, transient, timeout, closed, at MAIL"
    );
}

// 5321-58 to 5321-62, B16: only the budget of the step counts.
#[test]
fn each_step_has_its_own_budget() {
    type Set = fn(Timeouts, Duration) -> Timeouts;
    let steps: [(&str, Set, &str); 4] = [
        (
            "C: MAIL FROM:<me@client.example>",
            Timeouts::command,
            "not delivered, transient, timeout, closed, at MAIL",
        ),
        (
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>",
            Timeouts::command,
            "not delivered, transient, timeout, closed, at RCPT",
        ),
        (
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA",
            Timeouts::data,
            "not delivered, transient, timeout, closed, at DATA",
        ),
        (
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
             C: DATA\nS: 354 go\nCdata 5",
            Timeouts::end_of_data,
            "unknown, timeout, closed, at the end of the message",
        ),
    ];
    thread::scope(|scope| {
        for (dialog, set, expected) in steps {
            scope.spawn(move || {
                let peer = listen(&[], &format!("{dialog}\nCclose\n"));
                let budgets = budgets(|all| set(all, BUDGET));
                let error = send_late(peer, |config| config.timeouts(budgets));
                assert_eq!(facts(&error), expected);
            });
        }
    });
}

// 5321-62: the reply to the message may take longer than every other.
#[test]
fn the_end_of_data_is_waited_for() {
    let dialog = format!("{ENVELOPE}C: DATA\nS: 354 go\nCdata 5\nS~1500ms: 250 taken\n");
    let peer = listen(&[], &dialog);
    let brief = budgets(|all| all.data(BUDGET).body(BUDGET));
    let mut smtp = config(&peer).timeouts(brief).connect().unwrap();
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    peer.finish();
}

// 5321-63, L3: a reply that drips may not take longer than its budget.
#[test]
fn a_dripping_reply() {
    for (dialog, expected) in [
        (
            "C: MAIL FROM:<me@client.example>\nS.. 20ms forever raw: 250-x\\r\\n\n",
            "not delivered, transient, timeout, closed, at MAIL",
        ),
        (
            "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
             C: DATA\nS: 354 go\nCdata 5\nS.. 60ms: 250 this will take longer than anybody has time\n",
            "unknown, timeout, closed, at the end of the message",
        ),
    ] {
        let peer = listen(&[], dialog);
        let error = send_late(peer, |config| config.timeout(BUDGET));
        assert_eq!(facts(&error), expected);
    }
}

// 5321-56: each reply has the whole budget: a server may use a third of it for every reply.
#[test]
fn budgets_are_per_command() {
    let pause = 300;
    let dialog = format!(
        "C: MAIL FROM:<me@client.example>\nS~{pause}ms: 250 ok\n\
         C: RCPT TO:<ann@example.org>\nS~{pause}ms: 250 ok\n\
         C: DATA\nS~{pause}ms: 354 go\nCdata 5\nS~{pause}ms: 250 taken\n"
    );
    let peer = listen(&[], &dialog);
    let mut smtp = config(&peer)
        .timeout(Duration::from_secs(1))
        .connect()
        .unwrap();
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    peer.finish();
}

// The deadline of a whole call is shorter than the sum of its steps.
#[test]
fn a_deadline_for_the_whole_call() {
    let dialog = "C: MAIL FROM:<me@client.example>\nS~100ms: 250 ok\n\
         C: RCPT TO:<ann@example.org>\nS~100ms: 250 ok\n\
         C: DATA\nS~100ms: 354 go\nCdata 5\nCclose\n";
    let peer = listen(&[], dialog);
    let error = send_late(peer, |config| config.deadline(Duration::from_secs(2)));
    assert_eq!(
        facts(&error),
        "unknown, timeout, closed, at the end of the message"
    );
}

/// 8 MiB, more than all buffers between client and server hold.
fn much() -> Vec<u8> {
    b"0123456789abcdef0123456789abcde\n".repeat(256 * 1024)
}

// 5321-61, L4: a server that does not read, plain and within TLS: the budget of the message counts.
#[test]
fn a_server_that_does_not_read() {
    let dialog = format!("{ENVELOPE}C: DATA\nS: 354 go\nstop-reading\n");
    for is_tls in [false, true] {
        let script = script(&[], &dialog).recv_buffer(4096);
        let brief = budgets(|all| all.body(BUDGET));
        let (peer, security) = if is_tls {
            (script.listen_tls(), Security::ImplicitTls)
        } else {
            (script.listen(), Security::None)
        };
        let mut smtp = config(&peer)
            .security(security)
            .tls_connector(TestCa::get().connector())
            .timeouts(brief)
            .connect()
            .unwrap();
        let begin = Instant::now();
        let error = smtp
            .sendmail("me@client.example", ["ann@example.org"], much())
            .unwrap_err();
        assert!((BUDGET..SOON).contains(&begin.elapsed()));
        assert_eq!(
            facts(&error),
            "not delivered, transient, timeout, closed, at the message"
        );
        drop(smtp);
        peer.finish();
    }
}

// 5321-61: the budget is for each part of the message, so a slow server that makes progress may go
// on.
#[test]
fn progress_is_enough() {
    let dialog = format!(
        "{ENVELOPE}C: DATA\nS: 354 go\nslow-read 16384 per 20ms\nCdata\nslow-read off\nS: 250 taken\n"
    );
    let peer = script(&[], &dialog).recv_buffer(16 * 1024).listen();
    let brief = budgets(|all| all.body(Duration::from_secs(1)));
    let mut smtp = config(&peer).timeouts(brief).connect().unwrap();
    let begin = Instant::now();
    let message = &much()[..1 << 20];
    taken(smtp.sendmail("me@client.example", ["ann@example.org"], message));
    assert!(begin.elapsed() > Duration::from_secs(1));
    peer.finish();
}

// L3: the server is silent, and `quit` waits only for its budget.
#[test]
fn quit_does_not_wait_for_ever() {
    let peer = listen(&[], "C: QUIT\nCclose\n");
    let smtp = config(&peer)
        .timeouts(budgets(|all| all.quit(BUDGET)))
        .connect()
        .unwrap();
    let begin = Instant::now();
    assert_eq!(smtp.quit(), None);
    assert!((BUDGET..SOON).contains(&begin.elapsed()));
    peer.finish();
}

// A budget that is long enough changes nothing.
#[test]
fn in_time() {
    let peer = Server::new().script().listen();
    let mut smtp = config(&peer).deadline(SOON).connect().unwrap();
    for _ in 0..3 {
        taken(send_hi(&mut smtp, &["ann@example.org"]));
    }
    drop(smtp);
    peer.finish();
}
