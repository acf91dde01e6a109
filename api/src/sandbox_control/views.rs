//! What the network shows of itself.

use async_graphql::{ComplexObject, Context, SimpleObject};
use chrono::{DateTime, Utc};
use sandbox::{LedgerPart, Network};

use crate::graphql::{
    GqlError,
    pagination::{CountedConnection, PageArguments, Rows, TotalCount, counted},
    scalars::{Jid, PhoneNumber},
};

/// A simulated phone: the owner of a WhatsApp account on the sandbox network.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct SandboxPhone {
    /// Its number.
    pub number: PhoneNumber,
    /// The push name that others see.
    pub name: String,
    /// Whether it takes part; messages to an offline phone wait for it.
    pub online: bool,
    /// How it acts.
    pub behavior: SandboxBehavior,
    /// Companions that are linked to it.
    pub linked_devices: Vec<SandboxLinkedDevice>,
    /// How many different messages have reached it.
    pub received_count: usize,
}

impl From<sandbox::Phone> for SandboxPhone {
    fn from(phone: sandbox::Phone) -> Self {
        Self {
            number: PhoneNumber(phone.number),
            name: phone.name,
            online: phone.online,
            behavior: phone.behavior.into(),
            linked_devices: phone.linked_devices.into_iter().map(Into::into).collect(),
            received_count: phone.received_count,
        }
    }
}

