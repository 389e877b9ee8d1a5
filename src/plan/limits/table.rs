//! The table itself. A field that is missing here does not compile: the checks take plans and scenarios apart.

use super::{Files, Limit};

/// Declares numbers: what each is called, which files have it, its range, its unit, and what it is.
macro_rules! limits {
    ($($id:ident: $files:ident $name:literal $min:literal..=$max:literal $unit:literal, $about:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $about)]
            pub static $id: Limit = Limit {
                name: $name,
                files: Files::$files,
                min: $min,
                max: $max,
                unit: $unit,
                about: $about,
            };
        )*

        /// All of them, in the order in which they are listed.
        pub static ALL: [&Limit; [$($name),*].len()] = [$(&$id),*];
    };
}

limits! {
    JOB_RECORDS: Both "job.records" 1..=10_000_000 "", "how much of its input the workload reads, in what it counts (`cutwater workloads`)";
    JOB_PARALLELISM: Both "job.parallelism" 1..=128 "", "subtasks of each operator that may have several";
    JOB_SPLITS: Both "job.splits" 1..=65_535 "", "splits of each source, never fewer than its subtasks";
    EMPTY_SPLITS: Both "job.deal.empty.splits" 0..=65_534 "", "splits that hold nothing";
    WORKERS: Both "cluster.workers" 1..=1_000 "", "workers that there are";
    LOSABLE: Scenario "cluster.losable" 0..=999 "", "workers that may be lost for good; one is always left";
    SLOTS: Plan "cluster.slots" 1..=65_535 "", "subtasks that one worker takes";
    HEARTBEAT_MS: Both "cluster.heartbeat_ms" 1..=86_400_000 "ms", "from one heartbeat of a worker to the next";
    HEARTBEAT_TIMEOUT_MS: Both "cluster.heartbeat_timeout_ms" 1..=86_400_000 "ms", "of silence, after which a worker is dead to the coordinator";
    SESSION_TIMEOUT_MS: Plan "cluster.session_timeout_ms" 1..=345_600_000 "ms", "of silence, after which a worker gives its subtasks up";
    RESTART_DELAY_MS: Both "cluster.restart_delay_ms" 0..=86_400_000 "ms", "from the end of an attempt to the next";
    REQUEST_RETRY_MS: Both "cluster.request_retry_ms" 1..=86_400_000 "ms", "after which a request is repeated";
    CREDITS: Both "cluster.credits" 1..=1_000_000 "", "items or buffers under way in a channel";
    BUFFER_BYTES: Both "cluster.buffers.bytes" 1..=16_777_216 "bytes", "that a buffer holds";
    BUFFER_TIMEOUT_MS: Both "cluster.buffers.timeout_ms" 1..=86_400_000 "ms", "for which an item waits for its buffer to be full";
    DISCOVERY_INTERVAL_MS: Both "cluster.discovery.interval_ms" 1..=86_400_000 "ms", "from one look of an enumerator for splits to the next";
    DISCOVERY_APPEARS_MS: Both "cluster.discovery.appears_ms" 0..=86_400_000 "ms", "after the beginning, when a split comes up";
    DISCOVERY_RETAINED_MS: Both "cluster.discovery.retained_ms" 0..=86_400_000 "ms", "for which a split stays that was read to its end";
    SOURCE_INTERVAL_US: Both "cluster.source_interval_us" 0..=1_000_000 "us", "from one source entry to the next";
    FETCH_MAX: Plan "cluster.fetch_max" 1..=1_000_000 "", "entries that one fetch from the source log brings";
    SINK_BATCH: Both "cluster.sink_batch" 1..=1_000_000 "", "records that a sink collects";
    MAILBOX_US: Scenario "cluster.mailbox_us" 0..=60_000_000 "us", "for which mail waits in a mailbox";
    OBJECT_STORE_US: Scenario "cluster.object_store_us" 0..=60_000_000 "us", "that a request to the object store takes";
    OBJECT_STORE_BYTE_NS: Scenario "cluster.object_store_byte_ns" 0..=1_000_000_000 "ns", "that it takes more for each byte";
    META_STORE_US: Scenario "cluster.meta_store_us" 0..=60_000_000 "us", "that a request to the meta store takes";
    STORE_LATENCY_US: Plan "cluster.*_store.latency_us" 0..=60_000_000 "us", "that a request to a store takes";
    STORE_BYTE_NS: Plan "cluster.*_store.byte_ns" 0..=1_000_000_000 "ns", "that it takes more for each byte";
    COST_RECORD_NS: Both "cluster.cost.record_ns" 0..=60_000_000_000 "ns", "to process a record";
    COST_BYTE_NS: Both "cluster.cost.byte_ns" 0..=1_000_000_000 "ns", "for each byte of it";
    COST_FREEZE_BYTE_NS: Both "cluster.cost.freeze_byte_ns" 0..=1_000_000_000 "ns", "to freeze a byte of state";
    ALIGNED_TIMEOUT_MS: Both "checkpoints.aligned_timeout_ms" 0..=86_400_000 "ms", "for which a barrier stays in its place, under the hybrid protocol";
    INTERVAL_MS: Both "checkpoints.interval_ms" 0..=86_400_000 "ms", "from one trigger to the next; 0: none but the last, with `final_at_once`";
    PAUSE_MIN_MS: Both "checkpoints.pause_min_ms" 0..=86_400_000 "ms", "from the end of a checkpoint to the next trigger";
    TIMEOUT_MS: Both "checkpoints.timeout_ms" 1..=86_400_000 "ms", "after which a checkpoint expires";
    CONCURRENT_MAX: Both "checkpoints.concurrent_max" 1..=1_000 "", "checkpoints at once";
    FAILURES_TOLERATED: Both "checkpoints.failures_tolerated" 0..=1_000_000_000 "", "checkpoints that may fail in a row";
    RETAINED: Both "checkpoints.retained" 1..=1_000 "", "checkpoints that are kept";
    CHANNELS: Both "links.channels" 0..=60_000_000 "us", "that an item takes in a channel";
    CONTROL: Both "links.control" 0..=60_000_000 "us", "that a control message takes";
    LINK_BYTE_NS: Both "links.byte_ns" 0..=1_000_000_000 "ns", "that a channel takes more for each byte";
    SLOW: Both "links.slow" 0..=1_000 "", "channels that are slower than the others";
    SLOW_US: Scenario "links.slow_us" 0..=60_000_000 "us", "that those take";
    SLOW_LATENCY: Plan "links.slow[].latency" 0..=60_000_000 "us", "that such a channel takes";
    SLOW_CONTROL: Both "links.slow_control" 0..=1_000 "", "control links with delays of their own";
    SLOW_CONTROL_LATENCY: Scenario "links.slow_control_latency" 0..=60_000_000 "us", "that those take";
    CONTROL_LATENCY: Plan "links.slow_control[].latency" 0..=60_000_000 "us", "that such a link takes";
    LOCAL_US: Plan "links.local_us" 0..=60_000_000 "us", "that a message within a process takes";
    PRIORITIES: Plan "links.priorities" 0..=2_000 "", "times at which a process gets slower";
    PRIORITY_FROM_US: Plan "links.priorities[].from_us" 0..=86_400_000_000 "us", "after the beginning, from which on a process is slower";
    PRIORITY_EXTRA_US: Plan "links.priorities[].extra_us" 0..=86_400_000_000 "us", "by which it is";
    PLAN_MAILBOX_US: Plan "mailbox_us" 0..=60_000_000 "us", "for which mail waits in a mailbox";
    RESCALE_COUNT: Scenario "rescale.count" 0..=100 "", "rescales";
    RESCALE_PARALLELISM: Scenario "rescale.parallelism" 1..=128 "", "subtasks of each operator after a rescale";
    RESCALE_WITHIN_MS: Scenario "rescale.within_ms" 0..=86_400_000 "ms", "after the beginning, at which a rescale is asked for";
    CHECKPOINT_FIRST_PERCENT: Scenario "rescale.checkpoint_first_percent" 0..=100 "percent", "of the rescales that wait for a checkpoint";
    RESCALES: Plan "rescales" 0..=1_000 "", "rescales";
    RESCALES_PARALLELISM: Plan "rescales[].parallelism" 1..=128 "", "subtasks of each operator after a rescale";
    SAVEPOINTS: Scenario "requests.savepoints" 0..=100 "", "savepoints that the job survives";
    STOPS: Scenario "requests.stops" 0..=100 "", "savepoints that the job stops at, and is resumed from";
    RESUME_PARALLELISM: Scenario "requests.resume_parallelism" 1..=128 "", "subtasks of each operator then";
    RESUME_VERSION: Scenario "requests.resume_version" 0..=16 "", "version of the job that it is resumed as";
    DRAINS: Scenario "requests.drains" 0..=100 "", "savepoints that the job is drained for";
    REQUESTS: Plan "requests" 0..=1_000 "", "requests to the coordinator";
    RESUME_AT_PARALLELISM: Plan "requests[].request.resume-at.parallelism" 1..=128 "", "subtasks of each operator that the job goes on with";
    RESUME_AS_VERSION: Plan "requests[].request.resume-as.version" 0..=16 "", "version of the job that it goes on as";
    RESUME_AS_PARALLELISM: Plan "requests[].request.resume-as.parallelism" 1..=128 "", "subtasks of each operator then";
    FAULTS_OF_A_CLASS: Scenario "faults.*" 0..=100 "", "faults of a class";
    FAULTS: Plan "faults" 0..=16_000 "", "faults";
    WHEN_AT_US: Plan "when.at.us" 0..=86_400_000_000 "us", "after the beginning, at which a fault strikes, or a request is made";
    WHEN_OCCURRENCE: Plan "when.point.occurrence" 1..=4_294_967_295 "", "which of the events that match";
    WHEN_RESTARTS: Plan "when.point.after_restarts" 0..=4_294_967_295 "", "restarts, after which events count";
    FAULT_FOR_US: Plan "fault.*.for_us" 0..=86_400_000_000 "us", "for which a fault lasts";
    FAULT_RESTART_US: Plan "fault.*.restart_after_us" 0..=86_400_000_000 "us", "after which a process starts again";
    FAULT_LOSE_COUNT: Plan "fault.lose.count" 0..=1_000_000 "", "elements that a reconnect loses";
    FAULT_MESSAGE_COUNT: Plan "fault.message.count" 0..=1_000_000 "", "messages in a row that are hit";
    FAULT_DELAY_US: Plan "fault.message.action.*.us" 0..=86_400_000_000 "us", "by which a message is late, or after which it comes again";
    FAULT_STEP_US: Plan "fault.clock.change.step.us" 0..=86_400_000_000 "us", "by which a clock jumps, forwards or backwards";
    FAULT_DRIFT_PPM: Plan "fault.clock.change.drift.ppm" 0..=900_000 "ppm", "by which a clock gains or loses";
    FAULT_EXTRA_MS: Plan "fault.*.fault.*.extra_ms" 0..=86_400_000 "ms", "by which a store gets slower, or a commit is late";
    WINDOW_MS: Scenario "nemesis.window_ms" 0..=86_400_000 "ms", "after the beginning in which faults strike";
    AIMED_PERCENT: Scenario "nemesis.aimed_percent" 0..=100 "percent", "of the faults that are aimed at a protocol point";
    DOWN_MS: Scenario "nemesis.down_ms" 0..=86_400_000 "ms", "for which a crashed process stays down";
    PAUSE_MS: Scenario "nemesis.pause_ms" 0..=86_400_000 "ms", "for which a pause lasts";
    ZOMBIE_MS: Scenario "nemesis.zombie_ms" 0..=86_400_000 "ms", "for which a zombie goes on";
    DISCONNECT_MS: Scenario "nemesis.disconnect_ms" 0..=86_400_000 "ms", "for which a disconnect lasts; an isolation, a hold and a half-open connection as well";
    ELEMENTS: Scenario "nemesis.elements" 1..=1_000_000 "", "elements that a lossy reconnect loses";
    DELAY_MS: Scenario "nemesis.delay_ms" 0..=86_400_000 "ms", "for which a delayed message is held back, or its duplicate";
    MESSAGES: Scenario "nemesis.messages" 1..=1_000_000 "", "messages in a row that are hit";
    STORE_MS: Scenario "nemesis.store_ms" 0..=86_400_000 "ms", "for which a store misbehaves";
    STORE_EXTRA_MS: Scenario "nemesis.store_extra_ms" 0..=86_400_000 "ms", "by which a slow store gets slower";
    SINK_MS: Scenario "nemesis.sink_ms" 0..=86_400_000 "ms", "for which the sink target misbehaves";
    SINK_EXTRA_MS: Scenario "nemesis.sink_extra_ms" 0..=86_400_000 "ms", "by which a delayed commit is late";
    CLOCK_STEP_MS: Scenario "nemesis.clock_step_ms" 0..=86_400_000 "ms", "by which a clock jumps, or is off from the beginning";
    CLOCK_DRIFT_PPM: Scenario "nemesis.clock_drift_ppm" 0..=900_000 "ppm", "by which a clock gains or loses";
    IDLE_MS: Scenario "nemesis.idle_ms" 0..=86_400_000 "ms", "for which a split has nothing new";
    LIVENESS_MS: Both "liveness_ms" 1..=604_800_000 "ms", "after the faults have ended, within which the job must finish";
    SAFETY_MS: Plan "safety_ms" 0..=86_400_500 "ms", "after the beginning, when faults end and everything is healed";
    LOST: Plan "lost" 0..=1_000 "", "workers that are not healed";
    SALT: Plan "salt" 0..=18_446_744_073_709_551_615 "", "what the scenario adds to the seed, so that one seed is another draw in each";
    SEED: Plan "seed" 0..=18_446_744_073_709_551_615 "", "the number that delays in the run are drawn from";
}
