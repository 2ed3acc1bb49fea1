//! [`Posting`]: who sends a message to whom and when. A message has one, and one more for each
//! resending.

use std::borrow::Cow;

use crate::address::{Address, Places};
use crate::message::address_list::AddressList;
use crate::message::date::Date;
use crate::message::error::{MessageError, MessageProblem};
use crate::message::header::HeaderWriter;
use crate::message::id::MsgId;
use crate::message::mailbox::Mailbox;

/// The domain of an id if no author has a domain in ASCII.
const NO_DOMAIN: &str = "localhost.invalid";

/// The originator and destination fields of a message, or of a resending (RFC 5322, 3.6.2, 3.6.3
/// and 3.6.6).
#[derive(Clone, Debug, Default)]
pub(crate) struct Posting {
    pub(crate) date: Option<Date>,
    pub(crate) from: AddressList,
    pub(crate) sender: Option<Mailbox>,
    pub(crate) to: AddressList,
    pub(crate) cc: AddressList,
    pub(crate) bcc: AddressList,
    pub(crate) id: Option<MsgId>,
    /// It is known that no recipient occurs twice.
    pub(crate) is_distinct: bool,
}

/// The names of the fields.
pub(crate) struct Names {
    pub(crate) date: &'static str,
    pub(crate) from: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) to: &'static str,
    pub(crate) cc: &'static str,
    pub(crate) bcc: &'static str,
    pub(crate) id: &'static str,
}

pub(crate) const SENT: Names = Names {
    date: "Date",
    from: "From",
    sender: "Sender",
    to: "To",
    cc: "Cc",
    bcc: "Bcc",
    id: "Message-ID",
};

pub(crate) const RESENT: Names = Names {
    date: "Resent-Date",
    from: "Resent-From",
    sender: "Resent-Sender",
    to: "Resent-To",
    cc: "Resent-Cc",
    bcc: "Resent-Bcc",
    id: "Resent-Message-ID",
};

impl Posting {
    /// Checks that the fields fit together, and adds the missing ones that every posting needs.
    pub(crate) fn complete(mut self, names: &Names) -> Result<Self, MessageError> {
        if self.from.is_empty() {
            return Err(MessageError::new(names.from, MessageProblem::Missing));
        }
        let mut authors = self.from.mailboxes();
        let (first, second) = (authors.next(), authors.next());
        if self.sender.is_none() && (first.is_none() || second.is_some()) {
            return Err(MessageError::new(
                names.sender,
                MessageProblem::SenderRequired,
            ));
        }
        // A sender that equals the only author is left out (RFC 5322, 3.6.2).
        let says_nothing = second.is_none() && self.sender.as_ref() == first;
        drop(authors);
        if says_nothing {
            self.sender = None;
        }
        let date = self.date.unwrap_or_else(Date::now);
        let date = date
            .check()
            .map_err(|problem| MessageError::new(names.date, problem))?;
        self.date = Some(date);
        if self.id.is_none() {
            self.id = Some(MsgId::random(&self.domain()));
        }
        self.is_distinct = is_distinct(self.recipients());
        Ok(self)
    }

