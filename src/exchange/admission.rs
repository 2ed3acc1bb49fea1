//! What this server can be given: the facts of a message, the parameters of MAIL and RCPT, and the
//! rules for the body.

use std::borrow::Cow;

use crate::address::Address;
use crate::capabilities::Capabilities;
use crate::command_error::CommandError;
use crate::envelope::{Envelope, Recipient};
use crate::exchange::error::{ContentError, Inadmissible, Unsupported};
use crate::exchange::header::{HeaderWatch, Letters};
use crate::exchange::transit::{Commands, Framing, Order};
use crate::outcome::RecipientOutcome;
use crate::parameter::Parameter;
use crate::protocol::command::{self, Announced};
use crate::protocol::data::{Profile, Profiler};

/// The facts about a message that MAIL needs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// Size in bytes with CRLF line ends, as SIZE counts; `None` if it is unknown.
    pub(crate) size: Option<u64>,
    /// The bytes already seen, if the size is unknown.
    pub(crate) seen: u64,
    pub(crate) is_8bit: bool,
    /// The header has letters outside ASCII.
    pub(crate) is_header_8bit: bool,
    /// Some of them are not UTF-8.
    is_header_broken: bool,
    /// The message does not consist of lines. It is sent as one chunk (RFC 3030).
    pub(crate) is_binary: bool,
    /// The bytes of the message, line ends included, are the bytes to send.
    is_exact: bool,
    /// No line begins with a dot either, so DATA can take the message unchanged.
    is_clean: bool,
    profile: Option<Profile>,
}

impl Facts {
    /// The profile of an unread message: it may be 8-bit, so it counts as 8-bit if the server
    /// allows that.
    pub(crate) fn unknown(offers: &Capabilities) -> Self {
        Self {
            is_8bit: offers.eight_bit(),
            ..Self::default()
        }
    }

    /// The facts of a message that was rendered for this server.
    pub(crate) fn known(size: u64, is_8bit: bool, is_header_8bit: bool) -> Self {
        Self {
            size: Some(size),
            is_8bit,
            is_header_8bit,
            ..Self::default()
        }
    }

    /// The same facts, for a message whose lines DATA takes unchanged.
    pub(crate) fn clean(self) -> Self {
        Self {
            is_exact: true,
            is_clean: true,
            ..self
        }
    }

    /// The same facts, for a message that need not consist of lines.
    pub(crate) fn binary(self) -> Self {
        Self {
            is_binary: true,
            is_exact: true,
            is_clean: false,
            ..self
        }
    }

    /// The facts of a complete message.
    pub(crate) fn of(message: &[u8], offers: &Capabilities) -> Self {
        let profile = Profile::of(message, !offers.chunking());
        let header = if profile.is_8bit {
            header(message)
        } else {
            b""
        };
        Self {
            size: Some(profile.size),
            seen: 0,
            is_8bit: profile.is_8bit,
            is_header_8bit: !header.is_ascii(),
            is_header_broken: std::str::from_utf8(header).is_err(),
            is_binary: false,
            is_exact: profile.size == message.len() as u64,
            is_clean: profile.is_clean,
            profile: Some(profile),
        }
    }

    /// The facts of a message of which this is the beginning.
    pub(crate) fn of_head(head: &[u8], offers: &Capabilities) -> Self {
        let facts = Self::of(head, offers);
        // If the header continues after this piece, its last character may be cut.
        let is_broken =
            || std::str::from_utf8(header(head)).is_err_and(|error| error.error_len().is_some());
        Self {
            is_header_broken: facts.is_header_broken && is_broken(),
            size: None,
            seen: facts.size.unwrap_or_default(),
            is_8bit: facts.is_8bit || offers.eight_bit(),
            // The rest is not known.
            is_exact: false,
            is_clean: false,
            ..facts
        }
    }

    /// Whether SMTP can carry the message at all.
    pub(crate) fn check(&self, envelope: &Envelope) -> Result<(), Inadmissible> {
        let rules = BodyRules {
            allow_8bit: true,
            allow_long_lines: envelope.allows_long_lines(),
        };
        self.profile
            .map_or(Ok(()), |profile| rules.check(&profile))?;
        if self.is_header_broken {
            return Err(ContentError::HeaderNotUtf8.into());
        }
        Ok(())
    }

    /// Whether the message is sent without changes.
    pub(crate) fn is_verbatim(&self, framing: Framing) -> bool {
        match framing {
            Framing::Dot => self.is_clean,
            _ => self.is_exact,
        }
    }

    /// How the message is sent to this server.
    pub(crate) fn framing(&self, offers: &Capabilities) -> Framing {
        match self.size {
            Some(size) if self.is_binary || offers.chunking() => Framing::Chunk(size),
            None if offers.chunking() => Framing::Chunks,
            _ => Framing::Dot,
        }
    }

