//! Messages as others read them: composed through the public interface, and parsed by programs that
//! are not ours.
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
