//! Configurations for places other than a server.

use std::path::PathBuf;

use crate::config::Config;
use crate::config::place::Place;
use crate::places::{command, maildir};

impl Config {
    /// Makes a configuration that puts messages into this Maildir; `maildir:///path` in a URL.
    ///
    /// Each message becomes a file in `new`, with LF line ends. It begins with `Return-Path` and
    /// one `Delivered-To` for each recipient. Any number of threads and processes may write to the
    /// same Maildir. A message is on the disk before it counts as accepted, and readers never see
    /// half a message. Missing folders are made.
    ///
    /// A Maildir needs no TLS and no credentials: with either, [`connect`](Self::connect) and
    /// [`check`](Self::check) return [`ConfigError::NoServer`](crate::error::ConfigError::NoServer).
    ///
    /// ```
    /// use smtplib::{Config, Message};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("mail");
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .to("bob@example.org")
    ///     .text("Noon at the usual place?\n")
    ///     .build()?;
    /// let mut smtp = Config::maildir(&path).connect()?;
    /// assert!(smtp.send_message(&message)?.is_complete());
    /// assert_eq!(std::fs::read_dir(path.join("new"))?.count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn maildir(path: impl Into<PathBuf>) -> Self {
        Self::with_place(Place {
            scheme: "maildir",
            path: path.into(),
            open: maildir::open,
        })
    }

    /// Makes a configuration that hands messages to this program; `sendmail:///path` in a URL.
    ///
    /// Postfix, Exim, Sendmail, msmtp and others have such a program. It is run once for each
    /// message, without a shell, as `sendmail -i -f sender -- recipient …`. A message for more than
    /// 1000 recipients, or 200 on Windows, needs several runs. The program reads the message from
    /// standard input, with LF line ends. The null sender is `<>`.
    ///
    /// Its exit status counts for all recipients. 0 means that the message was accepted. Other
    /// numbers become the matching reply of a server, by `sysexits.h`: 67 is 550, 75 is 451, and so
    /// on. The text of the reply is the end of the program's standard error.
    ///
    /// The program is killed if it takes longer than [`Timeouts`](crate::config::Timeouts) allow,
    /// or if its message is cancelled. A script around `sendmail` should start it with `exec`.
    ///
    /// Nothing kills it if a signal ends your program, as Ctrl-C does: it then takes the part of the
    /// message that it has read for the whole. If that matters, handle the signal and let the call
    /// return first.
    ///
    /// If the program is missing, connecting fails with [`Error::Io`](crate::Error::Io). It needs no
    /// TLS and no credentials: with either, [`connect`](Self::connect) and [`check`](Self::check)
    /// return [`ConfigError::NoServer`](crate::error::ConfigError::NoServer).
    ///
    /// ```no_run
    /// use smtplib::Config;
    ///
    /// # fn main() -> Result<(), smtplib::Error> {
    /// let mut smtp = Config::sendmail_command("/usr/sbin/sendmail").connect()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sendmail_command(program: impl Into<PathBuf>) -> Self {
        Self::with_place(Place {
            scheme: "sendmail",
            path: program.into(),
            open: command::open,
        })
    }
}
