use super::super::testing::{Bench, rows};
use super::*;

impl Bench<ObjectBucket> {
    fn create(&mut self, key: &str) -> u64 {
        match self.ask(&BucketRequest::Create { key: key.to_owned() }) {
            BucketAnswer::Created(upload) => upload,
            other => panic!("{other:?}"),
        }
    }

    fn upload(&mut self, upload: u64, part: u32, numbers: &[u64]) -> BucketAnswer {
        self.ask(&BucketRequest::Upload { upload, part, rows: rows(numbers.iter().copied()) })
    }

    fn complete(&mut self, upload: u64, parts: u32) -> BucketAnswer {
        self.ask(&BucketRequest::Complete { upload, parts })
    }
}

#[test]
fn an_object_appears_whole_and_its_upload_is_forgotten() {
    let mut bucket = Bench::new(ObjectBucket::new());
    let upload = bucket.create("a");
    bucket.upload(upload, 1, &[2]);
    assert_eq!(bucket.complete(upload, 2), BucketAnswer::InvalidPart);
    bucket.upload(upload, 0, &[1]);
    assert_eq!(bucket.seen, [0; 0]);
    assert_eq!(bucket.complete(upload, 2), BucketAnswer::Completed);
    assert_eq!(bucket.seen, [1, 2]);
    assert_eq!(bucket.complete(upload, 2), BucketAnswer::NoSuchUpload);
    let head = BucketRequest::Head { key: "a".to_owned() };
    assert_eq!(bucket.ask::<BucketAnswer>(&head), BucketAnswer::Found(true));
}

#[test]
fn an_object_replaces_another_of_its_name() {
    let mut bucket = Bench::new(ObjectBucket::new());
    for number in [1, 2] {
        let upload = bucket.create("a");
        bucket.upload(upload, 0, &[number]);
        bucket.complete(upload, 1);
    }
    assert_eq!(bucket.seen, [2]);
}

#[test]
fn uploads_that_are_not_completed_expire() {
    let mut bucket = Bench::new(ObjectBucket::new());
    let upload = bucket.create("a");
    bucket.upload(upload, 0, &[1]);
    bucket.fault(SinkFault::ExpiredTransaction);
    assert_eq!(bucket.complete(upload, 1), BucketAnswer::NoSuchUpload);
    assert_eq!(bucket.expired, [1]);
}

#[test]
fn uploads_under_way_are_listed_and_held_until_they_are_given_up() {
    let mut bucket = Bench::new(ObjectBucket::new());
    let (upload, other) = (bucket.create("a/1"), bucket.create("b/1"));
    bucket.upload(upload, 0, &[1, 2]);
    bucket.upload(other, 0, &[3]);
    let list = BucketRequest::List { prefix: "a/".to_owned() };
    let listed = BucketAnswer::Listed(vec![("a/1".to_owned(), upload)]);
    assert_eq!(bucket.ask::<BucketAnswer>(&list), listed);
    assert_eq!(bucket.held(), [("a/1".to_owned(), 2), ("b/1".to_owned(), 1)]);
    let abort = BucketRequest::Abort { upload };
    assert_eq!(bucket.ask::<BucketAnswer>(&abort), BucketAnswer::Aborted);
    assert_eq!(bucket.ask::<BucketAnswer>(&abort), BucketAnswer::NoSuchUpload);
    assert_eq!(bucket.complete(upload, 1), BucketAnswer::NoSuchUpload);
    bucket.complete(other, 1);
    assert_eq!(bucket.held(), []);
}

/// Who hears no answer asks again: an upload that is begun twice leaves one that is empty.
#[test]
fn a_request_that_is_asked_again_is_answered_by_the_rules() {
    let mut bucket = Bench::new(ObjectBucket::new());
    let create = BucketRequest::Create { key: "a".to_owned() };
    let [BucketAnswer::Created(unheard), BucketAnswer::Created(upload)] = bucket.ask_again(&create)
    else {
        panic!("not created")
    };
    assert_ne!(unheard, upload);
    let part = BucketRequest::Upload { upload, part: 0, rows: rows([1]) };
    assert_eq!(
        bucket.ask_again::<BucketAnswer>(&part),
        [BucketAnswer::Uploaded, BucketAnswer::Uploaded]
    );
    let complete = BucketRequest::Complete { upload, parts: 1 };
    let answers = bucket.ask_again::<BucketAnswer>(&complete);
    assert_eq!(answers, [BucketAnswer::Completed, BucketAnswer::NoSuchUpload]);
    assert_eq!((bucket.seen.clone(), bucket.held()), (vec![1], Vec::new()));
}
