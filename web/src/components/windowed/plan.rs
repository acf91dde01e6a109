//! Which rows are drawn, and where empty space stands for the others.

use super::{WHOLE, heights::Heights};

/// So much is drawn above and below the sight, in pixels.
const AHEAD: f64 = 700.0;

pub enum Piece {
    Row(usize),
    /// Space of this height, in pixels.
    Gap(f64),
}

/// What stands in the list, from top to bottom, while one sees `height` pixels of it from `upper` on, and one of `count`
/// rows has the focus.
pub fn plan(count: usize, heights: &Heights, upper: f64, height: f64, focus: Option<usize>) -> Vec<Piece> {
    if count <= WHOLE {
        return (0..count).map(Piece::Row).collect();
    }
    let first = heights.row_at(upper - AHEAD);
    let last = heights.row_at(upper + height + AHEAD);
    let mut rows: Vec<usize> = (first..=last).collect();
    if let Some(row) = focus {
        rows.extend(row.saturating_sub(1)..=(row + 1).min(count - 1));
        rows.sort_unstable();
        rows.dedup();
    }
    let mut pieces = Vec::with_capacity(rows.len() + 3);
    let mut next = 0;
    for row in rows {
        if row > next {
            pieces.push(Piece::Gap(heights.start(row) - heights.start(next)));
        }
        pieces.push(Piece::Row(row));
        next = row + 1;
    }
    if next < count {
        pieces.push(Piece::Gap(heights.start(count) - heights.start(next)));
    }
    pieces
}
