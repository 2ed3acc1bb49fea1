//! Sends a personal newsletter to each reader in a list. If it is stopped and run again, it
//! continues with the readers who have not got it.
//!
//! ```text
//! cargo run --example quickstart -- serve     # a mail server; paste its lines into a second shell
//! cargo run --example newsletter -- examples/newsletter/readers.csv examples/newsletter/news.txt
//! ```
//!
//! The first line of the list names its columns: `email`, perhaps `name`, and others that the text
//! needs. The text begins with a line `Subject: ...`. A column in braces, as in `Dear {name}`, is
//! replaced by the reader's value. Everything is checked before the first message is sent.
//!
//! `readers.csv.sent` keeps the result for each reader; journal.rs says how. A reader who may have
//! got the newsletter never gets it again. After ten failures in a row it stops: look at the reasons
//! before you run it again.
//!
//! Only one run can be at work: it keeps `readers.csv.sent.lock`, and removes it at its end. If it was
//! killed, or stopped by Ctrl-C, delete the lock yourself before the next run.

mod arguments;
mod journal;
mod letter;
mod lock;
mod readers;
mod sending;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use smtplib::Mailer;

use crate::arguments::Arguments;
use crate::journal::{Fate, Journal};
use crate::letter::Letter;
use crate::readers::Reader;
use crate::sending::Sending;

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("newsletter: {error}");
            let error = error.downcast_ref::<smtplib::Error>();
            let is_transient = error.is_some_and(smtplib::Error::is_transient);
            ExitCode::from(if is_transient { 75 } else { 2 })
        }
    }
}

fn run() -> Result<u8, Box<dyn Error>> {
    let arguments = match Arguments::parse() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::HELP);
            return Ok(0);
        }
        Err(error) => return Err(format!("{error}; see --help").into()),
    };
    let letter = Letter::read(&arguments.text)?;
    let readers = readers::read(&arguments.list)?;
    for reader in &readers {
        letter.to(reader)?;
    }

    let journal = Journal::open(&arguments.list, letter.subject())?;
    let fates = journal.fates()?;
    let known = |reader: &Reader| fates.get(&reader.address);
    let is_due = |reader: &&Reader| known(reader).is_none_or(|(_, fate)| fate.is_due());
    let mut due: Vec<&Reader> = readers.iter().filter(is_due).collect();
    // Those who failed before come last, the latest at the end, so that nobody keeps it from the others.
    due.sort_by_key(|reader| known(reader).map(|(line, _)| line));
    if !due.is_empty() {
        let mailer = mailer(&arguments)?;
        mailer.check()?; // a wrong password is not each reader's failure
        Sending::new(&letter, &due, &journal)?.over(&mailer, arguments.concurrency);
        mailer.close();
    }
    summary(&readers, &journal)
}

fn mailer(arguments: &Arguments) -> Result<Mailer, smtplib::Error> {
    let mailer = Mailer::from_env("SMTP_URL")?.connections(arguments.concurrency);
    Ok(match arguments.rate {
        Some(rate) => mailer.rate(rate, Duration::from_secs(1)),
        None => mailer,
    })
}

/// Prints the results of all readers, in this run and earlier ones; returns the exit status.
fn summary(readers: &[Reader], journal: &Journal) -> Result<u8, Box<dyn Error>> {
    let fates = journal.fates()?;
    let (mut sent, mut refused, mut later, mut unknown) = (0, 0, 0, 0);
    for reader in readers {
        match fates.get(&reader.address).map(|(_, fate)| fate) {
            Some(Fate::Accepted) => sent += 1,
            Some(Fate::Refused) => refused += 1,
            Some(Fate::Later) | None => later += 1,
            Some(Fate::Sending | Fate::Unknown) => {
                unknown += 1;
                println!("{} may have been delivered; not sent again", reader.address);
            }
        }
    }
    println!("{sent} sent, {refused} refused, {later} to try later, {unknown} unknown");
    if unknown > 0 {
        println!(
            "To send to them all the same, delete their lines from {}.",
            journal.path().display()
        );
    }
    Ok(match (later, refused + unknown) {
        (0, 0) => 0,
        (0, _) => 1,
        _ => 75,
    })
}
