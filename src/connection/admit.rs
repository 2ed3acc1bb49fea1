//! What an envelope asks for, and whether this connection can do it.

use std::borrow::Cow;

use crate::connection::SmtpConnection;
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::exchange::error::Unsupported;
use crate::exchange::options;
use crate::parameter::Parameter;

impl SmtpConnection {
    /// Removes from an envelope what the server does not offer, if the envelope allows that, and
    /// returns it.
    pub(crate) fn admit(&self, envelope: &mut Cow<'_, Envelope>) -> Result<Vec<Parameter>> {
        let admitted = options::admit(envelope, &self.capabilities)?;
        self.check_required_tls(admitted.envelope.parameters())?;
        let ignored = admitted.ignored;
        if let Cow::Owned(changed) = admitted.envelope {
            *envelope = Cow::Owned(changed);
        }
        Ok(ignored)
    }

    /// Checks REQUIRETLS: it needs TLS with a verified certificate (RFC 8689, 2). If the caller's
    /// own transport says that it is protected, that is enough.
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
