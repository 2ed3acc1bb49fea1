use super::*;
use crate::places::properties::{ALL, Dialog, run};

/// What the client writes, the codes of the replies, and the messages that are kept.
type Case = (
    &'static [u8],
    &'static [u16],
    &'static [&'static str],
    Option<End>,
);

const MAIL: &str = "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";

macro_rules! dialog {
    ($text:literal) => {
        concat!(
            "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n",
            $text
        )
        .as_bytes()
    };
}

const CASES: &[Case] = &[
    // A message by DATA, and another one behind it.
    (
        dialog!(
            "DATA\r\n..Hi\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n.\r\nQUIT\r\n"
        ),
        &[250, 250, 250, 354, 250, 250, 250, 354, 250, 221],
        &[".Hi\r\n", ""],
        Some(End::Closed),
    ),
    // Chunks, an empty one among them; a dot is nothing special there.
    (
        dialog!("BDAT 7\r\n.\r\n.\r\nxBDAT 0\r\nBDAT 2 LAST\r\n\r\nNOOP\r\n"),
        &[250, 250, 250, 250, 250, 250, 250],
        &[".\r\n.\r\nx\r\n"],
        None,
    ),
    (
        dialog!("BDAT 0 LAST\r\nRSET\r\n"),
        &[250, 250, 250, 250, 250],
        &[""],
        None,
    ),
    // A refused chunk is taken all the same, and no command.
    (
        b"EHLO me\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
        &[250, 503, 250],
        &[],
        None,
    ),
    (
        b"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bad@d.example>\r\nBDAT 6 LAST\r\nQUIT\r\nDATA\r\n",
        &[250, 250, 550, 554, 503],
        &[],
        None,
    ),
    // The order of things.
    (
        b"NOOP\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nEHLO\r\nHELO me\r\nRCPT TO:<a@b.example>\r\n",
        &[250, 503, 503, 503, 501, 503, 503],
        &[],
        None,
    ),
    (
        dialog!("MAIL FROM:<>\r\nBDAT 1\r\nxRCPT TO:<c@d.example>\r\nDATA\r\nRSET\r\nDATA\r\n"),
        &[250, 250, 250, 503, 250, 503, 503, 250, 503],
        &[],
        None,
    ),
    (
        dialog!("EHLO me\r\nDATA\r\nVRFY me\r\nHELP\r\nEXPN me\r\nAUTH PLAIN\r\n"),
        &[250, 250, 250, 250, 503, 252, 214, 502, 502],
        &[],
        None,
    ),
    // Who is refused does not stop the others.
    (
        b"EHLO me\r\nMAIL FROM:<bad@b.example>\r\nMAIL FROM:<>\r\nRCPT TO:<bad@b.example>\r\n\
          RCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nRCPT TO:<f@d.example>\r\nDATA\r\n.\r\n",
        &[250, 550, 250, 550, 250, 250, 452, 354, 250],
        &[""],
        None,
    ),
    // Parameters.
    (
        b"EHLO me\r\nMAIL FROM:<> SIZE=101\r\nMAIL FROM:<> SIZE=x\r\nMAIL FROM:<> BY=1\r\n\
          MAIL FROM:<> NOTIFY=NEVER\r\nMAIL FROM:<> BODY=9BIT\r\nMAIL FROM:<j\xc3\xb6@b.example>\r\n\
          MAIL FROM:<j\xc3\xb6@b.example> SMTPUTF8 SIZE=100 RET=HDRS BODY=8BITMIME\r\n\
          RCPT TO:<j\xc3\xb6@b.example> NOTIFY=NEVER\r\nRCPT TO:<c@d.example> RET=HDRS\r\nDATA\r\n.\r\n",
        &[250, 552, 501, 555, 555, 501, 553, 250, 250, 555, 354, 250],
        &[""],
        None,
    ),
    (
        b"HELO me\r\nMAIL FROM:<> SIZE=1\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\n\
          BDAT 1 LAST\r\nxDATA\r\n\xe4\r\n.\r\n",
        // Without EHLO the client knows of no extension, PIPELINING among them.
        &[250, 503, 503, 503, 502, 503, 500, 502],
        &[],
        None,
    ),
    (
        b"EHLO me\r\nMAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\
          BDAT 2 LAST\r\n\x00\nNOOP\r\n",
        &[250, 250, 250, 503, 250, 250],
        &["\0\n"],
        None,
    ),
    // Refused at the end, with the next message behind it.
    (
        b"EHLO me\r\nMAIL FROM:<full@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nHi\r\nthere\r\n.\r\n\
          MAIL FROM:<full@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 1\r\nxBDAT 4 LAST\r\nQUITRSET\r\n",
        &[250, 250, 250, 354, 452, 250, 250, 452, 503, 250],
        &[],
        None,
    ),
    // LMTP: one answer for each recipient.
    (
        b"LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nDATA\r\n.\r\nNOOP\r\n",
        &[250, 250, 250, 250, 354, 250, 250, 250],
        &[""],
        None,
    ),
    // The connection ends behind the message, or with 421.
    (
        b"EHLO me\r\nMAIL FROM:<lost@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nHi\r\n.\r\nNOOP\r\n",
        &[250, 250, 250, 354],
        &["Hi\r\n"],
        Some(End::Closed),
    ),
    (
        b"EHLO me\r\nMAIL FROM:<slow@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 2 LAST\r\nHiNOOP\r\n",
        &[250, 250, 250],
        &["Hi"],
        Some(End::Silent),
    ),
    (
        dialog!("BDAT x LAST\r\nNOOP\r\n"),
        &[250, 250, 250, 421],
        &[],
        Some(End::Closed),
    ),
    // Only CRLF ends a command.
    (b"NOOP\nNOOP\r\nNOOP \0\r\n\r\n", &[500, 500, 502], &[], None),
];

