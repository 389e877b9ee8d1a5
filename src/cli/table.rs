//! Tables of text: columns as wide as they must be, numbers to the right.

use std::fmt;

/// A table being filled, row by row.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Column {
    title: &'static str,
    align: Align,
}

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// For words.
    Left,
    /// For numbers.
    Right,
}

impl Table {
    /// A table with these columns and no rows.
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        let columns = columns.iter().map(|(title, align)| Column { title, align: *align });
        Self { columns: columns.collect(), rows: Vec::new() }
    }

    /// Adds a row; what it lacks is empty.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert!(cells.len() <= self.columns.len(), "a row has at most as many cells as columns");
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// What each column is called, and where its text stands.
    pub fn titles(&self) -> impl Iterator<Item = (&'static str, Align)> {
        self.columns.iter().map(|column| (column.title, column.align))
    }

    /// The cells, row by row.
    pub fn rows(&self) -> impl Iterator<Item = &[String]> {
        self.rows.iter().map(Vec::as_slice)
    }

    fn widths(&self) -> Vec<usize> {
        let width = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().map(|row| row[index].chars().count());
            cells.max().unwrap_or(0).max(column.title.chars().count())
        };
        self.columns.iter().enumerate().map(width).collect()
    }

    fn line(&self, widths: &[usize], cells: &[&str]) -> String {
        let mut line = String::new();
        for ((cell, width), column) in cells.iter().zip(widths).zip(&self.columns) {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            match column.align {
                Align::Left => line.extend([*cell, padding.as_str(), "  "]),
                Align::Right => line.extend([padding.as_str(), *cell, "  "]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let titles: Vec<&str> = self.columns.iter().map(|column| column.title).collect();
        writeln!(f, "{}", self.line(&widths, &titles))?;
        for row in &self.rows {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            writeln!(f, "{}", self.line(&widths, &cells))?;
        }
        Ok(())
    }
}

/// A number with commas between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number without its fraction, rounded; none is below 0 or above the largest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float stays within the type; no other conversion from one is stable"
)]
pub fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("name", Align::Left), ("n", Align::Right)]);
        table.row(["a", "1,000"]);
        table.row(["longer"]);
        assert_eq!(table.to_string(), "name        n\na       1,000\nlonger\n");
    }

    #[test]
    fn what_is_whole_stays_within_its_type() {
        let cases = [(0.4, 0), (0.5, 1), (-7.0, 0), (1e300, u64::MAX), (f64::NAN, 0)];
        for (number, expected) in cases {
            assert_eq!(whole(number), expected, "{number}");
        }
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }
}
