//! Sends mail from the command line, like the Unix program `sendmail`: a finished message, or one
//! composed from options. `--help` says how.
//!
//! ```text
//! cargo run --example quickstart -- serve     # a server to try it with; paste its lines elsewhere
//! echo "Noon?" | cargo run --example sendmail -- --to bob@example.org --subject Lunch
//! ```

mod arguments;
mod failure;
mod header;
mod input;
mod letter;

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use smtplib::error::ConfigError;
use smtplib::{Address, Config, Envelope, Outcome, SmtpConnection};

use crate::arguments::Arguments;
use crate::failure::{Failure, Status, refusals};
use crate::input::Input;
use crate::letter::Letter;

fn main() -> ExitCode {
    let Err(failure) = run() else {
        return ExitCode::SUCCESS;
    };
    for line in failure.lines {
        eprintln!("sendmail: {line}");
    }
    ExitCode::from(failure.status as u8)
}

fn run() -> Result<(), Failure> {
    match Arguments::parse()? {
        Arguments::Help => say(arguments::HELP),
        Arguments::Version => say(arguments::VERSION),
        Arguments::Send(sending) => return sending.run(),
    }
    Ok(())
}

/// Standard output may be closed, which is no failure.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// What to send, and how.
struct Sending {
    url: String,
    ca: Option<PathBuf>,
    trace: bool,
    from: String,
    file: Option<PathBuf>,
    what: What,
}

/// Where the message and its recipients come from.
enum What {
    /// A finished message, for these recipients and, if asked for, those in its header.
    Written { to: Vec<String>, in_header: bool },
    /// A text to make a message from.
    Letter(Letter),
}

impl Sending {
    fn run(&self) -> Result<(), Failure> {
        let config = self.config()?;
        let outcome = match &self.what {
            What::Letter(letter) => {
                let message = letter.message(&self.from, self.input()?)?;
                over(&config, |smtp| smtp.send_message(&message))?
            }
            What::Written { to, in_header } => {
                let mut envelope = self.envelope(to)?;
                let mut input = self.input()?;
                input.must_not_be_empty()?;
                if *in_header {
                    envelope = with(&envelope, input.take_recipients()?);
                    if envelope.recipients().next().is_none() {
                        return Err(Status::Data.because("the header names no recipient"));
                    }
                }
                over(&config, |smtp| smtp.send(&envelope, input.into_reader()))?
            }
        };
        report(&outcome)
    }

    fn config(&self) -> Result<Config, Failure> {
        let config: Config = self
            .url
            .parse()
            .map_err(|error: ConfigError| Status::Config.because(error))?;
        let mut config = config.ask_password(|user| {
            rpassword::prompt_password(format!("Password of {user}: "))
                .map_err(|error| Status::Config.because(format_args!("no password: {error}")))
        })?;
        if let Some(path) = &self.ca {
            config = config.root_certificate_file(path);
        }
        Ok(if self.trace {
            config.trace_to_stderr()
        } else {
            config
        })
    }

    fn envelope(&self, to: &[String]) -> Result<Envelope, Failure> {
        let address = |text: &String| {
            text.parse::<Address>().map_err(|reason| {
                Status::Usage.because(format_args!("{text:?} is not an address: {reason}"))
            })
        };
        let from = match self.from.as_str() {
            "" | "<>" => None,
            _ => Some(address(&self.from)?),
        };
        let to: Vec<Address> = to.iter().map(address).collect::<Result<_, _>>()?;
        Ok(with(&Envelope::new(from, []), to))
    }

    fn input(&self) -> Result<Input, Failure> {
        match &self.file {
            Some(path) => Input::file(path, !self.trace),
            None => Input::stdin(),
        }
    }
}

/// The same envelope with more recipients, each of them once.
fn with(envelope: &Envelope, more: Vec<Address>) -> Envelope {
    let all = envelope.recipients().cloned().chain(more);
    let mut seen = HashSet::new();
    let once = all.filter(|address| seen.insert(address.clone()));
    Envelope::new(envelope.sender().cloned(), once)
}

/// Sends over a new connection.
fn over(
    config: &Config,
    send: impl FnOnce(&mut SmtpConnection) -> smtplib::Result<Outcome>,
) -> Result<Outcome, Failure> {
    let mut smtp = config.connect()?;
    let outcome = send(&mut smtp)?;
    smtp.quit();
    Ok(outcome)
}

/// Prints the server's reply, often with a queue id, and the refused recipients.
fn report(outcome: &Outcome) -> Result<(), Failure> {
    if let Some(reply) = outcome.reply() {
        say(&format!("accepted: {reply}\n"));
    }
    if outcome.is_complete() {
        return Ok(());
    }
    Err(Failure {
        status: Status::of_refused(outcome),
        lines: refusals(outcome),
    })
}
