//! [`Outbox`]: a server in memory, for tests.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::address::Address;
use crate::config::{Config, Security};
use crate::places::PlaceStream;
use crate::places::failure::{Failure, Kind};
use crate::places::offers::{Offers, SERVER};
use crate::places::sent::Sent;
use crate::places::store::{Answer, Halt, Mail, Store};

/// The extensions of a modern server.
const OFFERS: [&str; 7] = [
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "CHUNKING",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "SIZE",
];

/// A mail server in memory, for the tests of programs that send mail.
///
/// It works like a connection to a real server. Addresses, sizes and encodings are checked, and
/// results and errors are the same, so a test fails where production would. Clones share their
/// messages.
///
/// ```
/// use smtplib::outbox::Failure;
/// use smtplib::{Message, Outbox};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let outbox = Outbox::new();
/// outbox.refuse("bob@example.org", 550, "5.1.1 no such user");
///
/// // Give this configuration to the code under test.
/// let mut smtp = outbox.config().connect()?;
/// let message = Message::builder()
///     .from("alice@example.com")
///     .to(["ann@example.org", "bob@example.org"])
///     .subject("Lunch?")
///     .text("Noon at the usual place?\n")
///     .build()?;
/// let outcome = smtp.send_message(&message)?;
/// assert_eq!(outcome.refused().count(), 1);
///
/// let sent = outbox.take();
/// assert_eq!(sent.len(), 1);
/// assert_eq!(sent[0].subject(), "Lunch?");
/// assert!(sent[0].text().contains("usual place"));
/// assert!(sent[0].recipients().eq([&"ann@example.org".parse()?]));
///
/// outbox.fail_next(Failure::message(452, "4.3.1 disk full"));
/// assert!(smtp.send_message(&message).unwrap_err().is_transient());
/// assert!(outbox.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Outbox {
    shared: Arc<Mutex<Shared>>,
}

/// The state that the connections and the test share.
#[derive(Debug, Default)]
struct Shared {
    sent: Vec<Sent>,
    /// The extensions that were chosen.
    offers: Option<Vec<String>>,
    senders: Vec<Refusal>,
    recipients: Vec<Refusal>,
    failures: VecDeque<Failure>,
}

/// An address, and the reply that refuses it.
#[derive(Debug)]
struct Refusal {
    /// The text that the test gave; it need not be a valid address.
    address: String,
    answer: Answer,
}

impl Outbox {
    /// Makes an outbox that accepts every message and offers the extensions of a modern server.
    ///
    /// [`offer`](Self::offer) lists and changes them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a configuration whose connections go to this outbox.
    ///
    /// It uses neither TLS nor credentials, because nothing leaves the process.
    pub fn config(&self) -> Config {
        let outbox = self.clone();
        Config::new(SERVER)
            .security(Security::None)
            .transport(move |_config, _deadline| outbox.open())
    }

    /// Removes and returns the accepted messages, in the order in which they came.
    #[must_use]
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.lock().sent)
    }

    /// Returns how many accepted messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().sent.len()
    }

    /// Returns true if there is no accepted message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses this recipient from now on, with a code such as 550 and a text such as `5.1.1 no
    /// such user`.
    ///
    /// A second call for the same address replaces the first. The code is sent unchanged, and 421
    /// closes the connection.
    pub fn refuse(&self, address: &str, code: u16, text: impl Into<Cow<'static, str>>) {
        add_refusal(
            &mut self.lock().recipients,
            address,
            Answer::new(code, text),
        );
    }

    /// Refuses this sender from now on, as [`refuse`](Self::refuse) does with a recipient.
    ///
    /// An empty address is the null sender.
    pub fn refuse_sender(&self, address: &str, code: u16, text: impl Into<Cow<'static, str>>) {
        add_refusal(&mut self.lock().senders, address, Answer::new(code, text));
    }

    /// Makes the next attempt fail; further calls are for the attempts that follow.
    ///
    /// A failure waits until it can happen. For instance, [`Failure::message`] waits for a message
    /// with an accepted recipient.
    ///
    /// ```
    /// use smtplib::outbox::Failure;
    /// use smtplib::{Delivery, Outbox};
    ///
    /// # fn main() -> Result<(), smtplib::Error> {
    /// let outbox = Outbox::new();
    /// outbox.fail_next(Failure::sender(450, "4.7.1 come back later"));
    /// outbox.fail_next(Failure::lost_after_end());
    ///
    /// let mut smtp = outbox.config().connect()?;
    /// let mut send = || smtp.sendmail("a@example.com", ["b@example.org"], "Hi!\n");
    /// assert!(send().unwrap_err().is_transient());
    /// assert_eq!(send().unwrap_err().delivery(), Delivery::Unknown);
    /// # Ok(())
    /// # }
    /// ```
    pub fn fail_next(&self, failure: Failure) {
        self.lock().failures.push_back(failure);
    }

    /// Offers exactly these extensions in the reply to EHLO, on connections opened from now on.
    ///
    /// The default is PIPELINING, 8BITMIME, SMTPUTF8, CHUNKING, DSN, ENHANCEDSTATUSCODES and SIZE.
    ///
    /// The outbox keeps to the list: with `SIZE 1000`, for instance, it takes 1000 bytes and no
    /// more. An extension with its own command, such as AUTH, is offered, but the command is
    /// refused.
    ///
    /// ```
    /// use smtplib::{Error, Outbox};
    ///
    /// # fn main() -> Result<(), smtplib::Error> {
    /// let outbox = Outbox::new();
    /// outbox.offer(["SIZE 1000", "8BITMIME"]);
    /// let mut smtp = outbox.config().connect()?;
    /// let message = "x\n".repeat(1000);
    /// let result = smtp.sendmail("a@example.com", ["b@example.org"], &message);
    /// assert!(matches!(result, Err(Error::TooLarge { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn offer<T: Into<String>>(&self, extensions: impl IntoIterator<Item = T>) {
        let extensions = extensions.into_iter().map(Into::into).collect();
        self.lock().offers = Some(extensions);
    }

    fn open(&self) -> io::Result<PlaceStream> {
        let mut shared = self.lock();
        if shared.is_next(&Kind::Connect) {
            shared.failures.pop_front();
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let offers = match &shared.offers {
            Some(chosen) => Offers::new(chosen),
            None => Offers::new(OFFERS),
        };
        let entrance = Entrance {
            outbox: self.clone(),
            draft: None,
        };
        Ok(PlaceStream::new(entrance, offers))
    }

    /// After a panic in a test the data is still readable.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        f.debug_struct("Outbox")
            .field("sent", &shared.sent.len())
            .field("failures", &shared.failures)
            .finish_non_exhaustive()
    }
}

