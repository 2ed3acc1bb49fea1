//! [`Timeouts`]: how long each step may take.

use std::time::Duration;

use crate::step::Step;

/// The time limit of each step.
///
/// Each limit counts for the whole step, even if the server sends its reply byte by byte. After that
/// the error is [`Error::Timeout`] with the [`Step`], or an [`Error::Interrupted`] with it inside, and
/// the connection is closed. A limit of zero is an error of the configuration.
///
/// [`Error::Interrupted`]: crate::Error::Interrupted
/// [`Error::Timeout`]: crate::Error::Timeout
///
/// ```
/// use std::time::Duration;
/// use smtplib::Config;
/// use smtplib::config::Timeouts;
///
/// let patient = Timeouts::default().greeting(Duration::from_secs(300));
/// let config = Config::new("mail.example.com").timeouts(patient);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) handshake: Duration,
    pub(crate) greeting: Duration,
    pub(crate) command: Duration,
    pub(crate) data: Duration,
    pub(crate) body: Duration,
    pub(crate) end_of_data: Duration,
    pub(crate) quit: Duration,
}

/// The reply to QUIT decides nothing.
const MAX_QUIT: Duration = Duration::from_secs(5);

impl Timeouts {
    /// Makes limits that are the same for every step; at most 5 seconds for QUIT.
    pub fn all(budget: Duration) -> Self {
        Self {
            connect: budget,
            handshake: budget,
            greeting: budget,
            command: budget,
            data: budget,
            body: budget,
            end_of_data: budget,
            quit: budget.min(MAX_QUIT),
        }
    }

    /// Returns how long this step may take.
    #[must_use]
    pub fn budget(&self, step: Step) -> Duration {
        match step {
            Step::Connect => self.connect,
            Step::Handshake => self.handshake,
            Step::Greeting => self.greeting,
            Step::Data => self.data,
            Step::Body => self.body,
            Step::EndOfData => self.end_of_data,
            Step::Quit => self.quit,
            _ => self.command,
        }
    }

    pub(crate) fn list(&self) -> [Duration; 8] {
        [
            self.connect,
            self.handshake,
            self.greeting,
            self.command,
            self.data,
            self.body,
            self.end_of_data,
            self.quit,
        ]
    }
}

macro_rules! timeout_setters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        impl Timeouts {
            $($(#[$doc])* pub fn $name(mut self, budget: Duration) -> Self {
                self.$name = budget;
                self
            })*
        }
    };
}

timeout_setters! {
    /// Sets the limit for looking up the host and connecting, over all its addresses; the default
    /// is 30 seconds.
    connect,
    /// Sets the limit for the TLS handshake; the default is 30 seconds.
    handshake,
    /// Sets the limit for the server's greeting; the default is 60 seconds.
    greeting,
    /// Sets the limit for the reply to a command, and for an AUTH with all its challenges; the
    /// default is 60 seconds.
    command,
    /// Sets the limit for the reply to DATA; the default is 120 seconds.
    data,
    /// Sets the limit for writing 64 KiB of the message; the default is 180 seconds.
    body,
    /// Sets the limit for the reply to the message; the default is 600 seconds (RFC 5321,
    /// 4.5.3.2.6).
    ///
    /// A shorter limit makes duplicates more likely.
    end_of_data,
    /// Sets the limit for the reply to QUIT; the default is 5 seconds. After that the connection is
    /// closed without an error.
    quit,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(30),
            handshake: seconds(30),
            greeting: seconds(60),
            command: seconds(60),
            data: seconds(120),
            body: seconds(180),
            end_of_data: seconds(600),
            quit: MAX_QUIT,
        }
    }
}
