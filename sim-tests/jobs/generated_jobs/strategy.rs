//! Draws descriptions of jobs.
//!
//! What is drawn are loose numbers, which [`JobSpec::of`] makes a valid job of: streams are chosen by
//! remainder, and a step that would give too many records is left out. So every smaller draw is a valid
//! smaller job, and shrinking needs no help.

use cutwater::protocol::{Guarantee, Protocol};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::reference::{self, Flow};
use super::spec::{
    Body, Edge, JobSpec, LoopSpec, Partitioner, Row, SinkSpec, SourceSpec, Step, StepKind,
};

/// No stream holds more records than this.
const ROWS_MAX: usize = 400;

/// No job has more subtasks than this.
const SUBTASKS_MAX: u16 = 30;

/// A job, loosely.
#[derive(Clone, Debug)]
pub struct Draft {
    sources: Vec<DraftSource>,
    steps: Vec<DraftStep>,
    sinks: Vec<DraftSink>,
    /// Which of the protocols that the job can have.
    protocol: usize,
}

#[derive(Clone, Debug)]
struct DraftSource {
    parallelism: u16,
    splits: Vec<Vec<Row>>,
    watermark_every: u64,
}

#[derive(Clone, Debug)]
struct DraftStep {
    kind: StepKind,
    parallelism: u16,
    partitioner: Partitioner,
    /// 0 is the newest stream, so that chains are common.
    back: usize,
    second: usize,
}

#[derive(Clone, Debug)]
struct DraftSink {
    parallelism: u16,
    partitioner: Partitioner,
    transactional: bool,
    /// Of a stream that has a consumer already.
    extra: Option<usize>,
}

/// Draws a job.
pub fn draft() -> impl Strategy<Value = Draft> {
    (vec(draft_source(), 1..=3), vec(draft_step(), 0..=6), vec(draft_sink(), 8), any::<usize>())
        .prop_map(|(sources, steps, sinks, protocol)| Draft { sources, steps, sinks, protocol })
}

fn draft_source() -> impl Strategy<Value = DraftSource> {
    let row = (0_u16..6, 0_u64..20).prop_map(|(key, value)| Row { key, value });
    (1_u16..=3, vec(vec(row, 0..60), 1..=4), 1_u64..8).prop_map(
        |(parallelism, splits, watermark_every)| DraftSource {
            parallelism,
            splits,
            watermark_every,
        },
    )
}

fn draft_step() -> impl Strategy<Value = DraftStep> {
    (kind(), 1_u16..=3, partitioner(), 0_usize..3, 0_usize..6).prop_map(
        |(kind, parallelism, partitioner, back, second)| DraftStep {
            kind,
            parallelism,
            partitioner,
            back,
            second,
        },
    )
}

fn draft_sink() -> impl Strategy<Value = DraftSink> {
    let extra = prop::option::weighted(0.1, 0_usize..6);
    (1_u16..=3, partitioner(), prop::bool::weighted(0.85), extra).prop_map(
        |(parallelism, partitioner, transactional, extra)| DraftSink {
            parallelism,
            partitioner,
            transactional,
            extra,
        },
    )
}

fn partitioner() -> impl Strategy<Value = Partitioner> {
    prop_oneof![
        3 => Just(Partitioner::Forward),
        3 => Just(Partitioner::Rebalance),
        2 => Just(Partitioner::Shift),
        1 => Just(Partitioner::Broadcast),
    ]
}

fn kind() -> impl Strategy<Value = StepKind> {
    prop_oneof![
        (0_u64..100).prop_map(|add| StepKind::Map { add }),
        (2_u64..5).prop_map(|modulus| StepKind::Filter { modulus }),
        Just(StepKind::FlatMap),
        Just(StepKind::Remember),
        Just(StepKind::Count),
        Just(StepKind::Distinct),
        Just(StepKind::Total),
        (1_i64..20).prop_map(|width| StepKind::Window { width }),
        Just(StepKind::Join),
        Just(StepKind::Merge),
        round().prop_map(StepKind::Loop),
    ]
}

