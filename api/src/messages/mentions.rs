//! Whom a text mentions: the placeholders in it, and how mentions stand in it. Pure.
//!
//! A mention stands in a text as `@` and the digits of an address. Whoever writes a text may write that by hand, or have a
//! placeholder filled: `{m1}` or `{mention1}` by the first mention, `{mention[0]}` as well, `{mentions}` by all of them.

use std::collections::HashSet;

use super::types::{LONGEST_TEXT, Recipient};
use crate::{engine::Mention, graphql::UserError};

/// As many people as WhatsApp lets into a group: nobody else can be told.
pub const MOST: usize = 1024;
/// No placeholder is longer, in bytes.
const LONGEST_PLACEHOLDER: usize = 32;

const BODY: &str = "content.text.body";

/// Each person once, in the order in which they were named first.
pub fn distinct(people: &[Recipient]) -> Vec<Mention> {
    let mut seen = HashSet::new();
    people
        .iter()
        .filter(|person| seen.insert(person.jid.as_str()))
        .map(|person| Mention {
            jid: person.jid.clone(),
            written: None,
        })
        .collect()
}

/// What a placeholder stands for.
#[derive(Debug, PartialEq, Eq)]
enum Placeholder {
    /// The mention in this place of the list, from 0; `None` when no list has such a place.
    One(Option<usize>),
    All,
}

