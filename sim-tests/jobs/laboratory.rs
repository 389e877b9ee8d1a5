//! The laws of the overhead laboratory: small experiments that have a closed form, each met within five per cent.

mod independent;
mod same_bytes;

use cutwater::lab::factor::{Factor, Library, Values};
use cutwater::lab::profile::{EngineProfile, StoreProfile, engine, store};
use cutwater::lab::report::SubtaskFact;
use cutwater::lab::{Report, run};

/// How near to its closed form a law is met.
const NEAR: f64 = 0.05;

fn near(measured: f64, law: f64, what: &str) {
    let error = (measured - law).abs() / law.abs().max(1e-12);
    assert!(error <= NEAR, "{what}: {measured:.4}, and {law:.4} by its closed form");
}

/// Runs what these values say, with a profile and a store of one's own, called `mine`.
fn measure(
    values: &[(Factor, &str)],
    mine: Option<EngineProfile>,
    kept_in: Option<StoreProfile>,
) -> Report {
    let mut library = Library::default();
    library.engines.extend(mine.map(|profile| ("mine".to_owned(), profile)));
    library.stores.extend(kept_in.map(|profile| ("mine".to_owned(), profile)));
    let mut all = Values::default();
    for (factor, value) in values {
        all = all.with(*factor, *value);
    }
    run(&all.settings(&library).expect("settings"))
}

fn measure_values(values: &[(Factor, &str)]) -> Report {
    measure(values, None, None)
}

/// A pipeline whose last operator is slow, so that everything before it waits; costs beside that are none.
const PRESSED: [(Factor, &str); 10] = [
    (Factor::Profile, "in-memory"),
    (Factor::Parallelism, "2"),
    (Factor::Workers, "2"),
    (Factor::Cores, "4"),
    (Factor::State, "1kB"),
    (Factor::Sink, "10us"),
    (Factor::RecordBytes, "10B"),
    (Factor::Interval, "2s"),
    (Factor::WarmUp, "8s"),
    (Factor::Measure, "12s"),
];

fn pressed(more: &[(Factor, &str)]) -> Report {
    measure(&[&PRESSED[..], more].concat(), None, None)
}

#[test]
fn an_aligned_barrier_takes_what_is_queued_at_each_exchange_by_the_rate_at_which_it_drains() {
    // flink-benchmarks, CheckpointingTimeBenchmark: 2 exchanges of 300 ms are 600 ms; one of a multi-input operator
    // is 300 ms.
    for (exchanges, law_ms) in [("1", 300.0), ("2", 600.0), ("3", 900.0)] {
        let report = pressed(&[
            (Factor::Exchanges, exchanges),
            (Factor::Debloat, "300ms"),
            (Factor::Buffer, "1KiB"),
        ]);
        near(report.duration.p50, law_ms, &format!("{exchanges} exchanges"));
    }
    let join =
        pressed(&[(Factor::Shape, "join"), (Factor::Debloat, "300ms"), (Factor::Buffer, "1KiB")]);
    near(join.duration.p50, 300.0, "a join");
    // Without debloating: what a gate and its senders hold, 2 channels of (2 + 8/2 + 4) KiB, drains at 10 B / 10 us.
    let plain = pressed(&[(Factor::Buffer, "4KiB"), (Factor::Workers, "1")]);
    let held = 2.0 * (2.0 + 4.0) * 4_096.0;
    let bytes_per_ms = 10.0 / (10.0 + 0.21) * 1e3;
    near(plain.duration.p50, held / bytes_per_ms, "buffers as they are");
}

#[test]
fn an_unaligned_checkpoint_takes_the_same_whatever_waits_and_holds_all_of_it() {
    let at = |credits| {
        pressed(&[
            (Factor::Protocol, "unaligned"),
            (Factor::Workers, "1"),
            (Factor::Floating, "0"),
            (Factor::Buffer, "8KiB"),
            (Factor::Credits, credits),
        ])
    };
    let reports = ["4", "8", "16"].map(at);
    for report in &reports[1..] {
        // A barrier waits for the batch that is being processed, some 0.2 ms: that is what they differ by.
        let apart = (report.duration.p50 - reports[0].duration.p50).abs();
        assert!(apart < 0.3, "{} and {} ms", report.duration.p50, reports[0].duration.p50);
    }
    for (report, credits) in reports.iter().zip([4.0, 8.0, 16.0]) {
        near(report.in_flight_bytes, 4.0 * credits * 8_192.0, "four channels, full");
    }
}

