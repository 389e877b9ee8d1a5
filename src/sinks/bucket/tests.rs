use super::super::testing::{Bench, opening, row};
use super::*;
use crate::external::ExternalSystem as _;
use crate::external::bucket::ObjectBucket;

type Subtask = Bench<BucketSink<u64>>;

fn opened(bucket: &mut ObjectBucket, opening: Opening<BucketState, PromisedUpload>) -> Subtask {
    let mut subtask = Bench::new(BucketSink::new(1));
    subtask.call(bucket, |sink, out| sink.open(opening, out));
    assert!(subtask.is_open, "{:?}", subtask.failed);
    subtask
}

fn write(subtask: &mut Subtask, bucket: &mut ObjectBucket, number: u64) {
    subtask.call(bucket, |sink, out| sink.write(number, row(number), out));
}

fn cut(subtask: &mut Subtask, bucket: &mut ObjectBucket, checkpoint: u64) -> Vec<PromisedUpload> {
    subtask.call(bucket, |sink, out| sink.pre_commit(CheckpointId(checkpoint), out))
}

/// How many rows lie in uploads.
fn rows_held(bucket: &ObjectBucket) -> usize {
    bucket.held().iter().map(|held| held.rows.len()).sum()
}

#[test]
fn what_was_uploaded_behind_the_checkpoint_is_given_up_and_what_it_holds_is_not() {
    let mut bucket = ObjectBucket::new();
    let mut first = opened(&mut bucket, opening(1, 0, Vec::new(), Vec::new()));
    write(&mut first, &mut bucket, 1);
    let promised = cut(&mut first, &mut bucket, 1);
    let state = first.sink.freeze();
    write(&mut first, &mut bucket, 2);
    assert_eq!(rows_held(&bucket), 2);
    opened(&mut bucket, opening(2, 1, state, promised));
    assert_eq!(rows_held(&bucket), 1, "what checkpoint 1 holds");
}

/// An upload in which nothing was at the cut has the name of an older one.
#[test]
fn what_was_begun_before_the_checkpoint_and_not_promised_is_given_up() {
    let mut bucket = ObjectBucket::new();
    let mut first = opened(&mut bucket, opening(1, 0, Vec::new(), Vec::new()));
    assert_eq!(cut(&mut first, &mut bucket, 5), []);
    let state = first.sink.freeze();
    write(&mut first, &mut bucket, 1);
    assert_eq!(rows_held(&bucket), 1);
    opened(&mut bucket, opening(2, 5, state, Vec::new()));
    assert_eq!(rows_held(&bucket), 0);
}

/// A worker that has not heard of its end looks at what its successor writes.
#[test]
fn an_attempt_that_is_over_leaves_its_successors_alone() {
    let mut bucket = ObjectBucket::new();
    let mut successor = opened(&mut bucket, opening(2, 0, Vec::new(), Vec::new()));
    write(&mut successor, &mut bucket, 1);
    opened(&mut bucket, opening(1, 0, Vec::new(), Vec::new()));
    assert_eq!(rows_held(&bucket), 1);
}
