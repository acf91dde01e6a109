//! What a phone's screen shows of its conversation with one account: what reached it, from its ledger, and what it
//! wrote, which those tell that it wrote to.

use leptos::prelude::*;

use super::account_number;
use crate::{
    api::{
        devices::Device,
        messages::{self, Message},
        sandbox::Received,
        values::{At, PhoneNumber},
    },
    state::{
        live,
        paged::{Page, Paged},
        soon::Soon,
    },
};

const PAGE_SIZE: i32 = 100;
const PAUSE_MS: u32 = 300;

#[derive(Clone, PartialEq)]
pub struct Line {
    pub key: String,
    pub mine: bool,
    pub text: String,
    pub at: At,
}

/// What a phone wrote, newest first, kept up to date.
pub fn written_by(number: PhoneNumber) -> Paged<Message> {
    let number = StoredValue::new(number);
    let written = Paged::new(
        |message: &Message| message.id.inner().to_owned(),
        || (),
        move |(), before| async move {
            let page = messages::from_number(number.get_value(), PAGE_SIZE, before).await?;
            Ok(Page::newest_first(page.nodes, page.page_info))
        },
    );
    let soon = Soon::new(PAUSE_MS, move || written.first.refresh());
    live::on_event(move |event| {
        if event.message().is_some() {
            soon.call();
        }
    });
    written
}

/// The lines with an account, oldest first, or with everybody while none is chosen. Both lists come page by page: what
/// is older than the end of one of them waits until that has its next page, so that no line is missing among those shown.
pub fn between(
    received: Paged<Received>,
    written: Paged<Message>,
    account: RwSignal<Option<Device>>,
) -> Memo<Vec<Line>> {
    Memo::new(move |_| {
        let account = account.get();
        let number = account.as_ref().map(account_number);
        let since = f64::max(
            end_of(received, |line| line.at),
            end_of(written, |message| message.created_at),
        );
        let mut lines: Vec<Line> = Vec::new();
        received.rows.list.with(|rows| {
            let rows = rows.iter().map(|(_, row)| row.get());
            let rows = rows.filter(|line| line.group.is_none());
            let rows = rows.filter(|line| number.as_ref().is_none_or(|number| line.from.0 == *number));
            lines.extend(rows.map(|line| Line {
                key: line.sequence.to_string(),
                mine: false,
                text: line.text.unwrap_or(line.kind),
                at: line.at,
            }));
        });
        written.rows.list.with(|rows| {
            let rows = rows.iter().map(|(_, row)| row.get());
            // What it wrote in a group has no number beside it.
            let rows = rows.filter(|message| message.chat.phone_number.is_some());
            let rows = rows.filter(|message| account.as_ref().is_some_and(|account| message.device.id == account.id));
            lines.extend(rows.map(|message| Line {
                key: message.id.inner().to_owned(),
                mine: true,
                text: message.content.text().to_owned(),
                at: message.created_at,
            }));
        });
        lines.retain(|line| line.at.0 >= since);
        lines.sort_by(|one, other| one.at.0.total_cmp(&other.at.0));
        lines
    })
}

/// When the oldest row that is loaded was, while there are older ones.
fn end_of<T: Clone + PartialEq + Send + Sync + 'static>(list: Paged<T>, at: impl Fn(&T) -> At) -> f64 {
    let oldest = list.rows.list.with(|rows| rows.last().map(|(_, row)| row.with(at).0));
    oldest.filter(|_| list.more.get()).unwrap_or(f64::NEG_INFINITY)
}

/// Loads older lines whenever the beginning of those shown comes near.
pub fn load_older_near(near_start: RwSignal<bool>, received: Paged<Received>, written: Paged<Message>) {
    Effect::new(move |_| {
        // Asked again with each page: what it brought may belong to another account.
        received.rows.list.track();
        written.rows.list.track();
        if near_start.get() {
            untrack(|| {
                received.load_more();
                written.load_more();
            });
        }
    });
}
