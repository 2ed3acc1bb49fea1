//! Transcripts against a scripted peer.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

mod data;
mod deadlines;
mod envelope;
mod extensions;
mod greeting;
mod hello;
mod limits;
mod lmtp;
mod loss;
mod message;
mod peer;
mod pipelining;
mod recipients;
mod reset;
mod sendmail;
mod support;
mod transaction;
