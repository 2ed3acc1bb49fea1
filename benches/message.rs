//! How fast messages are composed, each row beside a hand-written floor: `cargo bench --bench message`.
//!
//! Medians of many short rounds. What matters is a row's ratio to its floor, which moves less than the times.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a benchmark fails by panicking"
)]

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use base64::Engine;
use smtplib::{Attachment, Message};

/// The encoder by itself: a message takes quoted-printable only for what is mostly ASCII.
#[allow(
    dead_code,
    unused_imports,
    reason = "the library's own files, of which a bench needs a part"
)]
#[path = "../src/message"]
mod message {
    pub(crate) mod encoded_word;
    pub(crate) mod transfer {
        const BLOCK: usize = 8 * 1024;
        pub(crate) mod line_end;
        pub(crate) mod quoted_printable;
    }
}
use message::transfer::quoted_printable;

const MIB: usize = 1024 * 1024;
/// How long a row is measured.
const BUDGET: Duration = Duration::from_millis(700);

fn main() {
    // `cargo test --benches` runs this too, to see that it still compiles and works.
    let budget = if env::args().any(|argument| argument == "--bench") {
        BUDGET
    } else {
        Duration::ZERO
    };
    let bench = Bench { budget };
    bench.base64();
    bench.quoted_printable();
    bench.small();
    bench.attachment();
    bench.line_ends();
}

struct Bench {
    budget: Duration,
}

impl Bench {
    fn base64(&self) {
        heading("base64 in lines of 76, 100 KiB in cache", "MB/s");
        let data = noise(100 * 1024);
        let message = attachment_only(data.clone());
        let mut out = Vec::with_capacity(2 * data.len());
        let encoded = self.median(|| {
            out.clear();
            message.write_to(&mut out).unwrap();
        });
        let floor = self.median(|| {
            out.clear();
            block_by_block(black_box(&data), &mut out);
        });
        rate(
            "message with an attachment, written to a Vec",
            data.len(),
            encoded,
        );
        rate("floor: SIMD engine, blocks of 64 lines", data.len(), floor);
    }

    fn quoted_printable(&self) {
        heading("quoted-printable, 200 KB of text", "MB/s");
        for (name, line) in [
            (
                "ASCII",
                "The quick brown fox jumps over the lazy dog, and then it does so again and again.\n",
            ),
            (
                "5 % accents",
                "Die Bürger der Städte trafen sich am Abend im alten Rathaus und sprachen über alles, was \
                 in den letzten Jahren nicht so gut gelaufen war und sich ändern soll.\n",
            ),
            (
                "Cyrillic",
                "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний.\n",
            ),
        ] {
            let text = line.repeat(200_000 / line.len());
            let mut out = Vec::with_capacity(4 * text.len());
            let encoded = self.median(|| {
                out.clear();
                quoted_printable::write(black_box(text.as_bytes()), &mut out).unwrap();
            });
            let octets = out.len();
            let floor = self.median(|| {
                out.clear();
                out.extend_from_slice(black_box(text.as_bytes()));
            });
            rate(&format!("{name} ({octets} octets)"), text.len(), encoded);
            rate("floor: memcpy", text.len(), floor);
        }
    }

    fn small(&self) {
        heading("small message, built and rendered", "us");
        let built = self.median(|| {
            black_box(small().to_bytes().unwrap());
        });
        let floor = self.median(|| {
            let mut out = Vec::with_capacity(512);
            for line in [
                "Date: Thu, 01 Jan 1970 00:00:00 +0000",
                "From: Alice <alice@example.com>",
                "To: Bob <bob@example.org>",
                "Message-ID: <0123456789abcdef0123456789@example.com>",
                "Subject: Lunch?",
                "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8",
                "",
                "Noon at the usual place?",
            ] {
                out.extend_from_slice(black_box(line).as_bytes());
                out.extend_from_slice(b"\r\n");
            }
            black_box(out);
        });
        time("from, to, subject, text", built);
        time("floor: the same lines copied", floor);
    }