    /// A check of the unread part while it is sent; `None` if the whole message is known.
    pub(crate) fn inspection(
        &self,
        envelope: &Envelope,
        offers: &Capabilities,
    ) -> Option<Inspection> {
        let is_declared_7bit = is_7bit(envelope.parameters());
        let rules = BodyRules {
            allow_8bit: offers.eight_bit() && !is_declared_7bit,
            allow_long_lines: envelope.allows_long_lines(),
        };
        let inspection = || Inspection {
            profiler: Profiler::new(false),
            rules,
            limit: offers.size_limit(),
            header: HeaderWatch::new(self.letters(envelope, offers)),
        };
        self.size.is_none().then(inspection)
    }

    /// What the header may have, by the parameters of MAIL.
    fn letters(&self, envelope: &Envelope, offers: &Capabilities) -> Letters {
        let is_said = says_smtputf8(envelope.parameters())
            || needs_smtputf8(envelope, self, offers).unwrap_or_default();
        match is_said {
            true => Letters::Declared,
            false if offers.smtputf8() => Letters::Undeclared,
            false => Letters::NotOffered,
        }
    }
}

/// The transaction of a message, or why this server cannot be given it. It is for all recipients of
/// the envelope, or for those at `places`. The commands are written into the memory of `commands`.
pub(crate) fn order(
    (envelope, places): (&Envelope, Option<&[usize]>),
    facts: &Facts,
    offers: &Capabilities,
    mut commands: Commands,
) -> Result<Order, Inadmissible> {
    let announced = announced(envelope, facts, offers)?;
    let recipients = envelope.recipients_with_parameters();
    let count = places.map_or(recipients.len(), <[usize]>::len);
    commands.reserve(1 + count);
    let given = envelope.parameters();
    let is_utf8 = announced.smtputf8 || says_smtputf8(given);
    let sender = envelope.sender().map(|sender| told(sender, is_utf8));
    command::mail(commands.octets(), sender.as_deref(), given, &announced)?;
    commands.end_line();
    let mut outcomes = Vec::with_capacity(count);
    let mut add = |recipient: &Recipient| {
        if !recipient.parameters.is_empty() {
            check_offered(&recipient.parameters, offers)?;
        }
        let address = told(&recipient.address, is_utf8);
        command::rcpt(commands.octets(), &address, &recipient.parameters)?;
        commands.end_line();
        outcomes.push(RecipientOutcome::unanswered(recipient.address.clone()));
        Ok::<(), Inadmissible>(())
    };
    match places {
        None => recipients.iter().try_for_each(add)?,
        Some(places) => {
            let mut recipients = places.iter().filter_map(|place| recipients.get(*place));
            recipients.try_for_each(&mut add)?;
        }
    }
    Ok(Order {
        commands,
        recipients: outcomes,
        require_all: envelope.is_all_required(),
        framing: facts.framing(offers),
        is_firm: facts.size.is_some(),
    })
}

/// Everything before the first empty line, with any kind of line end. If the first line is not a
/// field, the message has no header.
fn header(message: &[u8]) -> &[u8] {
    let mut rest = message;
    while let Some(end) = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n')) {
        let (line, behind) = rest.split_at(end);
        let start = message.len() - rest.len();
        if start == 0 && !line.contains(&b':') {
            return b"";
        }
        if line.is_empty() {
            return message.get(..start).unwrap_or_default();
        }
        let after = behind.strip_prefix(b"\r\n").or_else(|| behind.get(1..));
        rest = after.unwrap_or_default();
    }
    message
}

/// The parameters of MAIL that the message and the server need, besides those of the caller.
pub(crate) fn announced(
    envelope: &Envelope,
    facts: &Facts,
    offers: &Capabilities,
) -> Result<Announced, Inadmissible> {
    let given = envelope.parameters();
    if !given.is_empty() {
        check_offered(given, offers)?;
        check_own(given, facts)?;
    }
    let is_given = |keyword| given.iter().any(|given| given.keyword() == keyword);
    let size = size_parameter(envelope, facts, offers)?;
    let body = match facts {
        facts if facts.is_binary => Some("BINARYMIME"),
        facts if !facts.is_8bit => None,
        _ if offers.eight_bit() => Some("8BITMIME"),
        _ => return Err(Unsupported::EightBit.into()),
    };
    Ok(Announced {
        size,
        body: body.filter(|_| !is_given("BODY")),
        smtputf8: needs_smtputf8(envelope, facts, offers)? && !is_given("SMTPUTF8"),
    })
}

