//! What reached a phone: one row per WhatsApp message id and sender.

use std::collections::HashMap;

use wacore_binary::Jid;

use crate::views::{LedgerPart, Received};

/// A row, with what read receipts need to know.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Row {
    pub view: Received,
    /// The jid the message came from: the sender's device, or the group.
    #[serde(with = "crate::storage::jid_text")]
    pub chat: Jid,
    /// In groups: the sender's device.
    #[serde(with = "crate::storage::jid_text_option")]
    pub participant: Option<Jid>,
}

/// All rows of a phone in order.
///
/// **Invariant:** row `n` has sequence number `n + 1`.
#[derive(Default)]
pub struct Ledger {
    rows: Vec<Row>,
    by_id: HashMap<String, usize>,
    /// Rows changed since they were last written to disk.
    unsaved: Vec<usize>,
}

fn key(sender: &str, id: &str) -> String {
    format!("{sender}/{id}")
}

impl Ledger {
    /// Notes one arrival. Returns the row and whether it is new.
    pub fn record(&mut self, mut row: Row) -> (Received, bool) {
        let key = key(&row.view.from, &row.view.whatsapp_id);
        if let Some(&known) = self.by_id.get(&key) {
            self.rows[known].view.times_on_wire += 1;
            self.unsaved.push(known);
            return (self.rows[known].view.clone(), false);
        }
        row.view.sequence = self.rows.len() as u64 + 1;
        row.view.times_on_wire = 1;
        self.by_id.insert(key, self.rows.len());
        self.unsaved.push(self.rows.len());
        let view = row.view.clone();
        self.rows.push(row);
        (view, true)
    }

    /// Puts back a row read from disk; a later line for the same row wins.
    pub fn restore(&mut self, row: Row) {
        let key = key(&row.view.from, &row.view.whatsapp_id);
        if let Some(&known) = self.by_id.get(&key) {
            self.rows[known] = row;
        } else {
            self.by_id.insert(key, self.rows.len());
            self.rows.push(row);
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows of a part of it, in the part's order.
    pub fn rows(&self, part: LedgerPart) -> Vec<Received> {
        let place = |sequence: u64| usize::try_from(sequence).unwrap_or(usize::MAX).min(self.rows.len());
        // The row with number `before` stands at the index before that.
        let end = part
            .before
            .map_or(self.rows.len(), |before| place(before.saturating_sub(1)));
        let start = place(part.after.unwrap_or(0)).min(end);
        let rows = self.rows[start..end].iter();
        let views = |row: &Row| row.view.clone();
        if part.newest_first {
            rows.rev().take(part.limit).map(views).collect()
        } else {
            rows.take(part.limit).map(views).collect()
        }
    }

    /// The rows of a message id, whoever sent it.
    pub fn find(&self, id: &str) -> Option<&Row> {
        self.rows.iter().rev().find(|row| row.view.whatsapp_id == id)
    }

    /// The rows to append to the file on disk.
    pub fn take_unsaved(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.unsaved)
            .into_iter()
            .filter_map(|index| self.rows.get(index).cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, from: &str) -> Row {
        Row {
            view: Received {
                sequence: 0,
                whatsapp_id: id.to_owned(),
                from: from.to_owned(),
                group: None,
                kind: "text".to_owned(),
                text: Some("hello".to_owned()),
                link_preview: None,
                mentions: Vec::new(),
                mentions_everyone: false,
                times_on_wire: 0,
                at: crate::clock::now(),
            },
            chat: Jid::pn("628111"),
            participant: None,
        }
    }

    fn part(after: Option<u64>, before: Option<u64>, limit: usize) -> LedgerPart {
        LedgerPart {
            after,
            before,
            newest_first: false,
            limit,
        }
    }

    #[test]
    fn the_same_id_is_one_row_that_counts() {
        let mut ledger = Ledger::default();
        assert!(ledger.record(row("A", "+1")).1);
        let (again, new) = ledger.record(row("A", "+1"));
        assert!(!new);
        assert_eq!(again.times_on_wire, 2);
        assert!(ledger.record(row("A", "+2")).1, "ids are the sender's own");
        assert_eq!(ledger.len(), 2);
    }

    #[test]
    fn pages_follow_the_sequence() {
        let mut ledger = Ledger::default();
        for id in ["A", "B", "C"] {
            ledger.record(row(id, "+1"));
        }
        let rows = ledger.rows(part(Some(1), None, 1));
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].sequence, rows[0].whatsapp_id.as_str()), (2, "B"));
        assert!(ledger.rows(part(Some(3), None, 10)).is_empty());
    }

    #[test]
    fn the_newest_rows_come_first_when_that_is_wanted() {
        let mut ledger = Ledger::default();
        for id in ["A", "B", "C", "D"] {
            ledger.record(row(id, "+1"));
        }
        let ids = |part: LedgerPart| -> String {
            let newest = LedgerPart {
                newest_first: true,
                ..part
            };
            let rows = ledger.rows(newest);
            rows.into_iter().map(|row| row.whatsapp_id).collect()
        };
        assert_eq!(ids(part(None, None, 2)), "DC");
        assert_eq!(ids(part(None, Some(3), 9)), "BA");
        assert_eq!(ids(part(Some(1), Some(4), 9)), "CB");
        assert_eq!(ids(part(Some(3), Some(2), 9)), "");
        assert_eq!(ids(part(None, Some(0), 9)), "");
        assert_eq!(ids(part(None, Some(u64::MAX), 1)), "D");
    }

    #[test]
    fn restored_rows_keep_the_last_count() {
        let mut ledger = Ledger::default();
        ledger.record(row("A", "+1"));
        ledger.record(row("A", "+1"));
        let lines = ledger.take_unsaved();
        let mut restored = Ledger::default();
        for line in lines {
            restored.restore(line);
        }
        assert_eq!(restored.rows(part(None, None, 10))[0].times_on_wire, 2);
        assert_eq!(restored.len(), 1);
    }
}
