//! What a phone gives its own companions: keys and history.

use std::sync::Arc;

use wacore::messages::MessageUtils;
use wacore_binary::Jid;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp as wa;
use waproto::whatsapp::message::peer_data_operation_request_message::HistorySyncOnDemandRequest;

use super::PhoneTask;
use super::history::{self, Line};
use super::sending::encrypted_node;
use crate::clock;
use crate::error::SandboxError;
use crate::handlers::messages;
use crate::number::Addressing;

impl PhoneTask {
    /// What a new companion waits for: the app-state key (without it `Connected` comes ten seconds
    /// late) and a history (Baileys waits twenty seconds for one).
    pub(super) async fn welcome(&mut self, device: u16) {
        use wa::message::HistorySyncType;
        let key = wa::message::AppStateSyncKey {
            key_id: buffa::MessageField::some(wa::message::AppStateSyncKeyId {
                key_id: Some(self.account.keys.sync_key_id.clone()),
            }),
            key_data: buffa::MessageField::some(wa::message::AppStateSyncKeyData {
                key_data: Some(self.account.keys.sync_key.clone()),
                fingerprint: buffa::MessageField::some(wa::message::AppStateSyncKeyFingerprint {
                    raw_id: Some(self.account.keys.adv_raw_id),
                    current_index: Some(0),
                    device_indexes: vec![0, 1],
                }),
                timestamp: Some(clock::now().timestamp_millis()),
            }),
        };
        let share = wa::message::ProtocolMessage {
            r#type: Some(wa::message::protocol_message::Type::APP_STATE_SYNC_KEY_SHARE),
            app_state_sync_key_share: buffa::MessageField::some(wa::message::AppStateSyncKeyShare { keys: vec![key] }),
            ..Default::default()
        };
        let mut protocols = vec![share];
        let own_name = wa::Pushname {
            id: Some(self.account.jid(Addressing::Number).to_string()),
            pushname: Some(self.account.name()),
        };
        let conversations = self.history.newest();
        protocols.push(history_message(history::announcement(
            HistorySyncType::INITIAL_BOOTSTRAP,
            None,
            conversations,
            vec![own_name],
        )));
        protocols.push(history_message(history::announcement(
            HistorySyncType::RECENT,
            None,
            Vec::new(),
            Vec::new(),
        )));
        for protocol in protocols {
            if let Err(failure) = self.send_to_companion(device, protocol).await {
                tracing::warn!(%failure, "a new companion could not be welcomed");
            }
        }
    }

    /// Older messages of a conversation, for the companion that asked.
    pub(super) async fn send_older(&mut self, device: u16, id: &str, wanted: &HistorySyncOnDemandRequest) {
        use wa::message::HistorySyncType;
        let chat = wanted.chat_jid.as_deref().unwrap_or_default();
        let count = wanted
            .on_demand_msg_count
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(50);
        let found = self.history.before(
            &self.chat_name(chat),
            wanted.oldest_msg_id.as_deref().unwrap_or_default(),
            count,
        );
        let conversations = found
            .map(|mut conversation| {
                chat.clone_into(&mut conversation.id);
                conversation.end_of_history_transfer = Some(conversation.messages.len() < count);
                conversation
            })
            .into_iter()
            .collect();
        let notification = history::announcement(HistorySyncType::ON_DEMAND, Some(id), conversations, Vec::new());
        if let Err(failure) = self.send_to_companion(device, history_message(notification)).await {
            tracing::warn!(%failure, "older messages cannot be sent to a companion");
        }
    }

    /// The name a conversation is remembered by: the jid companions link with, in whichever
    /// addressing it is asked for.
    pub(super) fn chat_name(&self, chat: &str) -> String {
        let known = chat.parse::<Jid>().ok().and_then(|jid| self.core.account_of(&jid));
        known.map_or_else(
            || chat.to_owned(),
            |account| account.jid(self.core.addressing()).to_string(),
        )
    }

    /// Remembers what this phone or one of its companions sent.
    pub(super) fn note_sent(&mut self, chat: &str, id: &str, message: &wa::Message) {
        let chat = self.chat_name(chat);
        self.history.note(
            &chat,
            Line {
                id: id.to_owned(),
                from_me: true,
                participant: None,
                name: self.account.name(),
                at: clock::unix_seconds(),
                message: message.clone(),
            },
        );
    }

    /// `<message category="peer">` to one of the account's own companions.
    async fn send_to_companion(
        &mut self,
        device: u16,
        protocol: wa::message::ProtocolMessage,
    ) -> Result<(), SandboxError> {
        let message = wa::Message {
            protocol_message: buffa::MessageField::some(protocol),
            ..Default::default()
        };
        let account = Arc::clone(&self.account);
        let plaintext = MessageUtils::encode_and_pad(&message);
        let Some((kind, ciphertext)) = self.encrypt(&account, device, &plaintext).await? else {
            return Err(SandboxError::NotLinked(account.number()));
        };
        let stanza = NodeBuilder::new("message")
            .attr("to", account.device_jid(Addressing::Number, device))
            .attr("id", clock::message_id())
            .attr("type", "text")
            .attr("category", "peer")
            .attr("push_priority", "high")
            .children([
                NodeBuilder::new("meta").attr("appdata", "default").build(),
                encrypted_node(kind, ciphertext, None),
            ])
            .build();
        messages::accept(&self.core, &self.origin(), stanza);
        Ok(())
    }
}

fn history_message(notification: wa::message::HistorySyncNotification) -> wa::message::ProtocolMessage {
    wa::message::ProtocolMessage {
        r#type: Some(wa::message::protocol_message::Type::HISTORY_SYNC_NOTIFICATION),
        history_sync_notification: buffa::MessageField::some(notification),
        ..Default::default()
    }
}
