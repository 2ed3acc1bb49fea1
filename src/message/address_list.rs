//! [`AddressList`] and [`Group`]: whom a message is from and to.

use std::fmt;

use crate::address::{Address, try_from_text};
use crate::message::error::MailboxError;
use crate::message::header::HeaderWriter;
use crate::message::mailbox::Mailbox;
use crate::message::phrase::Phrase;

/// Mailboxes under a common name (RFC 5322, 3.4), or a name alone: `undisclosed-recipients:;`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    name: Phrase,
    members: Vec<Mailbox>,
}

impl Group {
    /// Makes a group of mailboxes, which may be empty.
    ///
    /// ```
    /// use smtplib::Message;
    /// use smtplib::message::Group;
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
        Self::named(Phrase::new(name)?, members.into_iter().collect())
    }

    pub(crate) fn named(name: Phrase, members: Vec<Mailbox>) -> Result<Self, MailboxError> {
        if name.is_empty() {
            return Err(MailboxError::EmptyName);
        }
        Ok(Self { name, members })
    }

    /// Returns the name of the group.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the mailboxes in the group.
    #[must_use]
    pub fn members(&self) -> &[Mailbox] {
        &self.members
    }

    /// Takes the group apart into its name and its mailboxes.
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<Mailbox>) {
        (self.name.into(), self.members)
    }

    fn write(&self, writer: &mut HeaderWriter<'_>, end: &str) {
        let close = format!(";{end}");
        let Some((last, others)) = self.members.split_last() else {
            return self.name.write(writer, &format!(":{close}"));
        };
        self.name.write(writer, ":");
        others.iter().for_each(|member| member.write(writer, ","));
        last.write(writer, &close);
    }
}

impl fmt::Display for Group {
    /// As a person would write it, and as [`AddressList`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)?;
        for (number, member) in self.members.iter().enumerate() {
            write!(f, "{} {member}", if number > 0 { "," } else { "" })?;
        }
        f.write_str(";")
    }
}

/// The value of `To`, `Cc`, `Bcc` or `Reply-To`: mailboxes and groups (RFC 5322, address-list).
///
/// It reads the text that configuration files and header fields have. Names may be quoted or
/// encoded, comments are left out, and a semicolon separates like a comma.
///
/// ```
/// use smtplib::Message;
/// use smtplib::message::AddressList;
///
/// let list: AddressList = "Alice <alice@example.com>, \"Doe, Jane\" <jane@example.org>".parse()?;
/// let names: Vec<_> = list.mailboxes().map(|mailbox| mailbox.name().unwrap_or_default()).collect();
/// assert_eq!(names, ["Alice", "Doe, Jane"]);
/// let message = Message::builder().from("news@example.com").to(list).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressList(Vec<ListEntry>);

/// One entry of an [`AddressList`] (RFC 5322, address).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListEntry {
    /// Mailboxes under a common name.
    Group(Group),
    /// One mailbox.
    Mailbox(Mailbox),
}

impl AddressList {
    /// Makes an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: impl Into<ListEntry>) {
        self.0.push(entry.into());
    }

    /// Returns true if there is no entry. An empty group is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the entries, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, ListEntry> {
        self.0.iter()
    }

    /// Returns all mailboxes, those in groups too.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.0.iter().flat_map(|entry| match entry {
            ListEntry::Group(group) => group.members.as_slice(),
            ListEntry::Mailbox(mailbox) => std::slice::from_ref(mailbox),
        })
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
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

impl ListEntry {
    fn write(&self, writer: &mut HeaderWriter<'_>, end: &str) {
        match self {
            Self::Group(group) => group.write(writer, end),
            Self::Mailbox(mailbox) => mailbox.write(writer, end),
        }
    }
}

impl fmt::Display for AddressList {
    /// As a person would write it, and as parsing reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, entry) in self.0.iter().enumerate() {
            f.write_str(if number > 0 { ", " } else { "" })?;
            match entry {
                ListEntry::Group(group) => group.fmt(f)?,
                ListEntry::Mailbox(mailbox) => mailbox.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl IntoIterator for AddressList {
    type Item = ListEntry;
    type IntoIter = std::vec::IntoIter<ListEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'l> IntoIterator for &'l AddressList {
    type Item = &'l ListEntry;
    type IntoIter = std::slice::Iter<'l, ListEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E: Into<ListEntry>> FromIterator<E> for AddressList {
    fn from_iter<I: IntoIterator<Item = E>>(entries: I) -> Self {
        Self(entries.into_iter().map(Into::into).collect())
    }
}

impl<E: Into<ListEntry>> Extend<E> for AddressList {
    fn extend<I: IntoIterator<Item = E>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(Into::into));
    }
}

impl From<Address> for ListEntry {
    fn from(address: Address) -> Self {
        Self::Mailbox(address.into())
    }
}

impl From<Group> for ListEntry {
    fn from(group: Group) -> Self {
        Self::Group(group)
    }
}

impl From<Mailbox> for ListEntry {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

impl<E: Into<ListEntry>> From<E> for AddressList {
    fn from(entry: E) -> Self {
        Self(vec![entry.into()])
    }
}

impl From<&Mailbox> for AddressList {
    fn from(mailbox: &Mailbox) -> Self {
        mailbox.clone().into()
    }
}

impl From<&Address> for AddressList {
    fn from(address: &Address) -> Self {
        address.clone().into()
    }
}

try_from_text!(AddressList, MailboxError);

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
