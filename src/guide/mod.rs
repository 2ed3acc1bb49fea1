//! The guide: one short chapter for each task.
//!
//! Each chapter begins with the code that most readers want. All code here is compiled when the
//! crate is tested.
//!
#![doc = include_str!("chapters.md")]

pub mod a_first_message;
pub mod calendar;
pub mod certificates;
pub mod errors;
pub mod from_lettre;
pub mod from_nodemailer;
pub mod from_python;
pub mod html;
pub mod lists;
pub mod logging;
pub mod many_machines;
pub mod many_messages;
pub mod many_threads;
pub mod oauth2;
pub mod platforms;
pub mod providers;
pub mod proxies;
pub mod recipients;
pub mod testing;
pub mod trying_again;
pub mod unicode;