/// The text with its placeholders filled. What is no placeholder stays as it is.
pub fn fill(body: &str, people: &[Recipient]) -> Result<String, UserError> {
    let mut filled = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        filled.push_str(before);
        let Some((whole, placeholder)) = placeholder(from) else {
            filled.push('{');
            rest = &from[1..];
            continue;
        };
        match placeholder {
            Placeholder::One(place) => {
                let person = place.and_then(|place| people.get(place));
                filled.push_str(&as_text(&person.ok_or_else(|| nobody(whole, people.len()))?.jid));
            }
            Placeholder::All if people.is_empty() => return Err(nobody(whole, 0)),
            Placeholder::All => {
                let all: Vec<String> = distinct(people).iter().map(|mention| as_text(&mention.jid)).collect();
                filled.push_str(&all.join(" "));
            }
        }
        // A character has at most four bytes. What is too long now is not made any longer.
        if filled.len() > 4 * LONGEST_TEXT {
            let message = format!("With its mentions filled in, the text has more than {LONGEST_TEXT} characters.");
            return Err(UserError::invalid(BODY, message));
        }
        rest = &from[whole.len()..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn nobody(placeholder: &str, people: usize) -> UserError {
    let there = match people {
        0 => "mentions names nobody".to_owned(),
        1 => "mentions names one person".to_owned(),
        several => format!("mentions names {several} people"),
    };
    UserError::invalid(BODY, format!("{placeholder} in the text stands for nobody: {there}."))
}

/// The placeholder that the text begins with.
fn placeholder(text: &str) -> Option<(&str, Placeholder)> {
    let end = text.bytes().take(LONGEST_PLACEHOLDER).position(|byte| byte == b'}')?;
    let (whole, name) = (&text[..=end], &text[1..end]);
    if name == "mentions" {
        return Some((whole, Placeholder::All));
    }
    let indexed = name.strip_prefix("mention[").and_then(|rest| rest.strip_suffix(']'));
    let numbered = || name.strip_prefix("mention").or_else(|| name.strip_prefix('m'));
    let (digits, first) = match indexed {
        Some(digits) => (digits, 0),
        None => (numbered()?, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let place = || digits.parse::<usize>().ok()?.checked_sub(first);
    is_number.then(|| (whole, Placeholder::One(place())))
}

/// How a mention stands in a text.
fn as_text(jid: &str) -> String {
    format!("@{}", user(jid))
}

fn user(jid: &str) -> &str {
    jid.split('@').next().unwrap_or(jid)
}

/// How each of these mentions stands in a text, `None` where it does not.
pub fn found_in(body: &str, mentions: &[Mention]) -> Vec<Option<String>> {
    let mut parts = body.split('@');
    // What is before the first `@` follows none.
    parts.next();
    let numbers: HashSet<&str> = parts
        .map(|part| &part[..part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len())])
        .collect();
    let found = |mention: &Mention| {
        let forms = [Some(&mention.jid), mention.written.as_ref()];
        let form = forms.into_iter().flatten().find(|form| numbers.contains(user(form)))?;
        Some(as_text(form))
    };
    mentions.iter().map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> [Recipient; 3] {
        let person = |jid: &str| Recipient {
            jid: jid.to_owned(),
            phone: None,
        };
        [
            person("62811@s.whatsapp.net"),
            person("900@lid"),
            person("62811@s.whatsapp.net"),
        ]
    }

    fn filled(body: &str) -> Result<String, String> {
        fill(body, &people()).map_err(|error| error.message)
    }

    #[test]
    fn placeholders_are_filled_by_number_by_index_and_all_at_once() {
        for (body, expected) in [
            ("Halo {m1} dan {m2}!", "Halo @62811 dan @900!"),
            ("{mention1}{mention[1]}{mention3}", "@62811@900@62811"),
            ("{mentions}: rapat", "@62811 @900: rapat"),
            ("{m1}{m1}", "@62811@62811"),
            ("{m02}", "@900"),
            ("{{m1}}", "{@62811}"),
        ] {
            assert_eq!(filled(body).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        for body in [
            "",
            "{",
            "}{",
            "{}",
            "{m}",
            "{M1}",
            "{ m1 }",
            "{m1",
            "{m-1}",
            "{m1a}",
            "{mention}",
            "{mention[]}",
            "{mention[x]}",
            "{mention[0}",
            "{mentions }",
            "{nama} é{é}",
            "@62811 ditulis tangan",
            "{m0000000000000000000000000000000000000000000000001}",
        ] {
            assert_eq!(filled(body).as_deref(), Ok(body));
        }
    }

    #[test]
    fn a_placeholder_for_nobody_is_refused() {
        for body in ["{m0}", "{m4}", "{mention4}", "{mention[3]}", "{m99999999999999999999}"] {
            let error = filled(body).expect_err(body);
            assert_eq!(
                error,
                format!("{body} in the text stands for nobody: mentions names 3 people.")
            );
        }
        for body in ["{m1}", "{mentions}"] {
            let error = fill(body, &[]).expect_err(body);
            assert!(error.message.ends_with("mentions names nobody."), "{}", error.message);
            let path = ["content", "text", "body"].map(str::to_owned).to_vec();
            assert_eq!(error.field, Some(path));
        }
    }

    #[test]
    fn a_text_that_grows_without_end_is_given_up() {
        let body = "{mentions}".repeat(1_000_000);
        assert!(fill(&body, &people()).is_err());
    }

    #[test]
    fn people_are_mentioned_once() {
        let jids: Vec<String> = distinct(&people()).into_iter().map(|mention| mention.jid).collect();
        assert_eq!(jids, ["62811@s.whatsapp.net", "900@lid"]);
    }

    #[test]
    fn mentions_are_found_where_all_their_digits_stand() {
        let mention = |jid: &str, written: Option<&str>| Mention {
            jid: jid.to_owned(),
            written: written.map(str::to_owned),
        };
        let mentions = [
            mention("62811@s.whatsapp.net", None),
            mention("62812@s.whatsapp.net", Some("900@lid")),
            mention("62813@s.whatsapp.net", Some("901@lid")),
            mention("628@s.whatsapp.net", None),
        ];
        let found = found_in("@62811, (@900) @62813@ 62814", &mentions);
        let expected = [Some("@62811"), Some("@900"), Some("@62813"), None];
        assert_eq!(found, expected.map(|text| text.map(str::to_owned)));
        assert_eq!(found_in("628 tanpa tanda", &mentions[3..]), [None]);
    }
}