    fn attachment(&self) {
        heading("10 MiB attachment", "ms");
        let data = noise(10 * MIB);
        let message = attachment_only(data.clone());
        let rendered = self.median(|| {
            black_box(message.to_bytes().unwrap());
        });
        let floor = self.median(|| {
            let mut out = Vec::with_capacity(data.len().div_ceil(57) * 78);
            block_by_block(black_box(&data), &mut out);
            black_box(out);
        });
        let path = env::temp_dir().join(format!("smtplib-bench-{}", std::process::id()));
        fs::write(&path, &data).unwrap();
        let from_path = Message::builder()
            .from("a@example.org")
            .attach(Attachment::from_path(&path).unwrap())
            .build()
            .unwrap();
        let streamed = self.median(|| from_path.write_to(&mut Sink(0)).unwrap());
        let read = self.median(|| {
            io::copy(&mut fs::File::open(&path).unwrap(), &mut Sink(0)).unwrap();
        });
        fs::remove_file(&path).unwrap();
        time("in memory, to a Vec", rendered);
        time("floor: SIMD engine, blocks of 64 lines, exact Vec", floor);
        time("from a path, streamed to a sink", streamed);
        time("floor: the file read", read);
    }

    fn line_ends(&self) {
        heading("text with LF line ends, built and rendered", "ms");
        let line = "The quick brown fox jumps over the lazy dog, and again and again.\n";
        for mebibytes in [1, 4, 16] {
            let text = line.repeat(mebibytes * MIB / line.len());
            let built = self.median_with(&text, |text| {
                let message = Message::builder().from("a@example.org").text(text);
                black_box(message.build().unwrap().to_bytes().unwrap());
            });
            let floor = self.median(|| {
                let mut out = Vec::with_capacity(text.len() + text.len() / 16);
                for line in black_box(&*text).split_inclusive('\n') {
                    out.extend_from_slice(&line.as_bytes()[..line.len() - 1]);
                    out.extend_from_slice(b"\r\n");
                }
                black_box(out);
            });
            time(&format!("{mebibytes} MiB"), built);
            time("floor: one pass over the lines", floor);
        }
    }

    /// The median duration of a round.
    fn median(&self, mut round: impl FnMut()) -> Duration {
        self.median_with("", |_| round())
    }

    /// The median duration of a round that uses up a text.
    fn median_with(&self, text: &str, mut round: impl FnMut(String)) -> Duration {
        let begin = Instant::now();
        let mut rounds = Vec::new();
        while rounds.is_empty() || begin.elapsed() < self.budget {
            let text = text.to_owned();
            let start = Instant::now();
            round(text);
            rounds.push(start.elapsed());
        }
        rounds.sort_unstable();
        rounds[rounds.len() / 2]
    }
}

fn small() -> Message {
    Message::builder()
        .from("Alice <alice@example.com>")
        .to("Bob <bob@example.org>")
        .subject("Lunch?")
        .text("Noon at the usual place?\n")
        .build()
        .unwrap()
}

fn attachment_only(data: Vec<u8>) -> Message {
    Message::builder()
        .from("a@example.org")
        .attach(Attachment::new("noise.bin", data))
        .build()
        .unwrap()
}

/// What nobody would write by hand faster with the same engine.
fn block_by_block(data: &[u8], out: &mut Vec<u8>) {
    let engine = engine();
    let mut characters = [0; 64 * 76];
    for block in data.chunks(64 * 57) {
        let length = engine.encode_slice(block, &mut characters).unwrap();
        for line in characters[..length].chunks(76) {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn engine() -> impl Engine {
    base64::engine::Simd::standard(base64::engine::GeneralPurposeConfig::new())
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn engine() -> impl Engine {
    base64::engine::general_purpose::STANDARD
}

/// Octets without a pattern.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

/// Takes what is written, as a socket would.
struct Sink(u64);

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 += black_box(octets).len() as u64;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn heading(name: &str, unit: &str) {
    println!("\n{name:<60} {unit:>10}");
}

fn rate(name: &str, octets: usize, time: Duration) {
    println!(
        "  {name:<58} {:>10.0}",
        octets as f64 / 1e6 / time.as_secs_f64()
    );
}

fn time(name: &str, time: Duration) {
    let unit = if time < Duration::from_micros(100) {
        1e6
    } else {
        1e3
    };
    println!("  {name:<58} {:>10.2}", time.as_secs_f64() * unit);
}
