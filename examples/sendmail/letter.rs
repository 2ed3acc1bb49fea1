//! A message that is composed from options.

use std::path::PathBuf;

use smtplib::{Attachment, Message};

use crate::failure::{Failure, Status};
use crate::input::Input;

/// A message that is composed from options; its text is read.
#[derive(Default)]
pub(crate) struct Letter {
    pub(crate) to: Vec<String>,
    pub(crate) subject: Option<String>,
    pub(crate) attachments: Vec<PathBuf>,
}

impl Letter {
    /// Whether none of its options was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.to.is_empty() && self.subject.is_none() && self.attachments.is_empty()
    }

    pub(crate) fn message(&self, from: &str, text: Input) -> Result<Message, Failure> {
        // A file may come without a text.
        if self.attachments.is_empty() {
            text.must_not_be_empty()?;
        }
        let mut message = Message::builder()
            .from(from)
            .to(&self.to)
            .text(text.into_text()?);
        if let Some(subject) = &self.subject {
            message = message.subject(subject);
        }
        for path in &self.attachments {
            let attachment = Attachment::from_path(path).map_err(|error| {
                Status::NoInput.because(format_args!("{}: {error}", path.display()))
            })?;
            message = message.attach(attachment);
        }
        message
            .build()
            .map_err(|error| Status::Usage.because(error))
    }
}
