use super::super::testing::{Bench, rows};
use super::*;

impl Bench<UpsertStore> {
    fn write(&mut self, version: Option<u64>, content: Option<u64>) {
        let row = content.and_then(|number| rows([number]).pop());
        let writes = vec![Upsert { key: b"k".to_vec(), version, row }];
        assert_eq!(self.ask::<Written>(&WriteBatch { writes }), Written);
    }
}

#[test]
fn the_row_of_a_key_is_replaced_and_deleted() {
    let mut store = Bench::new(UpsertStore::new());
    store.write(None, Some(1));
    store.write(None, Some(2));
    assert_eq!(store.seen, [2]);
    store.write(None, None);
    assert_eq!(store.seen, [0; 0]);
}

#[test]
fn a_write_with_a_lower_version_is_dropped_also_behind_a_deletion() {
    let mut store = Bench::new(UpsertStore::new());
    store.write(Some(2), Some(20));
    store.write(Some(1), Some(10));
    assert_eq!(store.seen, [20]);
    store.write(Some(3), None);
    store.write(Some(2), Some(20));
    assert_eq!(store.seen, [0; 0]);
}

/// Readers see rows in the order in which they were shown: one that is shown anew would be last.
#[test]
fn writing_the_same_again_changes_nothing_that_readers_see() {
    let mut store = Bench::new(UpsertStore::new());
    let mut write = |key: &[u8], number| {
        let row = rows([number]).pop();
        let writes = vec![Upsert { key: key.to_vec(), version: None, row }];
        assert_eq!(store.ask::<Written>(&WriteBatch { writes }), Written);
        store.seen.clone()
    };
    write(b"a", 1);
    assert_eq!(write(b"b", 2), [1, 2]);
    assert_eq!(write(b"a", 1), [1, 2]);
    assert_eq!(write(b"a", 3), [2, 3]);
}
