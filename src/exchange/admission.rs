//! What a message may be to this server: its facts, the parameters of MAIL and RCPT, and the rules
//! for its body.

use crate::capabilities::Capabilities;
use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::exchange::error::{ContentError, Inadmissible, Unsupported};
use crate::parameter::Parameter;
use crate::protocol::data::Profile;

/// What has to be known of a message before MAIL.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// Octets with CRLF line ends, as SIZE counts them; `None` if nobody knows.
    pub(crate) size: Option<u64>,
    pub(crate) is_8bit: bool,
    /// The header has letters outside ASCII.
    pub(crate) is_header_8bit: bool,
    /// The message is no lines: it goes as a chunk of so many octets (RFC 3030).
    pub(crate) chunk: Option<u64>,
    profile: Option<Profile>,
}

impl Facts {
    /// Of a message that nobody has seen: it may be 8-bit, so it counts as that where it can.
    pub(crate) fn unknown(offers: &Capabilities) -> Self {
        Self {
            is_8bit: offers.has("8BITMIME"),
            ..Self::default()
        }
    }

    /// Of a message that was rendered for this server.
    pub(crate) fn known(size: u64, is_8bit: bool, is_header_8bit: bool) -> Self {
        Self {
            size: Some(size),
            is_8bit,
            is_header_8bit,
            ..Self::default()
        }
    }

    /// The same message as one chunk of octets that need not be lines.
    pub(crate) fn binary(self) -> Self {
        Self {
            chunk: self.size,
            ..self
        }
    }

    pub(crate) fn of(message: &[u8]) -> Self {
        let profile = Profile::of(message);
        Self {
            size: Some(profile.size),
            is_8bit: profile.is_8bit,
            is_header_8bit: profile.is_8bit && !header(message).is_ascii(),
            chunk: None,
            profile: Some(profile),
        }
    }

    /// Whether the message is fit to be sent to anybody.
    pub(crate) fn check(&self, envelope: &Envelope) -> Result<(), Inadmissible> {
        let rules = BodyRules {
            allow_8bit: true,
            allow_long_lines: envelope.allows_long_lines(),
        };
        self.profile.map_or(Ok(()), |profile| rules.check(&profile))
    }

    /// The rules for what nobody has seen yet; none if the whole message is known.
    pub(crate) fn rules_for_the_rest(
        &self,
        envelope: &Envelope,
        offers: &Capabilities,
    ) -> Option<BodyRules> {
        let allow_8bit = offers.has("8BITMIME") || offers.has("SMTPUTF8");
        let rules = BodyRules {
            allow_8bit,
            allow_long_lines: envelope.allows_long_lines(),
        };
        self.size.is_none().then_some(rules)
    }
}

/// Everything before the first empty line.
fn header(message: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        end += line.len();
    }
    message.get(..end).unwrap_or_default()
}

/// The parameters of MAIL: the caller's, and those that message and server ask for.
pub(crate) fn mail_parameters(
    envelope: &Envelope,
    facts: &Facts,
    offers: &Capabilities,
) -> Result<Vec<Parameter>, Inadmissible> {
    check_offered(envelope.parameters(), offers)?;
    check_body(envelope.parameters(), facts)?;
    let mut parameters = envelope.parameters().to_vec();
    let mut add = |keyword: &str, value: Option<String>| {
        if parameters
            .iter()
            .all(|parameter| parameter.keyword() != keyword)
        {
            parameters.push(Parameter::known(keyword, value));
        }
    };
    if let Some(size) = size_parameter(facts, offers)? {
        add("SIZE", Some(size.to_string()));
    }
    if facts.chunk.is_some() {
        add("BODY", Some("BINARYMIME".to_owned()));
    } else if facts.is_8bit {
        // A server with SMTPUTF8 takes 8-bit messages by definition (RFC 6531, 3.1).
        if offers.has("8BITMIME") || offers.has("SMTPUTF8") {
            add("BODY", Some("8BITMIME".to_owned()));
        } else {
            return Err(Unsupported::EightBit.into());
        }
    }
    if needs_smtputf8(envelope, facts, offers)? {
        add("SMTPUTF8", None);
    }
    Ok(parameters)
}

/// A BODY of the caller's own must be true. BINARYMIME goes with BDAT only (RFC 3030, 3), and so is
/// none of the caller's.
fn check_body(parameters: &[Parameter], facts: &Facts) -> Result<(), Inadmissible> {
    let mut bodies = parameters
        .iter()
        .filter(|parameter| parameter.keyword() == "BODY");
    let is_wrong = |parameter: &Parameter| match parameter.value() {
        Some("7BIT") => facts.is_8bit && facts.size.is_some(),
        value => value != Some("8BITMIME"),
    };
    if bodies.any(is_wrong) {
        Err(CommandError::Body.into())
    } else {
        Ok(())
    }
}

/// The size to announce; a message over the server's limit is not even begun (RFC 1870, 5).
fn size_parameter(facts: &Facts, offers: &Capabilities) -> Result<Option<u64>, Inadmissible> {
    let Some(size) = facts.size.filter(|_| offers.has("SIZE")) else {
        return Ok(None);
    };
    match offers.size_limit() {
        Some(limit) if size > limit => Err(Inadmissible::TooLarge { size, limit }),
        _ => Ok(Some(size)),
    }
}

/// SMTPUTF8 is asked for when an address or the header needs it, and only then (RFC 6531, 3.4).
fn needs_smtputf8(
    envelope: &Envelope,
    facts: &Facts,
    offers: &Capabilities,
) -> Result<bool, Inadmissible> {
    let mut addresses = envelope.sender().into_iter().chain(envelope.recipients());
    let address = addresses.find(|address| !address.is_ascii());
    let is_needed = address.is_some() || facts.is_header_8bit;
    if !is_needed || offers.has("SMTPUTF8") {
        return Ok(is_needed);
    }
    Err(Inadmissible::Unsupported(match address {
        Some(address) => Unsupported::Utf8Address(Box::new(address.clone())),
        None => Unsupported::Header,
    }))
}

/// Every parameter belongs to an extension, and the server must offer it (RFC 5321, 2.2.1).
pub(crate) fn check_offered(
    parameters: &[Parameter],
    offers: &Capabilities,
) -> Result<(), Inadmissible> {
    match parameters
        .iter()
        .map(Parameter::extension)
        .find(|extension| !offers.has(extension))
    {
        Some(extension) => Err(Unsupported::Extension(extension.to_owned().into()).into()),
        None => Ok(()),
    }
}

/// What a message may hold, decided before its first octet is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodyRules {
    pub(crate) allow_8bit: bool,
    pub(crate) allow_long_lines: bool,
}

impl BodyRules {
    /// Whether a message, or its beginning, keeps to the rules.
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
