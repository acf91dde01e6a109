//! Mentioning people while one writes to a group: who can be, who is asked for, and what is sent of it.
//!
//! In the text that one writes people have names. What is sent has `@` and the digits of their addresses, as WhatsApp
//! wants it.

use leptos::prelude::*;

use super::thread::{Entry, Thread};
use crate::{
    api::{
        chats::{Chat, ChatKind},
        messages::{Direction, Party},
        values::Jid,
    },
    state::phone,
    words::words,
};

/// What stands for everybody.
const EVERYONE: &str = "all";
/// As many are offered at once.
const MOST: usize = 6;
/// A number that is written by hand.
const NUMBER: std::ops::RangeInclusive<usize> = 7..=15;

/// Somebody who can be mentioned.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// What stands behind `@` while one writes.
    pub label: String,
    pub beside: String,
    /// `None` is everybody.
    jid: Option<Jid>,
}

impl Person {
    fn everyone() -> Self {
        Self {
            label: EVERYONE.to_owned(),
            beside: words().everyone().to_owned(),
            jid: None,
        }
    }

    fn of(party: &Party, known: &[Self]) -> Self {
        let digits = user(&party.jid).to_owned();
        let name = party.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let free = name.filter(|name| known.iter().all(|other| other.label != *name));
        let number = party.phone_number.as_ref().map(|number| phone::grouped(&number.0));
        Self {
            label: free.map_or(digits, str::to_owned),
            beside: number.or(name.map(str::to_owned)).unwrap_or_default(),
            jid: Some(party.jid.clone()),
        }
    }

    fn fits(&self, asked: &str) -> bool {
        self.label.to_lowercase().starts_with(asked)
    }
}

fn user(jid: &Jid) -> &str {
    jid.0.split('@').next().unwrap_or_default()
}

/// Everybody in the group, and those who have written what is shown, the latest first. Nobody in other chats.
pub fn people(thread: Thread, chat: Memo<Chat>) -> Memo<Vec<Person>> {
    Memo::new(move |_| {
        if chat.with(|chat| chat.kind != ChatKind::Group) {
            return Vec::new();
        }
        let mut people = vec![Person::everyone()];
        thread.rows.list.with(|rows| {
            for (_, entry) in rows.iter().rev() {
                entry.with_untracked(|entry| {
                    if let Entry::Stored(message) = entry
                        && message.direction == Direction::In
                        && people
                            .iter()
                            .all(|known| known.jid.as_ref() != Some(&message.sender.jid))
                    {
                        people.push(Person::of(&message.sender, &people));
                    }
                });
            }
        });
        people
    })
}

/// Who is asked for at the end of this text, and where the `@` stands.
pub fn asked(before: &str, people: &[Person]) -> Option<(usize, Vec<Person>)> {
    let start = before.rfind('@')?;
    if before[..start].ends_with(char::is_alphanumeric) {
        return None;
    }
    let asked = before[start + 1..].to_lowercase();
    let found: Vec<Person> = people
        .iter()
        .filter(|person| person.fits(&asked))
        .take(MOST)
        .cloned()
        .collect();
    (!found.is_empty()).then_some((start, found))
}

/// What is sent of a text: its body, whom it mentions, and whether it mentions everybody.
pub fn sent(text: &str, people: &[Person]) -> (String, Vec<Jid>, bool) {
    let (mut body, mut mentions, mut everyone) = (String::new(), Vec::new(), false);
    if people.is_empty() {
        return (text.to_owned(), mentions, everyone);
    }
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, from) = rest.split_at(at);
        body.push_str(before);
        body.push('@');
        rest = &from[1..];
        if body[..body.len() - 1].ends_with(char::is_alphanumeric) {
            continue;
        }
        let called = people.iter().filter(|person| is_called(rest, &person.label));
        let person = called.max_by_key(|person| person.label.len());
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let jid = match person {
            Some(Person { jid: None, .. }) => {
                everyone = true;
                continue;
            }
            Some(Person {
                jid: Some(jid), label, ..
            }) => {
                rest = &rest[label.len()..];
                jid.clone()
            }
            None if NUMBER.contains(&digits) => {
                let jid = Jid(format!("{}@s.whatsapp.net", &rest[..digits]));
                rest = &rest[digits..];
                jid
            }
            None => continue,
        };
        body.push_str(user(&jid));
        if !mentions.contains(&jid) {
            mentions.push(jid);
        }
    }
    body.push_str(rest);
    (body, mentions, everyone)
}

fn is_called(text: &str, label: &str) -> bool {
    text.strip_prefix(label)
        .is_some_and(|after| !after.starts_with(char::is_alphanumeric))
}

/// Those who are asked for, to choose one of.
#[component]
pub fn Picker(
    #[prop(into)] found: Signal<Vec<Person>>,
    at: RwSignal<usize>,
    #[prop(into)] on_choose: Callback<Person>,
) -> impl IntoView {
    let option = move |(place, person): (usize, Person)| {
        let chosen = person.clone();
        view! {
            <li
                role="option" id=option_id(place) class="mention-option" data-testid="mention-option"
                aria-selected=move || if at.get() == place { "true" } else { "false" }
                on:mousedown=|event| event.prevent_default() on:mousemove=move |_| at.set(place)
                on:click=move |_| on_choose.run(chosen.clone())
            >
                <span class="mention-option-name">{format!("@{}", person.label)}</span>
                <span class="sub">{person.beside}</span>
            </li>
        }
    };
    view! {
        <ul class="mention-picker" role="listbox" id="mention-picker" aria-label=words().mention_somebody()>
            {move || found.get().into_iter().enumerate().map(option).collect_view()}
        </ul>
    }
}

pub fn option_id(place: usize) -> String {
    format!("mention-option-{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(label: &str, jid: Option<&str>) -> Person {
        Person {
            label: label.to_owned(),
            beside: String::new(),
            jid: jid.map(|jid| Jid(jid.to_owned())),
        }
    }

    fn people() -> [Person; 3] {
        [
            person("all", None),
            person("Budi", Some("62811@s.whatsapp.net")),
            person("Budi Santoso", Some("900@lid")),
        ]
    }

    #[test]
    fn names_become_addresses_when_a_text_is_sent() {
        let text = "@Budi, @Budi Santoso! @Budiman a@Budi @6281234567 @all @allah";
        let (body, mentions, everyone) = sent(text, &people());
        assert_eq!(body, "@62811, @900! @Budiman a@Budi @6281234567 @all @allah");
        let expected = ["62811@s.whatsapp.net", "900@lid", "6281234567@s.whatsapp.net"];
        assert_eq!(mentions, expected.map(|jid| Jid(jid.to_owned())));
        assert!(everyone);
        let (body, mentions, everyone) = sent("@all @6281234567", &[]);
        assert_eq!(
            (body.as_str(), mentions.len(), everyone),
            ("@all @6281234567", 0, false)
        );
    }

    #[test]
    fn who_is_asked_for_begins_so() {
        let labels = |before: &str| {
            let found = asked(before, &people());
            found.map(|(start, found)| (start, found.into_iter().map(|person| person.label).collect::<Vec<_>>()))
        };
        assert_eq!(
            labels("Halo @bu"),
            Some((5, vec!["Budi".into(), "Budi Santoso".into()]))
        );
        assert_eq!(labels("@budi s"), Some((0, vec!["Budi Santoso".into()])));
        assert_eq!(labels("@").map(|(_, found)| found.len()), Some(3));
        assert_eq!(labels("a@b"), None);
        assert_eq!(labels("@Citra"), None);
        assert_eq!(labels("Halo"), None);
    }
}
