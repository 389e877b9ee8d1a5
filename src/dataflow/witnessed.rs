//! The one door to what users write: nothing passes it that the witness of the job does not see.

use super::record::Outputs;
use super::task::Task;
use super::witness::Watch;

/// The task side of a subtask, and who watches it, where somebody does.
#[derive(Clone)]
pub(crate) struct Witnessed {
    task: Task,
    watch: Option<Watch>,
}

impl Witnessed {
    pub(crate) fn new(task: Task, watch: Option<Watch>) -> Self {
        Self { task, watch }
    }

    /// Gives the task something, and room for what it makes of it. A witness is shown both. Every call that may emit
    /// anything comes through here, whatever it is for.
    #[inline]
    pub(crate) fn give<G, R>(
        &mut self,
        given: G,
        out: &mut Outputs,
        show: impl FnOnce(&Watch, &G),
        call: impl FnOnce(&mut Task, G, &mut Outputs) -> R,
    ) -> R {
        let Some(watch) = &self.watch else { return call(&mut self.task, given, out) };
        show(watch, &given);
        let before = (out.items.len(), out.written.len());
        let answer = call(&mut self.task, given, out);
        watch.end(out, before);
        answer
    }

    /// The task, for what is given no room to emit anything in.
    pub(crate) fn quiet(&mut self) -> &mut Task {
        &mut self.task
    }

    pub(crate) fn task(&self) -> &Task {
        &self.task
    }

    pub(crate) fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use crate::dataflow::witness::{Observation, Taken, Witness};
    use crate::dataflow::{
        Collector, Context, EncodedSink, Item, JobBuilder, Operator, Outputs, Payload, Record,
        Replay, StateDeclarations, Subtask,
    };
    use crate::protocol::{DefectSet, LineageId, SplitId, SubtaskId};

    /// Emits its key when the clock has gone on by 1 ms.
    #[derive(Clone)]
    struct Echo;

    impl Operator for Echo {
        type In = u64;
        type Out = u64;

        fn process(&mut self, _: u64, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
            ctx.register_processing_timer(ctx.processing_time() + 1);
        }

        fn on_processing_timer(
            &mut self,
            _: i64,
            _: &mut Context<'_>,
            out: &mut Collector<'_, u64>,
        ) {
            out.emit(7);
        }
    }

    /// A source, an operator that asks a service, one with timers, and a sink; all seen by the witness.
    fn subtask(index: u16, witness: &Witness) -> Subtask {
        let builder = JobBuilder::new("seen");
        builder
            .source("numbers", Replay::<u64>::new(), 1, 1)
            .unordered_wait("ask", 1, 2, |number: u64| [number * 10])
            .key_by(|number| *number)
            .process("echo", 1, |_: &mut StateDeclarations| Echo)
            .transactional_sink("out", 1, EncodedSink::new());
        let job = builder.build().unwrap().witnessed(witness.clone());
        job.subtask(SubtaskId(index), DefectSet::NONE)
    }

    fn record(number: u64) -> Item {
        let payload = Payload::from_vec(postcard::to_stdvec(&number).unwrap());
        Item::Record(Record { lineage: LineageId(number), timestamp: 0, payload })
    }

    /// What was taken, and the values of what was made.
    fn told(seen: &[Observation]) -> Vec<(Taken, Vec<&str>)> {
        assert!(seen.iter().all(|seen| seen.is_done));
        let told = seen
            .iter()
            .map(|seen| (seen.taken, seen.made.iter().map(|(_, value)| value.as_str()).collect()));
        told.collect()
    }

    #[test]
    fn an_answer_is_seen_with_the_record_that_it_is_about() {
        let (witness, mut out) = (Witness::new(), Outputs::default());
        let mut asking = subtask(1, &witness);
        asking.process(0, record(4), &mut out);
        assert_eq!(told(&witness.take()), [(Taken::Record, vec![])]);
        asking.answer(0);
        asking.emit_answered(&mut out);
        let seen = witness.take();
        assert_eq!(told(&seen), [(Taken::Answer, vec!["40"])]);
        assert_eq!(seen[0].lineage, Some(LineageId(4)));
        assert_eq!(seen[0].value.as_deref(), Some("4"));
    }

    #[test]
    fn timers_in_processing_time_are_seen() {
        let (witness, mut out) = (Witness::new(), Outputs::default());
        let mut echo = subtask(2, &witness);
        echo.process(0, record(4), &mut out);
        out.now_ms = 3;
        echo.fire_processing_timers(&mut out);
        let seen = witness.take();
        assert_eq!(told(&seen), [(Taken::Record, vec![]), (Taken::Clock(3), vec!["7"])]);
    }

    #[test]
    fn the_end_of_a_split_is_seen() {
        let (witness, mut out) = (Witness::new(), Outputs::default());
        let mut source = subtask(0, &witness);
        source.end_split(SplitId(0), &mut out);
        assert_eq!(told(&witness.take()), [(Taken::End, vec![])]);
    }
}
