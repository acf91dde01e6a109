//! What a phone does with what arrives: open it, note it, answer.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use wacore::messages::decode_plaintext;
use wacore_binary::{Jid, Node, Server};
use wacore_libsignal::protocol::{
    CiphertextMessage, PreKeySignalMessage, PreKeyStore, SenderKeyDistributionMessage, SignalMessage,
    SignalProtocolError, UsePQRatchet, group_decrypt, message_decrypt, process_sender_key_distribution_message,
};
use waproto::whatsapp as wa;

use super::history::Line;
use super::ledger::Row;
use super::signal::{address, sender_key_name};
use super::{Destination, PhoneTask, Request, content};
use crate::account::{Account, lock};
use crate::clock;
use crate::handlers::messages::encrypted_parts;
use crate::handlers::{Origin, receipts};
use crate::stanza::{attr, attr_is, bytes, jid_attr};
use crate::views::{NetworkEvent, Received, Reply};

/// Where a message came from.
pub(super) struct Envelope {
    pub id: String,
    /// The stanza's `from`: the sender's device, or the group.
    pub from: Jid,
    /// In groups, the sender's device.
    pub participant: Option<Jid>,
    pub sender: Arc<Account>,
    pub device: u16,
    /// For a companion's copy of what it sent: to whom.
    pub recipient: Option<Jid>,
}

impl Envelope {
    fn group(&self) -> Option<&Jid> {
        self.participant.is_some().then_some(&self.from)
    }
}

/// What opening a message gave.
enum Opened {
    Content(Box<wa::Message>),
    /// The same ciphertext came before.
    Again,
    /// Only keys.
    Nothing,
    Failed(String),
}

impl PhoneTask {
    pub(super) async fn receive(&mut self, stanza: &Node) {
        match stanza.tag.as_ref() {
            "message" => self.message(stanza).await,
            "receipt" if attr_is(stanza, "type", "retry") => self.asked_again(stanza).await,
            _ => {}
        }
    }

    async fn message(&mut self, stanza: &Node) {
        let Some(envelope) = self.read_envelope(stanza) else {
            return;
        };
        match self.open(stanza, &envelope).await {
            Opened::Failed(reason) => {
                tracing::debug!(%reason, "a phone cannot open a message and asks for it again");
                self.ask_again(&envelope);
            }
            Opened::Nothing | Opened::Again => self.respond(&envelope, None),
            Opened::Content(message) => {
                self.retries.remove(&envelope.id);
                self.opened(&envelope, &message).await;
            }
        }
    }

    pub(super) fn read_envelope(&self, stanza: &Node) -> Option<Envelope> {
        let from = jid_attr(stanza, "from")?;
        let participant = if from.server == Server::Group {
            Some(jid_attr(stanza, "participant")?)
        } else {
            None
        };
        let sender_jid = participant.as_ref().unwrap_or(&from);
        Some(Envelope {
            id: attr(stanza, "id")?.into_owned(),
            sender: self.core.account_of(sender_jid)?,
            device: sender_jid.device,
            recipient: jid_attr(stanza, "recipient"),
            from,
            participant,
        })
    }

    async fn open(&mut self, stanza: &Node, envelope: &Envelope) -> Opened {
        let mut outcome = Opened::Nothing;
        for part in encrypted_parts(stanza) {
            let Some(ciphertext) = bytes(part) else { continue };
            let kind = attr(part, "type").unwrap_or_default();
            let plaintext = if kind == "skmsg" {
                self.open_group(ciphertext, envelope).await
            } else {
                self.open_pairwise(ciphertext, kind == "pkmsg", envelope).await
            };
            let version = attr(part, "v").and_then(|version| version.parse().ok()).unwrap_or(2);
            match plaintext {
                Ok(plaintext) => {
                    let Ok(message) = decode_plaintext(&plaintext, version) else {
                        return Opened::Failed("no message inside".to_owned());
                    };
                    self.learn_sender_key(&message, envelope).await;
                    if content::describe(&message).is_some()
                        || message.device_sent_message.is_set()
                        || message.protocol_message.is_set()
                    {
                        outcome = Opened::Content(Box::new(message));
                    }
                }
                Err(SignalProtocolError::DuplicatedMessage(..)) => outcome = Opened::Again,
                Err(failure) => return Opened::Failed(failure.to_string()),
            }
        }
        outcome
    }