#[ComplexObject]
impl SandboxPhone {
    /// What reached it, oldest first: one row per WhatsApp message id. `last` and `before` begin with the newest, of which
    /// a page is still told oldest first.
    async fn received(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<SandboxReceived>, GqlError> {
        let page = PageArguments::new(first, after, last, before).parse::<i64>()?;
        let sequence = |cursor: i64| u64::try_from(cursor).unwrap_or(0);
        let part = LedgerPart {
            after: page.after.map(sequence),
            before: page.before.map(sequence),
            newest_first: page.backwards,
            limit: usize::try_from(page.limit + 1).unwrap_or(usize::MAX),
        };
        let network = ctx.data_opt::<Network>();
        let rows = network
            .and_then(|network| network.ledger(&self.number.0, part).ok())
            .unwrap_or_default();
        let total = TotalCount::known(self.received_count);
        Ok(counted(page.cut(rows), total, |row| {
            (i64::try_from(row.sequence).unwrap_or(0), row.into())
        }))
    }

    /// The groups that it is in.
    async fn groups(&self, ctx: &Context<'_>) -> Vec<SandboxGroup> {
        let network = ctx.data_opt::<Network>();
        let groups = network
            .map(|network| network.groups(&self.number.0))
            .unwrap_or_default();
        groups.into_iter().map(Into::into).collect()
    }
}

/// How a simulated phone acts.
#[derive(Clone, Debug, SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the phone")]
pub struct SandboxBehavior {
    /// It takes part.
    pub online: bool,
    /// It sends delivered receipts.
    pub delivers: bool,
    /// It sends read receipts.
    pub reads: bool,
    /// What it answers to every text; null is nothing.
    pub replies: Option<SandboxReply>,
    /// How long it waits before each receipt and answer, in milliseconds.
    pub latency_ms: u64,
    /// Numbers that it has blocked: their messages never reach it.
    pub blocks: Vec<String>,
    /// The server refuses every message to it with this code.
    pub nack_code: Option<u16>,
    /// The number has a WhatsApp account.
    pub on_whats_app: bool,
}

impl From<sandbox::Behavior> for SandboxBehavior {
    fn from(behavior: sandbox::Behavior) -> Self {
        Self {
            online: behavior.online,
            delivers: behavior.delivers,
            reads: behavior.reads,
            replies: behavior.replies.map(Into::into),
            latency_ms: behavior.latency_ms,
            blocks: behavior.blocks,
            nack_code: behavior.nack_code,
            on_whats_app: behavior.on_whatsapp,
        }
    }
}

/// What a simulated phone answers.
#[derive(Clone, Debug, SimpleObject)]
pub struct SandboxReply {
    /// The same text.
    pub echo: bool,
    /// Always this text.
    pub text: Option<String>,
}

impl From<sandbox::Reply> for SandboxReply {
    fn from(reply: sandbox::Reply) -> Self {
        match reply {
            sandbox::Reply::Echo => Self { echo: true, text: None },
            sandbox::Reply::Text(text) => Self {
                echo: false,
                text: Some(text),
            },
        }
    }
}

/// A companion that is linked to a simulated phone.
#[derive(Clone, Debug, SimpleObject)]
pub struct SandboxLinkedDevice {
    /// Its number among the account's companions.
    pub id: u16,
    /// What it says it is.
    pub platform: String,
    /// Whether it is connected to the network.
    pub online: bool,
    /// When it was linked.
    pub linked_at: DateTime<Utc>,
}

impl From<sandbox::LinkedDevice> for SandboxLinkedDevice {
    fn from(device: sandbox::LinkedDevice) -> Self {
        Self {
            id: device.id,
            platform: device.platform,
            online: device.online,
            linked_at: device.linked_at,
        }
    }
}

/// A message that reached a simulated phone.
#[derive(Clone, Debug, SimpleObject)]
pub struct SandboxReceived {
    /// Its place in the phone's ledger, from 1, without gaps.
    pub sequence: u64,
    /// WhatsApp's id of it.
    pub whatsapp_id: String,
    /// Who wrote it.
    pub from: PhoneNumber,
    /// The group it came through.
    pub group: Option<Jid>,
    /// What it is: `text`, `image`, …
    pub kind: String,
    /// Its text or caption.
    pub text: Option<String>,
    /// What it shows of the text's link.
    pub link_preview: Option<SandboxLinkPreview>,
    /// The addresses of whom it mentions, as they stand in the message: `…@lid` in groups that go by hidden address,
    /// `…@s.whatsapp.net` elsewhere.
    pub mentions: Vec<Jid>,
    /// It mentions everybody in the group.
    pub mentions_everyone: bool,
    /// How often it arrived. More than once means that it was sent again; the phone showed it once all the same.
    pub times_on_wire: u32,
    /// When it first arrived.
    pub at: DateTime<Utc>,
}

impl From<sandbox::Received> for SandboxReceived {
    fn from(row: sandbox::Received) -> Self {
        Self {
            sequence: row.sequence,
            whatsapp_id: row.whatsapp_id,
            from: PhoneNumber(row.from),
            group: row.group.map(Jid),
            kind: row.kind,
            text: row.text,
            link_preview: row.link_preview.map(Into::into),
            mentions: row.mentions.into_iter().map(Jid).collect(),
            mentions_everyone: row.mentions_everyone,
            times_on_wire: row.times_on_wire,
            at: row.at,
        }
    }
}

/// What a text shows of the page behind its link, as a simulated phone received it.
#[derive(Clone, Debug, SimpleObject)]
pub struct SandboxLinkPreview {
    /// The link as it stands in the text.
    pub url: String,
    /// The page's title.
    pub title: Option<String>,
    /// What the page is about.
    pub description: Option<String>,
    /// How large the picture is that came with it, in bytes; 0 without one.
    pub thumbnail_bytes: usize,
}

impl From<sandbox::LinkPreview> for SandboxLinkPreview {
    fn from(preview: sandbox::LinkPreview) -> Self {
        Self {
            url: preview.url,
            title: preview.title,
            description: preview.description,
            thumbnail_bytes: preview.thumbnail_bytes,
        }
    }
}

/// A group on the sandbox network.
#[derive(Clone, Debug, SimpleObject)]
pub struct SandboxGroup {
    /// Its address.
    pub jid: Jid,
    /// Its name.
    pub subject: String,
    /// Who is in it.
    pub participants: Vec<PhoneNumber>,
}

impl From<sandbox::Group> for SandboxGroup {
    fn from(group: sandbox::Group) -> Self {
        let participants = group.participants.into_iter().map(PhoneNumber).collect();
        Self {
            jid: Jid(group.jid),
            subject: group.subject,
            participants,
        }
    }
}

/// A page of phones, sorted by number.
pub fn phones(network: &Network, page: PageArguments) -> Result<CountedConnection<SandboxPhone>, GqlError> {
    let page = page.parse::<String>()?;
    let mut phones = network.phones();
    phones.sort_by(|one, other| one.number.cmp(&other.number));
    let total = TotalCount::known(phones.len());
    let behind = |phone: &sandbox::Phone| page.after.as_ref().is_none_or(|after| phone.number > *after);
    let limit = usize::try_from(page.limit + 1).unwrap_or(usize::MAX);
    let rows: Rows<sandbox::Phone> = page.cut(phones.into_iter().filter(behind).take(limit).collect());
    Ok(counted(rows, total, |phone| (phone.number.clone(), phone.into())))
}
