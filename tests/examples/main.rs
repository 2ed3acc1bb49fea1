//! Every example, run as a separate process against the scripted peer.
//!
//! `cargo test` builds the examples before it runs these tests. `cargo test --test examples` alone
//! does not, so run `cargo build --examples` before.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

mod bulk;
mod compose;
mod lmtp;
mod newsletter;
// Only on Linux can an environment variable name the root certificates.
#[cfg(target_os = "linux")]
mod oauth2;
#[allow(
    dead_code,
    unused_imports,
    reason = "the tests of the library use the rest of it"
)]
#[path = "../smtp/peer/mod.rs"]
mod peer;
mod places;
mod program;
mod proxies;
mod quickstart;
mod sendmail;
// Only on Linux can an environment variable name the root certificates.
#[cfg(target_os = "linux")]
mod serve;
mod session;
#[cfg(target_os = "linux")]
mod terminal;
mod testing;
mod verp;
// Only on Linux can an environment variable name the root certificates.
#[cfg(target_os = "linux")]
mod web;
