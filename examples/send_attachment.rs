//! Sends HTML with a picture in it, and a file.
//!
//! ```text
//! SMTP_URL=smtp://user:password@mail.example.com cargo run --example send_attachment -- \
//!     you@example.com friend@example.org logo.png report.pdf
//! ```

use std::env;
use std::error::Error;

use smtplib::{Attachment, Config, Message};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to, picture, file] = arguments.as_slice() else {
        return Err("give a sender, a recipient, a picture and a file".into());
    };
    let message = Message::builder()
        .from(from)
        .to(to)
        .subject("The report")
        .text("The report is attached.\n") // for readers that show no HTML
        .html("<p><img src=\"cid:logo@example.com\"> The <b>report</b> is attached.</p>\n")
        .attach(Attachment::from_path(picture)?.inline("logo@example.com"))
        .attach(Attachment::from_path(file)?)
        .build()?;

    let config: Config = env::var("SMTP_URL")?.parse()?;
    let mut smtp = config.connect()?;
    let outcome = smtp.send_message(&message)?;
    smtp.quit();

    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}
