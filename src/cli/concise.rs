//! Messages that stay readable whatever a file says: what they quote is cut short.

use std::borrow::Cow;

/// How much is shown of a value that a message quotes, in characters.
const QUOTED_MAX: usize = 200;

/// How long a line of a message is at most, in characters: it may list all names that were possible.
const LINE_MAX: usize = 4_000;

/// The message with values of at most [`QUOTED_MAX`] characters.
pub fn concise(message: &str) -> String {
    message.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Every other part between quotation marks is a value; where a value has some itself, the whole line is cut.
fn line(line: &str) -> String {
    let parts = line.split_inclusive(['"', '`']).zip([LINE_MAX, QUOTED_MAX].into_iter().cycle());
    let parts = parts.map(|(part, max)| cut(part, max));
    cut(&parts.collect::<String>(), LINE_MAX).into_owned()
}

/// The text, or its beginning with an ellipsis, and with the quotation mark that it ends with.
fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if text.chars().count() <= max {
        return Cow::Borrowed(text);
    }
    let begin: String = text.chars().take(max).collect();
    let end = text.chars().next_back().filter(|c| matches!(c, '"' | '`'));
    Cow::Owned(format!("{begin}…{}", end.map(String::from).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_ours_stays_as_it_is() {
        let all = vec!["a-scenario-or-a-defect"; 100].join(", ");
        for message in ["", "error: a.json:7: format is \"x\", expected \"y\"\n  7 | x", &all] {
            let message = format!("unknown scenario \"x\"\n{message}");
            assert_eq!(concise(&message).len(), message.len());
        }
    }

    #[test]
    fn a_value_is_cut() {
        let long = "x".repeat(4 << 20);
        let said = concise(&format!("unknown field `{long}`, expected `seed`\nnext"));
        assert!(
            said.starts_with("unknown field `xxx") && said.ends_with("x…`, expected `seed`\nnext")
        );
        assert_eq!(
            said.chars().filter(|c| *c == 'x').count(),
            QUOTED_MAX + 2,
            "and two in our words"
        );
        let quotes = concise(&"\"x".repeat(1 << 20));
        assert!(quotes.chars().count() <= LINE_MAX + 1);
    }
}
