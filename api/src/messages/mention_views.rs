//! A mention as the API shows it.

use async_graphql::{ComplexObject, Context, SimpleObject};
use entity::DeviceId;

use super::relations;
use crate::{
    chats::types::phone_of,
    graphql::{
        GqlError,
        scalars::{Jid, PhoneNumber},
    },
};

/// Somebody whom a text mentions.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Mention {
    /// Their address: by phone number when that is known, `…@lid` otherwise.
    pub jid: Jid,
    /// Their number, when it is known.
    pub phone_number: Option<PhoneNumber>,
    /// How the mention stands in the body: `@` and digits, to be shown as a name. In what comes in from a group these may
    /// be the digits of a hidden address. Null when it does not stand there: they are mentioned all the same.
    pub text: Option<String>,
    #[graphql(skip)]
    device_id: DeviceId,
}

impl Mention {
    pub(super) fn new(device_id: DeviceId, jid: String, text: Option<String>) -> Self {
        Self {
            phone_number: phone_of(&jid).map(PhoneNumber),
            jid: Jid(jid),
            text,
            device_id,
        }
    }
}

#[ComplexObject]
impl Mention {
    /// What they call themselves, when the device has a chat with them that tells; the device's own name when `isOwn`.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>, GqlError> {
        relations::name_of(ctx, self.device_id, &self.jid.0).await
    }

    /// It is the device's own account that is mentioned.
    async fn is_own(&self, ctx: &Context<'_>) -> Result<bool, GqlError> {
        relations::is_own(ctx, self.device_id, &self.jid.0).await
    }
}
