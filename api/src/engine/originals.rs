//! What the outbox has need not be kept here as well: the content of messages that were sent, and their secrets.
//!
//! A recipient that could not read a message asks for it again; the engine then asks [`Originals`]. The secret of a
//! message, by which later edits and votes are read, is derived from its id and a key of the device, so it is never
//! stored.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use entity::DeviceId;
use hkdf::Hkdf;
use sea_orm::DbErr;
use sha2::Sha256;
use waproto::whatsapp as wa;

use super::{OutgoingContent, Text, link_preview, mentions};

/// Knows what devices have sent.
#[async_trait]
pub trait Originals: Send + Sync + 'static {
    /// What the device sent to `chat` under this id; `None` when there is no such message.
    async fn original(
        &self,
        device: DeviceId,
        fence: i64,
        chat: &str,
        whatsapp_id: &str,
    ) -> Result<Option<OutgoingContent>, DbErr>;
}

/// For an engine of which nobody asks for a message again.
#[cfg(test)]
pub(super) struct NoOriginals;

#[cfg(test)]
#[async_trait]
impl Originals for NoOriginals {
    async fn original(&self, _: DeviceId, _: i64, _: &str, _: &str) -> Result<Option<OutgoingContent>, DbErr> {
        Ok(None)
    }
}

/// The secrets of one device's messages. Cheap to clone; all clones learn the key together.
#[derive(Clone, Default)]
pub(super) struct Secrets(Arc<OnceLock<[u8; 32]>>);

impl Secrets {
    /// Tells the key. It is the first time that counts: a device keeps its identity for as long as it is linked.
    pub(super) fn set(&self, key: [u8; 32]) {
        let _ = self.0.set(key);
    }

    /// The secret of a message that this device sends; `None` before the key is known.
    ///
    /// HKDF-SHA256 (RFC 5869) of the device's private identity key, with the message's id as information.
    pub(super) fn of(&self, whatsapp_id: &str) -> Option<[u8; 32]> {
        let mut secret = [0; 32];
        let hkdf = Hkdf::<Sha256>::new(Some(b"kabar message secret"), self.0.get()?);
        hkdf.expand(whatsapp_id.as_bytes(), &mut secret).ok()?;
        Some(secret)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// A message as WhatsApp's recipients see it. The same content under the same id is the same message, byte for byte.
pub(super) fn compose(content: OutgoingContent, secret: Option<[u8; 32]>) -> wa::Message {
    let OutgoingContent::Text(text) = content;
    let (written, mentioned) = mentions::compose(&text).unzip();
    let Text {
        body,
        link_preview: preview,
        ..
    } = text;
    let body = written.unwrap_or(body);
    let mut message = match preview {
        Some(preview) => link_preview::compose(body, preview),
        None => wa::Message {
            conversation: Some(body),
            ..Default::default()
        },
    };
    if let Some(mentioned) = mentioned {
        mentions::put(&mut message, mentioned);
    }
    if let Some(secret) = secret {
        let info = wa::MessageContextInfo {
            message_secret: Some(secret.to_vec()),
            ..Default::default()
        };
        message.message_context_info = Some(info).into();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LinkPreview;

    #[test]
    fn a_text_keeps_its_form_unless_somebody_is_mentioned() {
        let text = Text {
            body: "halo @all".to_owned(),
            ..Text::default()
        };
        let plain = compose(OutgoingContent::Text(text.clone()), None);
        assert_eq!(plain.conversation.as_deref(), Some("halo @all"));
        assert!(!plain.extended_text_message.is_set());
        let preview = LinkPreview {
            url: "https://contoh.id".to_owned(),
            title: "Judul".to_owned(),
            description: None,
            thumbnail: None,
        };
        for link_preview in [None, Some(preview)] {
            let shows = link_preview.is_some();
            let text = Text {
                link_preview,
                mentions_everyone: true,
                ..text.clone()
            };
            let message = compose(OutgoingContent::Text(text), None);
            assert_eq!(message.conversation, None);
            let extended = message.extended_text_message.as_option().expect("a text");
            assert_eq!(extended.text.as_deref(), Some("halo @all"));
            assert_eq!(extended.matched_text.is_some(), shows);
            assert!(extended.context_info.is_set());
        }
    }

    #[test]
    fn a_secret_belongs_to_one_device_and_one_message() {
        let (mine, other) = (Secrets::default(), Secrets::default());
        assert_eq!(mine.of("3EB0A"), None);
        mine.set([1; 32]);
        other.set([2; 32]);
        let secret = mine.of("3EB0A");
        assert!(secret.is_some());
        assert_eq!(secret, mine.clone().of("3EB0A"));
        assert_ne!(secret, mine.of("3EB0B"));
        assert_ne!(secret, other.of("3EB0A"));
    }
}
