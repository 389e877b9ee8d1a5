//! What records and state are made of: values that become bytes and come back.

use std::any::type_name;
use std::fmt;
use std::ops::Deref;

use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::Payload;

/// What can be a record, a key or state: encoded with postcard, and equal after decoding.
///
/// Implemented for every type that fits. The encoding must be a function of the value: a field whose
/// order differs between runs (a hash map) voids every comparison of snapshots.
///
/// postcard writes no names of fields and variants. A type whose `Deserialize` looks for them compiles, and is not read
/// back: `#[serde(untagged)]`, `#[serde(tag = …)]`, `#[serde(flatten)]`, `#[serde(skip_serializing_if = …)]` and
/// `serde_json::Value`. An experiment refuses an expected output of such a type, and a check a job that has one within.
pub trait Data: Serialize + DeserializeOwned + Clone + fmt::Debug + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + fmt::Debug + Send + 'static> Data for T {}

/// Shows the encoding of a value as its `Debug` does; none where bytes encode no such value.
pub type Show = fn(&[u8]) -> Option<String>;

/// The [`Show`] of a type.
pub fn show<T: Data>(bytes: &[u8]) -> Option<String> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).ok()?;
    rest.is_empty().then(|| format!("{value:?}"))
}

/// What [`decode`] says of bytes of another type, and what is known to make them so.
pub(crate) const NOT_READ_BACK: &str = "#[serde(untagged)], #[serde(tag)], #[serde(flatten)] and \
                             #[serde(skip_serializing_if)] are not read back";

/// Encodes `value` behind what `bytes` already holds.
///
/// # Panics
///
/// When the type's `Serialize` refuses: records and state must be encodable.
pub(crate) fn encode_into<T: Serialize + ?Sized>(value: &T, bytes: &mut Payload) {
    if let Err(error) = postcard::serialize_with_flavor(value, Writer(bytes)) {
        panic!("{} cannot be encoded: {error}", type_name::<T>());
    }
}

/// Encodes `value`; short encodings need no allocation.
#[inline]
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Payload {
    let mut short = [0; INLINE_BYTES];
    match postcard::to_slice(value, &mut short) {
        Ok(encoded) => Payload::from_slice(encoded),
        Err(_) => encode_long(value),
    }
}

/// What does not fit, and what cannot be encoded at all.
#[cold]
fn encode_long<T: Serialize + ?Sized>(value: &T) -> Payload {
    let mut bytes = Payload::new();
    encode_into(value, &mut bytes);
    bytes
}

/// What a [`Payload`] holds without allocation.
const INLINE_BYTES: usize = 24;

/// Decodes what [`encode`] made of a value of the same type.
///
/// # Panics
///
/// When the bytes are of another type: the typed builder rules it out, so it is a bug of the type's
/// `Serialize` and `Deserialize`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> T {
    match postcard::from_bytes(bytes) {
        Ok(value) => value,
        Err(error) => {
            panic!("bytes do not decode as {}: {error} ({NOT_READ_BACK})", type_name::<T>())
        }
    }
}

/// Copies a payload; faster than its `Clone`, which goes byte by byte.
pub(crate) fn copy(bytes: &[u8]) -> Payload {
    Payload::from_slice(bytes)
}

/// Lets postcard write into a payload, slices at once.
struct Writer<'a>(&'a mut Payload);

impl postcard::ser_flavors::Flavor for Writer<'_> {
    type Output = ();

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Encoded bytes within a snapshot; short ones need no allocation.
///
/// Ordered as their bytes are.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Payload);

impl Bytes {
    /// The digest of the bytes.
    pub(crate) fn digest(&self) -> crate::protocol::Digest {
        crate::protocol::Digest::of(self)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(copy(bytes))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Payload::from_vec(bytes))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes::from(bytes))
    }

    /// Self-describing formats without bytes (JSON) give a sequence of numbers.
    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Bytes, A::Error> {
        let mut bytes = Payload::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        Ok(Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_all_lengths_come_back() {
        for length in 0..80 {
            let value: (u8, String, u64) = (7, "x".repeat(length), u64::MAX - length as u64);
            let bytes = encode(&value);
            assert_eq!(bytes[..], postcard::to_stdvec(&value).expect("plain data can be encoded"));
            assert_eq!(decode::<(u8, String, u64)>(&bytes), value);
            assert_eq!(bytes.spilled(), bytes.len() > 24, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn bytes_come_back_and_compare_as_slices() {
        let (short, long) = (Bytes::from(&b"ab"[..]), Bytes::from(vec![b'a'; 40]));
        assert!(long < short);
        for bytes in [short, long] {
            assert_eq!(
                postcard::from_bytes(&postcard::to_stdvec(&bytes).expect("bytes can be encoded")),
                Ok(bytes)
            );
        }
    }
}
