//! [`DataEncoder`]: a message on its way into DATA. [`Profile`]: what a message asks of a server,
//! known before MAIL.
//!
//! Whether an octet needs work depends on it and its neighbour alone. So both compare the pairs of
//! a whole block in a loop without branches, which the compiler turns into vector instructions.
//! Where a block needs work, the encoder goes on line by line.

/// Octets that a line may have, without its CRLF and before dot-stuffing (RFC 5321, 4.5.3.1.6).
pub(crate) const MAX_LINE: usize = 998;

const CR: u8 = b'\r';
const LF: u8 = b'\n';

/// Turns a message into what DATA carries: lines end in CRLF (RFC 5321, 2.3.8), and a dot that
/// begins a line is doubled (4.5.2).
///
/// A bare CR and a bare LF each end a line as well, so that no server, however lenient, finds an
/// end of data that is not one. Nothing else is changed. The message may come in pieces, cut
/// anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataEncoder {
    /// Whether the message goes in chunks (RFC 3030), which have no end of data and so no dots to
    /// double.
    is_chunked: bool,
    /// The last octet of the message so far; if that is a CR, its LF is still owed.
    last: u8,
}

impl DataEncoder {
    pub(crate) const fn new() -> Self {
        // The first line begins like any other, behind a line end.
        Self {
            is_chunked: false,
            last: LF,
        }
    }

    /// The same for BDAT: line ends become CRLF, and nothing else is changed.
    pub(crate) const fn chunked() -> Self {
        Self {
            is_chunked: true,
            ..Self::new()
        }
    }

    /// The most octets that [`encode`](Self::encode) makes of `input` octets.
    pub(crate) const fn max_growth(input: usize) -> usize {
        // Every octet may become two, and an LF may be owed from the piece before.
        2 * input + 1
    }

    /// Appends the next piece of the message to `out`, encoded.
    pub(crate) fn encode(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = input;
        while let Some(&next) = rest.first() {
            if !needs_work(self.last, next) {
                rest = self.copy_blocks(rest, out);
            }
            rest = self.encode_lines(rest, out);
        }
    }

    /// Appends what the last line lacks of its CRLF, and the end of data: `.` and CRLF alone for an
    /// empty message.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        out.extend_from_slice(missing_end(self.last));
        if !self.is_chunked {
            out.extend_from_slice(b".\r\n");
        }
    }

    /// Copies blocks up to the first that needs work; returns the rest.
    fn copy_blocks<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let mut rest = input;
        while let Some(window) = rest.first_chunk() {
            if contains_work(window) {
                break;
            }
            let (block, tail) = rest.split_at(BLOCK);
            out.extend_from_slice(block);
            self.last = window[BLOCK - 1];
            rest = tail;
        }
        rest
    }

    /// Encodes lines until several in a row needed no work; returns the rest.
    fn encode_lines<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let mut rest = input;
        let mut unchanged = 0;
        while unchanged < UNCHANGED_LINES && !rest.is_empty() {
            let (left, written) = (rest.len(), out.len());
            rest = self.encode_line(rest, out);
            let is_unchanged = left - rest.len() == out.len() - written;
            unchanged = if is_unchanged { unchanged + 1 } else { 0 };
        }
        rest
    }

    /// Encodes up to and with the next CR or LF; returns the rest. The LF of a CRLF is left to the
    /// next call.
    fn encode_line<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let mut line = input;
        if self.last == CR {
            out.push(LF);
            self.last = LF;
            line = line.strip_prefix(&[LF]).unwrap_or(line);
        }
        if self.last == LF && line.first() == Some(&b'.') && !self.is_chunked {
            out.push(b'.');
        }
        let (text, end) = line.split_at(length_before_end(line));
        out.extend_from_slice(text);
        match end {
            [CR, rest @ ..] => {
                out.push(CR);
                self.last = CR;
                rest
            }
            [_, rest @ ..] => {
                out.extend_from_slice(b"\r\n");
                self.last = LF;
                rest
            }
            [] => {
                self.last = text.last().copied().unwrap_or(self.last);
                end
            }
        }
    }
}

