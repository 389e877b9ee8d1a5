//! What travels in channels, beside markers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A message; shown and written as the course's files do, `token(3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Message {
    /// So many tokens.
    Tokens(u64),
    /// So much money.
    Transfer(i64),
    /// So many units of work.
    Work(u64),
    /// Asks for the lock of the receiver.
    Request,
    /// Gives the lock of the sender.
    Grant,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(count) => write!(f, "token({count})"),
            Self::Transfer(amount) => write!(f, "transfer({amount})"),
            Self::Work(units) => write!(f, "work({units})"),
            Self::Request => f.write_str("request"),
            Self::Grant => f.write_str("grant"),
        }
    }
}

impl FromStr for Message {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}: expected a message such as token(3)");
        match text {
            "request" => return Ok(Self::Request),
            "grant" => return Ok(Self::Grant),
            _ => {}
        }
        let (kind, rest) = text.split_once('(').ok_or_else(wrong)?;
        let amount = rest.strip_suffix(')').ok_or_else(wrong)?;
        let count = || amount.parse::<u64>().map_err(|_| wrong());
        match kind {
            "token" => Ok(Self::Tokens(count()?)),
            "work" => Ok(Self::Work(count()?)),
            "transfer" => Ok(Self::Transfer(amount.parse().map_err(|_| wrong())?)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Message {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Message> for String {
    fn from(message: Message) -> Self {
        message.to_string()
    }
}
