use crate::program::Program;

#[test]
fn bounces_tell_readers_apart() {
    let said = Program::new("verp")
        .args(["ann@example.org", "bob+x=y@example.net"])
        .run()
        .success();
    assert_eq!(
        said,
        "ann@example.org was sent the news\n\
         bob+x=y@example.net was sent the news\n\
         a bounce to news+ann=example.org@example.com is about ann@example.org\n\
         a bounce to news+bob+x=y=example.net@example.com is about bob+x=y@example.net\n"
    );
}

#[test]
fn a_reader_who_is_refused_makes_it_fail() {
    let ended = Program::new("verp")
        .args(["ann@example.org", "nobody@example.org"])
        .run();
    assert_eq!((ended.status, ended.stderr.as_str()), (1, ""), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "ann@example.org was sent the news\n\
         nobody@example.org: the server refused the recipient <nobody@example.org>: \
         550 5.1.1 nobody of that name lives here\n\
         a bounce to news+ann=example.org@example.com is about ann@example.org\n"
    );
}

#[test]
fn an_address_that_is_none_is_named() {
    let complaint = Program::new("verp").args(["ann"]).run().failure(1);
    assert_eq!(complaint, "the address has no @\n");
}
