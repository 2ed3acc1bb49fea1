//! [`LastWords`]: what a server had said when a write to it failed.

use crate::error::Error;
use crate::reply::Reply;

/// The replies that had arrived when a write failed, and why it failed.
///
/// Most of them are the replies to what was written before. Only the first one behind those is about the
/// failure.
#[derive(Debug)]
pub(crate) struct LastWords {
    /// Oldest first.
    pub(crate) replies: Vec<Reply>,
    pub(crate) failure: Error,
}
