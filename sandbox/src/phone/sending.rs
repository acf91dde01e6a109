//! What a phone sends: to every device of the recipient and to its own companions.

use std::collections::HashSet;
use std::sync::Arc;

use rand::rngs::StdRng;
use wacore::messages::{MessageUtils, wrap_device_sent};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::{
    CiphertextMessage, DeviceId, IdentityKey, PreKeyBundle, ProtocolAddress, PublicKey, SignalProtocolError,
    UsePQRatchet, create_sender_key_distribution_message, group_encrypt, message_encrypt, process_prekey_bundle,
};
use waproto::whatsapp as wa;

use super::signal::{address, sender_key_name};
use super::{Destination, PhoneTask, REMEMBERED, Sent, content};
use crate::account::{Account, lock};
use crate::clock;
use crate::error::SandboxError;
use crate::handlers::keys::{Bundle, take_bundle};
use crate::handlers::messages;
use crate::stanza::attr;

impl From<SignalProtocolError> for SandboxError {
    fn from(failure: SignalProtocolError) -> Self {
        Self::Crypto(failure.to_string())
    }
}

impl PhoneTask {
    /// Sends a message and remembers it for retries; returns its id.
    pub(super) async fn send(
        &mut self,
        to: &Destination,
        message: wa::Message,
        id: Option<String>,
    ) -> Result<String, SandboxError> {
        let id = id.unwrap_or_else(clock::message_id);
        let stanza = match to {
            Destination::Account(recipient) => self.direct_stanza(recipient, &message, &id).await?,
            Destination::Group(group) => self.group_stanza(group, &message, &id).await?,
        };
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
        }
        let chat = attr(&stanza, "to")
            .map(std::borrow::Cow::into_owned)
            .unwrap_or_default();
        if content::describe(&message).is_some() {
            self.note_sent(&chat, &id, &message);
        }
        self.sent.push_back(Sent {
            id: id.clone(),
            to: to.clone(),
            message,
        });
        let ack = messages::accept(&self.core, &self.origin(), stanza);
        match attr(&ack, "error").and_then(|code| code.parse().ok()) {
            Some(code) => Err(SandboxError::Refused(code)),
            None => Ok(id),
        }
    }

    async fn direct_stanza(
        &mut self,
        recipient: &Arc<Account>,
        message: &wa::Message,
        id: &str,
    ) -> Result<Node, SandboxError> {
        let addressing = self.core.addressing();
        let to = recipient.jid(addressing);
        let mut participants = Vec::new();
        if !Arc::ptr_eq(recipient, &self.account) {
            let plaintext = MessageUtils::encode_and_pad(message);
            for device in recipient.devices().values().filter(|device| device.is_confirmed()) {
                if let Some(encrypted) = self.encrypt(recipient, device.id, &plaintext).await? {
                    participants.push(target(recipient.device_jid(addressing, device.id), encrypted));
                }
            }
        }
        let account = Arc::clone(&self.account);
        let companions = account.devices();
        if companions.len() > 1 {
            let wrapped = wrap_device_sent(message.clone(), to.to_string());
            let plaintext = MessageUtils::encode_and_pad(&wrapped);
            for device in companions
                .values()
                .filter(|device| device.id != 0 && device.is_confirmed())
            {
                if let Some(encrypted) = self.encrypt(&account, device.id, &plaintext).await? {
                    participants.push(target(account.device_jid(addressing, device.id), encrypted));
                }
            }
        }
        Ok(NodeBuilder::new("message")
            .attr("to", to)
            .attr("id", id)
            .attr("type", "text")
            .children([NodeBuilder::new("participants").children(participants).build()])
            .build())
    }

    async fn group_stanza(&mut self, group: &str, message: &wa::Message, id: &str) -> Result<Node, SandboxError> {
        let state = self
            .core
            .group(group)
            .ok_or_else(|| SandboxError::NoSuchGroup(group.to_owned()))?;
        let (jid, addressing, members) = {
            let state = lock(&state);
            if !state.members.contains_key(&self.account.user) {
                return Err(SandboxError::NotAMember(self.account.number()));
            }
            (
                state.jid(),
                state.addressing,
                state.members.keys().cloned().collect::<Vec<_>>(),
            )
        };
        let name = sender_key_name(group, &self.account, 0);
        let mut devices: Vec<(Arc<Account>, u16)> = Vec::new();
        for account in members.iter().filter_map(|user| self.core.account(user)) {
            let own = Arc::ptr_eq(&account, &self.account);
            let all = account.devices();
            devices.extend(
                all.values()
                    .filter(|device| device.is_confirmed() && !(own && device.id == 0))
                    .map(|device| (Arc::clone(&account), device.id)),
            );
        }
        let label = |account: &Account, device: u16| format!("{}:{device}", account.user);
        let current: HashSet<String> = devices
            .iter()
            .map(|(account, device)| label(account, *device))
            .collect();
        let holders = self.key_holders.entry(group.to_owned()).or_default();
        if !holders.is_subset(&current) || !self.signal.sender_keys.0.contains_key(name.cache_key()) {
            // Somebody left: a new key that they do not get.
            holders.clear();
            self.signal.sender_keys.0.remove(name.cache_key());
        }
        let missing: Vec<(Arc<Account>, u16)> = devices
            .into_iter()
            .filter(|(account, device)| !holders.contains(&label(account, *device)))
            .collect();

        let mut random = rand::make_rng::<StdRng>();
        let mut content = Vec::new();
        if !missing.is_empty() {
            let key = create_sender_key_distribution_message(&name, &mut self.signal.sender_keys, &mut random).await?;
            let plaintext = MessageUtils::encode_and_pad(&distribution(&jid, key.serialized()));
            let mut participants = Vec::with_capacity(missing.len());
            for (account, device) in missing {
                if let Some(encrypted) = self.encrypt(&account, device, &plaintext).await? {
                    participants.push(target(account.device_jid(addressing, device), encrypted));
                    self.key_holders
                        .entry(group.to_owned())
                        .or_default()
                        .insert(label(&account, device));
                }
            }
            content.push(NodeBuilder::new("participants").children(participants).build());
        }
        let plaintext = MessageUtils::encode_and_pad(message);
        let encrypted = group_encrypt(&mut self.signal.sender_keys, &name, &plaintext, &mut random).await?;
        content.push(encrypted_node("skmsg", encrypted.serialized().to_vec(), None));
        Ok(NodeBuilder::new("message")
            .attr("to", jid)
            .attr("id", id)
            .attr("type", "text")
            .attr("addressing_mode", addressing.as_str())
            .children(content)
            .build())
    }

    /// Sends a message again to the one device that could not open it.
    pub(super) async fn send_again(
        &mut self,
        id: &str,
        to: &Destination,
        mut message: wa::Message,
        account: &Arc<Account>,
        device: u16,
        count: u8,
    ) -> Result<(), SandboxError> {
        let mut stanza = NodeBuilder::new("message").attr("id", id).attr("type", "text");
        match to {
            Destination::Account(recipient) => {
                let addressing = self.core.addressing();
                stanza = stanza.attr("to", account.device_jid(addressing, device));
                if Arc::ptr_eq(account, &self.account) {
                    let destination = recipient.jid(addressing);
                    stanza = stanza.attr("recipient", &destination);
                    message = wrap_device_sent(message, destination.to_string());
                }
            }
            Destination::Group(group) => {
                let state = self
                    .core
                    .group(group)
                    .ok_or_else(|| SandboxError::NoSuchGroup(group.clone()))?;
                let (jid, addressing) = {
                    let state = lock(&state);
                    (state.jid(), state.addressing)
                };
                let name = sender_key_name(group, &self.account, 0);
                let mut random = rand::make_rng::<StdRng>();
                let key =
                    create_sender_key_distribution_message(&name, &mut self.signal.sender_keys, &mut random).await?;
                message.sender_key_distribution_message =
                    distribution(&jid, key.serialized()).sender_key_distribution_message;
                stanza = stanza
                    .attr("to", jid)
                    .attr("participant", account.device_jid(addressing, device))
                    .attr("addressing_mode", addressing.as_str());
            }
        }
        let plaintext = MessageUtils::encode_and_pad(&message);
        let Some((kind, ciphertext)) = self.encrypt(account, device, &plaintext).await? else {
            return Ok(());
        };
        let stanza = stanza.children([encrypted_node(kind, ciphertext, Some(count))]).build();
        messages::accept(&self.core, &self.origin(), stanza);
        Ok(())
    }

    /// Encrypts for one device, starting a session when there is none. `None`: the device has no
    /// keys, or none that can be used.
    pub(super) async fn encrypt(
        &mut self,
        account: &Arc<Account>,
        device: u16,
        plaintext: &[u8],
    ) -> Result<Option<(&'static str, Vec<u8>)>, SandboxError> {
        let address = address(account, device);
        if !self.signal.has_session(&address) {
            let bundle = account
                .device(device)
                .and_then(|device| take_bundle(&self.core, account, &device));
            let Some(bundle) = bundle else {
                return Ok(None);
            };
            if let Err(failure) = self.start_session(&address, bundle).await {
                tracing::debug!(%failure, "a device's keys are unusable");
                return Ok(None);
            }
        }
        let encrypted = message_encrypt(
            plaintext,
            &address,
            &mut self.signal.sessions,
            &mut self.signal.identities,
        )
        .await?;
        let kind = match encrypted {
            CiphertextMessage::PreKeySignalMessage(_) => "pkmsg",
            _ => "msg",
        };
        Ok(Some((kind, encrypted.serialize().to_vec())))
    }

    pub(super) async fn start_session(
        &mut self,
        address: &ProtocolAddress,
        bundle: Bundle,
    ) -> Result<(), SandboxError> {
        let key = |bytes: &[u8]| {
            PublicKey::from_djb_public_key_bytes(bytes).map_err(|failure| SandboxError::Crypto(failure.to_string()))
        };
        let one_time = match &bundle.one_time {
            Some((id, public)) => Some(((*id).into(), key(public)?)),
            None => None,
        };
        let (signed_id, signed_key, signature) = bundle.signed;
        let bundle = PreKeyBundle::new(
            bundle.registration_id,
            DeviceId::new(0),
            one_time,
            signed_id.into(),
            key(&signed_key)?,
            signature,
            IdentityKey::new(key(&bundle.identity)?),
        )?;
        process_prekey_bundle(
            address,
            &mut self.signal.sessions,
            &mut self.signal.identities,
            &bundle,
            &mut rand::make_rng::<StdRng>(),
            UsePQRatchet::No,
        )
        .await?;
        self.core.save_soon(&self.account);
        Ok(())
    }
}

/// `<to jid><enc/></to>`.
fn target(jid: Jid, (kind, ciphertext): (&'static str, Vec<u8>)) -> Node {
    NodeBuilder::new("to")
        .attr("jid", jid)
        .children([encrypted_node(kind, ciphertext, None)])
        .build()
}

pub(super) fn encrypted_node(kind: &'static str, ciphertext: Vec<u8>, count: Option<u8>) -> Node {
    let mut node = NodeBuilder::new("enc").attr("v", 2).attr("type", kind);
    if let Some(count) = count {
        node = node.attr("count", count);
    }
    node.bytes(ciphertext).build()
}

fn distribution(group: &Jid, key: &[u8]) -> wa::Message {
    wa::Message {
        sender_key_distribution_message: buffa::MessageField::some(wa::message::SenderKeyDistributionMessage {
            group_id: Some(group.to_string()),
            axolotl_sender_key_distribution_message: Some(key.to_vec()),
        }),
        ..Default::default()
    }
}
