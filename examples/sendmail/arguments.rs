//! The command line.

use std::env;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::{Failure, Status};
use crate::letter::Letter;
use crate::{Sending, What};

pub(crate) const VERSION: &str = concat!("sendmail (smtplib ", env!("CARGO_PKG_VERSION"), ")\n");

pub(crate) const HELP: &str = "\
Sends a message that is already written, header and all, to the recipients
named; or composes one, whose text it reads.

Usage: sendmail [OPTIONS] --from ADDRESS RECIPIENT...
       sendmail [OPTIONS] --from ADDRESS -t
       sendmail [OPTIONS] --from ADDRESS --to ADDRESS --subject TEXT

Options:
  -f, --from ADDRESS   the sender, who gets the bounces; <> for none; otherwise
                       the environment's SMTP_FROM
  -m, --message FILE   the message or the text, for instance an .eml file;
                       without this option it is read from standard input
  -t                   takes recipients from To, Cc and Bcc in the header, too,
                       and takes Bcc out of the message
      --to ADDRESS     composes a message to this recipient; may be repeated
      --subject TEXT   its subject
      --attach FILE    attaches a file to it; may be repeated
  -u, --url URL        the server; otherwise the environment's SMTP_URL
      --ca FILE        trusts the root certificates in this PEM file, too
  -v, --trace          shows the dialog on standard error, passwords masked
  -i, -o OPTION        nothing: a line with a single dot never ends the message
      --version        shows the version
  -h, --help           shows this text

  smtp://alice@mail.example.com     STARTTLS on port 587, and nothing is sent without it
  smtps://alice@mail.example.com    TLS from the first byte, on port 465
  smtp://localhost?tls=none         no TLS, on port 25
  lmtp+unix:///run/dovecot/lmtp     local delivery
  maildir:///home/alice/mail        no server: a file in a Maildir

A password that the URL leaves out is asked for, which is best: others can see
the command line. What the server says when it takes the message is printed; most
servers name their queue id there.

Exit status:
   0  the server took the message for every recipient
  64  the command line is wrong, or an address is none
  65  the message is empty or not fit to be sent, or was refused for good
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

pub(crate) enum Arguments {
    Help,
    Version,
    Send(Sending),
}

impl Arguments {
    pub(crate) fn parse() -> Result<Self, Failure> {
        Self::parse_all(lexopt::Parser::from_env())
            .map_err(|error| Status::Usage.because(format_args!("{error}; see --help")))
    }

    fn parse_all(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut given = Given::default();
        while let Some(argument) = parser.next()? {
            match argument {
                Short('f') | Long("from") => given.from = Some(parser.value()?.string()?),
                Short('m') | Long("message") => given.file = Some(parser.value()?.into()),
                Short('t') => given.in_header = true,
                Long("to") => given.letter.to.push(parser.value()?.string()?),
                Long("subject") => given.letter.subject = Some(parser.value()?.string()?),
                Long("attach") => given.letter.attachments.push(parser.value()?.into()),
                Short('u') | Long("url") => given.url = Some(parser.value()?.string()?),
                Long("ca") => given.ca = Some(parser.value()?.into()),
                Short('v') | Long("trace") => given.trace = true,
                Short('i') => {}
                // Programs that call sendmail give -oi, -oem and such; a queue would obey them.
                Short('o') => drop(parser.value()?),
                Long("version") => return Ok(Self::Version),
                Short('h') | Long("help") => return Ok(Self::Help),
                Value(recipient) => given.recipients.push(recipient.string()?),
                _ => return Err(argument.unexpected()),
            }
        }
        given.sending().map(Self::Send)
    }
}

/// What was given, whether it fits together or not.
#[derive(Default)]
struct Given {
    url: Option<String>,
    ca: Option<PathBuf>,
    trace: bool,
    from: Option<String>,
    file: Option<PathBuf>,
    in_header: bool,
    recipients: Vec<String>,
    letter: Letter,
}

impl Given {
    fn sending(mut self) -> Result<Sending, lexopt::Error> {
        let set = |name| env::var(name).ok();
        let (url, from) = (self.url.take(), self.from.take());
        let what = if self.letter.is_empty() {
            self.written()?
        } else {
            self.letter()?
        };
        Ok(Sending {
            url: url
                .or_else(|| set("SMTP_URL"))
                .ok_or("there is no server: give --url, or set SMTP_URL")?,
            from: from
                .or_else(|| set("SMTP_FROM"))
                .ok_or("there is no sender: give --from, or set SMTP_FROM")?,
            ca: self.ca,
            trace: self.trace,
            file: self.file,
            what,
        })
    }

    fn written(&mut self) -> Result<What, lexopt::Error> {
        if self.recipients.is_empty() && !self.in_header {
            return Err("there is no recipient".into());
        }
        Ok(What::Written {
            to: std::mem::take(&mut self.recipients),
            in_header: self.in_header,
        })
    }

    fn letter(&mut self) -> Result<What, lexopt::Error> {
        if self.in_header || !self.recipients.is_empty() {
            return Err("a message that is composed has only the recipients of --to".into());
        }
        if self.letter.to.is_empty() {
            return Err("there is no recipient: give --to".into());
        }
        Ok(What::Letter(std::mem::take(&mut self.letter)))
    }
}
