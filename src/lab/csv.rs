//! Tables as text: tidy CSV, one fact a row.

use std::fmt::Write as _;

/// A table that is written as CSV (RFC 4180).
#[derive(Clone, Debug)]
pub struct Csv {
    text: String,
    columns: usize,
}

impl Csv {
    /// A table with these columns, and no rows.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        let mut csv = Self { text: String::new(), columns: columns.len() };
        csv.row(columns.iter().map(|column| (*column).to_owned()));
        csv
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// When it has not as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut count = 0;
        for cell in cells {
            if count > 0 {
                self.text.push(',');
            }
            if cell.contains([',', '"', '\n', '\r']) {
                let _ = write!(self.text, "\"{}\"", cell.replace('"', "\"\""));
            } else {
                self.text.push_str(&cell);
            }
            count += 1;
        }
        assert_eq!(count, self.columns, "a row has a cell for each column");
        self.text.push('\n');
    }

    /// The whole table.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// The cells of a line of CSV; none where quotes are not closed.
#[must_use]
pub fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let cell = cells.last_mut()?;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cell.push(other),
        }
    }
    (!quoted).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let row = ["plain", "with, comma", "with \"quotes\""].map(str::to_owned);
        let mut csv = Csv::new(&["a", "b", "c"]);
        csv.row(row.clone());
        let text = csv.into_text();
        assert_eq!(text.lines().next(), Some("a,b,c"));
        assert_eq!(cells(text.lines().nth(1).expect("a row")), Some(row.to_vec()));
        assert_eq!(cells("\"open"), None);
    }
}
