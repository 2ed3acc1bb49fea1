//! [`AddressList`] and [`Group`]: whom a message is from and to.

use crate::address::Address;
use crate::message::error::MailboxError;
use crate::message::header::HeaderWriter;
use crate::message::mailbox::{Mailbox, check_name};

/// Mailboxes under a common name (RFC 5322, 3.4), or a name alone: `undisclosed-recipients:;`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    name: Box<str>,
    members: Vec<Mailbox>,
}

impl Group {
    /// A group of mailboxes, which may be empty.
    ///
    /// ```
    /// use smtplib::{Group, Message};
    ///
    /// let message = Message::builder()
    ///     .from("alice@example.com")
    ///     .to(Group::new("undisclosed-recipients", [])?)
    ///     .bcc("bob@example.org")
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MailboxError::EmptyName`] or [`MailboxError::Control`].
    pub fn new(
        name: &str,
        members: impl IntoIterator<Item = Mailbox>,
    ) -> Result<Self, MailboxError> {
        check_name(name)?;
        if name.is_empty() {
            return Err(MailboxError::EmptyName);
        }
        Ok(Self {
            name: name.into(),
            members: members.into_iter().collect(),
        })
    }

    fn write(&self, writer: &mut HeaderWriter<'_>, end: &str) {
        let close = format!(";{end}");
        let Some((last, others)) = self.members.split_last() else {
            return writer.phrase(&self.name, &format!(":{close}"));
        };
        writer.phrase(&self.name, ":");
        others.iter().for_each(|member| member.write(writer, ","));
        last.write(writer, &close);
    }
}

/// The value of `To`, `Cc`, `Bcc` or `Reply-To`: mailboxes and groups (RFC 5322, address-list).
///
/// One text is one mailbox: a comma in it is never taken for the beginning of another recipient.
/// Several are given as an array or a `Vec`, or one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList(Vec<Entry>);

/// RFC 5322, address.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Group(Group),
    Mailbox(Mailbox),
}

impl AddressList {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// All mailboxes, those in groups too.
    pub(crate) fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.0.iter().flat_map(|entry| match entry {
            Entry::Group(group) => group.members.as_slice(),
            Entry::Mailbox(mailbox) => std::slice::from_ref(mailbox),
        })
    }

    /// Writes the list as the value of a header.
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>) {
        let Some((last, others)) = self.0.split_last() else {
            return;
        };
        others.iter().for_each(|entry| entry.write(writer, ","));
        last.write(writer, "");
    }
}

impl Entry {
    fn write(&self, writer: &mut HeaderWriter<'_>, end: &str) {
        match self {
            Self::Group(group) => group.write(writer, end),
            Self::Mailbox(mailbox) => mailbox.write(writer, end),
        }
    }
}

impl From<Mailbox> for AddressList {
    fn from(mailbox: Mailbox) -> Self {
        Self(vec![Entry::Mailbox(mailbox)])
    }
}

impl From<&Mailbox> for AddressList {
    fn from(mailbox: &Mailbox) -> Self {
        mailbox.clone().into()
    }
}

impl From<Address> for AddressList {
    fn from(address: Address) -> Self {
        Mailbox::from(address).into()
    }
}

impl From<&Address> for AddressList {
    fn from(address: &Address) -> Self {
        Mailbox::from(address).into()
    }
}

impl From<Group> for AddressList {
    fn from(group: Group) -> Self {
        Self(vec![Entry::Group(group)])
    }
}

impl TryFrom<&str> for AddressList {
    type Error = MailboxError;

    fn try_from(text: &str) -> Result<Self, MailboxError> {
        text.parse::<Mailbox>().map(Self::from)
    }
}

impl TryFrom<&String> for AddressList {
    type Error = MailboxError;

    fn try_from(text: &String) -> Result<Self, MailboxError> {
        text.as_str().try_into()
    }
}

impl TryFrom<String> for AddressList {
    type Error = MailboxError;

    fn try_from(text: String) -> Result<Self, MailboxError> {
        text.as_str().try_into()
    }
}

impl<N, A> TryFrom<(N, A)> for AddressList
where
    N: AsRef<str>,
    A: TryInto<Address>,
    MailboxError: From<A::Error>,
{
    type Error = MailboxError;

    fn try_from(pair: (N, A)) -> Result<Self, MailboxError> {
        Mailbox::try_from(pair).map(Self::from)
    }
}

impl<T, const N: usize> TryFrom<[T; N]> for AddressList
where
    T: TryInto<Self>,
    MailboxError: From<T::Error>,
{
    type Error = MailboxError;

    fn try_from(entries: [T; N]) -> Result<Self, MailboxError> {
        collect(entries)
    }
}

impl<T> TryFrom<Vec<T>> for AddressList
where
    T: TryInto<Self>,
    MailboxError: From<T::Error>,
{
    type Error = MailboxError;

    fn try_from(entries: Vec<T>) -> Result<Self, MailboxError> {
        collect(entries)
    }
}

impl<T> TryFrom<&[T]> for AddressList
where
    T: Clone + TryInto<Self>,
    MailboxError: From<T::Error>,
{
    type Error = MailboxError;

    fn try_from(entries: &[T]) -> Result<Self, MailboxError> {
        collect(entries.iter().cloned())
    }
}

fn collect<T>(entries: impl IntoIterator<Item = T>) -> Result<AddressList, MailboxError>
where
    T: TryInto<AddressList>,
    MailboxError: From<T::Error>,
{
    let mut list = AddressList::default();
    for entry in entries {
        list.append(entry.try_into()?);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 5322-17.
    #[test]
    fn lists_are_made_of_what_stands_for_mailboxes() {
        let address: Address = "a@example.org".parse().unwrap();
        let lists: [AddressList; 6] = [
            "a@example.org".try_into().unwrap(),
            String::from("a@example.org").try_into().unwrap(),
            (&address).into(),
            Mailbox::from(address).into(),
            ["a@example.org"].try_into().unwrap(),
            vec!["a@example.org".to_owned()].try_into().unwrap(),
        ];
        assert!(lists.iter().all(|list| *list == lists[0]));
        assert!(AddressList::try_from(["a@example.org", "b"]).is_err());
    }

    /// 5322-05, 5322-16.
    #[test]
    fn a_group_has_a_name_without_controls() {
        assert_eq!(Group::new("", []).unwrap_err(), MailboxError::EmptyName);
        assert!(Group::new("a\nb", []).is_err());
        assert!(Group::new("undisclosed-recipients", []).is_ok());
    }
}