impl Default for DataEncoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Octets that are copied at once, if none of them needs work.
const BLOCK: usize = 64;
/// Lines in a row without work, after which the text is taken to be clean again.
const UNCHANGED_LINES: u32 = 8;

/// Whether an octet of a block needs work, or the octet behind the block.
fn contains_work(window: &[u8; BLOCK + 1]) -> bool {
    let pairs = window.iter().zip(&window[1..]);
    pairs.fold(false, |found, (&octet, &next)| {
        found | needs_work(octet, next)
    })
}

/// What a message is made of, whatever its line ends are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Octets with CRLF line ends, the last one included, before dot-stuffing and without the end
    /// of data: what SIZE declares (RFC 1870, 5). The length of the message itself if and only if
    /// its lines end in CRLF already, the last one too.
    pub(crate) size: u64,
    /// Octets of the longest line without its CRLF, if they are more than [`MAX_LINE`].
    pub(crate) overlong_line: Option<usize>,
    /// Whether an octet is above 127, so that the message needs 8BITMIME (RFC 6152, 2).
    pub(crate) is_8bit: bool,
    /// Whether an octet is 0, which neither 7-bit nor 8-bit data may hold (RFC 2045, 2.7 and 2.8).
    pub(crate) has_nul: bool,
    /// Whether the message has CRLF behind each line and no dot before one: the encoder changes
    /// nothing. `false` if nobody has looked.
    pub(crate) is_clean: bool,
}

impl Profile {
    /// The profile of a whole message. Whether it is clean is computed only for DATA.
    pub(crate) fn of(message: &[u8], is_for_data: bool) -> Self {
        let mut profiler = Profiler::new(is_for_data);
        profiler.update(message);
        profiler.profile()
    }
}

/// Takes the [`Profile`] of a message that comes in pieces, cut anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profiler {
    /// Octets so far with CRLF line ends, but for an LF that the last octet may owe.
    size: u64,
    /// Octets so far of the line that is not over.
    line: usize,
    /// Octets of the longest line so far, or [`MAX_LINE`]: shorter ones are of no interest.
    longest: usize,
    /// The smallest octet so far.
    least: u8,
    /// The bits that any octet so far has set.
    bits: u8,
    /// Nothing so far needs work. Once that is over, nobody looks any more.
    is_clean: bool,
    last: u8,
}

impl Profiler {
    /// Looks whether the message is clean only if somebody asks.
    pub(crate) const fn new(is_for_data: bool) -> Self {
        Self {
            size: 0,
            line: 0,
            longest: MAX_LINE,
            least: u8::MAX,
            bits: 0,
            is_clean: is_for_data,
            last: LF,
        }
    }

    /// The profile of a message that would end here.
    pub(crate) fn profile(&self) -> Profile {
        Profile {
            size: self.size + missing_end(self.last).len() as u64,
            overlong_line: (self.longest > MAX_LINE).then_some(self.longest),
            is_8bit: !self.bits.is_ascii(),
            has_nul: self.least == 0,
            is_clean: self.is_clean && missing_end(self.last).is_empty(),
        }
    }

    /// Takes in the next piece of the message.
    pub(crate) fn update(&mut self, input: &[u8]) {
        // Small enough for the second look to find them in the nearest cache.
        for piece in input.chunks(16 * 1024) {
            self.count_octets(piece);
            self.measure_lines(piece);
        }
    }

    fn count_octets(&mut self, piece: &[u8]) {
        let (Some(&first), Some(&last)) = (piece.first(), piece.last()) else {
            return;
        };
        self.count_pairs(&[self.last, first]);
        let mut rest = piece;
        while let Some(window) = rest.first_chunk::<{ TALLY + 1 }>() {
            self.count_pairs(window);
            (_, rest) = rest.split_at(TALLY);
        }
        self.count_pairs(rest);
        self.last = last;
    }

    /// Counts all octets but the first, which is there for the sake of the second.
    fn count_pairs(&mut self, octets: &[u8]) {
        if self.is_clean {
            self.count::<true>(octets);
        } else {
            self.count::<false>(octets);
        }
    }

