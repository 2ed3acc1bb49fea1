//! What MAIL and RCPT can ask for, one file for each RFC: the option as a type, its parameter, and
//! what of it fits the server's offer.

pub(crate) mod deliver_by;
pub(crate) mod dsn;
pub(crate) mod future_release;
pub(crate) mod mt_priority;
pub(crate) mod no_soliciting;
pub(crate) mod require_tls;
pub(crate) mod submitter;
pub(crate) mod xtext;
