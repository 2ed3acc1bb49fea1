//! TLS by rustls instead of the platform's, with the root certificates in a PEM file.
//!
//! ```text
//! cargo run --example rustls -- /etc/ssl/certs/ca-certificates.crt \
//!     smtps://user:password@mail.example.com you@example.com friend@example.org
//! ```

mod transport;

use std::{env, error::Error, sync::Arc};

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use smtplib::{Config, Security};

use crate::transport::Rustls;

fn main() {
    if let Err(error) = send() {
        eprintln!("rustls: {error}");
        std::process::exit(1);
    }
}

fn send() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [roots, url, from, to] = arguments.as_slice() else {
        return Err("give a file of roots, a smtps URL, a sender and a recipient".into());
    };
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(roots)? {
        store.add(root?)?;
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    let tls = Arc::new(tls);

    let config: Config = url.parse()?;
    let port = config.get_port().unwrap_or(465);
    let config = config
        .port(port)
        .security(Security::None) // there is TLS already
        .transport(move |config, deadline| Rustls::connect(&tls, config, deadline));
    let mut smtp = config.connect()?;
    let outcome = smtp.sendmail(from, [to], "Subject: By rustls\n\nBy rustls.\n")?;
    smtp.quit();

    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}
