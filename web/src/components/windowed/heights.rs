//! Where every row of a long list stands, though most of them are not drawn: sums of heights, measured or guessed.

use std::collections::HashMap;

/// Until a row was measured.
const GUESS: f64 = 48.0;
/// Less is rounding.
const SAME: f64 = 0.5;

#[derive(Default)]
pub struct Heights {
    measured: HashMap<String, f64>,
    /// What a row is taken for that was never drawn. It stays as it was first measured: a mean that moved with every
    /// row would make the scroll bar tremble.
    guess: Option<f64>,
    /// Where each row begins, and behind the last one where the list ends.
    starts: Vec<f64>,
}

impl Heights {
    /// Sums up anew for these rows.
    pub fn place(&mut self, keys: &[String]) {
        if self.guess.is_none() && !self.measured.is_empty() {
            let count = f64::from(u32::try_from(self.measured.len()).unwrap_or(u32::MAX));
            self.guess = Some(self.measured.values().sum::<f64>() / count);
        }
        let guess = self.guess.unwrap_or(GUESS);
        let mut end = 0.0;
        self.starts.clear();
        self.starts.push(end);
        for key in keys {
            end += self.measured.get(key).copied().unwrap_or(guess);
            self.starts.push(end);
        }
    }

    /// Takes a row's height; true when it was not known to be that.
    pub fn measure(&mut self, key: &str, height: f64) -> bool {
        match self.measured.get_mut(key) {
            Some(known) if (*known - height).abs() < SAME => false,
            Some(known) => {
                *known = height;
                true
            }
            None => {
                self.measured.insert(key.to_owned(), height);
                true
            }
        }
    }

    /// Lines break elsewhere now.
    pub fn forget(&mut self) {
        self.measured.clear();
        self.guess = None;
    }

    /// Where a row begins; behind the last one, where the list ends.
    pub fn start(&self, row: usize) -> f64 {
        self.starts
            .get(row)
            .or_else(|| self.starts.last())
            .copied()
            .unwrap_or(0.0)
    }

    /// The row at a height; the first or last one beyond the ends.
    pub fn row_at(&self, height: f64) -> usize {
        let begun = self.starts.partition_point(|start| *start <= height);
        begun.saturating_sub(1).min(self.starts.len().saturating_sub(2))
    }
}