    fn count<const DOTS: bool>(&mut self, octets: &[u8]) {
        let successors = octets.get(1..).unwrap_or_default();
        let (mut bare, mut least, mut bits, mut dots) = (0, u8::MAX, 0, u8::MAX);
        for (&octet, &next) in octets.iter().zip(successors) {
            bare += u8::from(is_bare(octet, next));
            least = least.min(next);
            bits |= next;
            if DOTS {
                // 0 where a dot is behind an LF.
                dots = dots.min((octet ^ LF) | (next ^ b'.'));
            }
        }
        self.size += successors.len() as u64 + u64::from(bare);
        self.least = self.least.min(least);
        self.bits |= bits;
        self.is_clean &= bare == 0 && dots != 0;
    }

    /// Looks for lines longer than any before. Such a line has no end within the longest length so
    /// far: so the search for an end begins that far ahead, goes backwards, and skips most octets.
    fn measure_lines(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let window = rest.get(..=self.longest - self.line).unwrap_or(rest);
            if let Some(length) = length_behind_end(window) {
                self.line = length;
                (_, rest) = rest.split_at(window.len());
            } else {
                let length = length_before_end(rest);
                self.line = self.line.saturating_add(length);
                self.longest = self.longest.max(self.line);
                (_, rest) = rest.split_at(length);
            }
        }
    }
}

/// Octets that are counted at once; a `u8` can count as many.
const TALLY: usize = 224;

/// Whether the encoder replaces an octet, or inserts another before `next`.
fn needs_work(octet: u8, next: u8) -> bool {
    is_bare(octet, next) | ((octet == LF) & (next == b'.'))
}

/// Whether a pair is a CR without its LF, or an LF without its CR.
fn is_bare(octet: u8, next: u8) -> bool {
    (octet == CR) != (next == LF)
}

/// What a message that ends in `last` lacks of the CRLF of its last line.
fn missing_end(last: u8) -> &'static [u8] {
    match last {
        LF => b"",
        CR => b"\n",
        _ => b"\r\n",
    }
}

/// Octets before the first CR or LF; all if there is none.
fn length_before_end(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((word, tail)) = rest.split_first_chunk() {
        if has_line_end(word) {
            return text.len() - rest.len() + octets_below_end(u128::from_le_bytes(*word));
        }
        rest = tail;
    }
    let length = rest
        .iter()
        .position(|&octet| is_line_end(octet))
        .unwrap_or(rest.len());
    text.len() - rest.len() + length
}

/// Octets behind the last CR or LF, if there is one.
fn length_behind_end(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    while let Some((head, word)) = rest.split_last_chunk() {
        if has_line_end(word) {
            return Some(text.len() - rest.len() + octets_below_end(u128::from_be_bytes(*word)));
        }
        rest = head;
    }
    let length = rest.iter().rev().position(|&octet| is_line_end(octet))?;
    Some(text.len() - rest.len() + length)
}

fn is_line_end(octet: u8) -> bool {
    (octet == CR) | (octet == LF)
}

/// Whether a CR or LF is among 16 octets. Found as a number, because for a `bool` the compiler
/// makes a loop with a branch of it.
fn has_line_end(word: &[u8; 16]) -> bool {
    let found = word.iter().map(|&octet| u8::from(is_line_end(octet)));
    found.fold(0, |any, one| any | one) != 0
}

/// Octets below the lowest CR or LF of a word. Taking 1 from each octet sets the highest bit of one
/// below 128 only if it was 0; what it borrows from the octets above does not matter here.
fn octets_below_end(word: u128) -> usize {
    const ONES: u128 = u128::MAX / 0xff;
    let cr = (word ^ (ONES * CR as u128)).wrapping_sub(ONES);
    let lf = (word ^ (ONES * LF as u128)).wrapping_sub(ONES);
    let ends = (cr | lf) & !word & (ONES << 7);
    ends.trailing_zeros() as usize / 8
}

#[cfg(any(test, fuzzing))]
mod check;
#[cfg(any(test, fuzzing))]
pub(crate) use check::{expected, fuzz_data};
#[cfg(test)]
mod tests;
