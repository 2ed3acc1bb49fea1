//! Sends a thousand messages on one connection, without waiting between them.
//!
//! ```text
//! cargo run --example bulk                                          # to a server inside this program
//! SMTP_URL=smtp://localhost:1025?tls=none cargo run --example bulk -- 200   # to yours, 200 messages
//! ```

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use smtplib::error::MessageError;
use smtplib::{Config, Credentials, Delivery, Message};

// The real server that the quickstart embeds.
#[allow(dead_code, reason = "the quickstart shows more of what it receives")]
#[path = "quickstart/server.rs"]
mod server;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn Error>> {
    let count = match env::args().nth(1) {
        Some(count) => count.parse().map_err(|_| "give a number of messages")?,
        None => 1000,
    };
    let mut smtp = config()?.connect()?;

    let bar = ProgressBar::new(count).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} {per_sec}",
    )?);
    let begun = Instant::now();
    let (mut sent, mut refused, mut unknown) = (0, 0, 0);
    // Messages are made as there is room for them: a million would take no more memory.
    let mut failure = None;
    let messages = (1..=count)
        .map(newsletter)
        .map_while(|message| message.map_err(|error| failure = Some(error)).ok());
    for (number, result) in (1..=count).zip(smtp.send_all(messages)) {
        bar.inc(1);
        match result {
            Ok(outcome) => {
                sent += 1;
                for recipient in outcome.refused() {
                    bar.suspend(|| eprintln!("message {number}: {recipient}"));
                }
            }
            Err(error) => {
                match error.delivery() {
                    Delivery::Unknown => unknown += 1,
                    _ => refused += 1,
                }
                bar.suspend(|| eprintln!("message {number}: {error}"));
            }
        }
    }
    bar.finish_and_clear();
    if let Some(error) = failure {
        return Err(error.into());
    }
    smtp.quit();

    let seconds = begun.elapsed().as_secs_f64();
    println!("{sent} sent, {refused} not sent, {unknown} unknown, in {seconds:.1} s");
    Ok(sent == count)
}

/// A message of its own for each reader.
fn newsletter(number: u64) -> Result<Message, MessageError> {
    Message::builder()
        .from("The news <news@example.com>")
        .to(format!("reader{number}@example.org").as_str())
        .subject(format!("News for reader {number}"))
        .text("Nothing happened today. More tomorrow.\n")
        .build()
}

/// The server in `SMTP_URL`, or one inside this program.
fn config() -> Result<Config, Box<dyn Error>> {
    if let Ok(url) = env::var("SMTP_URL") {
        return Ok(url.parse()?);
    }
    let server = server::Server::start(|_| Ok(()))?;
    Ok(Config::new("localhost")
        .port(server.port)
        .root_certificates(server.root.as_bytes())
        .credentials(Credentials::password(server::USER, server::PASSWORD)))
}
