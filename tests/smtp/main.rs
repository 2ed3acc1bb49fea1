//! Transcripts against a scripted peer.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

mod auth;
mod certificates;
mod config;
mod dial;
mod greeting;
mod hello;
mod mechanism;
mod oauth;
mod peer;
mod quit;
mod starttls;
mod support;
mod trace;
mod url;
mod verbs;
