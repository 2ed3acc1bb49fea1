//! A blocking SMTP and LMTP client.
mod address;

pub use crate::address::{Address, AddressError};
