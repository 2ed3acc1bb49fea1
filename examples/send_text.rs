//! Sends a text.
//!
//! ```text
//! SMTP_URL=smtp://user:password@mail.example.com \
//!     cargo run --example send_text -- you@example.com friend@example.org
//! ```

use std::env;
use std::error::Error;

use smtplib::{Config, Message};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let message = Message::builder()
        .from(arguments.next().ok_or("give a sender")?)
        .to(arguments.collect::<Vec<_>>())
        .subject("Déjà vu?")
        .text("Have we met?\n\nYours,\nthe example.\n")
        .build()?;

    let config: Config = env::var("SMTP_URL")?.parse()?;
    let mut smtp = config.connect()?;
    let outcome = smtp.send_message(&message)?;
    smtp.quit();

    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}