#[test]
fn dialogs_whole_and_cut_anywhere() {
    for (octets, codes, kept, end) in CASES {
        let shown = String::from_utf8_lossy(octets);
        let expected = (
            codes.to_vec(),
            kept.iter().map(|text| (*text).to_owned()).collect(),
            *end,
        );
        assert_eq!(run(&ALL, &[octets]), expected, "{shown}");
        for at in 1..octets.len() {
            let (head, tail) = octets.split_at(at);
            assert_eq!(run(&ALL, &[head, tail]), expected, "{shown} at {at}");
        }
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        assert_eq!(run(&ALL, &single), expected, "{shown}");
    }
}

#[test]
fn a_limit_holds_without_a_declaration() {
    let exact = format!("{}\r\n", "x".repeat(98));
    for (message, code) in [(exact.clone(), 250), (format!("{exact}y\r\n"), 552)] {
        for transfer in [
            format!("DATA\r\n{message}.\r\n"),
            format!("BDAT {} LAST\r\n{message}", message.len()),
        ] {
            let dialog = format!("{MAIL}{transfer}");
            let (codes, kept, _) = run(&ALL, &[dialog.as_bytes()]);
            assert_eq!(
                (codes.last(), kept.len()),
                (Some(&code), (code < 300).into())
            );
        }
    }
}

#[test]
fn what_is_not_offered_is_not_taken() {
    let eight_bit = b"MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\xe4\r\n.\r\n";
    let pieces: [&[u8]; 2] = [b"EHLO me\r\n", eight_bit];
    assert_eq!(run(&["PIPELINING"], &pieces).0, [250, 250, 250, 354, 554]);
    assert_eq!(run(&["PIPELINING", "8BITMIME"], &pieces).0[4], 250);
    let chunk: [&[u8]; 2] = [
        b"EHLO me\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nBDAT 5 LAST\r\nQUIT\nNOOP\r\n",
    ];
    assert_eq!(run(&["PIPELINING"], &chunk).0, [250, 250, 250, 502, 250]);
    // Without PIPELINING a group is out of order, and single commands are not.
    let group: [&[u8]; 2] = [b"EHLO me\r\n", b"MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\n"];
    let mut dialog = Dialog::new(&[]);
    for piece in group {
        dialog.write(piece, false);
        dialog.read();
    }
    assert_eq!(dialog.codes(), [250, 250, 503]);
    let mut dialog = Dialog::new(&[]);
    for line in [
        "EHLO me\r\n",
        "MAIL FROM:<>\r\n",
        "RCPT TO:<c@d.example>\r\n",
    ] {
        dialog.write(line.as_bytes(), true);
    }
    assert_eq!(dialog.codes(), [250, 250, 250]);
}