    async fn open_pairwise(
        &mut self,
        ciphertext: &[u8],
        starts_session: bool,
        envelope: &Envelope,
    ) -> Result<Vec<u8>, SignalProtocolError> {
        let ciphertext = if starts_session {
            CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(ciphertext)?)
        } else {
            CiphertextMessage::SignalMessage(SignalMessage::try_from(ciphertext)?)
        };
        let address = address(&envelope.sender, envelope.device);
        let signal = &mut self.signal;
        let opened = message_decrypt(
            &ciphertext,
            &address,
            &mut signal.sessions,
            &mut signal.identities,
            &mut signal.pre_keys,
            &signal.signed_pre_keys,
            &mut rand::make_rng::<StdRng>(),
            UsePQRatchet::No,
        )
        .await?;
        if let Some(used) = opened.consumed_prekey_id {
            signal.pre_keys.remove_pre_key(used).await?;
            self.core.save_soon(&self.account);
        }
        Ok(opened.plaintext)
    }

    async fn open_group(&mut self, ciphertext: &[u8], envelope: &Envelope) -> Result<Vec<u8>, SignalProtocolError> {
        let name = sender_key_name(envelope.from.user.as_str(), &envelope.sender, envelope.device);
        group_decrypt(ciphertext, &mut self.signal.sender_keys, &name).await
    }

    async fn learn_sender_key(&mut self, message: &wa::Message, envelope: &Envelope) {
        let Some(distribution) = message.sender_key_distribution_message.as_option() else {
            return;
        };
        let (Some(group), Some(key)) = (
            distribution.group_id.as_deref(),
            distribution.axolotl_sender_key_distribution_message.as_deref(),
        ) else {
            return;
        };
        let group = group.split('@').next().unwrap_or(group);
        let name = sender_key_name(group, &envelope.sender, envelope.device);
        let learned = match SenderKeyDistributionMessage::try_from(key) {
            Ok(key) => process_sender_key_distribution_message(&name, &key, &mut self.signal.sender_keys).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = learned {
            tracing::debug!(%failure, "a sender key is unusable");
        }
    }

    /// A message that could be read.
    async fn opened(&mut self, envelope: &Envelope, message: &wa::Message) {
        if Arc::ptr_eq(&envelope.sender, &self.account) {
            self.companion_message(envelope, message).await;
            return;
        }
        let Some((kind, text)) = content::describe(message) else {
            self.respond(envelope, None);
            return;
        };
        self.note_received(envelope, message);
        let (mentions, mentions_everyone) = content::mentions(message);
        let (view, new) = lock(&self.account.ledger).record(Row {
            view: Received {
                sequence: 0,
                whatsapp_id: envelope.id.clone(),
                from: envelope.sender.number(),
                group: envelope.group().map(ToString::to_string),
                kind: kind.to_owned(),
                text: text.clone(),
                link_preview: content::link_preview(message),
                mentions,
                mentions_everyone,
                times_on_wire: 1,
                at: clock::now(),
            },
            chat: envelope.from.clone(),
            participant: envelope.participant.clone(),
        });
        self.core.emit(NetworkEvent::Received {
            number: self.account.number(),
            row: view,
        });
        let answerable = new && envelope.participant.is_none() && kind == "text";
        self.respond(envelope, text.filter(|_| answerable));
    }

    /// A companion's copy of what it sent, or a question of its own.
    async fn companion_message(&mut self, envelope: &Envelope, message: &wa::Message) {
        if let Some(copy) = message.device_sent_message.as_option() {
            if let (Some(chat), Some(sent)) = (copy.destination_jid.as_deref(), copy.message.as_option())
                && content::describe(sent).is_some()
            {
                self.note_sent(chat, &envelope.id, sent);
            }
            return;
        }
        if let Some(group) = envelope.group() {
            self.note_sent(&group.to_string(), &envelope.id, message);
            return;
        }
        let Some(protocol) = message.protocol_message.as_option() else {
            return;
        };
        if protocol.app_state_sync_key_request.is_set() {
            self.account.request(Request::Welcome(envelope.device));
        }
        let older = protocol
            .peer_data_operation_request_message
            .as_option()
            .and_then(|operation| operation.history_sync_on_demand_request.as_option());
        if let Some(wanted) = older {
            self.send_older(envelope.device, &envelope.id, wanted).await;
        }
    }

    fn note_received(&mut self, envelope: &Envelope, message: &wa::Message) {
        let addressing = self.core.addressing();
        let sender = envelope.sender.jid(addressing).to_string();
        let (chat, participant) = match envelope.group() {
            Some(group) => (group.to_string(), Some(sender)),
            None => (sender, None),
        };
        self.history.note(
            &chat,
            Line {
                id: envelope.id.clone(),
                from_me: false,
                participant,
                name: envelope.sender.name(),
                at: clock::unix_seconds(),
                message: message.clone(),
            },
        );
    }

    /// Receipts and, for a new direct text, the reply; after the latency the phone is set to.
    fn respond(&self, envelope: &Envelope, answer_to: Option<String>) {
        if Arc::ptr_eq(&envelope.sender, &self.account) {
            return;
        }
        let (delivers, reads, latency, reply) = self.account.with_behavior(|behavior| {
            let reply = answer_to.and_then(|text| match behavior.replies.as_ref()? {
                Reply::Echo => Some(text),
                Reply::Text(text) => Some(text.clone()),
            });
            (behavior.delivers, behavior.reads, behavior.latency_ms, reply)
        });
        // Two phones that answer each other's answers would never stop.
        let endless = envelope.device == 0 && envelope.sender.with_behavior(|behavior| behavior.replies.is_some());
        let answer = Answer {
            core: Arc::clone(&self.core),
            origin: self.origin(),
            id: envelope.id.clone(),
            to: envelope.from.clone(),
            participant: envelope.participant.clone(),
            reply: reply
                .filter(|_| !endless)
                .map(|text| (Arc::clone(&envelope.sender), text)),
        };
        if latency == 0 {
            if delivers {
                answer.receipt(None);
            }
            if reads {
                answer.receipt(Some("read"));
            }
            answer.reply();
        } else {
            let pause = Duration::from_millis(latency);
            let stop = self.core.stop.clone();
            self.core.tasks.spawn(async move {
                let later = async {
                    tokio::time::sleep(pause).await;
                    if delivers {
                        answer.receipt(None);
                    }
                    if reads {
                        tokio::time::sleep(pause).await;
                        answer.receipt(Some("read"));
                    }
                    if answer.reply.is_some() {
                        tokio::time::sleep(pause).await;
                        answer.reply();
                    }
                };
                tokio::select! {
                    () = later => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }
}

/// The receipts and the reply for one message.
struct Answer {
    core: Arc<crate::core::Core>,
    origin: Origin,
    id: String,
    to: Jid,
    participant: Option<Jid>,
    reply: Option<(Arc<Account>, String)>,
}

impl Answer {
    fn receipt(&self, kind: Option<&str>) {
        let receipt = receipts::from_phone(&self.to, self.participant.as_ref(), &self.id, kind).build();
        receipts::accept(&self.core, &self.origin, &receipt);
    }

    fn reply(&self) {
        if let Some((sender, text)) = &self.reply {
            self.origin.account.request(Request::Send {
                to: Destination::Account(Arc::clone(sender)),
                message: Box::new(wa::Message {
                    conversation: Some(text.clone()),
                    ..Default::default()
                }),
                done: None,
            });
        }
    }
}
