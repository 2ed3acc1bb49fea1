//! REQUIRETLS (RFC 8689) from this side: what this connection must be for it.

use crate::connection::SmtpConnection;
use crate::error::{Error, Result};
use crate::exchange::error::Unsupported;
use crate::parameter::Parameter;

impl SmtpConnection {
    /// Whether the parameters may go this way: REQUIRETLS needs TLS, and a certificate that was
    /// verified (RFC 8689, 2).
    pub(crate) fn check_required_tls(&self, parameters: &[Parameter]) -> Result<()> {
        let is_required = parameters
            .iter()
            .any(|parameter| parameter.keyword() == "REQUIRETLS");
        if is_required && !(self.is_tls() && self.config.tls.verifies()) {
            return Err(Error::Unsupported(Unsupported::VerifiedTls));
        }
        Ok(())
    }
}
