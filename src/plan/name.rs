//! Names: what scenarios, jobs, plans and kept plans are called.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A name: lower case ASCII letters, digits and hyphens, from one to 64 of them.
///
/// Names become directories, files, words on a terminal and functions of Rust: what has this type needs no
/// further check to be any of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// How many characters a name has at most.
pub const NAME_CHARS_MAX: usize = 64;

/// A text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0} is no name: expected 1 to {NAME_CHARS_MAX} lower case letters (a to z), digits and hyphens"
)]
pub struct NameError(String);

impl Name {
    /// The name that a program gives to something of its own.
    ///
    /// # Panics
    ///
    /// When it is no name.
    #[must_use]
    pub fn literal(name: &'static str) -> Self {
        name.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The name that is most like a text, which may be anything: what a name cannot have becomes a hyphen.
    #[must_use]
    pub fn resembling(text: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let plain: String = text.chars().take(NAME_CHARS_MAX).map(plain).collect();
        plain.parse().unwrap_or_else(|_| Self::literal("-"))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_allowed)
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if is_name(&text) { Ok(Self(text)) } else { Err(NameError(shown(&text))) }
    }
}

/// The beginning of a text, with nothing in it that a terminal would obey.
fn shown(text: &str) -> String {
    let mut begin: String = text.chars().take(NAME_CHARS_MAX).collect();
    if begin.len() < text.len() {
        begin.push('…');
    }
    format!("{begin:?}")
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Name {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As that of text: it is part of what the hash of a configuration is made of.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_hyphens_are_a_name() {
        for name in ["relay", "nexmark-q12", "7", "-", &"x".repeat(NAME_CHARS_MAX)] {
            assert_eq!(name.parse::<Name>().as_deref(), Ok(name));
        }
    }

    #[test]
    fn any_text_has_a_name_like_it() {
        assert_eq!(Name::resembling("Word Count").as_str(), "word-count");
        assert_eq!(Name::resembling("").as_str(), "-");
        assert_eq!(Name::resembling(&"é".repeat(100)).as_str(), "-".repeat(NAME_CHARS_MAX));
    }

    #[test]
    fn nothing_else_is() {
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        let others =
            ["", "../evil", "x/y", "Relay", "a b", "a_b", "é", "a\n", "a\u{1b}[31m", &long];
        for other in others {
            assert!(other.parse::<Name>().is_err(), "{other:?}");
            let json = serde_json::to_string(other).expect("text can be encoded");
            assert!(serde_json::from_str::<Name>(&json).is_err(), "{other:?}");
        }
    }

    #[test]
    fn an_error_shows_a_short_beginning_and_no_escape_sequence() {
        let error = "\u{1b}[31m".repeat(100).parse::<Name>().expect_err("it is no name");
        let said = error.to_string();
        assert!(said.starts_with(r#""\u{1b}[31m"#) && !said.contains('\u{1b}'), "{said}");
        assert!(said.chars().count() < 300, "{said}");
    }
}
