//! Messages in the eyes of others: composed through the public interface, and parsed by other
//! programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

mod answers;
mod facts;
mod generate;
mod golden;
mod lenient;
mod parsed;
mod parts;
mod python;
mod refused;
mod streaming;
mod texts;