/// SIZE is set only by the library. A BODY from the caller must be true. BINARYMIME works only with
/// BDAT (RFC 3030, 3), so the caller cannot set it.
fn check_own(parameters: &[Parameter], facts: &Facts) -> Result<(), Inadmissible> {
    let is_wrong = |parameter: &Parameter| match parameter.value() {
        Some("7BIT") => facts.is_8bit && facts.size.is_some(),
        value => value != Some("8BITMIME"),
    };
    for parameter in parameters {
        match parameter.keyword() {
            "SIZE" => return Err(CommandError::Size.into()),
            "BODY" if is_wrong(parameter) => return Err(CommandError::Body.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Whether the caller's parameters say that the message is 7-bit.
fn is_7bit(parameters: &[Parameter]) -> bool {
    parameters
        .iter()
        .any(|parameter| parameter.keyword() == "BODY" && parameter.value() == Some("7BIT"))
}

/// The size to announce. A message over the server's limit is refused before MAIL (RFC 1870, 5).
fn size_parameter(
    envelope: &Envelope,
    facts: &Facts,
    offers: &Capabilities,
) -> Result<Option<u64>, Inadmissible> {
    let size = facts.size.or_else(|| envelope.declared_size());
    let least = size.unwrap_or_default().max(facts.seen);
    match offers.size_limit() {
        Some(limit) if least > limit => Err(Inadmissible::TooLarge { size: least, limit }),
        _ => Ok(size.filter(|_| offers.size())),
    }
}

/// SMTPUTF8 is used when an address or the header needs it, and only then (RFC 6531, 3.4).
fn needs_smtputf8(
    envelope: &Envelope,
    facts: &Facts,
    offers: &Capabilities,
) -> Result<bool, Inadmissible> {
    let addresses = || envelope.sender().into_iter().chain(envelope.recipients());
    if offers.smtputf8() {
        return Ok(facts.is_header_8bit || addresses().any(|address| !address.is_ascii()));
    }
    if let Some(address) = addresses().find(|address| address.to_ascii().is_none()) {
        return Err(Unsupported::Utf8Address(Box::new(address.clone())).into());
    }
    if facts.is_header_8bit {
        return Err(Unsupported::Header.into());
    }
    Ok(false)
}

/// Whether MAIL with these parameters says that addresses may have letters outside ASCII.
pub(crate) fn says_smtputf8(parameters: &[Parameter]) -> bool {
    parameters
        .iter()
        .any(|parameter| parameter.keyword() == "SMTPUTF8")
}

/// An address as it is sent to the server. Without SMTPUTF8 at MAIL, the domain must be in ASCII
/// (RFC 6531, 3.2).
pub(crate) fn told(address: &Address, is_utf8: bool) -> Cow<'_, Address> {
    if is_utf8 || address.is_ascii() {
        return Cow::Borrowed(address);
    }
    address.to_ascii().unwrap_or(Cow::Borrowed(address))
}

/// Every parameter occurs once and belongs to an extension, which the server must offer (RFC 5321,
/// 2.2.1).
pub(crate) fn check_offered(
    parameters: &[Parameter],
    offers: &Capabilities,
) -> Result<(), Inadmissible> {
    for (place, parameter) in parameters.iter().enumerate() {
        let mut before = parameters.iter().take(place);
        if before.any(|other| other.keyword() == parameter.keyword()) {
            return Err(CommandError::Repeated.into());
        }
        let extension = parameter.extension();
        if !offers.has(extension) {
            return Err(Unsupported::Extension(extension.to_owned().into()).into());
        }
    }
    Ok(())
}

/// Checks a message while it is sent, because it was not read before.
#[derive(Debug)]
pub(crate) struct Inspection {
    profiler: Profiler,
    rules: BodyRules,
    /// The largest message that the server accepts.
    limit: Option<u64>,
    header: HeaderWatch,
}

impl Inspection {
    /// Takes the next piece, and says whether it may be sent.
    pub(crate) fn update(&mut self, piece: &[u8]) -> Result<(), Inadmissible> {
        self.profiler.update(piece);
        let profile = self.profiler.profile();
        self.rules.check(&profile)?;
        self.header.update(piece)?;
        match self.limit {
            Some(limit) if profile.size > limit => Err(Inadmissible::TooLarge {
                size: profile.size,
                limit,
            }),
            _ => Ok(()),
        }
    }
}

/// What a message may contain. This is decided before its first byte is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodyRules {
    pub(crate) allow_8bit: bool,
    pub(crate) allow_long_lines: bool,
}

impl BodyRules {
    /// Whether a message, or its beginning, obeys the rules.
    pub(crate) fn check(self, profile: &Profile) -> Result<(), Inadmissible> {
        if profile.has_nul {
            return Err(ContentError::Nul.into());
        }
        if profile.overlong_line.is_some() && !self.allow_long_lines {
            return Err(ContentError::LineTooLong.into());
        }
        if profile.is_8bit && !self.allow_8bit {
            return Err(Unsupported::EightBit.into());
        }
        Ok(())
    }
}
