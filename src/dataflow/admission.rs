//! Which protocols a job can run under.

use super::build_error::BuildError;
use super::graph::Graph;
use super::router::{Consumer, Partition};
use crate::protocol::{CheckpointSettings, Guarantee, Protocol};

impl Graph {
    /// Whether the job can take checkpoints in this way, and gets the guarantee that it requires.
    pub(crate) fn admits(&self, settings: &CheckpointSettings) -> Result<(), BuildError> {
        let protocol = settings.protocol;
        if protocol.is_one_at_a_time() && settings.concurrent_max > 1 {
            let concurrent_max = settings.concurrent_max;
            return Err(BuildError::TooManyAtOnce { protocol, concurrent_max });
        }
        self.gives(protocol)?;
        self.has_answer_to_loops(protocol)?;
        if protocol.may_overtake() { self.can_keep_channel_state(protocol) } else { Ok(()) }
    }

    fn gives(&self, protocol: Protocol) -> Result<(), BuildError> {
        match self.required {
            Some(required) if protocol.guarantee() != required => {
                Err(BuildError::OtherGuarantee { protocol, required })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn has_answer_to_loops(&self, protocol: Protocol) -> Result<(), BuildError> {
        if protocol.traits().has_loops { Ok(()) } else { self.has_no_loop(protocol) }
    }

    fn has_no_loop(&self, protocol: Protocol) -> Result<(), BuildError> {
        let looped = |index: &usize| {
            self.nodes[*index].inputs.iter().any(|input| self.leads_to(*index, input.from))
        };
        let first = (0..self.nodes.len()).find(looped);
        first.map_or(Ok(()), |index| {
            let operator = self.nodes[index].name.clone();
            Err(BuildError::LoopWithoutLog { protocol, operator })
        })
    }

    /// Each receiver of a broadcast would put its own copy back, at a place of its own in the order
    /// (FLINK-22815).
    fn can_keep_channel_state(&self, protocol: Protocol) -> Result<(), BuildError> {
        let broadcasts = |consumer: &Consumer| matches!(consumer.partition, Partition::Broadcast);
        let sender = self.nodes.iter().find(|node| node.consumers.iter().any(broadcasts));
        sender.map_or(Ok(()), |node| {
            Err(BuildError::ChannelStateOfBroadcast { protocol, operator: node.name.clone() })
        })
    }

    /// The job must have this guarantee, and no other.
    pub(crate) fn require(&mut self, guarantee: Guarantee) {
        self.required = Some(guarantee);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::{EncodedSink, JobBuilder, Replay};

    fn settings(protocol: Protocol, concurrent_max: u32) -> CheckpointSettings {
        CheckpointSettings {
            protocol,
            aligned_timeout_ms: 10,
            interval_ms: 100,
            pause_min_ms: 0,
            timeout_ms: 1000,
            concurrent_max,
            failures_tolerated: 0,
            retained: 1,
        }
    }

    fn job(is_broadcast: bool) -> JobBuilder {
        let job = JobBuilder::new("copy");
        let lines = job.source("lines", Replay::<u64>::new(), 1, 1);
        let lines = if is_broadcast { lines.broadcast() } else { lines.rebalance() };
        lines.transactional_sink("out", 2, EncodedSink::new());
        job
    }

    fn refusal(job: &JobBuilder, settings: &CheckpointSettings) -> Option<String> {
        job.checkpoints(settings).build().err().map(|error| error.to_string())
    }

    #[test]
    fn only_the_cyclic_protocol_has_an_answer_to_loops() {
        let job = JobBuilder::new("round");
        let again = job.feedback::<u64>("again");
        let numbers = job.source("numbers", Replay::<u64>::new(), 1, 1);
        let halved = numbers.merge("all", 1, &again.stream()).map("halve", 1, |n| n / 2);
        again.close(&halved.filter("left", 1, |n| *n > 0));
        halved.transactional_sink("out", 1, EncodedSink::new());
        assert_eq!(refusal(&job, &settings(Protocol::Cyclic, 3)), None);
        for protocol in [
            Protocol::Aligned,
            Protocol::AtLeastOnce,
            Protocol::Unaligned,
            Protocol::Hybrid,
            Protocol::StopTheWorld,
        ] {
            let words = format!(
                "`all` is on a loop, and {protocol} barriers have no answer to loops: use cyclic"
            );
            assert_eq!(refusal(&job, &settings(protocol, 1)), Some(words));
        }
    }

    #[test]
    fn a_protocol_that_a_job_cannot_have_is_refused_with_the_reason() {
        let unaligned = settings(Protocol::Unaligned, 1);
        assert_eq!(refusal(&job(false), &unaligned), None);
        assert_eq!(
            refusal(&job(true), &unaligned).as_deref(),
            Some(
                "`lines` broadcasts, and unaligned barriers would leave each receiver with channel \
                 state of its own: use aligned, or another partitioner"
            )
        );
        assert_eq!(
            refusal(&job(false), &settings(Protocol::Hybrid, 2)).as_deref(),
            Some("hybrid takes one checkpoint at a time, not 2")
        );
        let at_least_once = job(false);
        at_least_once.requires(Guarantee::AtLeastOnce);
        assert_eq!(
            refusal(&at_least_once, &unaligned).as_deref(),
            Some("the job is to be at-least-once, and unaligned is exactly-once")
        );
        assert_eq!(refusal(&at_least_once, &settings(Protocol::AtLeastOnce, 3)), None);
        let exactly_once = job(false);
        exactly_once.requires(Guarantee::ExactlyOnce);
        assert!(refusal(&exactly_once, &settings(Protocol::AtLeastOnce, 1)).is_some());
    }
}