#[test]
fn an_over_long_line_is_one_command_and_not_kept() {
    let mut dialog = Dialog::new(&ALL);
    for _ in 0..10_000 {
        assert!(dialog.write(&[b'x'; 1000], true));
        assert!(dialog.session.line.len() <= MAX_LINE + 1);
    }
    dialog.write(b"\r\n", true);
    dialog.write(b"NOOP\r\n", true);
    assert_eq!(dialog.codes(), [500, 250]);
    let fits = format!("NOOP {}\r\n", "x".repeat(MAX_LINE - 7));
    assert_eq!(run(&ALL, &[fits.as_bytes()]).0, [250]);
    for length in [MAX_LINE - 6, MAX_LINE - 5, MAX_LINE - 4, 2 * MAX_LINE] {
        let over = format!("NOOP {}\r\nNOOP\r\n", "x".repeat(length));
        for at in [
            1,
            MAX_LINE - 1,
            MAX_LINE,
            MAX_LINE + 1,
            length + 6,
            length + 7,
        ] {
            let (head, tail) = over.as_bytes().split_at(at);
            let mut dialog = Dialog::new(&ALL);
            assert!(dialog.write(head, true) && dialog.write(tail, true));
            // Nobody has said EHLO: what was not read yet keeps the next command from being obeyed.
            let codes = dialog.codes();
            assert!(
                matches!(codes[..], [500, 250 | 503]),
                "{length} at {at}: {codes:?}"
            );
        }
    }
}

#[test]
fn a_message_that_is_called_off_is_forgotten() {
    let mut dialog = Dialog::new(&ALL);
    dialog.write(format!("{MAIL}BDAT 3\r\nHi!RSET\r\n").as_bytes(), true);
    assert_eq!(dialog.session.store.aborted, 1);
    let again = MAIL.replace("EHLO me\r\n", "");
    dialog.write(format!("{again}BDAT 3\r\nHi!QUIT\r\n").as_bytes(), true);
    assert_eq!(dialog.session.store.aborted, 2);
    assert_eq!(dialog.session.store.kept, [""; 0]);
}

/// Octets that are likely to mean something, chosen by a generator that is always the same.
struct Garbage(u64);

impl Garbage {
    fn number(&mut self, below: usize) -> usize {
        // Numerical Recipes' generator: any will do.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn dialog(&mut self) -> Vec<u8> {
        const WORDS: [&[u8]; 26] = [
            b"EHLO me\r\n",
            b"HELO me\r\n",
            b"MAIL FROM:<>\r\n",
            b"MAIL FROM:<a@b.example> SIZE=9\r\n",
            b"MAIL FROM:<full@b.example>\r\n",
            b"MAIL FROM:<lost@b.example>\r\n",
            b"RCPT TO:<c@d.example>\r\n",
            b"RCPT TO:<bad@d.example>\r\n",
            b"DATA\r\n",
            b"BDAT 3\r\n",
            b"BDAT 0 LAST\r\n",
            b"BDAT 4 LAST\r\n",
            b"\r\n.\r\n",
            b".\r\n",
            b"NOOP\r\n",
            b"RSET\r\n",
            b"QUIT\r\n",
            b"\r",
            b"\n",
            b"\r\n",
            b"..",
            b"\0",
            b"\xff\xfe",
            b"xyz",
            b" ",
            b"<\"\\>",
        ];
        let count = self.number(40);
        (0..count)
            .flat_map(|_| WORDS[self.number(WORDS.len())].to_vec())
            .collect()
    }
}

#[test]
fn whatever_comes_each_command_has_one_reply_at_most() {
    let mut garbage = Garbage(7);
    for _ in 0..3_000 {
        let mut octets = garbage.dialog();
        if garbage.number(2) == 0 {
            octets.splice(0..0, MAIL.bytes());
        }
        let whole = run(&ALL, &[&octets]);
        let lines = octets.windows(2).filter(|pair| *pair == b"\r\n").count();
        // Chunks have replies to their header lines alone, and 421 ends all.
        let shown = String::from_utf8_lossy(&octets);
        assert!(whole.0.len() <= lines, "{shown:?}: {:?}", whole.0);
        let at = garbage.number(octets.len() + 1);
        let (head, tail) = octets.split_at(at);
        assert_eq!(run(&ALL, &[head, tail]), whole, "{shown:?} at {at}");
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        assert_eq!(run(&ALL, &single), whole, "{shown:?}");
    }
}
