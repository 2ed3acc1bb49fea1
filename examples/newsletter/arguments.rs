//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Sends a newsletter to the readers in a list, and goes on where it stopped.

Usage: newsletter [OPTIONS] LIST.csv TEXT.txt

Options:
      --concurrency N  how many connections are used at a time; the default is 1
      --rate N         how many messages a second are sent at most
  -h, --help           shows this text

SMTP_URL names the server, and SMTP_FROM is the sender.

LIST.csv.sent keeps the results, and LIST.csv.sent.lock keeps a second run away.
If a run was killed, or stopped by Ctrl-C, delete the lock before the next.

Exit status:
   0  the server took the newsletter for all readers
   1  some were refused for good, or it is unknown whether they got it
   2  nothing can be sent: a file or an option is wrong, or another run is at work
  75  some are left: run it again later
";

pub(crate) struct Arguments {
    pub(crate) list: PathBuf,
    pub(crate) text: PathBuf,
    pub(crate) concurrency: usize,
    pub(crate) rate: Option<u32>,
}

impl Arguments {
    /// `None` asks for help.
    pub(crate) fn parse() -> Result<Option<Self>, lexopt::Error> {
        let (mut files, mut concurrency, mut rate) = (Vec::new(), 1, None);
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("concurrency") => concurrency = parser.value()?.parse()?,
                Long("rate") => rate = Some(parser.value()?.parse()?),
                Short('h') | Long("help") => return Ok(None),
                Value(file) => files.push(PathBuf::from(file)),
                _ => return Err(argument.unexpected()),
            }
        }
        let [list, text] = <[PathBuf; 2]>::try_from(files).map_err(|_| "give a list and a text")?;
        Ok(Some(Self {
            list,
            text,
            concurrency,
            rate,
        }))
    }
}
