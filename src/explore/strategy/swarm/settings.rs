//! What a swarm chooses from, by setting: extremes, rather than what is usual.

use super::Variation;
use crate::dataflow::Deal;
use crate::plan::{Latency, Setting, Span};
use crate::workload::Workload;

impl Variation {
    pub(super) fn job(&mut self, workload: &Workload) {
        const SUBTASKS: &[u64] = &[1, 2, 3, 4];
        const SPLITS_MORE: &[u64] = &[0, 1, 3];
        const SHARES: &[u64] = &[1, 2, 4];
        const DEALS: &[Deal] =
            &[Deal::Uneven, Deal::Empty { splits: 1 }, Deal::Empty { splits: 2 }];
        if let Some(share) = self.pick(Setting::Records, SHARES) {
            let records = &mut self.varied.job.records;
            *records = records.map(|range| just((range.max / share).max(1)));
        }
        if let Some(parallelism) = self.pick(Setting::Parallelism, SUBTASKS) {
            self.varied.job.parallelism = just(parallelism);
        }
        if workload.single_split {
            return;
        }
        if let Some(deal) = self.pick(Setting::Deal, DEALS) {
            self.varied.job.deal = vec![deal];
        }
        let job = &self.varied.job;
        let (subtasks, splits) = (job.parallelism, job.splits);
        let more = self.pick(Setting::Splits, SPLITS_MORE);
        let min = more.map_or(splits.min, |more| subtasks.max + more).max(subtasks.max);
        let max = if more.is_some() { min } else { splits.max.max(min) };
        self.varied.job.splits = Span::new(min, max);
    }

    pub(super) fn cluster(&mut self) {
        const WORKERS: &[Span] = &[Span::new(1, 2), Span::new(2, 3), Span::new(4, 6)];
        const CREDITS: &[Span] =
            &[Span::new(1, 1), Span::new(1, 2), Span::new(2, 6), Span::new(32, 128)];
        const BUFFERS: &[Span] = &[Span::new(4, 12), Span::new(16, 64), Span::new(300, 4_000)];
        const SOURCE_INTERVALS_US: &[Span] =
            &[Span::new(0, 100), Span::new(300, 1_000), Span::new(1_000, 6_000)];
        const BATCHES: &[Span] = &[Span::new(1, 1), Span::new(2, 8), Span::new(24, 64)];
        const MAILBOXES_US: &[Span] =
            &[Span::new(0, 0), Span::new(0, 500), Span::new(0, 20_000), Span::new(0, 80_000)];
        const STORES_US: &[Span] =
            &[Span::new(50, 500), Span::new(2_000, 10_000), Span::new(10_000, 40_000)];
        let workers = self.pick(Setting::Workers, WORKERS);
        let credits = self.pick(Setting::Credits, CREDITS);
        let interval = self.pick(Setting::SourceInterval, SOURCE_INTERVALS_US);
        let batch = self.pick(Setting::SinkBatch, BATCHES);
        let mailbox = self.pick(Setting::Mailbox, MAILBOXES_US);
        let stores = self.pick(Setting::Stores, STORES_US);
        let buffers = self.pick(Setting::Buffers, BUFFERS);
        let cluster = &mut self.varied.cluster;
        replace(&mut cluster.workers, workers);
        replace(&mut cluster.credits, credits);
        if let (Some(ranges), Some(bytes)) = (&mut cluster.buffers, buffers) {
            ranges.bytes = bytes;
        }
        replace(&mut cluster.source_interval_us, interval);
        replace(&mut cluster.sink_batch, batch);
        replace(&mut cluster.mailbox_us, mailbox);
        replace(&mut cluster.object_store_us, stores);
        replace(&mut cluster.meta_store_us, stores);
    }

