//! Messages that come in: translated, told, and acknowledged to WhatsApp only when the inbox has committed them.
//!
//! **Invariant:** at least once. A message whose event was not committed is delivered again by WhatsApp, or from the copy
//! that the library made before Signal's state moved on.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::oneshot;
use wacore::{proto_helpers::MessageExt as _, types::message::MessageInfo};
use wacore_binary::JidExt as _;
use waproto::whatsapp as wa;
use whatsapp_rust::{Client, InboundDurabilityHook, types::durability_hook::InboundMessage};

use super::{
    EventKind, IncomingContent, IncomingMessage, Text, addresses::Addresses, link_preview, mentions, pump::Outlet,
    subjects::Subjects,
};

/// Address pairs that were told already are remembered, up to this many.
const PAIRS: usize = 1024;

/// How long the inbox may rest after each refusal: a database that restarts loses nothing.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(10),
];

/// Called by the library with every decrypted message.
pub(super) struct Inbound {
    outlet: Outlet,
    subjects: Arc<Subjects>,
    told: Mutex<HashSet<String>>,
}

impl Inbound {
    pub(super) fn new(outlet: Outlet, subjects: Arc<Subjects>) -> Self {
        Self {
            outlet,
            subjects,
            told: Mutex::default(),
        }
    }

    /// Tells the messages, in their order; answers those that were not committed.
    async fn offer(&self, messages: Vec<IncomingMessage>) -> anyhow::Result<Vec<IncomingMessage>> {
        let mut offered = Vec::with_capacity(messages.len());
        for message in messages {
            let (committed, done) = oneshot::channel();
            let event = EventKind::Incoming(Box::new(message.clone()));
            self.outlet.tell_committed(event, committed).await?;
            offered.push((message, done));
        }
        let mut left = Vec::new();
        for (message, done) in offered {
            if done.await.is_err() {
                left.push(message);
            }
        }
        Ok(left)
    }

    /// Tells the two addresses of a sender, once.
    async fn tell_pair(&self, info: &MessageInfo) {
        let source = &info.source;
        if source.is_from_me {
            return;
        }
        let (lid, phone) = match (&source.sender, &source.sender_alt) {
            (sender, Some(other)) if sender.is_lid() && other.is_pn() => (sender, other),
            (sender, Some(other)) if sender.is_pn() && other.is_lid() => (other, sender),
            _ => return,
        };
        let lid = lid.to_non_ad_string();
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() >= PAIRS {
                told.clear();
            }
            if !told.insert(lid.clone()) {
                return;
            }
        }
        self.outlet
            .tell(EventKind::Addresses {
                lid,
                phone: phone.to_non_ad_string(),
            })
            .await;
    }
}

#[async_trait]
impl InboundDurabilityHook for Inbound {
    async fn on_messages(&self, client: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        let addresses = Addresses::new(Arc::clone(&client));
        let mut messages = Vec::with_capacity(batch.len());
        for item in batch {
            self.tell_pair(&item.info).await;
            if let Some(message) = translate(&addresses, &item.message, &item.info).await {
                messages.push(message);
            }
        }
        for pause in PAUSES {
            messages = self.offer(messages).await?;
            if messages.is_empty() {
                for item in batch {
                    self.subjects.learn(&client, &item.info.source.chat);
                }
                return Ok(());
            }
            tracing::warn!(device = %self.outlet.device, messages = messages.len(), "the inbox did not take messages");
            tokio::time::sleep(pause).await;
        }
        // Not acknowledged: WhatsApp delivers them again on the next connection.
        anyhow::bail!("the inbox did not commit {} messages", messages.len())
    }
}

/// `None` for what is no message to a person: protocol messages, and what status and channels bring.
async fn translate(addresses: &Addresses, message: &wa::Message, info: &MessageInfo) -> Option<IncomingMessage> {
    let source = &info.source;
    let chat = &source.chat;
    if !(chat.is_pn() || chat.is_lid() || chat.is_group()) {
        return None;
    }
    let content = content(addresses, message, chat.is_group()).await?;
    let sender = addresses.resolve(&source.sender, source.sender_alt.as_ref()).await;
    let is_group = chat.is_group();
    // In a direct chat the chat is the other person: the recipient of what we wrote, or the sender.
    let other_form = if source.is_from_me {
        source.recipient_alt.as_ref()
    } else {
        source.sender_alt.as_ref()
    };
    let other_form = other_form.or(info.peer_recipient_pn.as_ref().filter(|_| source.is_from_me));
    let chat = addresses.resolve(chat, other_form.filter(|_| !is_group)).await;
    Some(IncomingMessage {
        whatsapp_id: info.id.clone(),
        chat: chat.jid,
        sender: sender.jid,
        sender_phone: sender.phone,
        chat_phone: chat.phone.filter(|_| !is_group),
        from_me: source.is_from_me,
        push_name: (!info.push_name.is_empty() && !source.is_from_me).then(|| info.push_name.clone()),
        is_group,
        at: info.timestamp,
        content,
    })
}

async fn content(addresses: &Addresses, message: &wa::Message, in_group: bool) -> Option<IncomingContent> {
    let base = message.get_base_message();
    let Some(body) = message.text_content() else {
        return described(message, base);
    };
    let (mentions, mentions_everyone) = mentions::read(addresses, base, in_group).await;
    Some(IncomingContent::Text(Text {
        body: body.to_owned(),
        link_preview: link_preview::read(base),
        mentions,
        mentions_everyone,
    }))
}

/// What is no text, by its kind and what can be shown in its place.
fn described(message: &wa::Message, base: &wa::Message) -> Option<IncomingContent> {
    let caption = message.get_caption().unwrap_or_default();
    let (kind, description) = if base.image_message.is_set() {
        ("image", caption)
    } else if base.video_message.is_set() || base.ptv_message.is_set() {
        ("video", caption)
    } else if base.audio_message.is_set() {
        ("audio", "")
    } else if let Some(document) = base.document_message.as_option() {
        (
            "document",
            if caption.is_empty() {
                document.file_name.as_deref().unwrap_or_default()
            } else {
                caption
            },
        )
    } else if base.sticker_message.is_set() {
        ("sticker", "")
    } else if let Some(location) = base.location_message.as_option() {
        ("location", location.name.as_deref().unwrap_or_default())
    } else if base.live_location_message.is_set() {
        ("location", "")
    } else if let Some(contact) = base.contact_message.as_option() {
        ("contact", contact.display_name.as_deref().unwrap_or_default())
    } else if let Some(contacts) = base.contacts_array_message.as_option() {
        ("contact", contacts.display_name.as_deref().unwrap_or_default())
    } else if let Some(poll) = [
        &base.poll_creation_message,
        &base.poll_creation_message_v2,
        &base.poll_creation_message_v3,
    ]
    .into_iter()
    .find_map(|poll| poll.as_option())
    {
        ("poll", poll.name.as_deref().unwrap_or_default())
    } else {
        return None;
    };
    Some(IncomingContent::Other {
        kind: kind.to_owned(),
        description: description.to_owned(),
    })
}
