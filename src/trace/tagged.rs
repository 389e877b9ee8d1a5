//! Enums in JSON with their kind as a field among the others: `{"event":"sent","channel":0}`.
//!
//! Serde has a representation for that, `#[serde(tag = "event")]`, but it reads each variant by way of a
//! buffer that can hold anything, instantiated for everything that a variant holds: a tenth of the library's
//! code. Here an enum is derived as serde does by default, `#[serde(remote = "Self")]` keeps what is derived
//! apart, and two adapters turn one form into the other:
//!
//! ```ignore
//! impl Serialize for Event {
//!     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
//!         Event::serialize(self, TaggedSerializer::new(serializer))
//!     }
//! }
//! ```
//!
//! Variants are units, structs, or hold one struct.

#![deny(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

use std::fmt::{self, Display};

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    VariantAccess, Visitor,
};
use serde::ser::{Impossible, SerializeStruct, SerializeStructVariant};
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};
use serde_json::{Error, Map, Value};

/// The field that names the kind. It is written first, and read wherever it is.
pub const TAG: &str = "event";

/// Reads an enum from a map: `read` is its derived `deserialize`.
///
/// # Errors
///
/// When there is no map, no field [`TAG`] in it, or the other fields are not those of the variant.
pub fn deserialize<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    read: fn(Variant) -> Result<T, Error>,
) -> Result<T, D::Error> {
    let Object(fields) = Object::deserialize(deserializer)?;
    from_fields(fields, read).map_err(D::Error::custom)
}

/// The fields of a map, none of them twice: a map of serde_json keeps the last and drops the others.
#[derive(Debug)]
pub struct Object(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            fields.insert(name, value);
        }
        Ok(Object(fields))
    }
}

/// Reads an enum from the fields of a map: `read` is its derived `deserialize`.
///
/// # Errors
///
/// When there is no field [`TAG`], or the other fields are not those of the variant.
pub fn from_fields<T>(
    mut fields: Map<String, Value>,
    read: fn(Variant) -> Result<T, Error>,
) -> Result<T, Error> {
    read(Variant { kind: take(&mut fields, TAG)?, fields })
}

/// A variant of an enum: its kind, and its fields.
#[derive(Debug)]
pub struct Variant {
    kind: String,
    fields: Map<String, Value>,
}

impl<'de> Deserializer<'de> for Variant {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only an enum has kinds"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Fields;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Fields), Error> {
        let kind: StringDeserializer<Error> = self.kind.into_deserializer();
        Ok((seed.deserialize(kind)?, Fields { rest: self.fields.into_iter(), next: None }))
    }
}

/// The fields of a variant that have not been read.
#[derive(Debug)]
pub struct Fields {
    rest: serde_json::map::IntoIter,
    /// The field whose name was read last.
    next: Option<(String, Value)>,
}

/// The struct that a variant holds.
impl<'de> Deserializer<'de> for Fields {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> VariantAccess<'de> for Fields {
    type Error = Error;

    fn unit_variant(mut self) -> Result<(), Error> {
        match self.rest.next() {
            None => Ok(()),
            Some((name, _)) => Err(Error::unknown_field(&name, &[])),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("fields have names"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        let (name, _) = self.next.insert((name, value));
        let name: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    /// What a value is read from does not know what it is called: the name is told here.
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let next = self.next.take().ok_or_else(|| Error::custom("a value follows its name"));
        let (name, value) = next?;
        seed.deserialize(value).map_err(|error| in_field(&name, &error))
    }
}

/// The error of a field's value, with the field's name.
#[must_use]
pub fn in_field(name: &str, error: &Error) -> Error {
    Error::custom(format_args!("field {name}: {error}"))
}

/// Takes a field out of a map, and reads it.
///
/// # Errors
///
/// When there is none, or it is something else; the error names the field.
pub fn take<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &'static str,
) -> Result<T, Error> {
    let value = fields.remove(name).ok_or_else(|| Error::missing_field(name))?;
    T::deserialize(value).map_err(|error| in_field(name, &error))
}

/// Writes the kind of an enum as a field before the others.
#[derive(Debug)]
pub struct TaggedSerializer<S> {
    inner: S,
    /// The kind, where it is known and what it holds is to be written.
    kind: Option<&'static str>,
}

impl<S> TaggedSerializer<S> {
    /// Writes by means of `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, kind: None }
    }
}

fn not_tagged<T, E: serde::ser::Error>(what: impl Display) -> Result<T, E> {
    Err(E::custom(format_args!("{what} has no fields to put a kind among")))
}

macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $result:ty, $what:literal;)*) => {$(
        fn $method(self $(, _: $argument)*) -> Result<$result, S::Error> {
            not_tagged($what)
        }
    )*};
}

