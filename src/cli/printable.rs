//! Text as a terminal may be given it.

use std::borrow::Cow;

/// The text with control characters shown as `\u001b`, which JSON reads as what they were. Lines and tabs stay.
///
/// Among them are those of eight bits, U+0080 to U+009F, which some terminals obey as well.
pub fn printable(text: &[u8]) -> Cow<'_, [u8]> {
    if next_control(text).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut shown, mut left) = (Vec::new(), text);
    while let Some(Control { at, bytes, code }) = next_control(left) {
        shown.extend_from_slice(&left[..at]);
        shown.extend_from_slice(format!("\\u{code:04x}").as_bytes());
        left = &left[at + bytes..];
    }
    shown.extend_from_slice(left);
    Cow::Owned(shown)
}

/// A control character: where it is, how long, and its number.
struct Control {
    at: usize,
    bytes: usize,
    code: u8,
}

fn next_control(text: &[u8]) -> Option<Control> {
    let control = |at: usize| match (text[at], text.get(at + 1)) {
        (b'\n' | b'\t', _) => None,
        (code @ (0..0x20 | 0x7f), _) => Some(Control { at, bytes: 1, code }),
        (0xc2, Some(code @ 0x80..0xa0)) => Some(Control { at, bytes: 2, code: *code }),
        _ => None,
    };
    (0..text.len()).find_map(control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        String::from_utf8(printable(text.as_bytes()).into_owned()).expect("it is text")
    }

    #[test]
    fn text_stays_as_it_is() {
        for text in ["", "a line\n\tand é ░ 日本 another", "\u{a0}"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn no_control_character_gets_through() {
        let all = (0..0xa0_u8).map(char::from).collect::<String>();
        let controls = |text: &str| text.chars().filter(|c| c.is_control()).collect::<String>();
        assert_eq!(controls(&shown(&all)), "\t\n");
        assert_eq!(shown("a\u{1b}[31mb\u{9b}31mc\r"), r"a\u001b[31mb\u009b31mc\u000d");
    }

    #[test]
    fn json_reads_what_was_there() {
        let text = "\u{7f}\u{9b}\u{1b}";
        let json = serde_json::to_string(text).expect("text can be encoded");
        let read: String = serde_json::from_str(&shown(&json)).expect("it is JSON still");
        assert_eq!(read, text);
    }
}