/// From the first barrier to the last a subtask takes from the channels that have none yet, as fast as it goes.
#[test]
fn what_is_processed_in_an_alignment_is_its_time_by_the_rate() {
    let report = pressed(&[(Factor::Skew, "20%")]);
    let slow: Vec<_> = report.subtasks.iter().filter(|fact| fact.operator == 1).collect();
    let sum = |of: fn(&SubtaskFact) -> f64| slow.iter().map(|fact| of(fact)).sum::<f64>();
    let aligned_ms = sum(|fact| fact.parts.alignment);
    assert!(aligned_ms > 100.0, "{aligned_ms} ms");
    // Ten bytes in ten microseconds.
    near(sum(|fact| fact.processed_bytes as f64), aligned_ms * 1_000.0, "bytes processed");
    let mut sources = report.subtasks.iter().filter(|fact| fact.operator == 0);
    assert!(sources.all(|fact| fact.processed_bytes == 0), "a source has nothing to align");
}

#[test]
fn alignment_does_not_depend_on_the_state() {
    let at = |state| {
        let more = [(Factor::State, state), (Factor::Debloat, "300ms"), (Factor::Buffer, "1KiB")];
        pressed(&more).parts
    };
    let (small, large) = (at("1kB"), at("50MB"));
    let barrier = |parts: cutwater::lab::report::Parts| parts.start_delay + parts.alignment;
    near(barrier(large), barrier(small), "start delay and alignment");
    assert!(large.asynchronous > 5.0 * small.asynchronous, "but the snapshot does");
}

#[test]
fn checkpoints_that_take_longer_than_the_interval_follow_one_another() {
    // 100 MB at 4 ns a byte of a core and no contention: 200 ms for each of two subtasks.
    let mut mine = engine("in-memory").expect("known");
    mine.state.copy_byte_ns = 4.0;
    let report = measure(
        &[
            (Factor::Profile, "mine"),
            (Factor::State, "100MB"),
            (Factor::Cores, "8"),
            (Factor::Rate, "10k"),
            (Factor::Interval, "10ms"),
        ],
        Some(mine),
        None,
    );
    near(report.duration.p50, 200.0, "a checkpoint");
    near(report.period_ms, 200.0, "from trigger to trigger");
}

/// What a stopped world with a failure every mu loses of its work. Everything stops for C at each checkpoint, and a
/// failure undoes what was done since the newest: C/T + T/2/mu, least at T = sqrt(2 C mu) (Young 1974), and what a
/// restart takes on top, whatever T is (Daly 2006).
///
/// The failure is simulated: a window as long as mu has one, at some points between two checkpoints, none of them in a
/// pause, and what left the job counts once.
#[test]
fn the_best_interval_of_a_stopped_world_is_that_of_young() {
    const MTBF_S: f64 = 80.0;
    const PAUSE_S: f64 = 0.1;
    const WARM_UP_S: f64 = 2.0;
    let mut mine = engine("in-memory").expect("known");
    mine.state.copy_byte_ns = 2.0;
    let run = |interval: &str, fail_at: &str| {
        let values = [
            (Factor::Profile, "mine"),
            (Factor::State, "100MB"),
            (Factor::Cores, "8"),
            (Factor::Protocol, "stop-the-world"),
            (Factor::Interval, interval),
            (Factor::WarmUp, "2s"),
            (Factor::Measure, "80s"),
            (Factor::FailAt, fail_at),
        ];
        measure(&values, Some(mine.clone()), None)
    };
    let ms = |seconds: f64| format!("{}ms", (seconds * 1e3).round());
    let base = run("none", "none").records_per_second;
    // What is lost, and what of it the restart took, with a failure at this part of an interval.
    let lost = |interval_s: f64, part: f64| {
        let triggers = (15.0 / interval_s).ceil();
        let fails_s = (triggers + part) * interval_s - WARM_UP_S;
        let report = run(&ms(interval_s), &ms(fails_s));
        let recovery = report.recovery.expect("a worker died");
        let down_s = recovery.down_ms().expect("it came back") / 1e3;
        (1.0 - report.records_per_second / base, down_s / MTBF_S)
    };
    let best_s = (2.0 * PAUSE_S * MTBF_S).sqrt();
    let losses = [0.4, 1.0, 2.5].map(|factor| {
        let interval_s = factor * best_s;
        let points = [1.0, 3.0, 5.0].map(|sixth| lost(interval_s, sixth / 6.0));
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / 3.0;
        let (lost, down) = (mean(|point| point.0), mean(|point| point.1));
        let law = PAUSE_S / interval_s + (interval_s / 2.0 - PAUSE_S) / MTBF_S + down;
        near(lost, law, &format!("lost with a checkpoint every {interval_s:.2} s"));
        lost
    });
    assert!(losses[1] < losses[0].min(losses[2]), "{losses:?}");
}

