//! [`Place`]: where messages go without a host.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::transport::Transport;

/// A place on this machine: a Maildir, a program or a Unix socket. It brings the function that opens
/// it, so that only programs that name such a place have the code for it.
#[derive(Clone)]
pub(crate) struct Place {
    /// The scheme of its URL.
    pub(crate) scheme: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) open: fn(&Path) -> io::Result<Box<dyn Transport>>,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        (self.scheme, &self.path) == (other.scheme, &other.path)
    }
}

impl Eq for Place {}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path may have control characters, which its own form escapes.
        f.debug_tuple(self.scheme).field(&self.path).finish()
    }
}
