//! [`FirstError`]: the first error in what a builder was given.

use crate::message::address_list::AddressList;
use crate::message::error::{MessageError, MessageProblem};
use crate::message::into_address_list::IntoAddressList;

/// Keeps the first error, so that setters can be chained.
#[derive(Debug, Default)]
pub(crate) struct FirstError(Option<MessageError>);

impl FirstError {
    pub(crate) fn push(&mut self, error: MessageError) {
        self.0.get_or_insert(error);
    }

    /// The value of a field. If it is an error, keeps that and returns `None`.
    pub(crate) fn keep<T, E: Into<MessageProblem>>(
        &mut self,
        field: &'static str,
        value: Result<T, E>,
    ) -> Option<T> {
        value
            .map_err(|problem| self.push(MessageError::new(field, problem)))
            .ok()
    }

    /// Adds addresses to those of a field.
    pub(crate) fn add<T, K>(&mut self, field: &'static str, list: &mut AddressList, more: T)
    where
        T: IntoAddressList<K>,
    {
        self.keep(field, more.add_to(list, false));
    }

    /// Returns the error, if there was one.
    pub(crate) fn check(&mut self) -> Result<(), MessageError> {
        self.0.take().map_or(Ok(()), Err)
    }
}
