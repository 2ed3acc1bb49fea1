//! The language: octets in, values out. Nothing here can read, write, wait or tell the time.

pub(crate) mod command;
pub(crate) mod data;
pub(crate) mod error;
pub(crate) mod extension;
pub(crate) mod line;
pub(crate) mod parser;
mod quoted;
