//! [`MessageBuilder`]: a message, field by field.

use crate::message::date::Date;
use crate::message::decode::decoded;
use crate::message::encoded_word::encode_words;
use crate::message::entity::Root;
use crate::message::error::{MailboxError, MessageError, MessageProblem, check_controls};
use crate::message::field::Field;
use crate::message::first_error::FirstError;
use crate::message::head::{Head, Subject};
use crate::message::header::{MAX_LINE, blank_tokens};
use crate::message::id::MsgId;
use crate::message::into_address_list::IntoAddressList;
use crate::message::into_texts::IntoTexts;
use crate::message::mailbox::Mailbox;
use crate::message::part::Part;
use crate::message::posting::SENT;
use crate::message::resent::Resent;
use crate::message::unfold::unfolded;
use crate::message::{Message, random};

/// The longest seed of boundaries. A boundary has more than the seed, and at most 70 characters
/// (RFC 2046, 5.1.1).
const MAX_SEED: usize = 40;

impl Message {
    /// Begins a message; [`MessageBuilder`] has the setters.
    pub fn builder() -> MessageBuilder {
        MessageBuilder::default()
    }
}

/// Composes a [`Message`] from header fields and a body.
///
/// Setters never fail; [`build`](Self::build) returns the first error. A field with one value keeps
/// the last one given. Addresses, ids, header fields and attachments are added to those given
/// before.
///
/// `Date`, `Message-ID` and `MIME-Version` are added for you. `Bcc` is in the envelope and never in
/// the message.
///
/// ```
/// use smtplib::Message;
///
/// let message = Message::builder()
///     .from("Alice <alice@example.com>")
///     .to(["bob@example.org", "Zoë Müller <zoe@example.org>"])
///     .subject("Lunch?")
///     .text("Noon at the usual place?\n")
///     .build()?;
/// # Ok::<(), smtplib::error::MessageError>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "call `build` to make the message"]
pub struct MessageBuilder {
    /// Boxed, because each setter moves the builder.
    pub(super) head: Box<Head>,
    text: Option<Part>,
    html: Option<Part>,
    calendar: Option<Part>,
    attachments: Vec<Part>,
    body: Option<Part>,
    seed: Option<String>,
    has_encoded_names: bool,
    pub(super) error: FirstError,
}

impl MessageBuilder {
    /// Adds an author: `"Zoë Müller <zoe@example.org>"`, a pair of name and address, a [`Mailbox`],
    /// or any list of them.
    ///
    /// Required. If there are several authors, set the [`sender`](Self::sender) as well.
    pub fn from<T, K>(mut self, from: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(SENT.from, &mut self.head.posting.from, from);
        self
    }

    /// Sets the sender; by default it is the author.
    pub fn sender<T>(mut self, sender: T) -> Self
    where
        T: TryInto<Mailbox>,
        MailboxError: From<T::Error>,
    {
        let sender = sender.try_into().map_err(MailboxError::from);
        self.head.posting.sender = self.error.keep(SENT.sender, sender);
        self
    }

    /// Adds recipients: a mailbox in any of its forms, a [`Group`](crate::message::Group), an
    /// [`AddressList`](crate::message::AddressList), or any list or iterator of them
    /// ([`IntoAddressList`]).
    ///
    /// One text is one mailbox: a comma in it never begins another recipient.
    ///
    /// ```
    /// use smtplib::{Mailbox, Message};
    ///
    /// let zoe: Mailbox = "zoe@example.org".parse()?;
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .to("Bob <bob@example.org>") // a text
    ///     .to(("Doe, Jane", "jane@example.org")) // a name and an address
    ///     .to([zoe]) // a list
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to<T, K>(mut self, to: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(SENT.to, &mut self.head.posting.to, to);
        self
    }

    /// Adds recipients of a copy; by default there are none.
    pub fn cc<T, K>(mut self, cc: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(SENT.cc, &mut self.head.posting.cc, cc);
        self
    }

    /// Adds recipients that are hidden from the others; by default there are none.
    ///
    /// They are in the envelope, and not in the message.
    pub fn bcc<T, K>(mut self, bcc: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(SENT.bcc, &mut self.head.posting.bcc, bcc);
        self
    }

