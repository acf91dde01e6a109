//! The words of a message: addresses in them can be followed, and people are called by their names.

use leptos::prelude::*;

use crate::{
    api::messages::{Mention, MessageContent, TextContent},
    state::phone,
    words::words,
};

/// How WhatsApp's apps write that everybody is meant.
const EVERYONE: &str = "@all";

/// A piece of a text.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Words(&'a str),
    Address(&'a str),
    /// What stands in the text, and who is meant; `None` is everybody.
    Mention(&'a str, Option<&'a Mention>),
}

/// A text in which nobody is mentioned.
pub fn plain(body: &str) -> impl IntoView + use<> {
    shown(pieces(body, &[], false))
}

/// A text with its mentions.
pub fn rich(text: &TextContent) -> impl IntoView + use<> {
    shown(pieces(&text.body, &text.mentions, text.mentions_everyone))
}

/// A message in one line: no address can be followed there, but people have names.
pub fn line(content: &MessageContent) -> String {
    let MessageContent::TextContent(text) = content else {
        return content.text().to_owned();
    };
    let words = |piece: Piece<'_>| match piece {
        Piece::Words(words) | Piece::Address(words) => words.to_owned(),
        Piece::Mention(text, person) => label(text, person),
    };
    pieces(&text.body, &text.mentions, text.mentions_everyone)
        .into_iter()
        .map(words)
        .collect()
}

fn shown(pieces: Vec<Piece<'_>>) -> impl IntoView + use<> {
    let parts: Vec<AnyView> = pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Words(words) => words.to_owned().into_any(),
            Piece::Address(address) => {
                let href = address.to_owned();
                view! { <a href=href rel="external noopener noreferrer" target="_blank">{address.to_owned()}</a> }
                    .into_any()
            }
            Piece::Mention(text, person) => mention(text, person).into_any(),
        })
        .collect();
    view! { <p class="bubble-text">{parts}</p> }
}

fn mention(text: &str, person: Option<&Mention>) -> impl IntoView + use<> {
    let own = person.is_none_or(|person| person.is_own);
    let number = person.and_then(|person| person.phone_number.as_ref());
    let title = number.map(|number| phone::grouped(&number.0));
    view! {
        <span class="mention" class:own=own title=title data-testid="mention">{label(text, person)}</span>
    }
}

/// A name, or else a number, or else what stands there.
fn label(text: &str, person: Option<&Mention>) -> String {
    let Some(person) = person else {
        return format!("@{}", words().everyone());
    };
    let number = || person.phone_number.as_ref().map(|number| phone::grouped(&number.0));
    let name = person.name.clone().filter(|name| !name.trim().is_empty());
    name.or_else(number)
        .map_or_else(|| text.to_owned(), |name| format!("@{name}"))
}

fn pieces<'a>(body: &'a str, mentions: &'a [Mention], everyone: bool) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = body[at..].find(['h', '@']) {
        at += found;
        let rest = &body[at..];
        let piece = address(rest).or_else(|| mentioned(rest, mentions, everyone));
        let Some((piece, length)) = piece else {
            at += 1;
            continue;
        };
        if from < at {
            pieces.push(Piece::Words(&body[from..at]));
        }
        pieces.push(piece);
        at += length;
        from = at;
    }
    if from < body.len() {
        pieces.push(Piece::Words(&body[from..]));
    }
    pieces
}

/// The address of the web that a text begins with, and its length.
fn address(text: &str) -> Option<(Piece<'_>, usize)> {
    if !["https://", "http://"].iter().any(|scheme| text.starts_with(scheme)) {
        return None;
    }
    let end = text
        .find(|letter: char| letter.is_whitespace() || letter == '<')
        .unwrap_or(text.len());
    let address = text[..end].trim_end_matches(['.', ',', ')', '!', '?', ';', ':']);
    Some((Piece::Address(address), address.len()))
}

/// The mention that a text begins with, and its length.
fn mentioned<'a>(text: &'a str, mentions: &'a [Mention], everyone: bool) -> Option<(Piece<'a>, usize)> {
    let name = text.strip_prefix('@')?;
    if everyone
        && let Some(after) = text.strip_prefix(EVERYONE)
        && !after.starts_with(char::is_alphanumeric)
    {
        return Some((Piece::Mention(EVERYONE, None), EVERYONE.len()));
    }
    let digits = name.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(name.len());
    let token = &text[..=digits];
    let person = mentions.iter().find(|mention| mention.text.as_deref() == Some(token));
    let person = person.filter(|_| digits > 0)?;
    Some((Piece::Mention(token, Some(person)), token.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::values::PhoneNumber;

    #[test]
    fn mentions_and_addresses_are_told_from_words() {
        let people = [Mention {
            phone_number: Some(PhoneNumber("+62811".to_owned())),
            text: Some("@900".to_owned()),
            name: None,
            is_own: false,
        }];
        let body = "h @900, @9001 @all @alle https://contoh.id/@900. @";
        let expected = [
            Piece::Words("h "),
            Piece::Mention("@900", Some(&people[0])),
            Piece::Words(", @9001 "),
            Piece::Mention("@all", None),
            Piece::Words(" @alle "),
            Piece::Address("https://contoh.id/@900"),
            Piece::Words(". @"),
        ];
        assert_eq!(pieces(body, &people, true), expected);
        assert_eq!(pieces("@all é", &people, false), [Piece::Words("@all é")]);
        assert_eq!(pieces("", &people, true), []);
    }
}
