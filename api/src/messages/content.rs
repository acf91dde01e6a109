//! What stands in a message's `content`: written and read here, so that what is stored, shown and sent is one thing.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::{LinkPreview, OutgoingContent};

/// A text as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link_preview: Option<Preview>,
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

/// A text, and what is shown of its link.
pub fn of_text(body: &str, preview: Option<&LinkPreview>) -> Value {
    let link_preview = preview.map(|preview| Preview {
        url: preview.url.clone(),
        title: preview.title.clone(),
        description: preview.description.clone(),
        thumbnail: preview.thumbnail.as_ref().map(|jpeg| STANDARD.encode(jpeg)),
    });
    let text = body.to_owned();
    json!(Text { text, link_preview })
}

/// What is sent of a stored text.
pub fn outgoing(content: Value) -> OutgoingContent {
    let Text { text, link_preview } = read(content);
    OutgoingContent::Text {
        body: text,
        link_preview: link_preview.map(Into::into),
    }
}

/// What is shown of a stored text's link.
pub fn link_preview(content: Value) -> Option<LinkPreview> {
    read(content).link_preview.map(Into::into)
}

fn read(content: Value) -> Text {
    serde_json::from_value(content).unwrap_or_default()
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
        let preview = LinkPreview {
            url: "https://contoh.id".into(),
            title: "Judul".into(),
            description: None,
            thumbnail: Some(vec![0xff, 0xd8, 0xff]),
        };
        let stored = of_text("Lihat https://contoh.id", Some(&preview));
        assert_eq!(link_preview(stored.clone()), Some(preview.clone()));
        let sent = OutgoingContent::Text {
            body: "Lihat https://contoh.id".into(),
            link_preview: Some(preview),
        };
        assert_eq!(outgoing(stored), sent);
    }

    #[test]
    fn a_plain_text_is_stored_as_ever() {
        let stored = of_text("Halo", None);
        assert_eq!(stored, json!({ "text": "Halo" }));
        assert_eq!(link_preview(stored), None);
        assert_eq!(link_preview(json!({ "description": "a picture" })), None);
    }
}
