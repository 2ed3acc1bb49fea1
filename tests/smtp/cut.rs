//! A batch whose connection is cut after each byte, under every policy: the results agree with what
//! the server has.
use smtplib::connection::Consignment;
use smtplib::{Address, Config, Envelope, RecipientStatus, Security};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a server has accepted: the first line of a message, and the recipient.
type Taken = Vec<(String, String)>;

/// What a server offers, whether it speaks LMTP, and whether messages wait for each other.
#[derive(Clone, Copy)]
struct Way {
    offers: &'static [&'static str],
    lmtp: bool,
    single: bool,
}

impl Way {
    const fn new(offers: &'static [&'static str]) -> Self {
        Self {
            offers,
            lmtp: false,
            single: false,
        }
    }

    const fn lmtp(self) -> Self {
        Self { lmtp: true, ..self }
    }

    const fn single(self) -> Self {
        Self {
            single: true,
            ..self
        }
    }

    fn has(self, offer: &str) -> bool {
        self.offers.contains(&offer)
    }

    /// Whether a message may come with its envelope, once one was accepted.
    fn is_early(self) -> bool {
        self.has("PIPELINING") && self.has("CHUNKING") && !self.lmtp
    }
}

const WAYS: [Way; 9] = [
    Way::new(&[]),
    Way::new(&["CHUNKING"]),
    Way::new(&["PIPELINING"]),
    Way::new(&["PIPELINING", "CHUNKING"]),
    Way::new(&["PIPELINING"]).single(),
    Way::new(&["PIPELINING", "CHUNKING"]).single(),
    Way::new(&[]).lmtp(),
    Way::new(&["PIPELINING"]).lmtp(),
    Way::new(&["PIPELINING", "CHUNKING"]).lmtp(),
];

/// The server's side of one connection.
struct Dialog {
    stream: TcpStream,
    way: Way,
    left: usize,
    buffer: Vec<u8>,
    recipients: Vec<String>,
    report: Report,
}

/// What the server knows at the end.
#[derive(Default)]
struct Report {
    /// How many bytes it could still have read.
    left: usize,
    /// For how many messages the client has been told, by the reply to DATA or to the last
    /// recipient, that it may send them.
    invited: usize,
    taken: Taken,
}

impl Dialog {
    /// Runs until the client or the cut ends it.
    fn run(mut self) -> Report {
        let _ = self.talk();
        self.report.left = self.left;
        self.report
    }

    fn talk(&mut self) -> Option<()> {
        self.say("220 mx.example.org")?;
        loop {
            let line = self.line()?;
            match line.split(' ').next().unwrap_or_default() {
                "EHLO" | "LHLO" => {
                    self.say("250-mx.example.org")?;
                    for offer in self.way.offers {
                        self.say(&format!("250-{offer}"))?;
                    }
                    self.say("250 HELP")?;
                }
                "MAIL" | "RSET" => {
                    self.recipients.clear();
                    self.say("250 ok")?;
                }
                "RCPT" if line.contains("nobody@") => self.say("550 no")?,
                "RCPT" => {
                    self.recipients
                        .push(line["RCPT TO:<".len()..].replace('>', ""));
                    if self.way.has("CHUNKING") && line.contains("bob@") {
                        self.report.invited += 1;
                    }
                    self.say("250 ok")?;
                }
                "DATA" if self.recipients.is_empty() => self.say("554 nobody")?,
                "DATA" => {
                    self.report.invited += 1;
                    self.say("354 go")?;
                    let message = self.until(b"\r\n.\r\n")?;
                    self.take(&message)?;
                }
                "BDAT" => {
                    let size = line.split(' ').nth(1)?.parse().ok()?;
                    let message = self.exactly(size)?;
                    match self.recipients.is_empty() {
                        true => self.say("554 nobody")?,
                        false => self.take(&message)?,
                    }
                }
                _ => return self.say("221 bye"),
            }
        }
    }

    /// Accepts a message, and replies once, or once for each recipient.
    fn take(&mut self, message: &[u8]) -> Option<()> {
        let text = String::from_utf8_lossy(message);
        let first = text.lines().next().unwrap_or_default().to_owned();
        let recipients = std::mem::take(&mut self.recipients);
        let replies = if self.way.lmtp { recipients.len() } else { 1 };
        for recipient in recipients {
            self.report.taken.push((first.clone(), recipient));
        }
        (0..replies).try_for_each(|_| self.say("250 taken"))
    }

    fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).ok()
    }

    fn line(&mut self) -> Option<String> {
        let line = self.until(b"\r\n")?;
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    /// Returns everything before this end, and removes both.
    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self
                .buffer
                .windows(end.len())
                .position(|found| found == end);
            if let Some(at) = found {
                let rest = self.buffer.split_off(at + end.len());
                let mut before = std::mem::replace(&mut self.buffer, rest);
                before.truncate(at);
                return Some(before);
            }
            self.read()?;
        }
    }

    fn exactly(&mut self, size: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < size {
            self.read()?;
        }
        let rest = self.buffer.split_off(size);
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    /// Reads up to the cut.
    fn read(&mut self) -> Option<()> {
        let mut octets = [0; 512];
        let most = self.left.min(octets.len());
        let read = self.stream.read(&mut octets[..most]).ok()?;
        self.left -= read;
        self.buffer.extend_from_slice(&octets[..read]);
        (read > 0).then_some(())
    }
}

/// Serves one connection, which ends after this many bytes.
fn serve(way: Way, octets: usize) -> (Config, JoinHandle<Report>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = match way.lmtp {
        true => Config::lmtp("127.0.0.1", port),
        false => Config::new("127.0.0.1").port(port),
    };
    let config = config
        .security(Security::None)
        .hello_name("client.example")
        .timeout(Duration::from_secs(10));
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let dialog = Dialog {
            stream,
            way,
            left: octets,
            buffer: Vec::new(),
            recipients: Vec::new(),
            report: Report::default(),
        };
        dialog.run()
    });
    (config, server)
}

fn recipients(number: usize) -> [String; 3] {
    ["ann", "nobody", "bob"].map(|name| format!("{name}@m{number}.example"))
}

fn batch() -> impl Iterator<Item = Consignment<'static>> {
    (0..3).map(|number| {
        let to = recipients(number).map(|to| to.parse::<Address>().unwrap());
        (Envelope::new(None, to), format!("message {number}\n")).into()
    })
}

/// Sends the batch over a connection that is cut after this many bytes, and compares the results
/// with what the server has. Returns how many bytes it could still have read.
fn check(way: Way, cut: usize) -> usize {
    let (config, server) = serve(way, cut);
    let results = match config.connect() {
        Ok(mut smtp) => smtp.send_all(batch()).one_by_one(way.single).collect(),
        Err(_) => Vec::new(),
    };
    let Report {
        left,
        invited,
        taken,
    } = server.join().unwrap();
    let is_early = way.is_early() && taken.iter().any(|(first, _)| first == "message 0");
    let distinct: HashSet<_> = taken.iter().collect();
    assert_eq!(distinct.len(), taken.len(), "behind {cut}: {taken:?}");
    assert!(results.is_empty() || results.len() == 3, "behind {cut}");
    for (number, result) in results.iter().enumerate() {
        let outcome = match result {
            Ok(outcome) => Some(outcome),
            Err(error) => error.outcome(),
        };
        for (place, address) in recipients(number).into_iter().enumerate() {
            let is_taken = taken.contains(&(format!("message {number}"), address));
            let status = outcome.map(|outcome| outcome.recipients()[place].status());
            match status {
                Some(RecipientStatus::Accepted) => assert!(is_taken, "behind {cut}: {result:?}"),
                // Its end was sent, so the client was told that it might, or needed no word.
                Some(RecipientStatus::Unknown) => {
                    let may_be_early = is_early && number > 0;
                    assert!(number < invited || may_be_early, "behind {cut}: {result:?}");
                }
                _ => assert!(!is_taken, "behind {cut}: {result:?}"),
            }
        }
        if let (Err(error), None) = (result, outcome) {
            assert_eq!(error.delivery(), smtplib::Delivery::NotDelivered);
        }
    }
    left
}

// L1: under every policy, after each byte.
#[test]
fn a_batch_is_cut_behind_every_octet() {
    let threads = WAYS.map(|way| {
        thread::spawn(move || {
            let octets = 100_000 - check(way, 100_000);
            assert!(octets > 300);
            for cut in 0..octets {
                check(way, cut);
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

// A batch that is dropped before its end closes the connection, unless every message has its
// result.
#[test]
fn a_batch_is_dropped_before_its_end() {
    for way in WAYS {
        let (config, server) = serve(way, usize::MAX);
        let mut smtp = config.connect().unwrap();
        drop(smtp.send_all(batch()));
        assert!(smtp.is_reusable(), "nothing was begun");
        assert!(smtp.send_all(batch().take(1)).next().unwrap().is_ok());
        assert!(smtp.is_reusable(), "everything has its answer");
        let mut results = smtp.send_all(batch()).one_by_one(way.single);
        assert!(results.next().unwrap().is_ok());
        drop(results);
        let offers = smtp.capabilities();
        assert!(way.offers.iter().all(|offer| offers.has(offer)));
        let is_across = way.has("PIPELINING") && !way.single;
        assert_eq!(smtp.is_reusable(), !is_across, "{:?}", way.offers);
        drop(smtp);
        server.join().unwrap();
    }
}
