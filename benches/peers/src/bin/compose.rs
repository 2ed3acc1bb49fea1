//! The same messages composed by lettre, mail-builder and this crate, one after the other in each
//! round, so that a busy machine slows all of them. Medians are told.

use std::hint::black_box;
use std::time::{Duration, Instant};

use lettre::message::header::ContentType;
use lettre::message::{Attachment as LettreAttachment, MultiPart, SinglePart};
use mail_builder::MessageBuilder;
use smtplib::{Attachment, Message};

const MIB: usize = 1024 * 1024;
const FROM: &str = "alice@example.com";
const TO: &str = "bob@example.org";

type Row<'a> = (&'a str, Box<dyn FnMut() -> usize + 'a>);

fn main() {
    small();
    for length in [100 * 1024, 10 * MIB] {
        attachment(length);
    }
    for length in [100 * 1024, MIB] {
        text(
            "text with LF line ends",
            "The quick brown fox jumps over the lazy dog, again.\n",
            length,
            true,
        );
    }
    // Without the one that would take seconds a round.
    text(
        "text with LF line ends",
        "The quick brown fox jumps over the lazy dog, again.\n",
        4 * MIB,
        false,
    );
    text(
        "text with 5 % accents",
        "Die Bürger der Städte trafen sich am Abend und sprachen über alles.\n",
        100 * 1024,
        true,
    );
}

fn small() {
    compare(
        "small text message",
        1_000,
        vec![
            (
                "smtplib",
                Box::new(|| {
                    let message = Message::builder()
                        .from(("Alice", FROM))
                        .to(("Bob", TO))
                        .subject("Lunch?")
                        .text("Noon at the usual place?\n");
                    message.build().unwrap().to_bytes().unwrap().len()
                }),
            ),
            (
                "lettre",
                Box::new(|| {
                    let message = lettre::Message::builder()
                        .from(format!("Alice <{FROM}>").parse().unwrap())
                        .to(format!("Bob <{TO}>").parse().unwrap())
                        .message_id(None)
                        .subject("Lunch?")
                        .header(ContentType::TEXT_PLAIN)
                        .body("Noon at the usual place?\n".to_owned());
                    message.unwrap().formatted().len()
                }),
            ),
            (
                "mail-builder",
                Box::new(|| {
                    let message = MessageBuilder::new()
                        .from(("Alice", FROM))
                        .to(("Bob", TO))
                        .subject("Lunch?")
                        .text_body("Noon at the usual place?\n");
                    message.write_to_vec().unwrap().len()
                }),
            ),
        ],
    );
}

fn attachment(length: usize) {
    let data: Vec<u8> = (0..length as u64)
        .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    let ours = Message::builder()
        .from(FROM)
        .to(TO)
        .text("attached\n")
        .attach(Attachment::new("noise.bin", data.clone()).media_type("application/octet-stream"))
        .build()
        .unwrap();
    compare(
        &format!("attachment of {} KiB, from data in memory", length / 1024),
        1,
        vec![
            ("smtplib", Box::new(|| ours.to_bytes().unwrap().len())),
            (
                "lettre",
                Box::new(|| {
                    let part = LettreAttachment::new("noise.bin".to_owned());
                    let message = lettre::Message::builder()
                        .from(FROM.parse().unwrap())
                        .to(TO.parse().unwrap())
                        .multipart(
                            MultiPart::mixed()
                                .singlepart(SinglePart::plain("attached\n".to_owned()))
                                .singlepart(part.body(
                                    data.clone(),
                                    "application/octet-stream".parse().unwrap(),
                                )),
                        );
                    message.unwrap().formatted().len()
                }),
            ),
            (
                "mail-builder",
                Box::new(|| {
                    let message = MessageBuilder::new()
                        .from(FROM)
                        .to(TO)
                        .text_body("attached\n")
                        .attachment("application/octet-stream", "noise.bin", &*data);
                    message.write_to_vec().unwrap().len()
                }),
            ),
        ],
    );
}

fn text(name: &str, line: &str, length: usize, with_lettre: bool) {
    let text = line.repeat(length / line.len());
    let mut rows: Vec<Row<'_>> = vec![
        (
            "smtplib",
            Box::new(|| {
                let message = Message::builder().from(FROM).to(TO).text(&*text);
                message.build().unwrap().to_bytes().unwrap().len()
            }),
        ),
        (
            "mail-builder",
            Box::new(|| {
                let message = MessageBuilder::new().from(FROM).to(TO).text_body(&*text);
                message.write_to_vec().unwrap().len()
            }),
        ),
    ];
    if with_lettre {
        rows.push((
            "lettre",
            Box::new(|| {
                let message = lettre::Message::builder()
                    .from(FROM.parse().unwrap())
                    .to(TO.parse().unwrap())
                    .header(ContentType::TEXT_PLAIN)
                    .body(text.clone());
                message.unwrap().formatted().len()
            }),
        ));
    }
    compare(&format!("{name}, {} KiB", length / 1024), 1, rows);
}

/// Runs all rows in turn until the time is up.
fn compare(name: &str, repeat: u32, mut rows: Vec<Row<'_>>) {
    println!("\n{name}");
    let mut times = vec![Vec::new(); rows.len()];
    let begin = Instant::now();
    while times[0].len() < 5 || begin.elapsed() < Duration::from_secs(2) {
        for ((_, row), times) in rows.iter_mut().zip(&mut times) {
            let start = Instant::now();
            for _ in 0..repeat {
                black_box(row());
            }
            times.push(start.elapsed() / repeat);
        }
    }
    let medians = times.into_iter().map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    for ((name, _), median) in rows.iter().zip(medians) {
        println!("  {name:<14}{:>12.1} us", median.as_secs_f64() * 1e6);
    }
}
