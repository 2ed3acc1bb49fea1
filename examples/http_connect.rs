//! Sends through an HTTP proxy (CONNECT). TLS and login are as without it.
//!
//! ```text
//! cargo run --example http_connect -- proxy.example.com:3128 \
//!     smtp://user:password@mail.example.com you@example.com friend@example.org
//! ```

use std::io::{self, ErrorKind, Read, Write};
use std::{env, error::Error, net::Ipv6Addr, time::Instant};

use smtplib::Config;
use smtplib::connection::TcpTransport;

fn main() {
    if let Err(error) = send() {
        eprintln!("http_connect: {error}");
        std::process::exit(1);
    }
}

fn send() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [proxy, url, from, to] = arguments.as_slice() else {
        return Err("give a proxy, a URL, a sender and a recipient".into());
    };
    let proxy = proxy.clone();
    let config = url.parse::<Config>()?;
    let config = config.transport(move |config, end| connect(&proxy, config, end));
    let mut smtp = config.connect()?;
    let outcome = smtp.sendmail(from, [to], "Subject: By a proxy\n\nBy CONNECT.\n")?;
    smtp.quit();
    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}

fn connect(proxy: &str, to: &Config, end: Instant) -> io::Result<TcpTransport> {
    let (host, port) = proxy.rsplit_once(':').ok_or(ErrorKind::InvalidInput)?;
    let mut tcp = TcpTransport::connect(host, port.parse().map_err(io::Error::other)?, end)?;
    let (host, port) = (to.get_host().zip(to.get_port())).ok_or(ErrorKind::InvalidInput)?;
    let address = host.parse::<Ipv6Addr>();
    let host = address.map_or_else(|_| host.to_owned(), |address| format!("[{address}]"));
    let ask = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    tcp.write_all(ask.as_bytes())?;

    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        let mut octet = [0]; // what comes behind the head is the server's
        tcp.read_exact(&mut octet)?;
        head.extend(octet);
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some(code) if code.starts_with('2') && head.ends_with("\r\n\r\n") => Ok(tcp),
        _ => Err(io::Error::other(format!("the proxy says {status:?}"))),
    }
}
