//! Sends a text. `cargo run --example quickstart -- serve` is a server to try it with.
//!
//! ```text
//! SMTP_URL=smtp://user:password@mail.example.com SMTP_FROM=you@example.com \
//!     SMTP_TO=friend@example.org cargo run --example send_text
//! ```

use std::{env, error::Error};

use smtplib::{Config, Message};

fn main() {
    if let Err(error) = send() {
        eprintln!("send_text: {error}");
        std::process::exit(1);
    }
}

fn send() -> Result<(), Box<dyn Error>> {
    let set = |name| env::var(name).map_err(|_| format!("set {name}"));
    let message = Message::builder()
        .from(set("SMTP_FROM")?)
        .to(set("SMTP_TO")?.split(',').collect::<Vec<_>>())
        .subject("Déjà vu?")
        .text("Have we met?\n\nYours,\nthe example.\n")
        .build()?;

    let mut smtp = set("SMTP_URL")?.parse::<Config>()?.connect()?;
    let outcome = smtp.send_message(&message)?;
    smtp.quit();

    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}
