//! Configurations for places other than a server.

use std::path::PathBuf;

use crate::config::Config;
use crate::config::place::Place;
use crate::places::{command, maildir};

impl Config {
    /// Puts messages into this Maildir instead of sending them; `maildir:///path` in a URL.
    ///
    /// Each message becomes a file in `new`, with `Return-Path` and one `Delivered-To` for each
    /// recipient on top, and with LF line ends. Any number of threads and processes may write to the
    /// same Maildir. A message is on the disk before it counts as accepted, and readers never see
    /// half of one. The folders are made if they are missing.
    ///
    /// A Maildir needs no TLS and no credentials: with either, [`connect`](Self::connect) and
    /// [`check`](Self::check) return [`ConfigError::NoServer`].
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

    /// Hands messages to this program instead of a server; `sendmail:///usr/sbin/sendmail` in a URL.
    ///
    /// Postfix, Exim, Sendmail, msmtp and others bring such a program. It is run once for each
    /// message, without a shell, as `sendmail -i -f sender -- recipient …`, and reads the message
    /// from its standard input, with LF line ends. The null sender is `<>`.
    ///
    /// Its exit status is that of all recipients. 0 means that the message was accepted. The others
    /// become the replies that a server would give, by the numbers of `sysexits.h`: 67 is 550, 75 is
    /// 451, and so on. The end of what the program wrote to standard error is the text.
    ///
    /// A program that takes longer than [`Timeouts`](crate::config::Timeouts) allow is killed, and so
    /// is one whose message is called off. A script around `sendmail` should start it with `exec`.
    ///
    /// If the program is missing, connecting fails with [`Error::Io`](crate::Error::Io). It needs no
    /// TLS and no credentials: with either, [`connect`](Self::connect) and [`check`](Self::check)
    /// return [`ConfigError::NoServer`].
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