    /// Adds addresses for replies; by default replies go to the authors.
    pub fn reply_to<T, K>(mut self, reply_to: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error
            .add("Reply-To", &mut self.head.reply_to, reply_to);
        self
    }

    /// Sets the subject, in any script and of any length; by default there is none.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        let subject = subject.into();
        let checked = check_controls(&subject).map(|()| Subject {
            text: subject.into(),
            as_it_came: false,
        });
        self.head.subject = self.error.keep("Subject", checked);
        self
    }

    /// Sets the date; the default is the moment of [`build`](Self::build).
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use smtplib::Message;
    ///
    /// let message = Message::builder().from("alice@example.com").date(SystemTime::now()).build()?;
    /// # Ok::<(), smtplib::error::MessageError>(())
    /// ```
    pub fn date(mut self, date: impl Into<Date>) -> Self {
        self.head.posting.date = Some(date.into());
        self
    }

    /// Sets the id, such as `<unique@example.org>`; by default it is made from random bits and the
    /// sender's domain.
    pub fn message_id(mut self, id: &str) -> Self {
        self.head.posting.id = self.error.keep(SENT.id, MsgId::parse(id));
        self
    }

    /// Adds the ids of the messages that this one replies to, as a text or a list of texts; by
    /// default there are none.
    ///
    /// A text may hold several ids, which are sent unchanged. Everything that is not an id, `<`
    /// printable ASCII `>`, is left out.
    pub fn in_reply_to<T, K>(mut self, ids: T) -> Self
    where
        T: IntoTexts<K>,
    {
        let ids = self.error.keep("In-Reply-To", given_ids(ids));
        self.head.in_reply_to.extend(ids.into_iter().flatten());
        self
    }

    /// Adds the ids of earlier messages in the conversation, the oldest first; by default there are
    /// none.
    ///
    /// They are read like those of [`in_reply_to`](Self::in_reply_to).
    pub fn references<T, K>(mut self, ids: T) -> Self
    where
        T: IntoTexts<K>,
    {
        let ids = self.error.keep("References", given_ids(ids));
        self.head.references.extend(ids.into_iter().flatten());
        self
    }

    /// Makes it a reply to a message with this `Message-ID`, `References` and `Subject`.
    ///
    /// If there are no references, give the `In-Reply-To` instead (RFC 5322, 3.6.4). The subject
    /// gets one `Re: `. Values may be folded and encoded, as in the other message. Encoded-words in
    /// UTF-8, ISO 8859-1 and Windows-1252 are decoded; others are sent unchanged.
    ///
    /// ```
    /// use smtplib::Message;
    ///
    /// let answer = Message::builder()
    ///     .from("bob@example.org")
    ///     .to("alice@example.com")
    ///     .reply_to_message("<2@example.com>", "<1@example.org>", "RE: Lunch?")
    ///     .text("Yes.\n")
    ///     .build()?;
    /// let text = String::from_utf8(answer.to_bytes()?)?;
    /// assert!(text.contains("\r\nIn-Reply-To: <2@example.com>\r\n"));
    /// assert!(text.contains("\r\nReferences: <1@example.org> <2@example.com>\r\n"));
    /// assert!(text.contains("\r\nSubject: Re: Lunch?\r\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reply_to_message(self, message_id: &str, references: &str, subject: &str) -> Self {
        let subject = unfolded(subject);
        let mut builder = self
            .in_reply_to(message_id)
            .references(references)
            .references(message_id);
        match decoded(&subject) {
            None if is_one_line(&subject) => {
                builder.head.subject = Some(Subject {
                    text: encode_words(&answer_to(&subject)).into(),
                    as_it_came: true,
                });
                builder
            }
            text => builder.subject(answer_to(&text.unwrap_or_else(|| subject.into_owned()))),
        }
    }

    /// Adds any other header field: an extension, or a standard field that no method sets.
    ///
    /// The name keeps its case. The value is any text without control characters; characters
    /// outside ASCII are encoded (RFC 2047). Fields that machines read, such as `List-Unsubscribe`,
    /// and fields that begin with `X-` keep an ASCII value unchanged.
    ///
    /// ```
    /// use smtplib::Message;
    ///
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .header("Auto-Submitted", "auto-generated")
    ///     .build()?;
    /// # Ok::<(), smtplib::error::MessageError>(())
    /// ```
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        // Ids from other messages are accepted in any form.
        if name.eq_ignore_ascii_case("In-Reply-To") {
            return self.in_reply_to(value);
        }
        if name.eq_ignore_ascii_case("References") {
            return self.references(value);
        }
        match Field::new(name, value) {
            Ok(field) => self.head.others.push(field),
            Err(error) => self.error.push(error),
        }
        self
    }

    /// Adds `TLS-Required: No`: servers deliver the message even if a policy requires TLS and TLS
    /// fails (RFC 8689, 5).
    ///
    /// Reports about failing TLS need it. It has no effect together with
    /// [`Envelope::require_tls`](crate::Envelope::require_tls).
    pub fn tls_not_required(self) -> Self {
        let mut names = self.head.others.iter().map(Field::name);
        if names.any(|name| name.eq_ignore_ascii_case("TLS-Required")) {
            return self;
        }
        self.header("TLS-Required", "No")
    }

    /// Adds the header fields of a resending, before those of earlier ones (RFC 5322, 3.6.6); by
    /// default there are none.
    ///
    /// The message then goes to the recipients of this resending.
    ///
    /// ```
    /// use smtplib::Message;
    /// use smtplib::message::Resent;
    ///
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .to("bob@example.org")
    ///     .resent(Resent::new().from("bob@example.org").to("carol@example.net"))
    ///     .build()?;
    /// assert_eq!(message.envelope().recipients().next().unwrap().to_string(), "carol@example.net");
    /// # Ok::<(), smtplib::error::MessageError>(())
    /// ```
    pub fn resent(mut self, resent: Resent) -> Self {
        match resent.check() {
            Ok(posting) => self.head.resent.insert(0, posting),
            Err(error) => self.error.push(error),
        }
        self
    }

    /// Sets the plain text; by default there is none, and a message without any body is empty.
    ///
    /// Together with [`html`](Self::html), mail programs show one of the two.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(Part::text(text));
        self
    }

    /// Sets the plain text, with one line for each paragraph; by default there is none.
    ///
    /// Mail programs wrap the paragraphs (RFC 3676).
    pub fn text_flowed(mut self, text: &str) -> Self {
        self.text = Some(Part::flowed(text));
        self
    }

    /// Sets the HTML; by default there is none. Add a [`text`](Self::text) for readers without HTML.
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(Part::html(html));
        self
    }

    /// Sets the calendar of an invitation, with its method, such as `REQUEST`; by default there is
    /// none.
    ///
    /// Mail programs show it instead of the text. The chapter [`calendar`](crate::guide::calendar)
    /// has an example.
    pub fn calendar(mut self, method: &str, calendar: impl Into<String>) -> Self {
        self.calendar = Some(Part::calendar(method, calendar));
        self
    }

    /// Adds an [`Attachment`](crate::Attachment), a [`Message`] to be forwarded, or any other
    /// [`Part`].
    ///
    /// ```
    /// use smtplib::{Attachment, Message};
    ///
    /// let first = Message::builder().from("bob@example.org").text("Noon?\n").build()?;
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .attach(Attachment::new("notes.txt", "Bring bread.\n"))
    ///     .attach(first) // forwarded
    ///     .build()?;
    /// # Ok::<(), smtplib::error::MessageError>(())
    /// ```
    pub fn attach(mut self, part: impl Into<Part>) -> Self {
        self.attachments.push(part.into());
        self
    }

    /// Sets the body to a tree of parts, instead of text, HTML and calendar; by default there is none.
    ///
    /// An inline attachment goes beside the first HTML of the tree, as it does with
    /// [`html`](Self::html).
    ///
    /// ```
    /// use smtplib::{Message, Part};
    ///
    /// let forms = [Part::text("Noon?\n"), Part::html("<p>Noon?</p>\n")];
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .to("bob@example.org")
    ///     .body(Part::alternative(forms))
    ///     .build()?;
    /// # Ok::<(), smtplib::error::MessageError>(())
    /// ```
    pub fn body(mut self, part: impl Into<Part>) -> Self {
        self.body = Some(part.into());
        self
    }

    /// Sets the text in boundaries: 1 to 40 ASCII letters and digits that do not occur in the
    /// content.
    ///
    /// By default it is random. Tests can set it, together with date and id, to get the same bytes
    /// each time.
    pub fn boundary(mut self, seed: impl Into<String>) -> Self {
        self.seed = Some(seed.into());
        self
    }

    /// If true, writes file names of attachments a second time for old versions of Outlook; the
    /// default is false.
    ///
    /// The second form, encoded-words in quotes, is in no standard, and other programs do not need
    /// it. Without it, programs that do not know `filename*=` (RFC 2231) show `_` for characters
    /// outside ASCII.
    pub fn outlook_file_names(mut self, yes: bool) -> Self {
        self.has_encoded_names = yes;
        self
    }

    /// Checks everything and returns the message.
    ///
    /// # Errors
    ///
    /// The first error in what was given. [`MessageError::field`] names the field.
    pub fn build(mut self) -> Result<Message, MessageError> {
        self.error.check()?;
        let mut head = *std::mem::take(&mut self.head);
        head.posting = head.posting.complete(&SENT)?;
        let seed = self.seed.take();
        let has_encoded_names = self.has_encoded_names;
        let body = self.into_body()?.check()?;
        let mut root = Root::new(head, body, has_encoded_names);
        root.seed = match seed {
            Some(seed) => check_seed(seed, &root)?,
            // Random bits cannot occur in content that existed before them.
            None if root.body.is_multipart() => random::token().into(),
            None => "".into(),
        };
        if root.confuses() {
            return Err(MessageError::new("body", MessageProblem::PartBoundary));
        }
        Ok(Message::new(root))
    }

    /// Arranges the parts: the forms of the text as alternatives, inline pictures beside the HTML,
    /// and attachments last.
    fn into_body(self) -> Result<Part, MessageError> {
        let mut body = self.body;
        let (mut inline, mut attachments): (Vec<_>, Vec<_>) =
            self.attachments.into_iter().partition(Part::is_inline);
        let mut forms: Vec<Part> = self.text.into_iter().collect();
        match self.html {
            Some(html) if !inline.is_empty() => {
                let mut parts = vec![html];
                parts.append(&mut inline);
                forms.push(Part::related(parts));
            }
            Some(html) => forms.push(html),
            None => body.iter_mut().for_each(|body| body.show(&mut inline)),
        }
        forms.extend(self.calendar);
        if body.is_some() && !forms.is_empty() {
            return Err(MessageError::new("body", MessageProblem::Duplicate));
        }
        forms.extend(body);
        let body = match forms.len() {
            0 | 1 => forms.pop(),
            _ => Some(Part::alternative(forms)),
        };
        if inline.is_empty() && attachments.is_empty() {
            return Ok(body.unwrap_or_else(|| Part::text("")));
        }
        let mut parts = Vec::from_iter(body);
        // Pictures that no HTML shows.
        parts.append(&mut inline);
        parts.append(&mut attachments);
        Ok(Part::mixed(parts))
    }
}