impl<S: Serializer> Serializer for TaggedSerializer<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Impossible<S::Ok, S::Error>;
    type SerializeStruct = S::SerializeStruct;
    type SerializeStructVariant = TaggedFields<S::SerializeStruct>;

    fn serialize_unit_variant(
        self,
        name: &'static str,
        _: u32,
        kind: &'static str,
    ) -> Result<S::Ok, S::Error> {
        let mut fields = self.inner.serialize_struct(name, 1)?;
        fields.serialize_field(TAG, kind)?;
        fields.end()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        kind: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(Self { inner: self.inner, kind: Some(kind) })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        kind: &'static str,
        length: usize,
    ) -> Result<TaggedFields<S::SerializeStruct>, S::Error> {
        let mut fields = self.inner.serialize_struct(name, length + 1)?;
        fields.serialize_field(TAG, kind)?;
        Ok(TaggedFields(fields))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<S::SerializeStruct, S::Error> {
        let Some(kind) = self.kind else { return not_tagged("a struct of no kind") };
        let mut fields = self.inner.serialize_struct(name, length + 1)?;
        fields.serialize_field(TAG, kind)?;
        Ok(fields)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<S::Ok, S::Error> {
        not_tagged("an option")
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    refuse! {
        serialize_bool(bool) -> S::Ok, "a truth value";
        serialize_i8(i8) -> S::Ok, "a number";
        serialize_i16(i16) -> S::Ok, "a number";
        serialize_i32(i32) -> S::Ok, "a number";
        serialize_i64(i64) -> S::Ok, "a number";
        serialize_u8(u8) -> S::Ok, "a number";
        serialize_u16(u16) -> S::Ok, "a number";
        serialize_u32(u32) -> S::Ok, "a number";
        serialize_u64(u64) -> S::Ok, "a number";
        serialize_f32(f32) -> S::Ok, "a number";
        serialize_f64(f64) -> S::Ok, "a number";
        serialize_char(char) -> S::Ok, "a character";
        serialize_str(&str) -> S::Ok, "a text";
        serialize_bytes(&[u8]) -> S::Ok, "a text";
        serialize_none() -> S::Ok, "an option";
        serialize_unit() -> S::Ok, "a unit";
        serialize_unit_struct(&'static str) -> S::Ok, "a unit";
        serialize_seq(Option<usize>) -> Self::SerializeSeq, "a list";
        serialize_tuple(usize) -> Self::SerializeTuple, "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct, "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant, "a tuple";
        serialize_map(Option<usize>) -> Self::SerializeMap, "a map";
    }
}

/// The fields of a variant, behind its kind.
#[derive(Debug)]
pub struct TaggedFields<F>(F);

impl<F: SerializeStruct> SerializeStructVariant for TaggedFields<F> {
    type Ok = F::Ok;
    type Error = F::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), F::Error> {
        self.0.serialize_field(name, value)
    }

    fn end(self) -> Result<F::Ok, F::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        b: u64,
        a: Option<String>,
    }

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(remote = "Self", rename_all = "kebab-case", deny_unknown_fields)]
    enum Ours {
        NothingMore,
        SomeFields { z: u8, y: Vec<u8> },
        Whole(Box<Inner>),
    }

    impl Serialize for Ours {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Ours::serialize(self, TaggedSerializer::new(serializer))
        }
    }

    impl<'de> Deserialize<'de> for Ours {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            super::deserialize(deserializer, Ours::deserialize)
        }
    }

    /// What serde's own representation makes of the same.
    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
    enum Theirs {
        NothingMore,
        SomeFields { z: u8, y: Vec<u8> },
        Whole(Box<Inner>),
    }

    fn inner() -> Box<Inner> {
        Box::new(Inner { b: u64::MAX, a: None })
    }

    #[test]
    fn the_form_is_that_of_an_internal_tag() {
        let pairs = [
            (Ours::NothingMore, Theirs::NothingMore),
            (Ours::SomeFields { z: 3, y: vec![1, 2] }, Theirs::SomeFields { z: 3, y: vec![1, 2] }),
            (Ours::Whole(inner()), Theirs::Whole(inner())),
        ];
        for (ours, theirs) in pairs {
            let written = serde_json::to_string(&ours).expect("plain data");
            assert_eq!(written, serde_json::to_string(&theirs).expect("plain data"));
            assert_eq!(serde_json::from_str::<Ours>(&written).expect("it was written"), ours);
        }
        let late_tag = r#"{"y":[1],"z":3,"event":"some-fields"}"#;
        let read: Ours = serde_json::from_str(late_tag).expect("the tag may be anywhere");
        assert_eq!(read, Ours::SomeFields { z: 3, y: vec![1] });
    }

    #[test]
    fn errors_name_the_field() {
        let error = |text: &str| serde_json::from_str::<Ours>(text).expect_err("wrong").to_string();
        assert!(error(r#"{"z":3}"#).starts_with("missing field `event`"));
        assert!(error(r#"{"event":7}"#).starts_with("field event: invalid type: integer `7`"));
        assert!(
            error(r#"{"event":"nothing"}"#)
                .starts_with("unknown variant `nothing`, expected one of")
        );
        assert!(error(r#"{"event":"nothing-more","x":1}"#).starts_with("unknown field `x`"));
        assert!(
            error(r#"{"event":"some-fields","z":1,"y":[],"x":1}"#).starts_with("unknown field `x`")
        );
        assert!(
            error(r#"{"event":"some-fields","z":256,"y":[]}"#)
                .starts_with("field z: invalid value: integer `256`")
        );
        assert!(error(r#"{"event":"whole","b":1,"c":1}"#).starts_with("unknown field `c`"));
        assert!(
            error(r#"{"event":"whole","b":1,"a":1}"#)
                .starts_with("field a: invalid type: integer `1`")
        );
        assert!(
            error(r#"{"event":"some-fields","z":1,"z":2,"y":[]}"#)
                .starts_with("duplicate field `z`")
        );
        assert!(error("[]").starts_with("invalid type: sequence"));
    }

    #[test]
    fn what_has_no_fields_is_refused() {
        let tagged = TaggedSerializer::new(serde_json::value::Serializer);
        let error = 7_u8.serialize(tagged).expect_err("a number has no fields");
        assert_eq!(error.to_string(), "a number has no fields to put a kind among");
        let tagged = TaggedSerializer::new(serde_json::value::Serializer);
        assert!(inner().serialize(tagged).is_err(), "a struct is of no kind");
    }
}
