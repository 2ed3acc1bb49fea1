//! A relay that delays what passes, and does not limit how much may pass.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::TcpStreamExt;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Starts a relay to `target` that adds `delay` to each round trip, half of it each way.
pub fn start(target: SocketAddr, delay: Duration) -> SocketAddr {
    if delay.is_zero() {
        return target;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("no port for the relay");
    let address = listener.local_addr().expect("the relay has no address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if let Ok(server) = TcpStream::connect(target) {
                carry(&client, &server, delay / 2);
                carry(&server, &client, delay / 2);
            }
        }
    });
    address
}

/// One reads and one writes: what is on its way does not keep more from coming.
fn carry(from: &TcpStream, to: &TcpStream, delay: Duration) {
    let (mut from, mut to) = match (from.try_clone(), to.try_clone()) {
        (Ok(from), Ok(to)) => (from, to),
        _ => return,
    };
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            // Acknowledged at once, as if it were the network and not a program: Nagle's algorithm
            // costs nobody anything here.
            let _ = from.set_quickack(true);
            match from.read(&mut buffer) {
                Ok(read @ 1..) => {
                    let due = Instant::now() + delay;
                    if sender.send((due, buffer[..read].to_vec())).is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    });
    thread::spawn(move || {
        let _ = to.set_nodelay(true);
        for (due, octets) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&octets).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
