//! Sends a message that is already written: `cargo run --example sendmail -- --help` says how.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use lexopt::prelude::*;
use smtplib::{Address, Config, ConfigError, Delivery, Envelope, Error, Outcome, Unsupported};

const HELP: &str = "\
Sends a message that is already written, header and all, to the recipients named.

Usage: sendmail [OPTIONS] --from ADDRESS RECIPIENT...

Options:
  -f, --from ADDRESS   the sender, who gets the bounces; <> for none
  -m, --message FILE   the message, for instance an .eml file; without this
                       option it is read from standard input
  -u, --url URL        the server; otherwise the environment's SMTP_URL
  -t, --trace          shows the dialog on standard error, passwords masked
  -h, --help           shows this text

  smtp://alice@mail.example.com     STARTTLS on port 587, and nothing is sent without it
  smtps://alice@mail.example.com    TLS from the first octet, on port 465
  smtp://localhost?tls=none         no TLS, on port 25
  lmtp+unix:///run/dovecot/lmtp     local delivery
  maildir:///home/alice/mail        no server: a file in a Maildir

A password that the URL leaves out is asked for, which is best: others can see
the command line.

Exit status:
   0  the server took the message for every recipient
  64  the command line is wrong, or an address is none
  65  the message is not fit to be sent, or was refused for good
  66  the message cannot be read
  67  a recipient was refused for good; whom standard error does not name was
      accepted
  68  the server's name cannot be looked up
  69  the server does not serve us
  74  the connection was lost when all was sent: the message may have arrived,
      and may arrive twice if it is sent again
  75  not now: try again later, with the recipients that standard error names
  76  the server broke the protocol
  77  the password is wrong, or the sender is refused
  78  the URL or TLS is wrong, or asks for what the server does not offer
";

fn main() -> ExitCode {
    let Err(failure) = Arguments::parse().and_then(|arguments| arguments.run()) else {
        return ExitCode::SUCCESS;
    };
    for line in failure.lines {
        eprintln!("sendmail: {line}");
    }
    ExitCode::from(failure.status as u8)
}

/// The values of sysexits.h.
#[derive(Clone, Copy)]
enum Status {
    Usage = 64,
    Data = 65,
    NoInput = 66,
    NoUser = 67,
    NoHost = 68,
    Unavailable = 69,
    Io = 74,
    Temporary = 75,
    Protocol = 76,
    NoPermission = 77,
    Config = 78,
}

/// What the program ends with unless all went well.
struct Failure {
    status: Status,
    lines: Vec<String>,
}

impl Status {
    /// A failure for this reason.
    fn because(self, reason: impl ToString) -> Failure {
        let lines = vec![reason.to_string()];
        Failure {
            status: self,
            lines,
        }
    }

    /// What an error of the library means for whoever runs the program.
    fn of(error: &Error) -> Self {
        match error {
            _ if error.delivery() == Delivery::Unknown => Self::Io,
            Error::Interrupted(interrupted) => Self::of(interrupted.failure()),
            Error::UnknownHost { .. } => Self::NoHost,
            Error::RecipientsRefused(outcome) => Self::of_refused(outcome),
            Error::Source(_) => Self::NoInput,
            _ if error.is_transient() => Self::Temporary,
            Error::Address { .. } | Error::Command(_) | Error::NoRecipients => Self::Usage,
            Error::Content(_) | Error::DataRefused(_) | Error::TooLarge { .. } => Self::Data,
            Error::Unsupported(Unsupported::EightBit | Unsupported::Header) => Self::Data,
            Error::Protocol { .. } => Self::Protocol,
            Error::AuthFailed(_) | Error::SenderRefused(_) => Self::NoPermission,
            Error::Refused { .. } | Error::Disconnected { .. } => Self::Unavailable,
            _ => Self::Config,
        }
    }