/// A subject with one `Re: ` before it (RFC 5322, 3.6.5).
fn answer_to(subject: &str) -> String {
    let mut rest = subject.trim_matches(' ');
    while let Some((_, after)) = rest
        .split_at_checked("re:".len())
        .filter(|(re, _)| re.eq_ignore_ascii_case("re:"))
    {
        rest = after.trim_start_matches(' ');
    }
    // White space at the end of a value would have to be encoded.
    format!("Re: {rest}").trim_end_matches(' ').to_owned()
}

/// Whether the words of a subject that cannot be decoded can be sent unchanged, or encoded if they are
/// outside ASCII.
fn is_one_line(subject: &str) -> bool {
    check_controls(subject).is_ok() && blank_tokens(subject).all(|token| token.len() < MAX_LINE)
}

fn given_ids<K>(texts: impl IntoTexts<K>) -> Result<Vec<MsgId>, MessageProblem> {
    let mut ids = Vec::new();
    texts.each(&mut |text| {
        ids.extend(MsgId::given(text)?);
        Ok::<_, MessageProblem>(())
    })?;
    Ok(ids)
}

fn check_seed(seed: String, root: &Root) -> Result<Box<str>, MessageError> {
    let is_seed = (1..=MAX_SEED).contains(&seed.len())
        && seed.bytes().all(|octet| octet.is_ascii_alphanumeric());
    if is_seed && !root.body.collides(&seed) {
        Ok(seed.into())
    } else {
        Err(MessageError::new("boundary", MessageProblem::Boundary))
    }
}
