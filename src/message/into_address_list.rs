//! [`IntoAddressList`]: every type that can be the mailboxes of a header field.

use crate::address::Address;
use crate::kind::{Many, One, Pair, Text};
use crate::message::address_list::{AddressList, Group, ListEntry};
use crate::message::error::MailboxError;
use crate::message::mailbox::Mailbox;

/// Mailboxes for `From`, `To`, `Cc`, `Bcc` or `Reply-To`, in any form.
///
/// A mailbox can be a text, a pair of name and address, a [`Mailbox`], an [`Address`] or a
/// [`Group`]. Several can be any array, `Vec`, slice, `Option`, map or iterator of them. One text
/// is one mailbox; parse a text with several by [`AddressList`].
///
/// ```
/// use smtplib::Message;
/// use smtplib::message::AddressList;
///
/// let team = vec!["Ann <ann@example.org>".to_owned(), "bob@example.org".to_owned()];
/// let configured: AddressList = "\"Doe, Jane\" <jane@example.org>, joe@example.org".parse()?;
/// let message = Message::builder()
///     .from("news@example.com")
///     .to(&team)
///     .cc(configured)
///     .bcc(team.iter().filter(|member| member.starts_with("bob")))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// You never name the type parameter: the compiler finds it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as mailboxes",
    note = "give a text, a pair of name and address, a `Mailbox`, an `Address`, a `Group`, or anything that can be iterated over and gives them"
)]
pub trait IntoAddressList<Kind> {
    /// Adds the mailboxes to a list.
    ///
    /// # Errors
    ///
    /// The first text that is not a mailbox. In a list, the error holds the text.
    #[doc(hidden)]
    fn add_to(self, list: &mut AddressList, is_listed: bool) -> Result<(), MailboxError>;
}

impl<S: AsRef<str>> IntoAddressList<Text> for S {
    fn add_to(self, list: &mut AddressList, is_listed: bool) -> Result<(), MailboxError> {
        let text = self.as_ref();
        let mailbox = text.parse::<Mailbox>().map_err(|error| match is_listed {
            true => MailboxError::Entry {
                entry: text.into(),
                reason: Box::new(error),
            },
            false => error,
        })?;
        list.push(ListEntry::Mailbox(mailbox));
        Ok(())
    }
}

impl<N, A> IntoAddressList<Pair> for (N, A)
where
    N: AsRef<str>,
    A: TryInto<Address>,
    MailboxError: From<A::Error>,
{
    fn add_to(self, list: &mut AddressList, _: bool) -> Result<(), MailboxError> {
        list.push(ListEntry::Mailbox(Mailbox::try_from(self)?));
        Ok(())
    }
}

impl<I, K> IntoAddressList<Many<K>> for I
where
    I: IntoIterator,
    I::Item: IntoAddressList<K>,
{
    fn add_to(self, list: &mut AddressList, _: bool) -> Result<(), MailboxError> {
        self.into_iter()
            .try_for_each(|entry| entry.add_to(list, true))
    }
}

/// Values that are entries of a list.
macro_rules! values {
    ($($value:ty),*) => {$(
        impl IntoAddressList<One> for $value {
            fn add_to(self, list: &mut AddressList, _: bool) -> Result<(), MailboxError> {
                list.push(self);
                Ok(())
            }
        }

        impl IntoAddressList<One> for &$value {
            fn add_to(self, list: &mut AddressList, _: bool) -> Result<(), MailboxError> {
                list.push(self.clone());
                Ok(())
            }
        }
    )*};
}

values!(Address, Group, ListEntry, Mailbox);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn listed<K>(mailboxes: impl IntoAddressList<K>) -> String {
        let mut list = AddressList::new();
        match mailboxes.add_to(&mut list, false) {
            Ok(()) => list.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// A8.
    #[test]
    fn whatever_is_a_list_of_mailboxes_is_taken() {
        let ann: Mailbox = "Ann <ann@x>".parse().unwrap();
        let address: Address = "ann@x".parse().unwrap();
        let texts = vec!["Ann <ann@x>".to_owned(), "bob@x".to_owned()];
        assert_eq!(listed("Ann <ann@x>"), "Ann <ann@x>");
        assert_eq!(listed(&texts[0]), "Ann <ann@x>");
        assert_eq!(listed(("Ann", "ann@x")), "Ann <ann@x>");
        assert_eq!(listed(("Ann", &address)), "Ann <ann@x>");
        assert_eq!(listed(&ann), "Ann <ann@x>");
        assert_eq!(listed(&address), "ann@x");
        assert_eq!(
            listed(Group::new("G", [ann.clone()]).unwrap()),
            "G: Ann <ann@x>;"
        );
        assert_eq!(listed(None::<&str>), "");
        let parsed: AddressList = "Ann <ann@x>, bob@x".parse().unwrap();
        for list in [
            listed(["Ann <ann@x>", "bob@x"]),
            listed(&texts),
            listed(&texts[..]),
            listed(texts.iter().map(|text| text.trim())),
            listed([("Ann", "ann@x"), ("", "bob@x")]),
            listed(vec![ann.clone(), "bob@x".parse().unwrap()]),
            listed([&ann, &"bob@x".parse().unwrap()]),
            listed([[Some("Ann <ann@x>"), None], [Some("bob@x"), None]]),
            listed(&parsed),
            listed(parsed.mailboxes()),
            listed(parsed.iter()),
            listed(parsed),
            listed(texts),
        ] {
            assert_eq!(list, "Ann <ann@x>, bob@x");
        }
        let book = BTreeMap::from([("Ann", "ann@x"), ("Bob", "bob@x")]);
        assert_eq!(listed(book), "Ann <ann@x>, Bob <bob@x>");
    }

    /// A3, A8: one text is one mailbox. In a list, the error names the wrong one.
    #[test]
    fn one_text_is_one_mailbox() {
        assert_eq!(listed("bob"), "the address has no @");
        assert_eq!(
            listed(["ann@x", "bob"]),
            "\"bob\" in the list: the address has no @"
        );
        for text in [
            "Alice <a@x.example>, Bob <b@x.example>",
            "a@x, b@x",
            "a@x; b@x",
            "\"Doe, Jane\" <j@x.example>, a@x",
            "Bob <b@x>, a@y",
            "friends: a@x, b@x;",
            "undisclosed-recipients:;",
        ] {
            let sentence = "this is a list: parse it with `AddressList`";
            assert_eq!(listed(text), sentence, "{text}");
            assert!(text.parse::<AddressList>().is_ok(), "{text}");
        }
    }
}
