//! Sends a message to a real SMTP server, through STARTTLS and AUTH, and shows the dialog and the
//! result.
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! Without `SMTP_URL`, the server is inside this program (`server.rs`), and nothing leaves this
//! machine. With your own server, it really sends mail:
//!
//! ```text
//! SMTP_URL=smtp://user:password@mail.example.com SMTP_FROM=you@example.com \
//!     SMTP_TO=friend@example.org cargo run --example quickstart
//! ```
//!
//! To run only the server, for the other examples and your own programs (`serve.rs`):
//!
//! ```text
//! cargo run --example quickstart -- serve
//! ```

mod serve;
mod server;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::mpsc;

use smtplib::{Attachment, Config, Credentials, Message, Outcome};

use crate::server::{PASSWORD, Server, USER};

/// The client: a program needs no more than this. It composes a message, connects with TLS and
/// login, sends the message and quits.
fn send(config: &Config, from: &str, to: &[&str]) -> Result<Outcome, Box<dyn Error>> {
    let message = Message::builder()
        .from(from)
        .to(to)
        .subject("Tea at Zoë's")
        .text("Hello,\n\nthere is tea at five at Zoë's, and there are scones.\n")
        .attach(Attachment::new("prices.csv", "tea;1.20\nscone;2.50\n"))
        .build()?;

    let mut smtp = config.connect()?;
    let outcome = smtp.send_message(&message)?;
    smtp.quit();
    Ok(outcome)
}

/// The result for each recipient, and what a program might do about it.
fn report(outcome: &Outcome) {
    for recipient in outcome.recipients() {
        println!("  {recipient}");
        if recipient.is_worth_retrying() {
            println!("    -> try this recipient again later");
        } else if !recipient.is_accepted() {
            println!("    -> tell the sender; trying again is of no use");
        }
    }
}

fn main() -> ExitCode {
    let result = match (env::args().nth(1).as_deref(), env::var("SMTP_URL")) {
        (Some("serve"), _) => serve::serve(),
        (Some(_), _) => Err("give no argument, or `serve`".into()),
        (None, Ok(url)) => with_your_server(&url),
        (None, Err(_)) => with_our_server(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

fn with_our_server() -> Result<(), Box<dyn Error>> {
    let (sender, inbox) = mpsc::channel();
    let server = Server::start(move |received| Ok(sender.send(received)?))?;
    println!(
        "An SMTP server runs inside this program, on port {}.",
        server.port
    );
    println!("Nothing leaves this machine.");

    let config = Config::new("localhost")
        .port(server.port)
        .root_certificates(server.root.as_bytes())
        .credentials(Credentials::password(USER, PASSWORD));
    let to = ["bob@example.org", "nobody@example.org", "carol@example.org"];
    show(config, "alice@example.com", &to)?;

    let received = inbox.recv()?;
    heading("What the server received");
    println!("  logged in as: {}", received.user);
    println!("  from: {}", received.from);
    println!("  to: {}", received.to.join(", "));
    for line in String::from_utf8_lossy(&received.text).lines() {
        println!("  | {line}");
    }
    Ok(())
}

fn with_your_server(url: &str) -> Result<(), Box<dyn Error>> {
    let variable = |name| {
        env::var(name).map_err(
            |_| "SMTP_URL needs SMTP_FROM beside it, and SMTP_TO with commas between recipients",
        )
    };
    let (from, to) = (variable("SMTP_FROM")?, variable("SMTP_TO")?);
    let to: Vec<&str> = to.split(',').map(str::trim).collect();
    show(url.parse()?, &from, &to)
}

/// Sends, with the dialog in the open.
fn show(config: Config, from: &str, to: &[&str]) -> Result<(), Box<dyn Error>> {
    heading("What is said (C: the client, S: the server, *: remarks; secrets are masked)");
    let outcome = send(&config.trace(|line| println!("  {line}")), from, to)?;
    heading("What the client learnt");
    report(&outcome);
    Ok(())
}

fn heading(text: &str) {
    println!("\n{text}\n");
}
