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
fn an_address_that_is_none_is_named() {
    let complaint = Program::new("verp").args(["ann"]).run().failure(1);
    assert_eq!(complaint, "the address has no @\n");
}
