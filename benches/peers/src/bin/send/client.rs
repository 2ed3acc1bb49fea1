//! The clients of this program: each sends one message, and then as many as it is told, and prints
//! the messages, the seconds, the seconds of CPU time and the peak of its memory in KiB.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::{SmtpConnection as LettreConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport};
use mail_send::SmtpClientBuilder;
use native_tls::TlsConnector;
use smtplib::{Config, Envelope, Mailer, Message, Security, SmtpConnection};

use crate::message::{self, Kind, SENDER};

/// Threads that share a pool of so many connections.
const THREADS: usize = 8;
pub const CONNECTIONS: usize = 4;
/// Octets of a write in the loop that our TLS is compared with.
const PIECE: usize = 64 * 1024;

pub fn run(words: &[String]) {
    let [name, address, size, kind, recipients, count, seconds] = words else {
        panic!("client NAME ADDRESS SIZE KIND RECIPIENTS COUNT SECONDS");
    };
    let size = size.parse().expect("SIZE is a number");
    let kind = Kind::named(kind);
    let recipients = recipients.parse().expect("RECIPIENTS is a number");
    let job = Job {
        address: address.parse().expect("ADDRESS is like 127.0.0.1:25"),
        size,
        kind,
        recipients: message::recipients(recipients),
        count: count.parse().expect("COUNT is a number"),
        seconds: seconds.parse().expect("SECONDS is a number"),
    };
    match name.as_str() {
        "sendmail" => job.sendmail(),
        "send_message" => job.send_message(),
        "send_all" => job.send_all(),
        "mailer" => job.mailer(),
        "mailer-threads" => job.mailer_threads(CONNECTIONS),
        "mailer-threads-8" => job.mailer_threads(THREADS),
        "lettre" => job.lettre(),
        "lettre-threads" => job.lettre_threads(),
        "lettre-pool" => job.lettre_pool(),
        "mail-send" => job.mail_send(),
        "pieces-tls" => job.pieces_over_tls(),
        "sendmail-tls" => job.sendmail_over_tls(),
        "lettre-tls" => job.lettre_over_tls(),
        _ => panic!("there is no client {name}"),
    }
}

struct Job {
    address: SocketAddr,
    size: usize,
    kind: Kind,
    recipients: Vec<String>,
    count: usize,
    /// 0 for no limit.
    seconds: f64,
}

impl Job {
    fn octets(&self) -> Vec<u8> {
        message::octets(self.size, self.kind)
    }

    fn connect(&self) -> SmtpConnection {
        let host = self.address.ip().to_string();
        SmtpConnection::connect(&host, self.address.port()).unwrap()
    }

    fn sendmail(&self) {
        self.sendmail_with(self.connect());
    }

    fn sendmail_over_tls(&self) {
        let config = Config::new(self.address.ip().to_string())
            .port(self.address.port())
            .security(Security::ImplicitTls)
            .danger_accept_invalid_certs(true);
        self.sendmail_with(config.connect().unwrap());
    }

    fn sendmail_with(&self, mut smtp: SmtpConnection) {
        let octets = self.octets();
        self.repeat(|| {
            let outcome = smtp.sendmail(SENDER, &self.recipients, &octets);
            assert!(outcome.unwrap().is_complete());
        });
        smtp.quit();
    }

    fn send_message(&self) {
        let head = self.message(0).to_bytes().unwrap().len();
        let message = self.message(self.size.saturating_sub(head));
        let mut smtp = self.connect();
        self.repeat(|| assert!(smtp.send_message(&message).unwrap().is_complete()));
        smtp.quit();
    }

    /// Only the first recipient stands in the header, so that its size is always the same.
    fn message(&self, size: usize) -> Message {
        let (first, rest) = self.recipients.split_first().unwrap();
        let message = Message::builder().from(SENDER).to(first.as_str());
        let message = rest.iter().fold(message, |m, to| m.bcc(to.as_str()));
        let text = message::text(size, self.kind);
        message.subject("Lunch?").text(text).build().unwrap()
    }

