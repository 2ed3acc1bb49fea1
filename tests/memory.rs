//! How much memory a large attachment takes. This is a separate process, so that nothing else is
//! counted.
#![cfg(target_os = "linux")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use smtplib::{Attachment, Config, Mailer, Message, Security};

const SIZE: u64 = 100 << 20;
/// How much memory sending may add to that of the idle program, in KiB.
const LIMIT: u64 = 1 << 10;

/// Replies to EHLO.
const PLAIN: &str = "250 mx.example.org";
const PIPELINING: &str = "250-mx.example.org\r\n250 PIPELINING";

/// Only one test at a time, because the memory of the whole process is measured.
static ALONE: Mutex<()> = Mutex::new(());

// E3: a reply is kept once, for any number of recipients.
#[test]
fn a_long_reply_to_2000_recipients_is_kept_once() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = "250-taken, and here is more than anybody wants to know about it\r\n";
    let taken = format!("{}250 taken", taken.repeat(110_000 / taken.len()));
    let length = taken.len() as u64;
    let server = thread::spawn(move || serve(&listener.accept().unwrap().0, PLAIN, &taken));
    let config = Config::new("127.0.0.1").port(port).security(Security::None);
    let mut smtp = config.connect().unwrap();
    let recipients: Vec<String> = (0..2000).map(|n| format!("r{n}@example.org")).collect();

    let before = peak();
    let outcome = smtp
        .sendmail("me@example.com", &recipients, "Hi!\n")
        .unwrap();
    let grown = grown_since(before);

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
    // A sparse file: its zeros take no space on the disk, and are encoded like other bytes.
    file.as_file().set_len(SIZE).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(&listener.accept().unwrap().0, PLAIN, "250 taken"));
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
    let grown = grown_since(before);

    smtp.quit();
    let received = server.join().unwrap();
    assert!(received > SIZE / 3 * 4, "{received} octets arrived");
    assert!(grown < LIMIT, "sending took {grown} KiB");
}

// Messages are made when there is room for them, and are dropped when they have a result.
#[test]
fn ten_thousand_messages_take_no_more_than_some() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        serve(&listener.accept().unwrap().0, PIPELINING, "250 taken");
    });
    let config = Config::new("127.0.0.1").port(port).security(Security::None);
    let mailer = Mailer::new(config).messages_per_connection(u64::MAX);
    let text = "Noon at the usual place?\n".repeat(50);
    let messages = (0..10_000).map(|number| {
        let message = Message::builder()
            .from("me@example.com")
            .to(format!("reader{number}@example.org"));
        message.text(text.as_str()).build().unwrap()
    });

    let before = peak();
    let sent = mailer.send_all(messages).filter(Result::is_ok).count();
    let grown = grown_since(before);

    assert_eq!(sent, 10_000);
    assert!(grown < 4 << 10, "10,000 messages took {grown} KiB");
    drop(mailer);
    server.join().unwrap();
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
            let grown = grown_since(before);
            assert!(grown < LIMIT, "{config} took {grown} KiB without {ignored}");
        }
    }
    for kept in fs::read_dir(folder.path().join("mail/new")).unwrap() {
        assert!(kept.unwrap().metadata().unwrap().len() > SIZE / 3 * 4);
    }
    let octets = fs::read_to_string(program.with_extension("octets")).unwrap();
    assert!(octets.trim().parse::<u64>().unwrap() > SIZE / 3 * 4);
}

/// How much more that is than before, in KiB. The kernel adds up rough counters of each processor, so
/// its figure can fall.
fn grown_since(before: u64) -> u64 {
    peak().saturating_sub(before)
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Accepts one message without keeping it, and counts its bytes.
fn serve(stream: &TcpStream, hello: &str, taken: &str) -> u64 {
    stream.set_nodelay(true).unwrap();
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
            Some("EHLO") => reply(hello),
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

fn swallow(input: &mut impl BufRead) -> u64 {
    let (mut line, mut received) = (Vec::new(), 0);
    loop {
        line.clear();
        received += input.read_until(b'\n', &mut line).unwrap() as u64;
        if line.is_empty() || line == b".\r\n" {
            return received;
        }
    }
}
