//! A process that can start no threads.
use super::batch::{all_once, messages};
use super::crowd::{Answer, Crowd, config};
use smtplib::Mailer;
use std::env;
use std::process::Command;
use std::thread;

const COUNT: usize = 20;
/// The port of the server, for a process that can start no threads.
const SERVED: &str = "SMTPLIB_TEST_SERVED";

#[test]
fn without_another_thread_the_calling_one_sends() {
    let server = Crowd::new(&[], |_, _, _| Answer::Usual);
    let mut program = Command::new(env::current_exe().unwrap());
    let test = "mailer::threadless::a_list_sent_without_threads";
    let program = program
        .args(["--exact", test, "--ignored", "--test-threads=1"])
        .env(SERVED, server.port().to_string())
        // Nearly all that can be addressed, also in 32 bits: no thread can have a stack of this size.
        .env("RUST_MIN_STACK", (usize::MAX - (1 << 24) + 1).to_string());
    let output = program.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "there is no test {test}");
    all_once(&server, COUNT);
    server.finish();
}

#[test]
#[ignore = "run by without_another_thread_the_calling_one_sends in a process of its own"]
fn a_list_sent_without_threads() {
    let Ok(port) = env::var(SERVED) else {
        return;
    };
    assert!(thread::Builder::new().spawn(|| ()).is_err());
    let mailer = Mailer::new(config(port.parse().unwrap()));
    let mut places = Vec::new();
    mailer
        .send_all(messages(COUNT))
        .concurrency(4)
        .for_each(|place, result| {
            assert!(result.unwrap().is_complete());
            places.push(place);
        });
    assert_eq!(places, (0..COUNT).collect::<Vec<_>>());
}
