//! The text of *Emma*, as lines and as words.
//!
//! A **word** is a maximal run of ASCII letters, in which a single apostrophe between two letters
//! counts as a letter too; upper and lower case are the same. So `Emma's` and `don't` are one word
//! each, `four-and-twenty` is three, `_them_` is `them`, and `28th` is `th`. The text is pure ASCII.

use std::ops::Range;
use std::sync::OnceLock;

use super::super::draw::Draw;

/// The whole text.
pub(super) const EMMA: &str = include_str!("../../../fixtures/input/emma.txt");

/// A stretch of the text with exactly `words` words, from its first word to its last; all the text's
/// words when `words` is none. Where it lies is drawn from `seed`.
pub(super) fn slice(words: Option<u64>, seed: u64) -> &'static str {
    let spans = spans_of_emma();
    let taken = words.map_or(spans.len(), |words| spans.len().min(words as usize));
    let first = Draw::new("word-count", seed).slice_start(spans.len(), taken);
    &EMMA[spans[first].start..spans[first + taken - 1].end]
}

/// How many words the text has.
#[cfg(test)]
pub(super) fn word_count() -> u64 {
    spans_of_emma().len() as u64
}

/// The words of one line, in lower case: what the job does with a line.
pub(super) fn words(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split(|c: char| !c.is_ascii_alphabetic() && c != '\'')
        .flat_map(|run| run.split("''"))
        .map(|run| run.trim_matches('\''))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
}

/// Where the words of `text` lie.
///
/// The reference result rests on this, the job on [`words`]: they share the definition, not the code.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    let mut spans = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while letter(at) || (at > start && bytes.get(at) == Some(&b'\'') && letter(at + 1)) {
            at += 1;
        }
        if at > start {
            spans.push(start..at);
        }
        at += 1;
    }
    spans
}

fn spans_of_emma() -> &'static [Range<usize>] {
    static SPANS: OnceLock<Vec<Range<usize>>> = OnceLock::new();
    SPANS.get_or_init(|| spans(EMMA))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways(line: &str) -> Vec<String> {
        let by_line: Vec<String> = words(line).collect();
        let by_span: Vec<String> =
            spans(line).into_iter().map(|span| line[span].to_ascii_lowercase()).collect();
        assert_eq!(by_line, by_span, "{line:?}");
        by_line
    }

    #[test]
    fn a_word_is_letters_with_single_apostrophes_between_them() {
        assert_eq!(both_ways("Emma's _them_, don't--I"), ["emma's", "them", "don't", "i"]);
        assert_eq!(
            both_ways("the 28th of four-and-twenty"),
            ["the", "th", "of", "four", "and", "twenty"]
        );
        assert_eq!(
            both_ways("'tis the boys' 'a''b' c'''d e'9 ''"),
            ["tis", "the", "boys", "a", "b", "c", "d", "e"]
        );
        assert!(both_ways("").is_empty());
        assert!(both_ways(" -- 1815 '").is_empty());
    }

    /// Independent count: `tr A-Z a-z < emma.txt | grep -oE "[a-z]+('[a-z]+)*" | wc -l`.
    #[test]
    fn emma_has_160994_words_however_they_are_counted() {
        assert_eq!(word_count(), 160_994);
        assert_eq!(EMMA.lines().flat_map(words).count(), 160_994);
        assert_eq!(EMMA.lines().count(), 16_235);
        assert!(EMMA.is_ascii());
    }

    #[test]
    fn a_slice_has_the_words_asked_for() {
        for seed in 0..20 {
            let text = slice(Some(500), seed);
            assert_eq!(text.lines().flat_map(words).count(), 500, "seed {seed}");
        }
        assert_ne!(slice(Some(500), 0), slice(Some(500), 1));
        assert_eq!(slice(None, 0), slice(Some(160_994), 1));
        assert!(slice(None, 0).starts_with("EMMA\n\nBy Jane Austen"));
    }
}
