//! What a script may contain, and the error if it contains something else.
use crate::peer::Script;
use std::panic::catch_unwind;

fn complaint(script: &'static str) -> String {
    let panic = catch_unwind(|| Script::new(script)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn unknown_directive_panics_with_its_line() {
    assert_eq!(
        complaint("S: 220 hi\n\n  TSL\n"),
        "line 3 of the script, \"TSL\": no such directive"
    );
}

#[test]
fn what_cannot_be_meant_panics() {
    for (script, why) in [
        ("TLS expierd", "no certificate \"expierd\""),
        ("TLS good expired", "one certificate at most"),
        ("S~soon: 220", "\"soon\" is no time: write 50us, 20ms or 2s"),
        ("S~5m: 220", "\"5m\" is no time: write 50us, 20ms or 2s"),
        ("S*many: 220", "\"many\" is no number"),
        ("S*99999999: 250-x", "too much to write: take Sforever"),
        ("Sforever raw:", "nothing to repeat"),
        ("S.. 1ms loud: 220", "\"loud\" is no modifier of S"),
        (r"Sraw: \q", r#"bad escape in "\q""#),
        (r"Craw: \x4", r#"bad escape in "\x4""#),
        (
            "S+ 250 x",
            "S+ continues a segment, and there is none before it",
        ),
        (
            "Sforever: x\nS+ y",
            "S+ continues a segment, and there is none before it",
        ),
        ("Cgroup\nS: 250", "a group without lines"),
        ("STARTTLS", "a server line needs a colon"),
        ("STARTTLS: 220", "\"TARTTLS\" is no modifier of S"),
        ("C-silence", "no such directive"),
    ] {
        let complaint = complaint(script);
        assert!(complaint.ends_with(why), "{script}: {complaint}");
    }
}

#[test]
fn longest_block_counts_what_is_written_at_once() {
    let script = Script::new(
        "
        S: 220 a
        C: EHLO b
        S: 250-a
        S: 250 SIZE
        C: QUIT
        ",
    );
    assert_eq!(script.longest_block(), "250-a\r\n250 SIZE\r\n".len());
}
