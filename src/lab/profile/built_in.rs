//! The profiles that come with the crate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::error::LabError;
use super::{EngineProfile, StoreProfile};

/// The profiles that come with the crate, by name.
const ENGINES: &[(&str, &str)] = &[
    ("flink-heap", include_str!("../../../fixtures/overhead/profiles/flink-heap.toml")),
    ("flink-rocksdb", include_str!("../../../fixtures/overhead/profiles/flink-rocksdb.toml")),
    ("flink-changelog", include_str!("../../../fixtures/overhead/profiles/flink-changelog.toml")),
    ("in-memory", include_str!("../../../fixtures/overhead/profiles/in-memory.toml")),
    ("checkmate-2024", include_str!("../../../fixtures/overhead/profiles/checkmate-2024.toml")),
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
    static READ: LazyLock<BTreeMap<&str, EngineProfile>> = LazyLock::new(|| {
        let read =
            |(name, text): &(&'static str, &str)| (*name, read(EngineProfile::parse(name, text)));
        ENGINES.iter().map(read).collect()
    });
    READ.get(name).cloned()
}

/// The store profile of this name that comes with the crate.
#[must_use]
pub fn store(name: &str) -> Option<StoreProfile> {
    static READ: LazyLock<BTreeMap<&str, StoreProfile>> = LazyLock::new(|| {
        let read =
            |(name, text): &(&'static str, &str)| (*name, read(StoreProfile::parse(name, text)));
        STORES.iter().map(read).collect()
    });
    READ.get(name).cloned()
}

/// Once: planning asks for the same ones thousands of times.
fn read<T>(profile: Result<T, LabError>) -> T {
    profile.expect("profiles that come with the crate are profiles")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was fitted to nothing of its own.
    #[test]
    fn the_changelog_shares_with_rocksdb_what_its_file_says() {
        let [rocksdb, changelog] =
            ["flink-rocksdb", "flink-changelog"].map(|name| engine(name).expect("known"));
        assert_eq!((changelog.task, changelog.coordinator), (rocksdb.task, rocksdb.coordinator));
        assert_eq!((changelog.disk, changelog.recovery), (rocksdb.disk, rocksdb.recovery));
        assert_eq!(changelog.state.copy_byte_ns, rocksdb.state.copy_byte_ns);
        assert_eq!(changelog.state.entry_overhead_bytes, rocksdb.state.entry_overhead_bytes);
    }

    #[test]
    fn what_comes_with_the_crate_can_be_read_and_is_called_what_its_file_is() {
        for name in engine_names() {
            assert_eq!(engine(name).expect("known").name, name);
        }
        for name in store_names() {
            assert_eq!(store(name).expect("known").name, name);
        }
    }
}
