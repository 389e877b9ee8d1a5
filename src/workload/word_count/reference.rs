//! What the word count must give, computed in one pass over the text.

use super::text::spans;
use crate::protocol::ordered::VecMap;

/// Every update of every word's count.
pub(super) fn updates(text: &str) -> Vec<(String, u64)> {
    let mut counts = VecMap::<String, u64>::new();
    let mut updates = Vec::new();
    for span in spans(text) {
        let word = text[span].to_ascii_lowercase();
        let count = counts.entry(word.clone()).or_default();
        *count += 1;
        updates.push((word, *count));
    }
    updates
}

#[cfg(test)]
mod tests {
    use super::super::text::EMMA;
    use super::*;

    /// Independent figures: the command at `text.rs`'s test, then `sort | uniq -c | sort -rn`.
    #[test]
    fn the_commonest_words_of_emma() {
        let mut totals = VecMap::<String, u64>::new();
        for (word, count) in updates(EMMA) {
            let before = totals.insert(word, count);
            assert_eq!(before.unwrap_or(0) + 1, count, "counts rise by one");
        }
        assert_eq!(totals.len(), 7_200);
        assert_eq!((totals["to"], totals["the"], totals["and"]), (5_242, 5_204, 4_897));
    }
}
