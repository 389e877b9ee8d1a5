//! What another version of a job must be, to go on from a savepoint of the one before.

use cutwater::dataflow::{EncodedSink, Job, JobBuilder, MigrationError, Replay};
use cutwater::protocol::{Revision, SnapshotRange};

/// A key, and an amount.
type Payment = (u8, u64);

/// What differs between two versions of a job.
#[derive(Clone, Copy)]
struct Version {
    source: &'static str,
    splits: u16,
    uid: &'static str,
    keyed: bool,
}

const FIRST: Version = Version { source: "payments", splits: 2, uid: "totals", keyed: true };

fn job(version: Version) -> Job {
    let Version { source, splits, uid, keyed } = version;
    let job = JobBuilder::new("totals");
    let payments = job.source(source, Replay::<Payment>::new(), 1, splits);
    let sums = match keyed {
        true => payments
            .key_by(|(account, _)| *account)
            .reduce("sum", 2, |(account, one), (_, other)| (account, one + other))
            .uid(uid),
        false => payments.rebalance().map("same", 2, |payment| payment).uid(uid),
    };
    sums.rebalance().transactional_sink("out", 1, EncodedSink::new());
    job.build().expect("it is a job")
}

fn refusal(next: Version) -> String {
    let refused = job(FIRST).upgraded_to(&job(next));
    refused.map(|_| ()).expect_err("it is refused").to_string()
}

#[test]
fn what_would_lose_state_is_refused_where_it_is_declared() {
    assert_eq!(
        refusal(Version { uid: "sums", ..FIRST }),
        "nobody takes over the state of `totals`: give its uid to the operator that does, or say that it is dropped"
    );
    assert_eq!(
        refusal(Version { keyed: false, ..FIRST }),
        "`totals` is an operator of another kind than before: give it another uid"
    );
    assert_eq!(
        refusal(Version { splits: 3, ..FIRST }),
        "`payments` reads other splits than before: in a world all versions of a job read the same"
    );
    assert_eq!(
        refusal(Version { source: "transfers", ..FIRST }),
        "nobody takes over the state of `payments`: give its uid to the operator that does, or say that it is dropped"
    );
}

#[test]
fn a_source_more_is_refused() {
    let next = JobBuilder::new("totals");
    let more = next.source("corrections", Replay::<Payment>::new(), 1, 1);
    next.source("payments", Replay::<Payment>::new(), 1, 2)
        .union("all", 1, &[&more])
        .key_by(|(account, _)| *account)
        .reduce("sum", 2, |one, _| one)
        .uid("totals")
        .rebalance()
        .transactional_sink("out", 1, EncodedSink::new());
    let next = next.build().expect("it is a job");
    let refused = job(FIRST).upgraded_to(&next).map(|_| ());
    assert_eq!(refused, Err(MigrationError::OtherSplits { uid: "payments".to_owned() }));
}

#[test]
fn splits_that_an_enumerator_assigns_are_refused() {
    let next = JobBuilder::new("copy");
    let lines = next.source_enumerated("lines", Replay::<u64>::new(), 1, 1);
    lines.transactional_sink("out", 1, EncodedSink::new());
    let next = next.build().expect("it is a job");
    let refused = next.upgraded_to(&next).map(|_| ()).expect_err("it is refused");
    let what = "`copy` has splits that an enumerator assigns: a world does not know how another version of it goes on";
    assert!(refused.to_string().starts_with(what), "{refused}");
}

#[test]
fn a_job_knows_its_versions() {
    let job = job(FIRST).upgraded_to(&job(FIRST)).and_then(|job| {
        let third = self::job(Version { splits: 2, ..FIRST });
        job.upgraded_to(&third)
    });
    let job = job.expect("nothing has changed").rescalable();
    assert_eq!((job.newest_version(), job.topologies().len()), (2, 3));
    let of = |version, parallelism| job.in_revision(Revision { version, parallelism });
    let second = of(1, Some(1)).expect("there is a version 1");
    assert!(second.is_rescalable() && second.newest_version() == 0);
    assert_eq!(second.topology().operators[1].parallelism, 1);
    assert_eq!(second.ranges_from(&job)[1], SnapshotRange::KeyRange);
    assert_eq!(second.left_of(&job), []);
    let error = of(3, None).map(|_| ()).expect_err("there is no version 3").to_string();
    assert_eq!(error, "`totals` has no version 3: the newest is 2");
}
