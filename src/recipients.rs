//! [`IntoRecipients`]: whatever can stand for the recipients of an envelope.

use crate::address::{Address, AddressError};
use crate::kind::{Many, One, Text};

/// For how many recipients there is room at once. What an iterator says of itself is no promise.
const RESERVED: usize = 1000;

/// Everything that can stand for the recipients of an envelope: one bare address as a text or as an
/// [`Address`], and any array, `Vec`, slice, `Option` or iterator of them.
///
/// ```
/// use smtplib::{Address, Envelope};
///
/// let saved = vec!["ann@example.org".to_owned(), "bob@example.org".to_owned()];
/// let sender = "news@example.com";
/// assert_eq!(Envelope::parse(sender, "ann@example.org")?.recipients().count(), 1);
/// assert_eq!(Envelope::parse(sender, &saved)?.recipients().count(), 2);
/// assert_eq!(Envelope::parse(sender, saved.iter().map(|to| to.trim()))?.recipients().count(), 2);
/// assert_eq!(Envelope::parse(sender, [Address::new("ann", "example.org")?])?.recipients().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// You never name the type parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for recipients",
    note = "give an address as text or as `Address`, or anything that can be iterated over and gives them"
)]
pub trait IntoRecipients<Kind> {
    /// Adds the addresses to a list.
    ///
    /// # Errors
    ///
    /// The first text that is not an address, and why it is none.
    #[doc(hidden)]
    fn add_to(self, list: &mut Vec<Address>) -> Result<(), (Box<str>, AddressError)>;
}

impl<S: AsRef<str>> IntoRecipients<Text> for S {
    fn add_to(self, list: &mut Vec<Address>) -> Result<(), (Box<str>, AddressError)> {
        let text = self.as_ref();
        list.push(text.parse().map_err(|reason| (text.into(), reason))?);
        Ok(())
    }
}

impl IntoRecipients<One> for Address {
    fn add_to(self, list: &mut Vec<Address>) -> Result<(), (Box<str>, AddressError)> {
        list.push(self);
        Ok(())
    }
}

impl IntoRecipients<One> for &Address {
    fn add_to(self, list: &mut Vec<Address>) -> Result<(), (Box<str>, AddressError)> {
        self.clone().add_to(list)
    }
}

impl<I, K> IntoRecipients<Many<K>> for I
where
    I: IntoIterator,
    I::Item: IntoRecipients<K>,
{
    fn add_to(self, list: &mut Vec<Address>) -> Result<(), (Box<str>, AddressError)> {
        let entries = self.into_iter();
        list.reserve(entries.size_hint().0.min(RESERVED));
        for entry in entries {
            entry.add_to(list)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;
    use std::collections::BTreeSet;

    fn listed<K>(recipients: impl IntoRecipients<K>) -> String {
        let mut list = Vec::new();
        match recipients.add_to(&mut list) {
            Ok(()) => {
                let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
                texts.join(" ")
            }
            Err((text, reason)) => format!("{text}: {reason}"),
        }
    }

    // A8
    #[test]
    fn whatever_is_a_list_of_addresses_is_taken() {
        let ann: Address = "ann@x".parse().unwrap();
        let texts = vec!["ann@x".to_owned(), "bob@x".to_owned()];
        assert_eq!(listed("ann@x"), "ann@x");
        assert_eq!(listed(&texts[0]), "ann@x");
        assert_eq!(listed(texts[0].clone()), "ann@x");
        assert_eq!(listed(Cow::Borrowed("ann@x")), "ann@x");
        assert_eq!(listed(&ann), "ann@x");
        assert_eq!(listed([&ann, &ann]), "ann@x ann@x");
        assert_eq!(listed(Some(ann.clone())), "ann@x");
        assert_eq!(listed(ann), "ann@x");
        let array = &["ann@x", "bob@x"];
        for list in [
            listed(["ann@x", "bob@x"]),
            listed(array),
            listed(&["ann@x", "bob@x"][..]),
            listed(&texts),
            listed(&texts[..]),
            listed(texts.iter().map(|text| text.trim())),
            listed(texts.iter().collect::<BTreeSet<_>>()),
            listed([Some("ann@x"), None, Some("bob@x")]),
            listed(texts.clone()),
        ] {
            assert_eq!(list, "ann@x bob@x");
        }
        assert_eq!(listed([""; 0]), "");
        assert_eq!(listed(["ann@x", "bob"]), "bob: the address has no @");
    }
}