fn add_refusal(refusals: &mut Vec<Refusal>, address: &str, answer: Answer) {
    let address = address.to_owned();
    refusals.retain(|refusal| refusal.address != address);
    refusals.push(Refusal { address, answer });
}

/// The same address may be written in several ways.
fn find_refusal(refusals: &[Refusal], address: Option<&Address>) -> Result<(), Answer> {
    let mut newest = refusals.iter().rev();
    let is_meant = |refusal: &&Refusal| match address {
        Some(address) => refusal
            .address
            .parse()
            .is_ok_and(|it: Address| it == *address),
        None => refusal.address.is_empty(),
    };
    match newest.find(is_meant) {
        Some(refusal) => Err(refusal.answer.clone()),
        None => Ok(()),
    }
}

impl Shared {
    fn is_next(&self, kind: &Kind) -> bool {
        self.failures.front().is_some_and(|next| next.0 == *kind)
    }
}

/// The way into an outbox, for one connection.
#[derive(Debug)]
struct Entrance {
    outbox: Outbox,
    draft: Option<Draft>,
}

/// A message on its way.
#[derive(Debug)]
struct Draft {
    mail: Mail,
    octets: Vec<u8>,
    /// The failure for it.
    failure: Option<Kind>,
}

impl Store for Entrance {
    fn is_down(&self) -> bool {
        self.outbox.lock().is_next(&Kind::Connect)
    }

    fn sender(&mut self, sender: Option<&Address>) -> Result<(), Answer> {
        let mut shared = self.outbox.lock();
        let next = shared.failures.front().map(|failure| failure.0.clone());
        if let Some(Kind::Sender(answer)) = next {
            shared.failures.pop_front();
            return Err(answer);
        }
        find_refusal(&shared.senders, sender)
    }

    fn recipient(&mut self, recipient: &Address) -> Result<(), Answer> {
        find_refusal(&self.outbox.lock().recipients, Some(recipient))
    }

    fn begin(&mut self, mail: &Mail) -> Result<(), Answer> {
        let mut shared = self.outbox.lock();
        let is_other = matches!(
            shared.failures.front(),
            Some(Failure(Kind::Connect | Kind::Sender(_)))
        );
        let failure = match is_other {
            true => None,
            false => shared.failures.pop_front(),
        };
        drop(shared);
        self.draft = Some(Draft {
            mail: mail.clone(),
            octets: Vec::new(),
            failure: failure.map(|failure| failure.0),
        });
        Ok(())
    }

    fn is_lost(&self) -> bool {
        let failure = self.draft.as_ref().and_then(|draft| draft.failure.as_ref());
        failure == Some(&Kind::LostBeforeEnd)
    }

    fn write(&mut self, octets: &[u8], _deadline: Option<Instant>) -> Result<(), Halt> {
        if let Some(draft) = &mut self.draft {
            draft.octets.extend_from_slice(octets);
        }
        Ok(())
    }

    fn end(&mut self, _deadline: Option<Instant>) -> Result<Answer, Halt> {
        let Some(draft) = self.draft.take() else {
            return Err(Halt::Lost);
        };
        if let Some(Kind::Message(answer)) = draft.failure {
            return Err(answer.into());
        }
        let sent = Sent::new(draft.mail, draft.octets);
        self.outbox.lock().sent.push(sent);
        match draft.failure {
            Some(Kind::LostAfterEnd) => Err(Halt::Lost),
            Some(Kind::Timeout) => Err(Halt::TimedOut),
            _ => Ok(Answer::new(250, "2.0.0 accepted")),
        }
    }

    fn abort(&mut self) {
        self.draft = None;
    }
}