    /// The domain for ids: that of the sender or the first author that has one in ASCII.
    fn domain(&self) -> Cow<'_, str> {
        self.originators()
            .find_map(|mailbox| mailbox.address().ascii_domain())
            .unwrap_or(Cow::Borrowed(NO_DOMAIN))
    }

    /// The sender, who is responsible for the posting, and the authors.
    fn originators(&self) -> impl Iterator<Item = &Mailbox> {
        self.sender.iter().chain(self.from.mailboxes())
    }

    /// The reverse-path of the envelope.
    pub(crate) fn reverse_path(&self) -> Option<&Address> {
        self.originators().next().map(Mailbox::address)
    }

    /// The forward-paths of the envelope, each once.
    pub(crate) fn forward_paths(&self) -> Vec<Address> {
        if self.is_distinct {
            return self.recipients().cloned().collect();
        }
        let mut places = Places::default();
        let addresses = self.recipients().enumerate();
        let first = addresses.filter(|(place, address)| places.first_of(address, *place) == *place);
        first.map(|(_, address)| address.clone()).collect()
    }

    fn recipients(&self) -> impl Iterator<Item = &Address> {
        [&self.to, &self.cc, &self.bcc]
            .into_iter()
            .flat_map(AddressList::mailboxes)
            .map(Mailbox::address)
    }

    /// The mailboxes that the header shows, and in which fields.
    pub(crate) fn visible<'p>(
        &'p self,
        names: &Names,
    ) -> impl Iterator<Item = (&'p str, &'p Mailbox)> + use<'p> {
        let lists: [(&'p str, _); 3] = [
            (names.from, &self.from),
            (names.to, &self.to),
            (names.cc, &self.cc),
        ];
        let named = |(name, list)| AddressList::mailboxes(list).map(move |mailbox| (name, mailbox));
        let sender: &'p str = names.sender;
        self.sender
            .iter()
            .map(move |mailbox| (sender, mailbox))
            .chain(lists.into_iter().flat_map(named))
    }

    /// Writes the fields. `Bcc` is for the envelope only (RFC 5322, 3.6.3).
    pub(crate) fn write(&self, names: &Names, writer: &mut HeaderWriter<'_>) {
        if let Some(date) = self.date {
            writer.begin(names.date);
            writer.token_with(|out| date.append_to(out));
            writer.end();
        }
        write_list(writer, names.from, &self.from);
        if let Some(sender) = &self.sender {
            writer.begin(names.sender);
            sender.write(writer, "");
            writer.end();
        }
        write_list(writer, names.to, &self.to);
        write_list(writer, names.cc, &self.cc);
        if let Some(id) = &self.id {
            writer.begin(names.id);
            id.write(writer);
            writer.end();
        }
    }
}

fn is_distinct<'a>(addresses: impl Iterator<Item = &'a Address>) -> bool {
    let mut places = Places::default();
    let mut addresses = addresses.enumerate();
    addresses.all(|(place, address)| places.first_of(address, place) == place)
}

/// Writes a field of addresses, if there are any.
pub(crate) fn write_list(writer: &mut HeaderWriter<'_>, name: &str, list: &AddressList) {
    if !list.is_empty() {
        writer.begin(name);
        list.write(writer);
        writer.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(mailboxes: &[&str]) -> AddressList {
        mailboxes.try_into().unwrap()
    }

    fn posting(from: &[&str]) -> Posting {
        Posting {
            from: list(from),
            ..Posting::default()
        }
    }

    /// 5322-22, 5322-25, 5322-26.
    #[test]
    fn authors_decide_whether_a_sender_is_needed() {
        let error = posting(&[]).complete(&SENT).unwrap_err();
        assert_eq!(error.to_string(), "From: the message needs one, set it");
        let two = posting(&["a@example.org", "b@example.org"]);
        let error = two.clone().complete(&RESENT).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Resent-Sender: several authors need a sender, set one of them with `sender`"
        );
        let sender: Mailbox = "b@example.org".parse().unwrap();
        let two = Posting {
            sender: Some(sender.clone()),
            ..two
        };
        assert_eq!(two.complete(&SENT).unwrap().sender, Some(sender.clone()));
        let one = Posting {
            sender: Some(sender),
            ..posting(&["b@example.org"])
        };
        assert_eq!(one.complete(&SENT).unwrap().sender, None);
    }

    /// 5322-24, 5322-28: a missing date and id are added.
    #[test]
    fn date_and_id_are_made_if_they_are_not_given() {
        let made = posting(&["a@例え.jp"]).complete(&SENT).unwrap();
        assert!(made.date.is_some());
        let id = made.id.unwrap().to_string();
        let domain = match cfg!(feature = "idna") {
            true => "@xn--r8jz45g.jp>",
            false => "@localhost.invalid>",
        };
        assert!(id.ends_with(domain) && id.is_ascii(), "{id}");
    }

    /// 5322-27, H4: the envelope has every recipient once.
    #[test]
    fn the_envelope_has_each_recipient_once() {
        let posting = Posting {
            sender: Some("s@example.org".parse().unwrap()),
            to: list(&["B <b@example.org>", "c@example.org"]),
            cc: list(&["b@EXAMPLE.org", "B@example.org"]),
            bcc: list(&["d@example.org", "c@example.org"]),
            ..posting(&["a@example.org"])
        };
        assert_eq!(posting.reverse_path().unwrap().to_string(), "s@example.org");
        // Before it is complete, repetitions have not been searched for.
        for posting in [posting.clone(), posting.complete(&SENT).unwrap()] {
            let paths: Vec<String> = posting
                .forward_paths()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(
                paths,
                [
                    "b@example.org",
                    "c@example.org",
                    "B@example.org",
                    "d@example.org"
                ]
            );
        }
    }
}
