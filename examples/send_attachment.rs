//! Sends HTML with a picture in it, and a file. `quickstart -- serve` is a server to try it with.
//! `SMTP_URL=… SMTP_FROM=… SMTP_TO=… cargo run --example send_attachment [-- logo.png report.pdf]`

use smtplib::{Attachment, Config, Message};
use std::{env, error::Error};

fn main() {
    if let Err(error) = send() {
        eprintln!("send_attachment: {error}");
        std::process::exit(1);
    }
}

fn send() -> Result<(), Box<dyn Error>> {
    let set = |name| env::var(name).map_err(|_| format!("set {name}"));
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/attachments");
    let mut files = env::args().skip(1);
    let picture = files.next().unwrap_or_else(|| format!("{ours}/logo.png"));
    let report = files.next().unwrap_or_else(|| format!("{ours}/report.pdf"));
    let message = Message::builder()
        .from(set("SMTP_FROM")?)
        .to(set("SMTP_TO")?.split(',').collect::<Vec<_>>())
        .subject("The report")
        .text("The report is attached.\n") // for readers without HTML
        .html("<p><img src=\"cid:logo@example.com\"> The <b>report</b> is attached.</p>\n")
        .attach(Attachment::from_path(picture)?.inline("logo@example.com"))
        .attach(Attachment::from_path(report)?)
        .build()?;
    let mut smtp = set("SMTP_URL")?.parse::<Config>()?.connect()?;
    let outcome = smtp.send_message(&message)?;
    smtp.quit();
    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}
