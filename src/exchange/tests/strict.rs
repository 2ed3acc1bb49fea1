//! A server that keeps to the rules, for batches.

use std::collections::VecDeque;

use super::Numbers;

/// A strict server. It replies to what it got, in order, and remembers which message it accepted
/// for whom. A generator decides what it refuses.
pub(super) struct Strict {
    numbers: Numbers,
    pub(super) input: Vec<u8>,
    sender: Option<usize>,
    recipients: Vec<(usize, usize)>,
    in_data: bool,
    pub(super) taken: Vec<(usize, usize)>,
    lmtp: bool,
}

impl Strict {
    pub(super) fn new(seed: u64, lmtp: bool) -> Self {
        Self {
            numbers: Numbers(seed),
            input: Vec::new(),
            sender: None,
            recipients: Vec::new(),
            in_data: false,
            taken: Vec::new(),
            lmtp,
        }
    }

    /// Whether to refuse, one time in `of`.
    fn refuses(&mut self, of: u64) -> bool {
        self.numbers.next() % of == 0
    }

    /// Replies to all that is complete.
    pub(super) fn answer(&mut self, out: &mut VecDeque<&'static str>) {
        loop {
            let end: &[u8] = if self.in_data { b".\r\n" } else { b"\r\n" };
            let Some(at) = self.input.windows(end.len()).position(|found| found == end) else {
                return;
            };
            let line = String::from_utf8(self.input[..at].to_vec()).unwrap();
            if let Some(size) = line.strip_prefix("BDAT ") {
                let size: usize = size.split(' ').next().unwrap().parse().unwrap();
                if self.input.len() < at + 2 + size {
                    return;
                }
                self.input.drain(..at + 2 + size);
                self.end(out);
                continue;
            }
            self.input.drain(..at + end.len());
            if std::mem::take(&mut self.in_data) {
                self.end(out);
            } else {
                out.push_back(self.command(&line));
            }
        }
    }

    fn command(&mut self, line: &str) -> &'static str {
        let (verb, number) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "RSET" => {
                (self.sender, self.recipients) = (None, Vec::new());
                "250"
            }
            "MAIL" => {
                assert!(self.sender.is_none(), "MAIL inside a transaction");
                if self.refuses(8) {
                    return "550";
                }
                self.sender = Some(number.parse().unwrap());
                "250"
            }
            "RCPT" => {
                let (message, recipient) = number.split_once('.').unwrap();
                let recipient = (message.parse().unwrap(), recipient.parse().unwrap());
                if self.sender.is_none() {
                    return "503";
                }
                assert_eq!(
                    self.sender,
                    Some(recipient.0),
                    "another message's recipient"
                );
                if self.refuses(4) {
                    return "550";
                }
                self.recipients.push(recipient);
                "250"
            }
            "DATA" if self.sender.is_none() || self.lmtp && self.recipients.is_empty() => "503",
            "DATA" => {
                self.in_data = !self.recipients.is_empty() || self.refuses(2);
                if self.in_data { "354" } else { "554" }
            }
            _ => panic!("out of step: {line:?}"),
        }
    }

    /// The end of a message: one reply, or one for each recipient.
    fn end(&mut self, out: &mut VecDeque<&'static str>) {
        self.sender = None;
        let recipients = std::mem::take(&mut self.recipients);
        if recipients.is_empty() {
            return out.push_back("554");
        }
        let mut is_refused = false;
        for (n, recipient) in recipients.into_iter().enumerate() {
            if n == 0 || self.lmtp {
                is_refused = self.refuses(5);
                out.push_back(if is_refused { "554" } else { "250" });
            }
            if !is_refused {
                self.taken.push(recipient);
            }
        }
    }
}