    /// What it means that not all recipients were accepted.
    fn of_refused(outcome: &Outcome) -> Self {
        if outcome.worth_retrying().next().is_some() {
            Self::Temporary
        } else {
            Self::NoUser
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut lines = error.outcome().map(refusals).unwrap_or_default();
        lines.push(error.to_string());
        if error.delivery() == Delivery::Unknown {
            lines.push("the message may have arrived: sending it again may duplicate it".into());
        }
        Self {
            status: Status::of(&error),
            lines,
        }
    }
}

/// Each recipient who was not accepted, with the reason, and whether another try makes sense.
fn refusals(outcome: &Outcome) -> Vec<String> {
    let refused = outcome
        .recipients()
        .iter()
        .filter(|recipient| !recipient.is_accepted());
    refused
        .map(|recipient| {
            let again = if recipient.is_worth_retrying() {
                " (try again later)"
            } else {
                ""
            };
            format!("{recipient}{again}")
        })
        .collect()
}

/// The command line.
enum Arguments {
    Help,
    Send(Sending),
}

impl Arguments {
    fn parse() -> Result<Self, Failure> {
        Self::parse_all(lexopt::Parser::from_env())
            .map_err(|error| Status::Usage.because(format_args!("{error}; see --help")))
    }

    fn parse_all(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let (mut url, mut from, mut to) = (env::var("SMTP_URL").ok(), None, Vec::new());
        let (mut file, mut trace) = (None, false);
        while let Some(argument) = parser.next()? {
            match argument {
                Short('f') | Long("from") => from = Some(parser.value()?.string()?),
                Short('m') | Long("message") => file = Some(parser.value()?.into()),
                Short('u') | Long("url") => url = Some(parser.value()?.string()?),
                Short('t') | Long("trace") => trace = true,
                Short('h') | Long("help") => return Ok(Self::Help),
                Value(recipient) => to.push(recipient.string()?),
                _ => return Err(argument.unexpected()),
            }
        }
        if to.is_empty() {
            return Err("there is no recipient".into());
        }
        Ok(Self::Send(Sending {
            url: url.ok_or("there is no server: give --url, or set SMTP_URL")?,
            from: from.ok_or("there is no sender: give --from")?,
            to,
            file,
            trace,
        }))
    }

    fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Help => {
                print!("{HELP}");
                Ok(())
            }
            Self::Send(sending) => sending.run(),
        }
    }
}

/// What to send, and how.
struct Sending {
    url: String,
    from: String,
    to: Vec<String>,
    file: Option<PathBuf>,
    trace: bool,
}

impl Sending {
    fn run(&self) -> Result<(), Failure> {
        let envelope = self.envelope()?;
        let message = self.message()?;
        let mut smtp = self.config()?.connect()?;
        let outcome = smtp.send(&envelope, message)?;
        smtp.quit();
        if outcome.is_complete() {
            return Ok(());
        }
        Err(Failure {
            status: Status::of_refused(&outcome),
            lines: refusals(&outcome),
        })
    }

    fn envelope(&self) -> Result<Envelope, Failure> {
        let address = |text: &String| {
            text.parse::<Address>().map_err(|reason| {
                Status::Usage.because(format_args!("{text:?} is not an address: {reason}"))
            })
        };
        let from = match self.from.as_str() {
            "" | "<>" => None,
            _ => Some(address(&self.from)?),
        };
        let to: Vec<Address> = self.to.iter().map(address).collect::<Result<_, _>>()?;
        Ok(Envelope::new(from, to))
    }

    fn message(&self) -> Result<Box<dyn Read>, Failure> {
        let Some(path) = &self.file else {
            return Ok(Box::new(io::stdin().lock()));
        };
        let file = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = file.map_err(|error| {
            Status::NoInput.because(format_args!("{}: {error}", path.display()))
        })?;
        if size < LARGE || self.trace || !io::stderr().is_terminal() {
            return Ok(Box::new(file));
        }
        Ok(Box::new(progress_bar(size).wrap_read(file)))
    }

    fn config(&self) -> Result<Config, Failure> {
        let config: Config = self
            .url
            .parse()
            .map_err(|error: ConfigError| Status::Config.because(error))?;
        let config = config.ask_password(|user| {
            rpassword::prompt_password(format!("Password of {user}: "))
                .map_err(|error| Status::Config.because(format_args!("no password: {error}")))
        })?;
        Ok(if self.trace {
            config.trace_to_stderr()
        } else {
            config
        })
    }
}

/// A bar that moves while a message of this size is read, and is gone afterwards.
fn progress_bar(size: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(size)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_finish(ProgressFinish::AndClear)
}

/// From this size on, in octets, people begin to wait.
const LARGE: u64 = 1024 * 1024;
