//! The results of [`Mailer::send_all`], over one connection or several.

mod attempts;
mod book;
pub(crate) mod concurrently;
mod lease;
pub(crate) mod mailer;
mod options;
mod pace;
mod pool;
pub(crate) mod retry;
pub(crate) mod send_all;
mod settings;

pub use crate::mailer::concurrently::Concurrently;
pub(crate) use crate::mailer::mailer::Mailer;
pub use crate::mailer::send_all::SendAll;
