//! The line of a place in a file: its reader is led there, and made to fail, so that its error tells the line.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::Step;

/// The line of a place in JSON, from 1; none where it is not there.
pub fn line_in_json(text: &str, path: &[Step]) -> Option<usize> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Search { path }.deserialize(&mut reader).err().map(|error| error.line())
}

/// The line of a place in TOML, from 1; none where it is not there.
pub fn line_in_toml(text: &str, path: &[Step]) -> Option<usize> {
    let reader = toml::Deserializer::parse(text).ok()?;
    let error = Search { path }.deserialize(reader).err()?;
    Some(line_at(text, error.span()?.start))
}

/// The line in which a byte of a text is, from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// What is left of the way.
#[derive(Clone, Copy)]
struct Search<'a> {
    path: &'a [Step],
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            Err(D::Error::custom("here"))
        } else {
            reader.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something with a place in it")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.path.split_first() {
                Some((Step::Field(field), path)) if *field == key => {
                    map.next_value_seed(Search { path })?;
                }
                Some((Step::Variant, path)) => map.next_value_seed(Search { path })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((Step::Item(number), path)) = self.path.split_first() else {
            return IgnoredAny::deserialize(serde::de::value::SeqAccessDeserializer::new(list))
                .map(drop);
        };
        for _ in 0..*number {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Search { path })?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
