//! Options of MAIL and RCPT, one file for each RFC. Each file has the option, its parameter, and
//! the check against the server's limits.

pub(crate) mod deliver_by;
pub(crate) mod dsn;
pub(crate) mod future_release;
pub(crate) mod mt_priority;
pub(crate) mod no_soliciting;
pub(crate) mod require_tls;
pub(crate) mod submitter;
pub(crate) mod xtext;
