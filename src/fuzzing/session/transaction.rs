//! [`Transaction`]: what a strict server knows about one transaction.

use std::ops::RangeBounds;

/// One transaction, from MAIL on.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) recipients: Vec<Recipient>,
    /// `None` before there is a reply.
    pub(super) is_sender_accepted: Option<bool>,
    /// The chunks so far of a message whose last one was not sent.
    pub(super) chunks: Vec<u8>,
    /// The message, once its end was sent.
    pub(super) message: Option<Sent>,
}

/// A message as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// After DATA, with the dot at its end.
    Lines(Vec<u8>),
    /// In chunks, joined.
    Chunks(Vec<u8>),
}

#[derive(Debug)]
pub(super) struct Recipient {
    path: String,
    /// `None` before there is a reply.
    pub(super) is_accepted: Option<bool>,
    /// The code of the reply to the message.
    verdict: Option<u16>,
}

impl Transaction {
    /// Adds a recipient, and returns its place.
    pub(super) fn add(&mut self, path: &str) -> usize {
        self.recipients.push(Recipient {
            path: path.to_owned(),
            is_accepted: None,
            verdict: None,
        });
        self.recipients.len() - 1
    }

    /// The accepted recipients, if the sender was accepted.
    pub(super) fn accepted(&self) -> impl Iterator<Item = usize> {
        let is_sent = self.is_sender_accepted == Some(true);
        let all = self.recipients.iter().enumerate();
        all.filter(move |(_, recipient)| is_sent && recipient.is_accepted == Some(true))
            .map(|(index, _)| index)
    }

    pub(super) fn settle(&mut self, range: impl RangeBounds<usize>, code: u16) {
        let accepted: Vec<usize> = self
            .accepted()
            .filter(|index| range.contains(index))
            .collect();
        for index in accepted {
            self.recipients[index].verdict = Some(code);
        }
    }

    /// The recipients that get the message: the reply to it was 2yz.
    pub(super) fn taken(&self) -> impl Iterator<Item = &str> {
        let taken = |recipient: &&Recipient| matches!(recipient.verdict, Some(200..=299));
        let taken = self.recipients.iter().filter(taken);
        taken.map(|recipient| recipient.path.as_str())
    }

    /// Whether the whole message was sent, and it is unknown whether an accepted recipient gets it.
    pub(super) fn is_unknown(&self) -> bool {
        let is_open = |recipient: &Recipient| {
            recipient.is_accepted != Some(false)
                && matches!(recipient.verdict, None | Some(300..=399))
        };
        self.message.is_some()
            && self.is_sender_accepted != Some(false)
            && self.recipients.iter().any(is_open)
    }
}
