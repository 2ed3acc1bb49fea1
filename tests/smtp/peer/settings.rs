//! What the test tells the peer: before it listens, and while it runs.
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// Settings of all connections of a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) bound: Duration,
    pub(crate) cut: Cut,
}

/// How the server's bytes are cut into segments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Once in each block, after this many bytes.
    At(usize),
    /// This many bytes in each segment.
    Every(usize),
    Never,
}

/// What the test wants from the peer's thread.
#[derive(Debug, Default)]
pub(crate) struct Control(AtomicU8);

impl Control {
    /// `finish` was called: no new connection is expected.
    pub(crate) fn finish(&self) {
        self.0.fetch_max(FINISHING, Ordering::SeqCst);
    }

    /// The test has panicked, so no wait makes sense any more.
    pub(crate) fn abort(&self) {
        self.0.fetch_max(ABORTED, Ordering::SeqCst);
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= FINISHING
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= ABORTED
    }
}

const FINISHING: u8 = 1;
const ABORTED: u8 = 2;