#[test]
fn the_tail_of_a_store_meets_every_upload() {
    // One in a hundred uploads is slow, and a checkpoint is one of 20: it is fast with 0.99^20.
    let mut mine = store("object-store").expect("known");
    (mine.tail_per_million, mine.tail_ms, mine.latency_ms) = (10_000, 40.0, 1.0);
    let values = [
        (Factor::Profile, "in-memory"),
        (Factor::Store, "mine"),
        (Factor::Parallelism, "10"),
        (Factor::State, "1kB"),
        (Factor::Rate, "1k"),
        (Factor::Interval, "50ms"),
        (Factor::Measure, "90s"),
        (Factor::Cores, "8"),
    ];
    let report = measure(&values, None, Some(mine));
    let fast = report.checkpoints.iter().filter(|fact| fact.end_ms - fact.start_ms < 40.0).count();
    let law = 0.99_f64.powi(20);
    assert!(report.checkpoints.len() >= 1_000);
    near(fast as f64 / report.checkpoints.len() as f64, law, "checkpoints without a slow upload");
}

#[test]
fn a_checkpoint_costs_in_proportion_to_its_subtasks() {
    let mut mine = engine("flink-heap").expect("known");
    mine.task.barrier_us = 0.0;
    (mine.coordinator.trigger_us, mine.coordinator.complete_us) = (0.0, 0.0);
    (mine.coordinator.cleanup_us, mine.coordinator.message_us) = (0.0, 0.0);
    let cost = |parallelism: &str| {
        let at = |interval| {
            let values = [
                (Factor::Profile, "mine"),
                (Factor::Parallelism, parallelism),
                (Factor::State, "1kB"),
                (Factor::Rate, "10k"),
                (Factor::Interval, interval),
                (Factor::Cores, "8"),
            ];
            measure(&values, Some(mine.clone()), None)
        };
        let (with, without) = (at("100ms"), at("none"));
        (with.cores - without.cores) * 8.0 / with.completed as f64
    };
    let two = cost("2");
    near(cost("4"), 2.0 * two, "twice the subtasks");
    near(cost("8"), 4.0 * two, "four times the subtasks");
}

/// All of it, nothing set to none: what a checkpoint costs is the sum of what the profile charges for its parts, of
/// which all but three are in proportion to subtasks, and barriers to channels.
#[test]
fn a_checkpoint_costs_what_its_parts_cost_at_every_size() {
    let profile = engine("flink-heap").expect("known");
    let (task, coordinator) = (profile.task, profile.coordinator);
    for parallelism in [2_u32, 4, 8, 16] {
        let at = |interval| {
            let parallelism = parallelism.to_string();
            let values = [
                (Factor::Parallelism, parallelism.as_str()),
                (Factor::State, "1kB"),
                (Factor::Rate, "10k"),
                (Factor::Interval, interval),
                (Factor::Cores, "32"),
            ];
            measure(&values, None, None)
        };
        let (with, without) = (at("200ms"), at("none"));
        let cost_us = (with.cores - without.cores) * 8e6 / with.completed as f64;
        let (sources, subtasks) = (f64::from(parallelism), 2.0 * f64::from(parallelism));
        let channels = sources * sources;
        let law_us = coordinator.trigger_us
            + coordinator.message_us * (sources + subtasks)
            + coordinator.acknowledge_us * subtasks
            + coordinator.complete_us
            + coordinator.cleanup_us
            + (task.freeze_us + task.persist_us + task.notify_us) * subtasks
            + 2.0 * task.barrier_us * channels;
        near(cost_us, law_us, &format!("{parallelism} subtasks an operator"));
    }
}

/// What a run reports does not grow with its records, and what it does grows as they do: the bench
/// `laboratory-records` says how long a million and ten million take. What it holds meanwhile is tested where it is
/// held, in `lab/world`.
#[test]
fn ten_times_the_records_are_ten_times_the_steps_and_no_longer_a_report() {
    let at = |rate: &str| {
        let values = [
            (Factor::Profile, "in-memory"),
            (Factor::State, "1MB"),
            (Factor::Rate, rate),
            (Factor::Interval, "1s"),
            (Factor::Quantum, "1"),
            (Factor::WarmUp, "0ms"),
            (Factor::Measure, "10s"),
        ];
        measure(&values, None, None)
    };
    let [few, many] = ["4k", "40k"].map(at);
    near(few.batches as f64, 2.0 * 40_000.0, "a record passes two operators");
    near(many.batches as f64, 10.0 * few.batches as f64, "ten times as many");
    let bytes = |report: &Report| encoded(report).len() as f64;
    near(bytes(&many), bytes(&few), "what is reported of a run");
}

