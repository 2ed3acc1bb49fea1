use crate::peer::Server;
use crate::program::{Program, plain_url};

#[test]
fn a_thousand_messages_reach_the_server_inside() {
    let said = Program::new("bulk").run().success();
    assert!(
        said.starts_with("1000 sent, 0 not sent, 0 unknown, in "),
        "{said}"
    );
}

#[test]
fn who_is_refused_is_told() {
    let server = Server::new()
        .offer("PIPELINING")
        .on("RCPT TO:<reader2@", "550 5.1.1 no such reader");
    let peer = server.script().listen();
    let ended = Program::new("bulk")
        .args(["3"])
        .env("SMTP_URL", plain_url(&peer))
        .run();
    assert_eq!(ended.status, 1);
    assert_eq!(
        ended.stderr,
        "message 2: the server refused the recipient <reader2@example.org>: 550 5.1.1 no such reader\n"
    );
    assert!(
        ended.stdout.starts_with("2 sent, 1 not sent, 0 unknown"),
        "{}",
        ended.stdout
    );
    assert_eq!(peer.finish().bodies(), 2);
}

#[test]
fn a_number_is_asked_for() {
    let complaint = Program::new("bulk").args(["many"]).run().failure(1);
    assert_eq!(complaint, "give a number of messages\n");
}
