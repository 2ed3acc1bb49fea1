//! One transaction step by step: the server replies about each recipient before the next one is
//! sent, and the message is written in pieces.
//!
//! ```text
//! cargo run --example session -- smtp://user:password@mail.example.com \
//!     you@example.com ann@example.org ben@example.org
//! ```
//!
//! The URL can be in the environment variable `SMTP_URL` instead.

use std::env;
use std::error::Error;
use std::io::Write;

use smtplib::Config;

fn main() {
    if let Err(error) = run() {
        eprintln!("session: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1).peekable();
    let url = match arguments.next_if(|argument| argument.contains("://")) {
        Some(url) => url,
        None => env::var("SMTP_URL").map_err(|_| "give a URL, or set SMTP_URL")?,
    };
    let from = arguments.next().ok_or("give a sender and recipients")?;

    let mut smtp = url.parse::<Config>()?.connect()?;
    println!("{}", smtp.greeting());

    let mut transaction = smtp.mail(&from)?;
    for to in arguments {
        let reply = transaction.rcpt(&to)?; // a refusal is an answer like any other
        println!("{to}: {reply}");
    }

    let mut message = transaction.data_writer()?; // fails if nobody is left
    write!(message, "From: <{from}>\nSubject: Squares\n\n")?;
    for n in 1..=5 {
        writeln!(message, "{n} * {n} = {}", n * n)?;
    }
    let outcome = message.finish()?; // without this, the server drops what it has
    for recipient in outcome.recipients() {
        println!("{recipient}");
    }

    smtp.quit();
    Ok(())
}
