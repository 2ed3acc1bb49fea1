//! How much memory a large attachment takes: a process of its own, so that nobody else is counted.
#![cfg(target_os = "linux")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use smtplib::{Attachment, Config, Message, Security};

const SIZE: u64 = 100 << 20;
/// What sending may add to the idle program's memory, in KiB.
const LIMIT: u64 = 1 << 10;

/// One test at a time: the memory is the process's.
static ALONE: Mutex<()> = Mutex::new(());

// E3: a reply is kept once, however many recipients it answers.
#[test]
fn a_long_reply_to_2000_recipients_is_kept_once() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = "250-taken, and here is more than anybody wants to know about it\r\n";
    let taken = format!("{}250 taken", taken.repeat(110_000 / taken.len()));
    let length = taken.len() as u64;
    let server = thread::spawn(move || serve(&listener.accept().unwrap().0, &taken));
    let config = Config::new("127.0.0.1").port(port).security(Security::None);
    let mut smtp = config.connect().unwrap();
    let recipients: Vec<String> = (0..2000).map(|n| format!("r{n}@example.org")).collect();

    let before = peak();
    let outcome = smtp
        .sendmail("me@example.com", &recipients, "Hi!\n")
        .unwrap();
    let grown = peak() - before;

    assert!(outcome.is_complete());
    let replies = outcome.recipients().iter().filter_map(|r| r.reply());
    let octets: usize = replies.map(|reply| reply.raw().len()).sum();
    assert!(octets as u64 > 2000 * length);
    assert!(grown < 8 << 10, "2000 recipients took {grown} KiB");
    smtp.quit();
    server.join().unwrap();
}

#[test]
fn an_attachment_of_100_mib_is_sent_in_less_than_1_mib() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let file = tempfile::NamedTempFile::new().unwrap();
    // A sparse file: its zeros take no room, and are encoded like any other octets.
    file.as_file().set_len(SIZE).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(&listener.accept().unwrap().0, "250 taken"));
    let message = Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .attach(Attachment::from_path(file.path()).unwrap())
        .build()
        .unwrap();
    let config = Config::new("127.0.0.1").port(port).security(Security::None);
    let mut smtp = config.connect().unwrap();

    let before = peak();
    assert!(smtp.send_message(&message).unwrap().is_complete());
    let grown = peak() - before;

    smtp.quit();
    let received = server.join().unwrap();
    assert!(received > SIZE / 3 * 4, "{received} octets arrived");
    assert!(grown < LIMIT, "sending took {grown} KiB");
}

#[test]
fn an_attachment_of_100_mib_goes_to_other_places_in_less_than_1_mib() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(SIZE).unwrap();
    let message = Message::builder()
        .from("me@example.com")
        .to("ann@example.org")
        .attach(Attachment::from_path(file.path()).unwrap())
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let made = Command::new("sh")
        .args([
            "-c",
            "printf '#!/bin/sh\nwc -c >\"$0.octets\"' >\"$0\"; chmod +x \"$0\"",
        ])
        .arg(&program)
        .status();
    assert!(made.unwrap().success());
    for config in [
        Config::maildir(folder.path().join("mail")),
        Config::sendmail_command(&program),
    ] {
        for ignored in ["DSN", "CHUNKING"] {
            let mut smtp = config.clone().ignore([ignored]).connect().unwrap();
            let before = peak();
            assert!(smtp.send_message(&message).unwrap().is_complete());
            let grown = peak() - before;
            assert!(grown < LIMIT, "{config} took {grown} KiB without {ignored}");
        }
    }
    for kept in fs::read_dir(folder.path().join("mail/new")).unwrap() {
        assert!(kept.unwrap().metadata().unwrap().len() > SIZE / 3 * 4);
    }
    let octets = fs::read_to_string(program.with_extension("octets")).unwrap();
    assert!(octets.trim().parse::<u64>().unwrap() > SIZE / 3 * 4);
}

/// The most memory this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Takes one message without keeping it, and counts its octets.
fn serve(stream: &TcpStream, taken: &str) -> u64 {
    let mut input = BufReader::new(stream);
    let reply = |text: &str| {
        (&*stream)
            .write_all(format!("{text}\r\n").as_bytes())
            .unwrap();
    };
    reply("220 mx.example.org");
    let mut received = 0;
    while let Some(line) = next_line(&mut input) {
        match line.get(..4) {
            Some("DATA") => {
                reply("354 go ahead");
                received = swallow(&mut input);
                reply(taken);
            }
            Some("QUIT") => reply("221 bye"),
            _ => reply("250 fine"),
        }
    }
    received
}

fn next_line(input: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    (input.read_line(&mut line).unwrap() > 0).then_some(line)
}

fn swallow(input: &mut impl Read) -> u64 {
    let (mut buffer, mut received, mut tail) = ([0; 64 << 10], 0, Vec::new());
    loop {
        let read = input.read(&mut buffer).unwrap();
        received += read as u64;
        tail.extend_from_slice(&buffer[read.saturating_sub(5)..read]);
        tail.drain(..tail.len().saturating_sub(5));
        if read == 0 || tail == b"\r\n.\r\n" {
            return received;
        }
    }
}
