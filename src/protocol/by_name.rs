//! Enums without fields in files: by their name, as strum has it.
//!
//! What serde derives for such an enum compares each name in turn, once for strings and once for bytes, and
//! is instantiated for each format. The long lists (points, faults, defects) are read by way of `FromStr`
//! instead, with the same names and the same errors.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, Visitor};
use strum::VariantNames;

/// Implements serde's traits for enums that have strum's `EnumString`, `IntoStaticStr` and `VariantNames`.
#[doc(hidden)]
#[macro_export]
macro_rules! serde_by_name {
    ($type:ident) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.into())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::by_name::ByName(core::marker::PhantomData))
            }
        }
    };
}

/// Reads a name.
pub struct ByName<T>(pub PhantomData<T>);

impl<T: FromStr + VariantNames> Visitor<'_> for ByName<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        T::from_str(name).map_err(|_| E::unknown_variant(name, T::VARIANTS))
    }
}
