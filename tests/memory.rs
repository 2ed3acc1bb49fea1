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
use std::thread;

use smtplib::{Attachment, Config, Message, Security};

const SIZE: u64 = 100 << 20;
/// What sending may add to the idle program's memory, in KiB.
const LIMIT: u64 = 1 << 10;

#[test]
fn an_attachment_of_100_mib_is_sent_in_less_than_1_mib() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // A sparse file: its zeros take no room, and are encoded like any other octets.
    file.as_file().set_len(SIZE).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(&listener.accept().unwrap().0));
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
fn serve(stream: &TcpStream) -> u64 {
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
                reply("250 taken");
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