#[test]
fn fewer_records_a_batch_change_nothing_that_is_read_from_a_table() {
    let values = |quantum| {
        [
            (Factor::State, "10MB"),
            (Factor::Interval, "500ms"),
            (Factor::Quantum, quantum),
            (Factor::Measure, "4s"),
        ]
    };
    let [whole, half] = ["80", "40"].map(|quantum| measure(&values(quantum), None, None));
    near(half.records_per_second, whole.records_per_second, "throughput");
    near(half.duration.p50, whole.duration.p50, "duration");
    near(half.parts.start_delay, whole.parts.start_delay, "start delay");
}

#[test]
fn what_cannot_complete_says_so() {
    let report = pressed(&[(Factor::Debloat, "3s"), (Factor::Timeout, "1s")]);
    assert_eq!(
        (report.completed, report.notes.as_slice()),
        (0, &["no checkpoint completes".to_owned()][..])
    );
    assert_eq!(report.abort_reasons[0].0, "expired");
}

#[test]
fn a_restart_loses_what_came_since_the_checkpoint_and_catches_up() {
    let values = [
        (Factor::Rate, "60k"),
        (Factor::State, "10MB"),
        (Factor::Interval, "2s"),
        (Factor::FailAt, "7500ms"),
        (Factor::Measure, "30s"),
    ];
    let recovery = measure(&values, None, None).recovery.expect("a worker died");
    // Triggered at 8 s, two before the failure at 9.5 s: 1.5 s of 60,000 records.
    near(recovery.lost_records.expect("restored") as f64, 90_000.0, "records read twice");
    let profile = engine("flink-heap").expect("known").recovery;
    assert_eq!(recovery.detect_ms, Some(profile.detect_ms as f64));
    assert_eq!(recovery.deploy_ms, Some(profile.deploy_ms as f64));
    assert!(recovery.replay_ms.is_some() && recovery.catch_up_ms.is_some(), "{recovery:?}");
}

#[test]
fn a_job_that_does_not_come_back_in_time_says_so() {
    let fails_at = |fail_at| {
        let values = [(Factor::Rate, "60k"), (Factor::FailAt, fail_at), (Factor::Measure, "5s")];
        measure(&values, None, None).recovery.expect("a worker died")
    };
    let undetected = fails_at("4999ms");
    assert_eq!((undetected.detect_ms, undetected.down_ms()), (None, None), "{undetected:?}");
    assert_eq!((undetected.lost_records, undetected.until_end_ms), (None, 1.0));
    let undeployed = fails_at("4s");
    assert!(undeployed.detect_ms.is_some() && undeployed.deploy_ms.is_none(), "{undeployed:?}");
}

#[test]
fn records_that_a_restart_reads_again_count_once() {
    for (protocol, sink) in [("aligned", "0ns"), ("unaligned", "0ns"), ("unaligned", "25us")] {
        let values = [
            (Factor::Profile, "in-memory"),
            (Factor::Protocol, protocol),
            (Factor::Rate, "60k"),
            (Factor::State, "10MB"),
            (Factor::Sink, sink),
            (Factor::Interval, "2s"),
            (Factor::FailAt, "7500ms"),
            (Factor::Measure, "30s"),
        ];
        let report = measure(&values, None, None);
        let recovery = report.recovery.expect("a worker died");
        assert!(
            recovery.lost_records > Some(50_000) && recovery.catch_up_ms.is_some(),
            "{recovery:?}"
        );
        // What came while it was measured has left, whatever left twice: no more, and no less.
        near(report.records_per_second * 30.0, 60_000.0 * 30.0, protocol);
        assert!(report.records_per_second <= 60_100.0, "{protocol}: {}", report.records_per_second);
        assert!(report.records_per_second >= 59_900.0, "{protocol}: {}", report.records_per_second);
    }
}

/// A ratio below 1 without a checkpoint: both compactions of the job begin at once, leave the cores to nobody else for
/// seconds, and one of them falls on the end of the window. What came is done, a little later: a longer run shows it.
#[test]
fn what_a_window_ends_in_the_middle_of_is_said() {
    let at = |measure: &str| {
        let values = [
            (Factor::Profile, "flink-rocksdb"),
            (Factor::State, "100MB"),
            (Factor::Rate, "130k"),
            (Factor::Interval, "none"),
            (Factor::WarmUp, "5s"),
            (Factor::Measure, measure),
        ];
        measure_values(&values)
    };
    let cut = at("30s");
    assert!(
        cut.behind_ms > 1_000.0 && cut.records_per_second < 0.96 * 130_000.0,
        "{}",
        cut.behind_ms
    );
    assert_eq!(cut.notes, [format!("{:.1} s behind at the end", cut.behind_ms / 1e3)]);
    let whole = at("90s");
    assert!(whole.records_per_second > 0.98 * 130_000.0, "{}", whole.records_per_second);
}

fn encoded(report: &Report) -> Vec<u8> {
    postcard::to_stdvec(report).expect("plain data")
}
