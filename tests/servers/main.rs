//! Real servers: Debian's Postfix, Dovecot and Exim, and aiosmtpd, started here on 127.0.0.1.
//! Messages are compared with what was sent, byte for byte. Each server checks the mechanisms that
//! it has.
//!
//! These tests are ignored by default, because they need programs that are not in a checkout.
//! `cargo test --test servers -- --ignored` runs them, and CONTRIBUTING.md says what to install.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod aiosmtpd;
mod bodies;
#[path = "../smtp/peer/ca.rs"]
#[allow(
    dead_code,
    reason = "the scripted peer shows more certificates than these servers do"
)]
mod ca;
mod command;
mod dovecot;
mod exim;
mod logins;
mod mechanisms;
mod notifications;
mod postfix;
mod recipients;
mod server;
mod transactions;
