//! A text with a preview of its link, as WhatsApp writes it.

use buffa::MessageField;
use waproto::whatsapp::{
    self as wa,
    message::{ExtendedTextMessage, extended_text_message::PreviewType},
};

use super::LinkPreview;

/// What is kept of what somebody else's client put beside a text.
const LONGEST_URL: usize = 2048;
const LONGEST_TITLE: usize = 300;
const LONGEST_DESCRIPTION: usize = 1000;
const LARGEST_THUMBNAIL: usize = 64 * 1024;
/// How every JPEG begins.
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

/// The text with its preview. Recipients' clients know by `matched_text` that there is one, and where it stands.
pub(super) fn compose(body: String, preview: LinkPreview) -> wa::Message {
    let text = ExtendedTextMessage {
        text: Some(body),
        matched_text: Some(preview.url),
        title: Some(preview.title),
        description: preview.description,
        preview_type: Some(PreviewType::NONE),
        jpeg_thumbnail: preview.thumbnail,
        ..Default::default()
    };
    wa::Message {
        extended_text_message: MessageField::some(text),
        ..Default::default()
    }
}

/// The preview of a text that came in, cut to what is worth keeping.
pub(super) fn read(message: &wa::Message) -> Option<LinkPreview> {
    let text = message.extended_text_message.as_option()?;
    let cut = |text: &str, most: usize| text.trim().chars().take(most).collect::<String>();
    let filled = |text: &Option<String>, most: usize| {
        let text = cut(text.as_deref()?, most);
        (!text.is_empty()).then_some(text)
    };
    let thumbnail = text.jpeg_thumbnail.clone();
    Some(LinkPreview {
        url: text
            .matched_text
            .clone()
            .filter(|url| !url.trim().is_empty() && url.len() <= LONGEST_URL)?,
        title: filled(&text.title, LONGEST_TITLE)?,
        description: filled(&text.description, LONGEST_DESCRIPTION),
        thumbnail: thumbnail.filter(|jpeg| jpeg.len() <= LARGEST_THUMBNAIL && jpeg.starts_with(&JPEG)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview() -> LinkPreview {
        LinkPreview {
            url: "https://contoh.id/a".into(),
            title: "Judul".into(),
            description: Some("Keterangan".into()),
            thumbnail: Some(JPEG.to_vec()),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let message = compose("Lihat https://contoh.id/a".into(), preview());
        assert_eq!(read(&message), Some(preview()));
    }

    #[test]
    fn what_others_write_is_bounded() {
        let strange = LinkPreview {
            title: "x".repeat(5000),
            description: Some(" ".into()),
            thumbnail: Some(b"<svg onload=alert(1)>".to_vec()),
            ..preview()
        };
        let read_back = read(&compose(String::new(), strange)).expect("a preview");
        assert_eq!(read_back.title.len(), LONGEST_TITLE);
        assert_eq!((read_back.description, read_back.thumbnail), (None, None));
        for (url, title) in [("", "Judul"), ("https://contoh.id", " ")] {
            let nothing = LinkPreview {
                url: url.into(),
                title: title.into(),
                ..preview()
            };
            assert_eq!(read(&compose(String::new(), nothing)), None);
        }
        assert_eq!(read(&wa::Message::default()), None);
    }
}
