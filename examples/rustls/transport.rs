//! A connection with rustls on it.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::{net::IpAddr, sync::Arc, time::Instant};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use smtplib::Config;
use smtplib::connection::{TcpTransport, Transport};

pub(crate) struct Rustls(StreamOwned<ClientConnection, TcpTransport>);

impl Rustls {
    pub(crate) fn connect(tls: &Arc<ClientConfig>, to: &Config, end: Instant) -> Result<Self> {
        let (host, port) = (to.get_host().zip(to.get_port())).ok_or(ErrorKind::InvalidInput)?;
        let name = ServerName::try_from(host.to_owned()).map_err(Error::other)?;
        let session = ClientConnection::new(Arc::clone(tls), name).map_err(Error::other)?;
        let mut stream = StreamOwned::new(session, TcpTransport::connect(host, port, end)?);
        stream.conn.complete_io(&mut stream.sock)?; // the handshake, so that it fails here
        Ok(Self(stream))
    }
}

impl Read for Rustls {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Rustls {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

impl Transport for Rustls {
    fn set_deadline(&mut self, deadline: Instant) -> Result<()> {
        self.0.sock.set_deadline(deadline)
    }

    fn set_nonblocking(&mut self, yes: bool) -> Result<()> {
        self.0.sock.set_nonblocking(yes)
    }

    fn shutdown(&mut self) -> Result<()> {
        self.0.conn.send_close_notify();
        self.0.flush()
    }

    fn is_protected(&self) -> bool {
        true
    }

    fn local_ip(&self) -> Option<IpAddr> {
        self.0.sock.local_ip()
    }
}
