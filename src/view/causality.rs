//! What happened before an event, and what may have happened because of it (Lamport 1978; Mattern 1989).
//!
//! A page finds both for whatever event is selected, by the same two passes; the test in a browser holds its
//! answer against this one.

use super::rows::Row;

/// The rows that happened before `row`, itself included, in order.
///
/// One pass backwards: an event is in the past if its life did something later that is, or sent a message that
/// led to something that is.
#[must_use]
pub fn past(rows: &[Row], row: usize) -> Vec<usize> {
    let mut known = Known::new(rows);
    let mut found = Vec::new();
    let rows = rows.get(..=row).unwrap_or(rows);
    for (index, own) in rows.iter().enumerate().rev() {
        let Some(life) = own.life else { continue };
        if index != row && !known.has(life) && !known.messages[index] {
            continue;
        }
        known.lives[life] = true;
        if let Some(cause) = own.cause {
            known.messages[cause] = true;
        }
        found.push(index);
    }
    found.reverse();
    found
}

/// The rows that `row` happened before, itself included, in order.
#[must_use]
pub fn future(rows: &[Row], row: usize) -> Vec<usize> {
    let mut known = Known::new(rows);
    let mut found = Vec::new();
    for (index, own) in rows.iter().enumerate().skip(row) {
        let Some(life) = own.life else { continue };
        let is_led_to = own.cause.is_some_and(|cause| known.messages[cause]);
        if index == row || known.has(life) || is_led_to {
            known.lives[life] = true;
            known.messages[index] = true;
            found.push(index);
        }
    }
    found
}

/// What is known to be in the past, or in the future, of an event.
struct Known {
    lives: Vec<bool>,
    messages: Vec<bool>,
}

impl Known {
    fn new(rows: &[Row]) -> Self {
        let lives = rows.iter().filter_map(|row| row.life).max().map_or(0, |last| last + 1);
        Self { lives: vec![false; lives], messages: vec![false; rows.len()] }
    }

    fn has(&self, life: usize) -> bool {
        self.lives[life]
    }
}
