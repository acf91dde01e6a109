//! What a page says of itself: its OpenGraph tags, those of Twitter, and what HTML always had.

use encoding_rs::{Encoding, UTF_8};
use html5gum::{DefaultEmitter, Token, Tokenizer};
use url::Url;

/// WhatsApp shows two lines or three.
const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 400;
/// Where a page may name its encoding.
const PRESCAN: usize = 1024;

const TITLES: [&str; 2] = ["og:title", "twitter:title"];
const DESCRIPTIONS: [&str; 3] = ["og:description", "twitter:description", "description"];
const PICTURES: [&str; 5] = [
    "og:image:secure_url",
    "og:image",
    "og:image:url",
    "twitter:image",
    "twitter:image:src",
];

/// What is of use for a preview.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) picture: Option<Url>,
}

impl Page {
    /// Reads as much of a page as there is. `url` is where it was.
    pub(super) fn read(html: &[u8], content_type: &str, url: &Url) -> Self {
        let encoding = charset(content_type).or_else(|| charset_inside(html)).unwrap_or(UTF_8);
        let (text, ..) = encoding.decode(html);
        let mut found = Found::default();
        let mut title: Option<String> = None;
        let mut in_title = false;
        let mut tokens = DefaultEmitter::<()>::default();
        // What stands in a script or a title is no tag.
        tokens.naively_switch_states(true);
        for token in Tokenizer::new_with_emitter(text.as_ref(), tokens) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) if **tag.name == *b"meta" => {
                    let attribute = |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(value));
                    if let (Some(name), Some(content)) = (
                        attribute(b"property").or_else(|| attribute(b"name")),
                        attribute(b"content"),
                    ) {
                        found.note(&name.trim().to_ascii_lowercase(), &content);
                    }
                }
                Token::StartTag(tag) => in_title = **tag.name == *b"title" && title.is_none(),
                Token::String(text) if in_title => {
                    title.get_or_insert_default().push_str(&String::from_utf8_lossy(&text));
                }
                Token::EndTag(_) => in_title = false,
                _ => {}
            }
        }
        let [titles, descriptions, pictures] = found.0;
        Self {
            title: first(titles).or(title).and_then(|text| clean(&text, LONGEST_TITLE)),
            description: first(descriptions).and_then(|text| clean(&text, LONGEST_DESCRIPTION)),
            picture: first(pictures).and_then(|picture| url.join(picture.trim()).ok()),
        }
    }
}

/// What was found of titles, descriptions and pictures: with the place of its name in the list of names.
#[derive(Default)]
struct Found([Vec<(usize, String)>; 3]);

impl Found {
    fn note(&mut self, name: &str, content: &str) {
        if content.trim().is_empty() {
            return;
        }
        let names: [&[&str]; 3] = [&TITLES, &DESCRIPTIONS, &PICTURES];
        for (found, names) in self.0.iter_mut().zip(names) {
            if let Some(place) = names.iter().position(|known| *known == name) {
                found.push((place, content.to_owned()));
            }
        }
    }
}

/// Of the best name the first.
fn first(found: Vec<(usize, String)>) -> Option<String> {
    found
        .into_iter()
        .min_by_key(|(place, _)| *place)
        .map(|(_, content)| content)
}

/// One line without what cannot be seen, and not too long.
fn clean(text: &str, most: usize) -> Option<String> {
    let words: Vec<String> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return (!line.is_empty()).then_some(line);
    }
    let cut: String = line.chars().take(most - 1).collect();
    Some(format!("{}…", cut.trim_end()))
}

/// The encoding that follows `charset=`.
fn charset(text: &str) -> Option<&'static Encoding> {
    let (_, rest) = text.split_once("charset=")?;
    let label = rest.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(['"', '\'', ';', ' ', '>', '/']).unwrap_or(label.len());
    Encoding::for_label(&label.as_bytes()[..end])
}

/// The encoding that a page names at its beginning.
fn charset_inside(html: &[u8]) -> Option<&'static Encoding> {
    let beginning = String::from_utf8_lossy(&html[..html.len().min(PRESCAN)]).to_ascii_lowercase();
    let (_, from_meta) = beginning.split_once("<meta")?;
    charset(from_meta)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> Page {
        let url = Url::parse("https://contoh.id/berita/1").expect("a URL");
        Page::read(html.as_bytes(), "text/html", &url)
    }

    #[test]
    fn opengraph_comes_before_the_rest() {
        let page = read(
            r#"<!doctype html><html><head><title>Judul lain</title>
            <meta name="description" content="Keterangan lain">
            <meta name="twitter:title" content="Judul ketiga">
            <META PROPERTY="og:title" CONTENT="Rendang &amp; &quot;sambal&quot;
               enak">
            <meta property='og:description' content='Dari Padang'/>
            <meta property="og:image" content="/gambar/1.jpg?a=1&amp;b=2">
            <meta property="og:image" content="/gambar/2.jpg">
            </head><body><meta property="og:title" content="Terlambat"></body>"#,
        );
        assert_eq!(page.title.as_deref(), Some("Rendang & \"sambal\" enak"));
        assert_eq!(page.description.as_deref(), Some("Dari Padang"));
        let picture = page.picture.map(String::from);
        assert_eq!(picture.as_deref(), Some("https://contoh.id/gambar/1.jpg?a=1&b=2"));
    }

    #[test]
    fn a_plain_page_has_a_title() {
        let page = read("<title>Warung\n <b>Bu</b> Ani &gt; Padang</title><p>isi");
        assert_eq!(page.title.as_deref(), Some("Warung <b>Bu</b> Ani > Padang"));
        assert_eq!((page.description, page.picture), (None, None));
    }

    #[test]
    fn scripts_comments_and_empty_tags_say_nothing() {
        let page = read(
            r#"<script>var a = '<meta property="og:title" content="palsu">';</script>
            <!-- <meta property="og:title" content="palsu"> -->
            <meta property="og:title" content="  "><meta property="og:image" content="https://[">"#,
        );
        assert_eq!(page, Page::default());
        assert_eq!(read(""), Page::default());
        assert_eq!(read("<meta property=\"og:title\" content=\"terpotong"), Page::default());
    }

    #[test]
    fn what_is_too_long_or_cannot_be_seen_is_left_out() {
        let long = "panjang ".repeat(100);
        let page = read(&format!("<meta property=og:title content='{long}'>"));
        let title = page.title.expect("a title");
        assert_eq!(title.chars().count(), LONGEST_TITLE);
        assert!(title.ends_with('…'), "{title}");
        let page = read("<meta property=og:title content='a\u{0}\u{7}b\u{1b}c'>");
        assert!(page.title.is_some_and(|title| !title.contains(char::is_control)));
    }

    #[test]
    fn the_encoding_is_the_servers_or_the_pages_own() {
        let url = Url::parse("https://contoh.id/").expect("a URL");
        let latin = b"<title>Caf\xe9</title>";
        let title = |html: &[u8], content_type: &str| Page::read(html, content_type, &url).title;
        assert_eq!(title(latin, "text/html; charset=iso-8859-1").as_deref(), Some("Café"));
        let own = [b"<meta charset='windows-1252'>".as_slice(), latin].concat();
        assert_eq!(title(&own, "text/html").as_deref(), Some("Café"));
        let wide: Vec<u8> = [
            vec![0xff, 0xfe],
            "<title>é</title>".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ]
        .concat();
        assert_eq!(title(&wide, "text/html; charset=utf-16").as_deref(), Some("é"));
        assert_eq!(
            title("<title>é</title>".as_bytes(), "text/html; charset=none").as_deref(),
            Some("é")
        );
    }
}
