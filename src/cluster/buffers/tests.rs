use proptest::prelude::*;

use super::*;
use crate::dataflow::{Payload, Record};

fn record(lineage: u64, bytes: usize) -> Item {
    let payload: Payload = (0..bytes).map(|byte| byte as u8).collect();
    Item::Record(Record { lineage: LineageId(lineage), timestamp: -7, payload })
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let item = prop_oneof![
        (any::<u64>(), 0_usize..300).prop_map(|(lineage, bytes)| record(lineage, bytes)),
        any::<i64>().prop_map(Item::Watermark),
    ];
    prop::collection::vec(item, 0..20)
}

fn buffers(items: &[Item], size: usize) -> Vec<Buffer> {
    let mut writer = BufferWriter::new(size);
    let mut buffers: Vec<_> = items.iter().flat_map(|item| writer.write(item)).collect();
    buffers.extend(writer.flush());
    buffers
}

fn read_all(reader: &mut BufferReader) -> Vec<Item> {
    std::iter::from_fn(|| reader.next_item().expect("what was written is a stream")).collect()
}

proptest! {
    /// Wherever the stream is cut, into buffers and by a snapshot, the same items come out of it: read before
    /// the cut, and read from what was captured of the receiver's rest and of the sender's queue.
    #[test]
    fn a_cut_within_the_stream_loses_no_byte(
        items in items(),
        size in 1_usize..400,
        taken in 0.0..1.0_f64,
        read in 0_usize..20,
    ) {
        let buffers = buffers(&items, size);
        let taken = (buffers.len() as f64 * taken) as usize;
        let mut reader = BufferReader::default();
        let mut seen = Vec::new();
        for buffer in &buffers[..taken] {
            reader.take(buffer);
        }
        while seen.len() < read && let Some(item) = reader.next_item().expect("a stream") {
            seen.push(item);
        }
        let rest = reader.rest().into_iter().chain(buffers[taken..].iter().cloned());
        let captured: Vec<_> = rest.map(Parcel::Buffer).collect();
        seen.extend(items_of(&captured).expect("the rest of a stream is one"));
        prop_assert_eq!(seen, items);
    }

    /// What is said to end in a buffer is what is whole once it has been taken.
    #[test]
    fn an_item_ends_in_the_buffer_with_its_last_byte(items in items(), size in 1_usize..400) {
        let mut reader = BufferReader::default();
        for buffer in buffers(&items, size) {
            prop_assert!(!buffer.is_empty() && buffer.len() <= size);
            reader.take(&buffer);
            let ended: Vec<_> = read_all(&mut reader).iter().map(Item::lineage).collect();
            prop_assert_eq!(ended, buffer.ends().collect::<Vec<_>>());
        }
        prop_assert_eq!(reader.rest(), None);
    }
}

#[test]
fn a_buffer_holds_several_items_and_an_item_spans_several_buffers() {
    let small: Vec<_> = (0..3).map(|lineage| record(lineage, 4)).collect();
    assert_eq!(buffers(&small, 1_000).len(), 1);
    assert!(buffers(&[record(0, 100)], 10).len() > 10);
}

#[test]
fn what_is_no_stream_is_refused() {
    let whole = buffers(&[record(1, 20)], 1_000).remove(0);
    let cut = Buffer { bytes: whole.bytes[..10].into(), ends: Vec::new() };
    let cases = [
        (vec![Parcel::Buffer(cut.clone())], "10 bytes of an item came, and not its end"),
        (
            vec![Parcel::Buffer(cut), Parcel::Item(record(2, 0))],
            "10 bytes of an item came, and not its end",
        ),
        (
            vec![Parcel::Buffer(Buffer { bytes: [255; 8].into(), ends: Vec::new() })],
            "an item of 4294967295 bytes, at most 16777216 are read",
        ),
        (
            vec![Parcel::Buffer(Buffer { bytes: [1, 0, 0, 0, 9].into(), ends: Vec::new() })],
            "1 bytes that are no item",
        ),
    ];
    for (parcels, problem) in cases {
        let error = items_of(&parcels).expect_err("no stream");
        assert!(error.starts_with(problem), "{error}");
    }
}
