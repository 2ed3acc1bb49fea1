//! [`IntoTexts`]: one text, or any list of them.

use crate::kind::{Many, Text};

/// One text or several: a `&str` or `String`, or any array, `Vec`, slice, `Option` or iterator of
/// them.
///
/// You never name the type parameter: the compiler finds it.
///
/// ```
/// use smtplib::Message;
///
/// let message = Message::builder()
///     .from("bob@example.org")
///     .in_reply_to("<2@example.com>")
///     .references(["<1@example.org>", "<2@example.com>"])
///     .build()?;
/// # Ok::<(), smtplib::error::MessageError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as texts",
    note = "give a text, or anything that can be iterated over and gives texts"
)]
pub trait IntoTexts<Kind> {
    /// Hands out each text.
    ///
    /// # Errors
    ///
    /// The first error of the receiver.
    #[doc(hidden)]
    fn each<E>(self, take: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E>;
}

impl<S: AsRef<str>> IntoTexts<Text> for S {
    fn each<E>(self, take: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        take(self.as_ref())
    }
}

impl<I, K> IntoTexts<Many<K>> for I
where
    I: IntoIterator,
    I::Item: IntoTexts<K>,
{
    fn each<E>(self, take: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        self.into_iter().try_for_each(|text| text.each(take))
    }
}
