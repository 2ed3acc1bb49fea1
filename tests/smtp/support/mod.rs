//! What tests of one kind share.

pub(crate) mod own;
pub(crate) mod sending;
pub(crate) mod session;