    pub(super) fn checkpoints(&mut self) {
        const RHYTHMS_MS: &[(Span, Span)] = &[
            (Span::new(5, 15), Span::new(0, 0)),
            (Span::new(20, 50), Span::new(0, 5)),
            (Span::new(100, 250), Span::new(0, 50)),
        ];
        const TIMEOUTS_MS: &[Span] =
            &[Span::new(60, 200), Span::new(300, 600), Span::new(1_500, 3_000)];
        const AT_ONCE: &[Span] = &[Span::new(1, 1), Span::new(2, 3), Span::new(4, 6)];
        const FAILURES: &[Span] = &[Span::new(0, 1), Span::new(2, 5), Span::new(100, 100)];
        const RETAINED: &[Span] = &[Span::new(1, 1), Span::new(2, 5)];
        let rhythm = self.pick(Setting::Interval, RHYTHMS_MS);
        let timeout = self.pick(Setting::Timeout, TIMEOUTS_MS);
        let concurrent = self.pick(Setting::Concurrency, AT_ONCE);
        let concurrent =
            concurrent.filter(|_| !self.varied.checkpoints.protocol.is_one_at_a_time());
        let tolerated = self.pick(Setting::FailuresTolerated, FAILURES);
        let retained = self.pick(Setting::Retained, RETAINED);
        let checkpoints = &mut self.varied.checkpoints;
        replace(&mut checkpoints.interval_ms, rhythm.map(|rhythm| rhythm.0));
        replace(&mut checkpoints.pause_min_ms, rhythm.map(|rhythm| rhythm.1));
        replace(&mut checkpoints.timeout_ms, timeout);
        replace(&mut checkpoints.concurrent_max, concurrent);
        replace(&mut checkpoints.failures_tolerated, tolerated);
        replace(&mut checkpoints.retained, retained);
    }

    pub(super) fn links(&mut self) {
        const CHANNELS: &[Latency] = &[
            Latency::Uniform(Span::new(50, 500)),
            Latency::Uniform(Span::new(1_000, 20_000)),
            Latency::HeavyTail(Span::new(200, 20_000)),
            Latency::HeavyTail(Span::new(1_000, 150_000)),
        ];
        const CONTROL: &[Latency] = &[
            Latency::Uniform(Span::new(50, 500)),
            Latency::Uniform(Span::new(1_000, 20_000)),
            Latency::HeavyTail(Span::new(200, 60_000)),
        ];
        const BYTE_NS: &[Span] = &[Span::new(0, 0), Span::new(500, 4_000)];
        const SLOW: &[Span] = &[Span::new(0, 0), Span::new(1, 1), Span::new(2, 4)];
        const SLOW_CONTROL: &[Span] = &[Span::new(0, 0), Span::new(1, 1), Span::new(2, 4)];
        let channels = self.pick(Setting::Channels, CHANNELS);
        let control = self.pick(Setting::Control, CONTROL);
        let byte_ns = self.pick(Setting::Bandwidth, BYTE_NS);
        let slow = self.pick(Setting::SlowLinks, SLOW);
        let slow_control = self.pick(Setting::SlowControl, SLOW_CONTROL);
        let links = &mut self.varied.links;
        replace(&mut links.channels, channels);
        replace(&mut links.control, control);
        replace(&mut links.byte_ns, byte_ns);
        replace(&mut links.slow, slow);
        replace(&mut links.slow_control, slow_control);
        replace(&mut links.slow_us, slow.map(|_| Span::new(10_000, 100_000)));
    }

    pub(super) fn nemesis(&mut self) {
        const AIMED_PERCENT: &[u8] = &[0, 50, 80, 100];
        const DOWN_MS: &[Span] = &[Span::new(1, 20), Span::new(1, 150), Span::new(100, 600)];
        let Some(mut stream) = self.dice(Setting::Nemesis) else { return };
        let aimed = stream.pick(AIMED_PERCENT).copied();
        let down = stream.pick(DOWN_MS).copied();
        let nemesis = &mut self.varied.nemesis;
        replace(&mut nemesis.aimed_percent, aimed);
        replace(&mut nemesis.down_ms, down);
    }
}

fn just(number: u64) -> Span {
    Span::new(number, number)
}

fn replace<T>(setting: &mut T, choice: Option<T>) {
    if let Some(choice) = choice {
        *setting = choice;
    }
}
