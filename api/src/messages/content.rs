//! What stands in a message's `content`: written and read here, so that what is stored, shown and sent is one thing.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::{LinkPreview, Mention, OutgoingContent, Text};

/// A text as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link_preview: Option<Preview>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<Mentioned>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    mentions_everyone: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Preview {
    url: String,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// A JPEG in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Mentioned {
    jid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<String>,
}

/// A text, in or out.
pub fn of_text(text: &Text) -> Value {
    let link_preview = text.link_preview.as_ref().map(|preview| Preview {
        url: preview.url.clone(),
        title: preview.title.clone(),
        description: preview.description.clone(),
        thumbnail: preview.thumbnail.as_ref().map(|jpeg| STANDARD.encode(jpeg)),
    });
    let mentioned = |mention: &Mention| Mentioned {
        jid: mention.jid.clone(),
        written: mention.written.clone(),
    };
    json!(Stored {
        text: text.body.clone(),
        link_preview,
        mentions: text.mentions.iter().map(mentioned).collect(),
        mentions_everyone: text.mentions_everyone,
    })
}

/// What is sent of a stored text.
pub fn outgoing(content: Value) -> OutgoingContent {
    OutgoingContent::Text(text(content))
}

/// A stored text.
pub fn text(content: Value) -> Text {
    let stored: Stored = serde_json::from_value(content).unwrap_or_default();
    let mention = |mentioned: Mentioned| Mention {
        jid: mentioned.jid,
        written: mentioned.written,
    };
    Text {
        body: stored.text,
        link_preview: stored.link_preview.map(Into::into),
        mentions: stored.mentions.into_iter().map(mention).collect(),
        mentions_everyone: stored.mentions_everyone,
    }
}

impl From<Preview> for LinkPreview {
    fn from(preview: Preview) -> Self {
        Self {
            url: preview.url,
            title: preview.title,
            description: preview.description,
            thumbnail: preview.thumbnail.and_then(|text| STANDARD.decode(text).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_what_is_sent_and_shown() {
        let written = Text {
            body: "Lihat https://contoh.id @62811".into(),
            link_preview: Some(LinkPreview {
                url: "https://contoh.id".into(),
                title: "Judul".into(),
                description: None,
                thumbnail: Some(vec![0xff, 0xd8, 0xff]),
            }),
            mentions: vec![
                Mention {
                    jid: "62811@s.whatsapp.net".into(),
                    written: Some("900@lid".into()),
                },
                Mention {
                    jid: "901@lid".into(),
                    written: None,
                },
            ],
            mentions_everyone: true,
        };
        let stored = of_text(&written);
        assert_eq!(text(stored.clone()), written);
        assert_eq!(outgoing(stored), OutgoingContent::Text(written));
    }

    #[test]
    fn a_plain_text_is_stored_as_ever() {
        let written = Text {
            body: "Halo".into(),
            ..Text::default()
        };
        let stored = of_text(&written);
        assert_eq!(stored, json!({ "text": "Halo" }));
        assert_eq!(text(stored), written);
        assert_eq!(text(json!({ "description": "a picture" })), Text::default());
    }
}
