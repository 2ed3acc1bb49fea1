//! Round trips through Python's `email` package.
