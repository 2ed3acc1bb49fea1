//! Transcripts against a scripted peer.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says so by panicking"
)]

mod across;
mod auth;
mod batch;
mod certificates;
// Systems on which native-tls uses OpenSSL.
#[cfg(not(any(windows, target_vendor = "apple")))]
mod client_certificate;
mod config;
#[cfg(feature = "cram-md5")]
mod cram_md5;
mod cut;
mod data;
mod deadlines;
mod dial;
mod envelope;
mod extensions;
mod fakes;
mod field;
mod greeting;
mod hello;
mod limits;
mod lmtp;
mod loss;
mod mailer;
mod mechanism;
mod message;
mod oauth;
mod options;
mod peer;
mod peer_tests;
mod pipelining;
mod places;
mod quit;
mod recipients;
mod reset;
#[cfg(feature = "scram")]
mod scram;
mod sendmail;
mod starttls;
mod support;
mod trace;
mod transaction;
mod transport;
mod transport_rustls;
mod transport_tls;
mod url;
mod verbs;
mod written;
