//! The text of the newsletter, and the message that each reader gets.

use std::path::Path;
use std::{env, fs};

use smtplib::{Mailbox, Message};

use crate::readers::Reader;

pub(crate) struct Letter {
    from: Mailbox,
    subject: String,
    text: String,
}

impl Letter {
    /// Reads the text; the sender is `SMTP_FROM`.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let wrong = |reason: &str| format!("{}: {reason}", path.display());
        let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
        let text = text.trim_start_matches('\u{feff}');
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let subject = first.strip_prefix("Subject:").map(str::trim);
        let subject = subject.filter(|subject| !subject.is_empty());
        let rest = rest.trim_start_matches(['\r', '\n']);
        if rest.trim().is_empty() {
            return Err(wrong("there is no text below the subject"));
        }
        let from = env::var("SMTP_FROM").map_err(|_| "set SMTP_FROM to the sender")?;
        Ok(Self {
            from: from
                .parse()
                .map_err(|error| format!("SMTP_FROM: {error}"))?,
            subject: subject
                .ok_or_else(|| wrong("the first line must be Subject: and a subject"))?
                .to_owned(),
            text: rest.to_owned(),
        })
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The message to one reader.
    pub(crate) fn to(&self, reader: &Reader) -> Result<Message, String> {
        let told = |reason: String| format!("{}: {reason}", reader.address);
        let from = self.from.address();
        let message = Message::builder()
            .from(&self.from)
            .to((reader.name(), reader.address.clone()))
            .subject(filled(&self.subject, reader).map_err(told)?)
            .text(filled(&self.text, reader).map_err(told)?)
            // Readers' programs show a button for it, and large providers ask for it.
            .list_unsubscribe(format!("mailto:{from}?subject=unsubscribe"), false)
            .list_id("", &from.to_string().replace('@', "."));
        message.build().map_err(|error| told(error.to_string()))
    }
}

/// The text with the reader's values in place of columns in braces. Braces in those values are
/// kept.
fn filled(text: &str, reader: &Reader) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('{') {
        let (column, behind) = behind.split_once('}').ok_or("a { has no }")?;
        let value = reader.get(column);
        filled.push_str(before);
        filled.push_str(value.ok_or_else(|| format!("the list has no column {column:?}"))?);
        rest = behind;
    }
    Ok(filled + rest)
}
