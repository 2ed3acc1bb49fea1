//! [`Opener`]: the caller's way to open a connection.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::transport::Transport;

/// Opens a connection, by what a configuration says and before a deadline.
#[derive(Clone)]
pub(crate) struct Opener<Config>(Arc<Open<Config>>);

type Open<Config> = dyn Fn(&Config, Instant) -> io::Result<Box<dyn Transport>> + Send + Sync;

impl<Config> Opener<Config> {
    pub(super) fn new<T: Transport + 'static>(
        open: impl Fn(&Config, Instant) -> io::Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |config, deadline| {
            Ok(Box::new(open(config, deadline)?))
        }))
    }

    pub(crate) fn open(
        &self,
        config: &Config,
        deadline: Instant,
    ) -> io::Result<Box<dyn Transport>> {
        (self.0)(config, deadline)
    }
}

impl<Config> fmt::Debug for Opener<Config> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener(..)")
    }
}
