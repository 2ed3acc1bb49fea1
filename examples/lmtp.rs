//! Hands a message over for local delivery by LMTP, where each recipient gets its own result.
//!
//! ```text
//! cargo run --example lmtp -- /run/dovecot/lmtp you@example.com ann@example.org < message.eml
//! cargo run --example lmtp -- localhost:24 you@example.com ann@example.org < message.eml
//! ```

use std::env;
use std::io::{self, Read};

use smtplib::{Config, Error, Security};

fn main() {
    if let Err(error) = deliver() {
        eprintln!("lmtp: {error}");
        std::process::exit(1);
    }
}

fn deliver() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let usage = "give a Unix socket or host:port, a sender, and recipients";
    let server = arguments.next().ok_or(usage)?;
    let from = arguments.next().ok_or(usage)?;

    let config = match server.rsplit_once(':') {
        _ if server.starts_with('/') => Config::lmtp_unix(&server),
        Some((host, port)) => Config::lmtp(host, port.parse()?).security(Security::Opportunistic),
        None => return Err(usage.into()),
    };

    let mut message = Vec::new();
    io::stdin().read_to_end(&mut message)?;

    let mut lmtp = config.connect()?;
    let outcome = match lmtp.sendmail(&from, arguments, message) {
        Err(Error::RecipientsRefused(outcome)) => *outcome, // has the reasons, too
        result => result?,
    };
    lmtp.quit();

    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}