/// Values begin below sixty thousand: a limit far below makes long ways.
fn round() -> impl Strategy<Value = LoopSpec> {
    let back = select(vec![Partitioner::Forward, Partitioner::Rebalance, Partitioner::Shift]);
    let body = select(vec![Body::Nothing, Body::FlatMap, Body::Remember, Body::Distinct]);
    let ways = (prop::bool::weighted(0.3), prop::bool::weighted(0.3), any::<bool>());
    (100_u64..20_000, back, body, ways).prop_map(|(limit, back, body, ways)| {
        let (inner, shortcut, every_time) = ways;
        LoopSpec { limit, back, body, inner, shortcut, every_time }
    })
}

impl JobSpec {
    /// The job that a draft means.
    pub fn of(draft: &Draft) -> Self {
        let sources: Vec<_> = draft.sources.iter().map(source).collect();
        let mut flows: Vec<Flow> = sources.iter().map(reference::source).collect();
        let protocol = Protocol::Aligned;
        let mut spec = Self { sources, steps: Vec::new(), sinks: Vec::new(), protocol };
        let mut subtasks: u16 = spec.sources.iter().map(|source| source.parallelism).sum();
        for loose in &draft.steps {
            let step = spec.settle(loose, &flows);
            let Some(flow) = reference::step(&step, &flows) else { continue };
            let more = step.parallelism * step.kind.operators();
            if flow.rows.len() <= ROWS_MAX && subtasks + more <= SUBTASKS_MAX {
                subtasks += more;
                flows.push(flow);
                spec.steps.push(step);
            }
        }
        spec.sinks = spec.settle_sinks(&draft.sinks, flows.len());
        spec.settle_protocol(draft.protocol);
        spec
    }

    /// One that the job can have; sinks of one that counts twice write at once.
    fn settle_protocol(&mut self, choice: usize) {
        let protocols = self.protocols();
        self.protocol = protocols[choice % protocols.len()];
        if self.protocol.guarantee() == Guarantee::AtLeastOnce {
            for sink in &mut self.sinks {
                sink.transactional = false;
            }
        }
    }

    fn settle(&self, loose: &DraftStep, flows: &[Flow]) -> Step {
        let stream = flows.len() - 1 - loose.back % flows.len();
        let second = loose.second % flows.len();
        let kind = match loose.kind {
            StepKind::Window { .. } if !flows[stream].is_timed => StepKind::Total,
            kind => kind,
        };
        let (partitioner, parallelism) = match loose.partitioner {
            _ if kind.is_keyed() => (Partitioner::Rebalance, loose.parallelism),
            Partitioner::Broadcast if matches!(kind, StepKind::Loop(_)) => {
                (Partitioner::Shift, loose.parallelism)
            }
            Partitioner::Forward => (Partitioner::Forward, self.parallelism(stream)),
            other => (other, loose.parallelism),
        };
        Step { kind, parallelism, input: Edge { stream, partitioner }, second }
    }

    /// A sink for each stream that nothing consumes, and the extra ones.
    fn settle_sinks(&self, drafts: &[DraftSink], streams: usize) -> Vec<SinkSpec> {
        let mut consumed = vec![false; streams];
        for step in &self.steps {
            consumed[step.input.stream] = true;
            if step.kind.is_binary() {
                consumed[step.second] = true;
            }
        }
        let dangling = (0..streams).filter(|stream| !consumed[*stream]);
        let mut drafts_in_turn = drafts.iter().cycle();
        let needed = dangling.filter_map(|stream| Some((drafts_in_turn.next()?, stream)));
        let extra = drafts.iter().filter_map(|sink| Some((sink, sink.extra? % streams)));
        let all = needed.chain(extra).take(usize::from(u8::MAX));
        all.map(|(sink, stream)| self.sink(sink, stream)).collect()
    }

    fn sink(&self, draft: &DraftSink, stream: usize) -> SinkSpec {
        let parallelism = match draft.partitioner {
            Partitioner::Forward => self.parallelism(stream),
            Partitioner::Rebalance | Partitioner::Shift | Partitioner::Broadcast => {
                draft.parallelism
            }
        };
        let input = Edge { stream, partitioner: draft.partitioner };
        SinkSpec { input, parallelism, transactional: draft.transactional }
    }
}

fn source(draft: &DraftSource) -> SourceSpec {
    let splits = u16::try_from(draft.splits.len()).unwrap_or(u16::MAX);
    SourceSpec {
        parallelism: draft.parallelism.min(splits),
        splits: draft.splits.clone(),
        watermark_every: draft.watermark_every,
    }
}
