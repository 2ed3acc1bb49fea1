//! Round trips through Python's `email` package, with its default policy and with compat32.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use crate::facts::{Facts, assert_same};
use crate::generate::Sample;
use crate::parsed::message_count;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/message/read.py");

#[test]
#[ignore = "needs python3"]
fn python_reads_ten_thousand_messages_as_they_were_composed() {
    let mut python = Command::new("python3")
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        for seed in 0..message_count() {
            let octets = Sample::new(seed).message.to_bytes().unwrap();
            let length = u32::try_from(octets.len()).unwrap();
            input.write_all(&length.to_be_bytes()).unwrap();
            input.write_all(&octets).unwrap();
        }
    });
    let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
    for seed in 0..message_count() {
        let sample = Sample::new(seed);
        let octets = sample.message.to_bytes().unwrap();
        for policy in ["default", "compat32"] {
            let read = lines.by_ref().map(Result::unwrap);
            let read = Facts(read.take_while(|line| line != ".").collect());
            let reader = format!("Python with policy {policy}, message {seed},");
            let (read, meant) = match policy {
                // The older interface does not distinguish groups from the mailboxes in them.
                "compat32" => (read, sample.facts.without(&["group"])),
                // The newer one reads several spaces as one, and adds one between encoded-words in
                // a name.
                _ => (read.without_spaces(), sample.facts.without_spaces()),
            };
            assert_same(&read, &meant, &octets, &reader);
        }
    }
    writer.join().unwrap();
    assert!(python.wait().unwrap().success());
}