    fn send_all(&self) {
        let octets = self.octets();
        let envelope = Envelope::parse(SENDER, &self.recipients).unwrap();
        let mut smtp = self.connect();
        let first = smtp.sendmail(SENDER, &self.recipients, &octets);
        assert!(first.unwrap().is_complete());
        let watch = Watch::start();
        let messages = While(|| !watch.is_over(self.seconds))
            .take(self.count)
            .map(|()| (envelope.clone(), &*octets));
        let results = smtp.send_all(messages);
        let sent = results
            .inspect(|result| assert!(result.as_ref().unwrap().is_complete()))
            .count();
        watch.report(sent);
        smtp.quit();
    }

    /// The same work as `send_message`.
    fn mailer(&self) {
        let head = self.message(0).to_bytes().unwrap().len();
        let message = self.message(self.size.saturating_sub(head));
        let mailer = self.new_mailer();
        self.repeat(|| assert!(mailer.send(&message).unwrap().is_complete()));
        mailer.close();
    }

    fn mailer_threads(&self, connections: usize) {
        let octets = self.octets();
        let mailer = self.new_mailer().connections(connections);
        self.crowd(|| {
            let outcome = mailer.sendmail(SENDER, &self.recipients, &octets);
            assert!(outcome.unwrap().is_complete());
        });
        mailer.close();
    }

    fn new_mailer(&self) -> Mailer {
        let config = Config::new(self.address.ip().to_string())
            .port(self.address.port())
            .security(Security::None);
        Mailer::new(config).messages_per_connection(u64::MAX)
    }

    /// This pool opens a connection for each thread, and keeps so many of them.
    fn lettre_threads(&self) {
        let (octets, envelope) = (self.octets(), self.lettre_envelope());
        let pool = PoolConfig::new().max_size(CONNECTIONS as u32);
        let smtp = SmtpTransport::builder_dangerous(self.address.ip().to_string())
            .port(self.address.port())
            .pool_config(pool)
            .build();
        self.crowd(|| assert!(smtp.send_raw(&envelope, &octets).unwrap().is_positive()));
    }

