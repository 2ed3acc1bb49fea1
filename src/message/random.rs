//! Unique random names for message ids, content ids and boundaries.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The letters and digits of a token: 26 characters of 32 values hold 130 bits.
const TOKEN_LENGTH: usize = 26;
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// Distinguishes tokens that are made in the same instant.
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// 128 random bits as 26 lower-case letters and digits.
pub(crate) fn token() -> String {
    with_token(&[])
}

/// A token, followed by these texts.
///
/// The keys of std's hasher come from the operating system, and without them the hash cannot be
/// predicted. A forked process has the keys of its parent, so the time is hashed, too.
pub(crate) fn with_token(ends: &[&str]) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = (
        DRAWN.fetch_add(1, Ordering::Relaxed),
        since.map_or(0, |since| since.as_nanos()),
    );
    let keys = RandomState::new();
    let high = keys.hash_one((0_u8, seed));
    let low = keys.hash_one((1_u8, seed));
    let mut bits = u128::from(high) << 64 | u128::from(low);
    let length: usize = ends.iter().map(|end| end.len()).sum();
    let mut text = String::with_capacity(TOKEN_LENGTH + length);
    for _ in 0..TOKEN_LENGTH {
        let digit = DIGITS.get((bits & 31) as usize).copied().unwrap_or(b'0');
        text.push(char::from(digit));
        bits >>= 5;
    }
    ends.iter().for_each(|end| text.push_str(end));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::thread;

    #[test]
    fn tokens_are_distinct_across_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| thread::spawn(|| (0..2_000).map(|_| token()).collect::<Vec<_>>()))
            .collect();
        let tokens: HashSet<String> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(tokens.len(), 8_000);
        assert!(tokens.iter().all(|token| token.len() == TOKEN_LENGTH));
    }

    #[test]
    fn every_bit_of_a_token_moves() {
        let (mut ones, mut zeros) = (0_u128, 0_u128);
        for _ in 0..200 {
            let bits = token().bytes().rev().fold(0, |bits: u128, digit| {
                let value = DIGITS.iter().position(|d| *d == digit).unwrap();
                bits << 5 | value as u128
            });
            ones |= bits;
            zeros |= !bits;
        }
        assert_eq!((ones, zeros), (u128::MAX, u128::MAX));
    }
}
