//! Transcripts against a scripted peer.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

mod greeting;
mod hello;
mod message;
mod peer;
mod support;
