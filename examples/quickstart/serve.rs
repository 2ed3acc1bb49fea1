//! Runs only the server, for the other examples and for any program that sends mail.

use std::error::Error;
use std::path::Path;
use std::{fs, io};

use crate::server::{PASSWORD, Received, Server, USER};

/// Keeps received messages in a new folder, until standard input ends or Ctrl-C comes.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    // The folder stays, so that you can open the messages.
    let folder = tempfile::Builder::new()
        .prefix("smtplib-quickstart-")
        .tempdir()?
        .keep();
    let inbox = folder.clone();
    let server = Server::start(move |received| store(&inbox, &received))?;
    let root = folder.join("root.pem");
    fs::write(&root, &server.root)?;
    introduce(server.port, &root);

    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// The settings for another program.
fn introduce(port: u16, root: &Path) {
    println!("An SMTP server runs here until Ctrl-C. Nothing leaves this machine.");
    println!("Paste these lines into another shell, and what runs there can send to it:\n");
    println!("export SMTP_URL=smtp://{USER}:{PASSWORD}@localhost:{port}");
    println!("export SMTP_FROM=alice@example.com");
    println!("export SMTP_TO=bob@example.org,carol@example.org");
    println!("export SSL_CERT_FILE={}\n", quoted(root));
    if cfg!(any(windows, target_vendor = "apple")) {
        println!("The TLS of this system does not ask SSL_CERT_FILE: have it trust that file.\n");
    }
}

/// A message is on the disk before the client gets its reply.
fn store(folder: &Path, received: &Received) -> Result<(), Box<dyn Error>> {
    let file = folder.join(format!("message-{}.eml", received.number));
    fs::write(&file, &received.text)?;
    println!(
        "Message {} for {}: {}",
        received.number,
        received.to.join(", ").escape_debug(),
        file.display()
    );
    Ok(())
}

/// A path as one word of a POSIX shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
