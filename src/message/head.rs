//! [`Head`]: the header fields of a message (RFC 5322, 3.6).

use crate::address::Address;
use crate::message::address_list::AddressList;
use crate::message::field::Field;
use crate::message::header::HeaderWriter;
use crate::message::id::MsgId;
use crate::message::posting::{Posting, RESENT, SENT, write_list};

/// The header of a message, without the fields that describe its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) posting: Posting,
    /// The latest comes first.
    pub(crate) resent: Vec<Posting>,
    pub(crate) reply_to: AddressList,
    pub(crate) in_reply_to: Vec<MsgId>,
    pub(crate) references: Vec<MsgId>,
    pub(crate) subject: Option<Subject>,
    pub(crate) others: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) text: Box<str>,
    /// It comes from another message, and has encoded-words that this crate cannot decode.
    pub(crate) as_it_came: bool,
}

impl Head {
    /// The sender and the recipients of the envelope: those of the latest resending, or of the
    /// message (RFC 5322, 3.6.6).
    pub(crate) fn envelope(&self) -> (Option<Address>, Vec<Address>) {
        let posting = self.resent.first().unwrap_or(&self.posting);
        (posting.reverse_path().cloned(), posting.forward_paths())
    }

    /// Whether an address in the header has characters outside ASCII. No encoding exists for them
    /// (RFC 6531).
    pub(crate) fn has_utf8(&self) -> bool {
        self.find_shown(|address| !address.is_ascii()).is_some()
    }

    /// The first address in the header without an ASCII form, and its field.
    pub(crate) fn without_ascii(&self) -> Option<(&str, &Address)> {
        self.find_shown(|address| address.to_ascii().is_none())
    }

    /// The first address of this kind in the header, and its field.
    fn find_shown(&self, is_wanted: fn(&Address) -> bool) -> Option<(&str, &Address)> {
        let resent = self
            .resent
            .iter()
            .flat_map(|posting| posting.visible(&RESENT));
        let reply_to = self
            .reply_to
            .mailboxes()
            .map(|mailbox| ("Reply-To", mailbox));
        let others = self.others.iter();
        let others = others.flat_map(|field| field.shown().map(|mailbox| (field.name(), mailbox)));
        resent
            .chain(self.posting.visible(&SENT))
            .chain(reply_to)
            .chain(others)
            .map(|(name, mailbox)| (name, mailbox.address()))
            .find(|(_, address)| is_wanted(address))
    }

    /// Removes the fields of this name that the caller added by name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.others
            .retain(|field| !field.name().eq_ignore_ascii_case(name));
    }

    /// The names of the fields that the caller added by name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(Field::name)
    }

    /// Writes all fields. Those of a resending come first, as a block (RFC 5322, 3.6.6).
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>) {
        for posting in &self.resent {
            posting.write(&RESENT, writer);
        }
        self.posting.write(&SENT, writer);
        write_list(writer, "Reply-To", &self.reply_to);
        write_ids(writer, "In-Reply-To", &self.in_reply_to);
        write_ids(writer, "References", &self.references);
        match &self.subject {
            Some(subject) if subject.as_it_came => writer.verbatim("Subject", &subject.text),
            Some(subject) => writer.unstructured("Subject", &subject.text),
            None => {}
        }
        self.others.iter().for_each(|field| field.write(writer));
    }
}

fn write_ids(writer: &mut HeaderWriter<'_>, name: &str, ids: &[MsgId]) {
    if !ids.is_empty() {
        writer.begin(name);
        ids.iter().for_each(|id| id.write(writer));
        writer.end();
    }
}
