//! What an envelope asks for, and whether it may go this way.

use std::borrow::Cow;

use crate::connection::SmtpConnection;
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::exchange::error::Unsupported;
use crate::exchange::options;
use crate::parameter::Parameter;

impl SmtpConnection {
    /// Takes out of an envelope what the server does not offer, if it may go without, and returns
    /// it.
    pub(crate) fn admit(&self, envelope: &mut Cow<'_, Envelope>) -> Result<Vec<Parameter>> {
        let admitted = options::admit(envelope, &self.capabilities)?;
        self.check_required_tls(admitted.envelope.parameters())?;
        let ignored = admitted.ignored;
        if let Cow::Owned(changed) = admitted.envelope {
            *envelope = Cow::Owned(changed);
        }
        Ok(ignored)
    }

    /// Whether the parameters may go this way: REQUIRETLS needs TLS, and a certificate that was
    /// verified (RFC 8689, 2). With the caller's own transport, its word counts.
    pub(crate) fn check_required_tls(&self, parameters: &[Parameter]) -> Result<()> {
        let is_required = parameters
            .iter()
            .any(|parameter| parameter.keyword() == "REQUIRETLS");
        let stream = self.wire.stream();
        let is_verified = stream.is_tls() && self.config.tls.verifies();
        if is_required && !is_verified && !stream.is_protected_below() {
            return Err(Error::Unsupported(Unsupported::VerifiedTls));
        }
        Ok(())
    }
}
