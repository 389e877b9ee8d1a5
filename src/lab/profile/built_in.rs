//! The profiles that come with the crate.

use super::{EngineProfile, StoreProfile};

/// The profiles that come with the crate, by name.
const ENGINES: &[(&str, &str)] = &[
    ("flink-heap", include_str!("../../../fixtures/overhead/profiles/flink-heap.toml")),
    ("flink-rocksdb", include_str!("../../../fixtures/overhead/profiles/flink-rocksdb.toml")),
    ("flink-changelog", include_str!("../../../fixtures/overhead/profiles/flink-changelog.toml")),
    ("in-memory", include_str!("../../../fixtures/overhead/profiles/in-memory.toml")),
    ("abs-2015", include_str!("../../../fixtures/overhead/profiles/abs-2015.toml")),
];

const STORES: &[(&str, &str)] = &[
    ("local-ssd", include_str!("../../../fixtures/overhead/stores/local-ssd.toml")),
    ("object-store", include_str!("../../../fixtures/overhead/stores/object-store.toml")),
];

/// The names of the engine profiles that come with the crate.
pub fn engine_names() -> impl Iterator<Item = &'static str> {
    ENGINES.iter().map(|(name, _)| *name)
}

/// The names of the store profiles that come with the crate.
pub fn store_names() -> impl Iterator<Item = &'static str> {
    STORES.iter().map(|(name, _)| *name)
}

/// The engine profile of this name that comes with the crate.
#[must_use]
pub fn engine(name: &str) -> Option<EngineProfile> {
    let (name, text) = ENGINES.iter().find(|(known, _)| *known == name)?;
    Some(EngineProfile::parse(name, text).expect("profiles that come with the crate are profiles"))
}

/// The store profile of this name that comes with the crate.
#[must_use]
pub fn store(name: &str) -> Option<StoreProfile> {
    let (name, text) = STORES.iter().find(|(known, _)| *known == name)?;
    Some(StoreProfile::parse(name, text).expect("profiles that come with the crate are profiles"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_crate_can_be_read_and_is_called_what_its_file_is() {
        for name in engine_names() {
            assert_eq!(engine(name).expect("known").name, name);
        }
        for name in store_names() {
            assert_eq!(store(name).expect("known").name, name);
        }
    }

    #[test]
    fn a_figure_outside_its_range_is_named() {
        let text = include_str!("../../../fixtures/overhead/profiles/in-memory.toml");
        let wrong = text.replace("record-ns = ", "record-ns = -");
        let error = EngineProfile::parse("my.toml", &wrong).expect_err("negative").to_string();
        assert!(error.starts_with("my.toml: task.source-record-ns: -"), "{error}");
    }
}
