//! A blocking SMTP and LMTP client.
mod address;
#[allow(
    dead_code,
    reason = "the connection will ask messages for their envelope and their rendering"
)]
mod message;

pub use crate::address::{Address, AddressError};
pub use crate::message::Message;
pub use crate::message::address_list::{AddressList, Group};
pub use crate::message::attachment::Attachment;
pub use crate::message::builder::MessageBuilder;
pub use crate::message::date::Date;
pub use crate::message::error::{MailboxError, MessageError, MessageProblem};
pub use crate::message::mailbox::Mailbox;
pub use crate::message::media_type::MediaType;
pub use crate::message::part::Part;
pub use crate::message::resent::Resent;