    /// Threads that send at the same time; the first message of each is not counted.
    fn crowd(&self, send: impl Fn() + Sync) {
        let each = self.count.div_ceil(THREADS);
        let (barrier, send) = (&Barrier::new(THREADS + 1), &send);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(move || {
                    send();
                    barrier.wait();
                    (0..each).for_each(|_| send());
                    barrier.wait();
                    // The CPU time of a thread that has ended is not seen.
                    barrier.wait();
                });
            }
            barrier.wait();
            let watch = Watch::start();
            barrier.wait();
            watch.report(each * THREADS);
            barrier.wait();
        });
    }

    fn lettre(&self) {
        let (octets, envelope) = (self.octets(), self.lettre_envelope());
        let name = ClientId::Domain("localhost".to_owned());
        let mut smtp = LettreConnection::connect(self.address, None, &name, None, None).unwrap();
        self.repeat(|| assert!(smtp.send(&envelope, &octets).unwrap().is_positive()));
        smtp.quit().unwrap();
    }

    fn lettre_over_tls(&self) {
        let (octets, envelope) = (self.octets(), self.lettre_envelope());
        let tls = TlsParameters::builder(self.address.ip().to_string())
            .dangerous_accept_invalid_certs(true)
            .build_native();
        let name = ClientId::Domain("localhost".to_owned());
        let tls = tls.unwrap();
        let mut smtp =
            LettreConnection::connect(self.address, None, &name, Some(&tls), None).unwrap();
        self.repeat(|| assert!(smtp.send(&envelope, &octets).unwrap().is_positive()));
        smtp.quit().unwrap();
    }

    /// A client that checks nothing: the envelope in one write, and the message, which needs no
    /// encoding, in large pieces.
    fn pieces_over_tls(&self) {
        let octets = [&self.octets()[..], b".\r\n"].concat();
        let mut envelope = format!("MAIL FROM:<{SENDER}>\r\n");
        for to in &self.recipients {
            envelope.push_str(&format!("RCPT TO:<{to}>\r\n"));
        }
        envelope.push_str("DATA\r\n");
        let connector = TlsConnector::builder()
            .danger_accept_invalid_certs(true)
            .build();
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        let host = self.address.ip().to_string();
        let tls = connector.unwrap().connect(&host, stream).unwrap();
        let mut smtp = BufReader::new(tls);
        read_to(&mut smtp, b"220 ");
        smtp.get_mut().write_all(b"EHLO localhost\r\n").unwrap();
        read_to(&mut smtp, b"250 ");
        self.repeat(|| {
            smtp.get_mut().write_all(envelope.as_bytes()).unwrap();
            read_to(&mut smtp, b"354 ");
            for piece in octets.chunks(PIECE) {
                smtp.get_mut().write_all(piece).unwrap();
            }
            read_to(&mut smtp, b"250 2.0.0");
        });
    }

    fn lettre_pool(&self) {
        let (octets, envelope) = (self.octets(), self.lettre_envelope());
        let smtp = SmtpTransport::builder_dangerous(self.address.ip().to_string())
            .port(self.address.port())
            .build();
        self.repeat(|| assert!(smtp.send_raw(&envelope, &octets).unwrap().is_positive()));
    }

    fn lettre_envelope(&self) -> lettre::address::Envelope {
        let to = self.recipients.iter().map(|to| to.parse().unwrap());
        lettre::address::Envelope::new(Some(SENDER.parse().unwrap()), to.collect()).unwrap()
    }

    fn mail_send(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        let octets = self.octets();
        let builder = SmtpClientBuilder::new(self.address.ip().to_string(), self.address.port());
        let builder = builder.unwrap();
        let mut smtp = runtime.block_on(builder.connect_plain()).unwrap();
        self.repeat(|| {
            let to = self.recipients.iter().map(String::as_str);
            let message = mail_send::smtp::message::Message::new(SENDER, to, octets.as_slice());
            runtime.block_on(smtp.send(message)).unwrap();
        });
        runtime.block_on(smtp.quit()).unwrap();
    }

    /// The first message is not counted.
    fn repeat(&self, mut send: impl FnMut()) {
        send();
        let watch = Watch::start();
        let mut sent = 0;
        while sent < self.count && !watch.is_over(self.seconds) {
            send();
            sent += 1;
        }
        watch.report(sent);
    }
}

/// Gives something while a condition holds, and promises that: an iterator that may wait has each
/// message sent before it is asked for the next one.
struct While<F>(F);

impl<F: Fn() -> bool> Iterator for While<F> {
    type Item = ();

    fn next(&mut self) -> Option<()> {
        (self.0)().then_some(())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from((self.0)()), None)
    }
}

/// Reads lines up to one that begins so.
fn read_to(smtp: &mut impl BufRead, start: &[u8]) {
    let mut line = Vec::new();
    while !line.starts_with(start) {
        line.clear();
        let read = smtp.read_until(b'\n', &mut line).unwrap();
        assert!(read > 0, "the server has closed");
    }
}

struct Watch {
    start: Instant,
    cpu: f64,
}

impl Watch {
    fn start() -> Self {
        Self {
            cpu: cpu(),
            start: Instant::now(),
        }
    }

    /// No clock is asked without a limit: a count of instructions is of the messages alone.
    fn is_over(&self, seconds: f64) -> bool {
        seconds > 0.0 && self.start.elapsed().as_secs_f64() > seconds
    }

    fn report(self, messages: usize) {
        let seconds = self.start.elapsed().as_secs_f64();
        let cpu = cpu() - self.cpu;
        println!("{messages} {seconds} {cpu} {}", peak());
    }
}

/// The CPU time of all threads in seconds.
fn cpu() -> f64 {
    let threads = fs::read_dir("/proc/self/task").expect("no /proc");
    let of_thread = |path| fs::read_to_string(path).ok();
    let times = threads
        .flatten()
        .filter_map(|thread| of_thread(thread.path().join("schedstat")))
        .filter_map(|text| text.split(' ').next()?.parse::<f64>().ok());
    times.sum::<f64>() / 1e9
}

fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    crate::spawn::peak(&status).unwrap_or_default()
}
