//! Transcripts against a scripted peer.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

#[allow(dead_code, unused_imports, reason = "not everything has its test yet")]
mod peer;
