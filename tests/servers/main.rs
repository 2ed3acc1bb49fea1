//! Real servers: Debian's Postfix and aiosmtpd, started here on 127.0.0.1, and every message
//! compared with what was sent, octet for octet.
//!
//! These tests are ignored by default, because they need programs that a checkout does not bring:
//! `cargo test --test servers -- --ignored` runs them, CONTRIBUTING.md says what to install.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod aiosmtpd;
mod authority;
mod postfix;
mod scratch;
mod server;

use std::io::{BufRead, BufReader};
use std::net::TcpStream;

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn every_server_greets_as_soon_as_it_is_said_to_be_ready() {
    let postfix = postfix::Postfix::shared();
    let aiosmtpd = aiosmtpd::Aiosmtpd::shared();
    for port in [
        postfix.plain,
        postfix.submission,
        aiosmtpd.smtp,
        aiosmtpd.lmtp,
    ] {
        let mut greeting = String::new();
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        BufReader::new(stream).read_line(&mut greeting).unwrap();
        assert!(
            greeting.starts_with("220 mail.example.test "),
            "{greeting:?}"
        );
    }
}
