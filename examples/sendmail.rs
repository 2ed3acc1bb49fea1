//! Sends a message that is already written: `cargo run --example sendmail -- --help` says how.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use lexopt::prelude::*;
use smtplib::{
    Address, Config, Delivery, Envelope, Error, Outcome, RecipientStatus, Step, Unsupported,
};

const HELP: &str = "\
Sends a message that is already written, header and all, to the recipients named.

Usage: sendmail [OPTIONS] --from ADDRESS RECIPIENT...

Options:
  -f, --from ADDRESS   the sender, who gets the bounces; <> for none
  -m, --message FILE   the message, for instance an .eml file; otherwise it is read from standard input
  -u, --url URL        the server; otherwise the environment's SMTP_URL
  -t, --trace          shows the dialog on standard error, with passwords masked
  -h, --help           shows this text

  smtp://alice@mail.example.com     STARTTLS on port 587, and nothing is sent without it
  smtps://alice@mail.example.com    TLS from the first octet, on port 465
  smtp://localhost?tls=none         no TLS, on port 25
  lmtp+unix:///run/dovecot/lmtp     local delivery

A password that the URL leaves out is asked for. That is the best place for it: others can see the command line.

Exit status:
   0  the server took the message for every recipient
  64  the command line is wrong, or an address is none
  65  the message is not fit to be sent, or was refused for good
  66  the message cannot be read
  67  a recipient was refused for good; those not named on standard error were accepted
  68  the server's name cannot be looked up
  69  the server does not serve us
  74  the connection was lost when all was sent: the message may have arrived, and may arrive twice if sent again
  75  not now: try again later, with the recipients that standard error says so of
  76  the server broke the protocol
  77  the password is wrong, or the sender is refused
  78  the URL, the TLS set-up or what they ask of the server is wrong
";

fn main() -> ExitCode {
    let result = Arguments::parse().and_then(|arguments| match arguments {
        Some(arguments) => send(&arguments),
        None => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
    });
    result.unwrap_or_else(|failure| {
        eprintln!("sendmail: {}", failure.text);
        failure.status.into()
    })
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

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// What ends the program early.
struct Failure {
    status: Status,
    text: String,
}

impl Status {
    /// A failure with this status, for `map_err`.
    fn because<E: fmt::Display>(self, reason: E) -> Failure {
        let text = reason.to_string();
        Failure { status: self, text }
    }

    /// What an error of the library means for whoever runs the program.
    fn of(error: &Error) -> Self {
        match error {
            _ if error.delivery() == Delivery::Unknown => Self::Io,
            Error::Interrupted(interrupted) => Self::of(interrupted.cause()),
            Error::Io {
                step: Step::Connect,
                source,
            } if is_lookup(source) => Self::NoHost,
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

    /// What it means that these recipients were not accepted.
    fn of_refused(outcome: &Outcome) -> Self {
        if outcome.worth_retrying().next().is_some() {
            Self::Temporary
        } else {
            Self::NoUser
        }
    }
}

/// A name that cannot be looked up has no number among the system's errors, or one of its own on Windows.
fn is_lookup(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), None | Some(11001..=11004))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Some(outcome) = error.outcome() {
            report(outcome);
        }
        Status::of(&error).because(error)
    }
}

struct Arguments {
    url: String,
    from: String,
    to: Vec<String>,
    message: Option<PathBuf>,
    trace: bool,
}

impl Arguments {
    /// The command line; `None` if it asks for help.
    fn parse() -> Result<Option<Self>, Failure> {
        let arguments = Self::parse_all(lexopt::Parser::from_env());
        arguments.map_err(|error| Status::Usage.because(format_args!("{error}; see --help")))
    }

    fn parse_all(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        let (mut url, mut from, mut to) = (std::env::var("SMTP_URL").ok(), None, Vec::new());
        let (mut message, mut trace) = (None, false);
        while let Some(argument) = parser.next()? {
            match argument {
                Short('f') | Long("from") => from = Some(parser.value()?.string()?),
                Short('m') | Long("message") => message = Some(parser.value()?.into()),
                Short('u') | Long("url") => url = Some(parser.value()?.string()?),
                Short('t') | Long("trace") => trace = true,
                Short('h') | Long("help") => return Ok(None),
                Value(recipient) => to.push(recipient.string()?),
                _ => return Err(argument.unexpected()),
            }
        }
        if to.is_empty() {
            return Err("there is no recipient".into());
        }
        Ok(Some(Self {
            url: url.ok_or("there is no server: give --url, or set SMTP_URL")?,
            from: from.ok_or("there is no sender: give --from")?,
            to,
            message,
            trace,
        }))
    }

    fn envelope(&self) -> Result<Envelope, Failure> {
        let address = |text: &String| {
            let parsed = text.parse::<Address>();
            parsed.map_err(|reason| {
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

    fn config(&self) -> Result<Config, Failure> {
        let config: Config = self.url.parse().map_err(|e| Status::Config.because(e))?;
        let config = config.ask_password(|user| {
            rpassword::prompt_password(format!("Password of {user}: "))
                .map_err(|e| Status::Config.because(format_args!("no password: {e}")))
        })?;
        Ok(if self.trace {
            config.trace_to_stderr()
        } else {
            config
        })
    }
}

fn send(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let envelope = arguments.envelope()?;
    let message = match &arguments.message {
        Some(path) => open(path, !arguments.trace)
            .map_err(|e| Status::NoInput.because(format_args!("{}: {e}", path.display())))?,
        None => Box::new(io::stdin().lock()),
    };
    let mut smtp = arguments.config()?.connect()?;
    let outcome = smtp.send(&envelope, message)?;
    smtp.quit();
    report(&outcome);
    if outcome.is_complete() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(Status::of_refused(&outcome).into())
    }
}

/// The message; on a terminal a large one moves a bar while it is read.
fn open(path: &Path, with_bar: bool) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size < LARGE || !with_bar || !io::stderr().is_terminal() {
        return Ok(Box::new(file));
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    let bar = ProgressBar::new(size)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_finish(ProgressFinish::AndClear);
    Ok(Box::new(bar.wrap_read(file)))
}

/// From this size on, in octets, people begin to wait.
const LARGE: u64 = 1024 * 1024;

/// Says of each recipient who was not accepted why, and whether another try makes sense.
fn report(outcome: &Outcome) {
    for recipient in outcome.recipients().iter().filter(|r| !r.is_accepted()) {
        let what = match recipient.status() {
            RecipientStatus::Refused => "refused",
            RecipientStatus::Unknown => "perhaps accepted",
            _ => "not sent",
        };
        let reply = recipient.reply().map(|reply| format!(": {reply}"));
        let again = if recipient.is_worth_retrying() {
            " (try again later)"
        } else {
            ""
        };
        eprintln!(
            "sendmail: {}: {what}{}{again}",
            recipient.address(),
            reply.unwrap_or_default()
        );
    }
}
