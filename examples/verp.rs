//! Sends a newsletter whose bounces name the reader they are about.
//!
//! ```text
//! cargo run --example verp -- ann@example.org bob@example.org     # to a server inside this program
//! ```
//!
//! A bounce goes to the sender of the envelope. With one sender for all, a person has to read the
//! bounce to find out which reader is gone. Here each message has its own sender, with the reader's
//! address in it: variable envelope return paths. With `send_all` it costs nothing, since messages
//! do not wait for each other.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use smtplib::error::AddressError;
use smtplib::{Address, Config, Credentials, Envelope, Message};

// The real server that the quickstart embeds.
#[allow(dead_code, reason = "the quickstart shows more of what it receives")]
#[path = "quickstart/server.rs"]
mod server;

const LIST: &str = "news";
const DOMAIN: &str = "example.com";

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

/// Returns whether the server took the message for each reader.
fn run() -> Result<bool, Box<dyn Error>> {
    let readers: Vec<Address> = env::args()
        .skip(1)
        .map(|reader| reader.parse())
        .collect::<Result<_, _>>()?;
    let senders = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&senders);
    let server = server::Server::start(move |received| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(received.from);
        Ok(())
    })?;
    let mut smtp = Config::new("localhost")
        .port(server.port)
        .root_certificates(server.root.as_bytes())
        .credentials(Credentials::password(server::USER, server::PASSWORD))
        .connect()?;

    let newsletter = Message::builder()
        .from(("The news", "news@example.com"))
        .to("readers@example.com") // the envelope says who gets it
        .subject("News")
        .text("Nothing happened today.\n")
        .build()?;
    let envelopes: Vec<Envelope> = readers
        .iter()
        .map(|reader| Ok(Envelope::new(bounce_address(reader)?, [reader.clone()])))
        .collect::<Result<_, AddressError>>()?;
    let messages = envelopes
        .into_iter()
        .map(|envelope| (envelope, &newsletter));
    let mut is_complete = true;
    for (reader, result) in readers.iter().zip(smtp.send_all(messages)) {
        is_complete &= result.is_ok();
        match result {
            Ok(_) => println!("{reader} was sent the news"),
            Err(error) => println!("{reader}: {error}"),
        }
    }
    smtp.quit();

    // A program that reads the mailbox for bounces does this.
    for sender in senders
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
    {
        match sender.parse().ok().as_ref().and_then(reader_of) {
            Some(reader) => println!("a bounce to {sender} is about {reader}"),
            None => println!("a bounce to {sender} is about nobody we know"),
        }
    }
    Ok(is_complete)
}

/// `ann@example.org` becomes `news+ann=example.org@example.com`.
fn bounce_address(reader: &Address) -> Result<Address, AddressError> {
    let (name, domain) = (reader.local_part(), reader.domain());
    Address::new(&format!("{LIST}+{name}={domain}"), DOMAIN)
}

/// The way back. No domain has a `=`, so the last one is ours.
fn reader_of(bounce: &Address) -> Option<Address> {
    let reader = bounce.local_part().strip_prefix(LIST)?.strip_prefix('+')?;
    let (name, domain) = reader.rsplit_once('=')?;
    Address::new(name, domain).ok()
}
