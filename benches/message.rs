//! How fast messages are composed, each row beside a hand-written floor: `cargo bench --bench
//! message`.
//!
//! Medians of many short rounds. What matters is a row's ratio to its floor, which moves less than
//! the times.
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
const TEXTS: [(&str, &str); 3] = [
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
];
const SMALL_LINES: [&str; 9] = [
    "Date: Thu, 01 Jan 1970 00:00:00 +0000",
    "From: Alice <alice@example.com>",
    "To: Bob <bob@example.org>",
    "Message-ID: <0123456789abcdef0123456789@example.com>",
    "Subject: Lunch?",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "Noon at the usual place?",
];
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
        let (mut out, mut other) = (Vec::with_capacity(MIB), Vec::with_capacity(MIB));
        let [ours, floor] = self.pair(
            || {
                out.clear();
                message.write_to(&mut out).unwrap();
            },
            || {
                other.clear();
                block_by_block(black_box(&data), &mut other);
            },
        );
        rate("message with an attachment, to a Vec", data.len(), ours);
        rate("floor: SIMD engine, blocks of 64 lines", data.len(), floor);
    }

    fn quoted_printable(&self) {
        heading("quoted-printable, 200 KB of text", "MB/s");
        for (name, line) in TEXTS {
            let text = line.repeat(200_000 / line.len());
            let (mut out, mut other) = (Vec::with_capacity(MIB), Vec::with_capacity(MIB));
            let [ours, floor] = self.pair(
                || {
                    out.clear();
                    quoted_printable::write(black_box(text.as_bytes()), &mut out).unwrap();
                },
                || {
                    other.clear();
                    other.extend_from_slice(black_box(text.as_bytes()));
                },
            );
            rate(name, text.len(), ours);
            rate("floor: memcpy", text.len(), floor);
        }
    }

    fn small(&self) {
        heading("small message, built and rendered", "us");
        let ours = || {
            black_box(small().to_bytes().unwrap());
        };
        let floor = || {
            let mut out = Vec::with_capacity(512);
            for line in SMALL_LINES {
                out.extend_from_slice(black_box(line).as_bytes());
                out.extend_from_slice(b"\r\n");
            }
            black_box(out);
        };
        let [ours, floor] = self.pair(ours, floor);
        time("from, to, subject, text", ours);
        time("floor: the same lines copied", floor);
    }

    fn attachment(&self) {
        heading("10 MiB attachment", "ms");
        let data = noise(10 * MIB);
        let message = attachment_only(data.clone());
        let [ours, floor] = self.pair(
            || {
                black_box(message.to_bytes().unwrap());
            },
            || {
                let mut out = Vec::with_capacity(data.len().div_ceil(57) * 78);
                block_by_block(black_box(&data), &mut out);
                black_box(out);
            },
        );
        time("in memory, to a Vec", ours);
        time("floor: SIMD engine, blocks of 64 lines, exact Vec", floor);
        let path = env::temp_dir().join(format!("smtplib-bench-{}", std::process::id()));
        fs::write(&path, &data).unwrap();
        let file = Attachment::from_path(&path).unwrap();
        let message = Message::builder().from("a@example.org").attach(file);
        let message = message.build().unwrap();
        let [ours, floor] = self.pair(
            || message.write_to(&mut Sink(0)).unwrap(),
            || {
                io::copy(&mut fs::File::open(&path).unwrap(), &mut Sink(0)).unwrap();
            },
        );
        fs::remove_file(&path).unwrap();
        time("from a path, streamed to a sink", ours);
        time("floor: the file read", floor);
    }

    fn line_ends(&self) {
        heading("text with LF line ends, built and rendered", "ms");
        let line = "The quick brown fox jumps over the lazy dog, and again and again.\n";
        for mebibytes in [1, 4, 16] {
            let text = line.repeat(mebibytes * MIB / line.len());
            let ours = |text| {
                let message = Message::builder().from("a@example.org").text(text);
                black_box(message.build().unwrap().to_bytes().unwrap());
            };
            let floor = |text: String| {
                let mut out = Vec::with_capacity(text.len() + text.len() / 16);
                for line in text.split_inclusive('\n') {
                    out.extend_from_slice(&line.as_bytes()[..line.len() - 1]);
                    out.extend_from_slice(b"\r\n");
                }
                black_box(out);
            };
            let [ours, floor] = self.pair_with(&text, ours, floor);
            time(&format!("{mebibytes} MiB"), ours);
            time("floor: one pass over the lines", floor);
        }
    }

    /// The median durations of two ways, which take turns: what else the machine does slows both.
    fn pair(&self, mut ours: impl FnMut(), mut floor: impl FnMut()) -> [Duration; 2] {
        self.pair_with("", |_| ours(), |_| floor())
    }

    /// Like [`Self::pair`], for ways that use up a text.
    fn pair_with(
        &self,
        text: &str,
        mut ours: impl FnMut(String),
        mut floor: impl FnMut(String),
    ) -> [Duration; 2] {
        let begin = Instant::now();
        let mut times = [Vec::new(), Vec::new()];
        while times[0].is_empty() || begin.elapsed() < self.budget {
            times[0].push(timed(&mut ours, text.to_owned()));
            times[1].push(timed(&mut floor, text.to_owned()));
        }
        times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        })
    }
}

fn timed(round: &mut impl FnMut(String), text: String) -> Duration {
    let start = Instant::now();
    round(text);
    start.elapsed()
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
