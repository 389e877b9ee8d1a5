//! Sinks with a protocol of their own: one that breaks the rules fails by name, and the engine does not.

use std::time::Duration;

use cutwater::dataflow::{
    Batch, BuildError, CheckpointOutcome, CommittableId, CommittingSink, Input, JobBuilder,
    NoAnswer, Opening, Replay, RowMaker, SinkOutputs, StagingWriter,
};
use cutwater::explore::Check;
use cutwater::external::Row;
use cutwater::external::queue::{Acknowledged, DeduplicatingQueue, Publish};
use cutwater::plan::scenario;
use cutwater::protocol::CheckpointId;
use cutwater::sinks::QueueSink;

/// What a sink does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    OpensTwice,
    PreparesWhatIsNotAsked,
    ConfirmsTwice,
    AsksNonsense,
    GivesUp,
    PromisesTooMuch,
}

#[derive(Clone)]
struct Rogue {
    wrong: Wrong,
    rows: Vec<Row>,
}

impl CommittingSink for Rogue {
    type In = u64;
    type Committable = Vec<Row>;
    type State = ();
    type Token = Option<CommittableId>;
    type Answer = Acknowledged;

    fn open(&mut self, _: Opening<(), Vec<Row>>, out: &mut SinkOutputs<'_, Self::Token>) {
        out.opened();
        if self.wrong == Wrong::OpensTwice {
            out.opened();
        }
    }

    fn write(&mut self, number: u64, row: RowMaker, out: &mut SinkOutputs<'_, Self::Token>) {
        self.rows.push(row.of(&number));
        match self.wrong {
            Wrong::PreparesWhatIsNotAsked => out.prepared(CheckpointId(77)),
            Wrong::AsksNonsense => out.ask(None, &[0xFF_u8; 3]),
            Wrong::GivesUp => out.fail("I have had enough"),
            Wrong::Nothing | Wrong::OpensTwice | Wrong::ConfirmsTwice | Wrong::PromisesTooMuch => {}
        }
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, Self::Token>,
    ) -> Vec<Vec<Row>> {
        out.prepared(checkpoint);
        let rows = std::mem::take(&mut self.rows);
        match self.wrong {
            _ if rows.is_empty() => Vec::new(),
            Wrong::PromisesTooMuch => vec![Vec::new(); (1 << 16) + 1],
            _ => vec![rows],
        }
    }

    fn freeze(&self) -> Vec<()> {
        Vec::new()
    }

    fn commit(&mut self, batch: Batch<Vec<Row>>, out: &mut SinkOutputs<'_, Self::Token>) {
        let producer = format!("rogue-{}", batch.checkpoint);
        for (part, rows) in batch.parts {
            out.ask(Some(part), &Publish { producer: producer.clone(), number: 0, rows });
        }
    }

    fn handle_answer(
        &mut self,
        part: Self::Token,
        _: Result<Acknowledged, NoAnswer>,
        out: &mut SinkOutputs<'_, Self::Token>,
    ) {
        let Some(part) = part else { return };
        out.committed(part);
        if self.wrong == Wrong::ConfirmsTwice {
            out.committed(part);
        }
    }

    fn handle_timer(&mut self, _: Self::Token, _: &mut SinkOutputs<'_, Self::Token>) {}

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, Self::Token>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What a job with such a sink is told in a run in which nothing else fails.
fn told(wrong: Wrong) -> Option<String> {
    let job = JobBuilder::new("rogue");
    job.external_system(DeduplicatingQueue::new());
    let numbers = job.source("numbers", Replay::new(), 1, 1);
    numbers.committing_sink("orders", 1, Rogue { wrong, rows: Vec::new() });
    told_of(&job)
}

/// What a job that passes numbers on is told in such a run.
fn told_of(job: &JobBuilder) -> Option<String> {
    let numbers: Vec<u64> = (0..40).collect();
    let input = Input::dealt(numbers.iter().map(Replay::entry), 1);
    let calm = scenario::named("calm").expect("it is built in").clone();
    let check = Check::new(job, input, &numbers).expect("a job").scenario(calm).seeds(0..1);
    let check = check.out(concat!(env!("CARGO_TARGET_TMPDIR"), "/sinks"));
    check.run().err().map(|failure| failure.to_string())
}

#[track_caller]
fn is_told(wrong: Wrong, words: &str) {
    let told = told(wrong).expect("something is wrong with it");
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("orders/0") && told.contains(words), "{told}\nwanted: {words}");
}

#[test]
fn a_right_sink_holds() {
    assert_eq!(told(Wrong::Nothing), None);
}

#[test]
fn what_a_sink_does_in_the_wrong_state_is_told_with_its_name() {
    is_told(Wrong::OpensTwice, "it says that it is open, and nobody waits for that");
    is_told(Wrong::PreparesWhatIsNotAsked, "nothing is being prepared for ckpt-77");
    is_told(Wrong::ConfirmsTwice, "was not to be committed");
    is_told(Wrong::GivesUp, "I have had enough");
    is_told(Wrong::PromisesTooMuch, "it promises 65537 committables");
}

#[test]
fn a_request_that_the_system_does_not_understand_is_told_with_its_words() {
    is_told(Wrong::AsksNonsense, "the system refuses a request: no message of a queue");
}

#[test]
fn a_job_without_a_system_for_its_sink_is_refused() {
    let job = JobBuilder::new("lonely");
    job.source("numbers", Replay::<u64>::new(), 1, 1).committing_sink(
        "orders",
        1,
        QueueSink::new("numbers"),
    );
    let refused = job.build().expect_err("there is nobody to speak with");
    assert_eq!(refused, BuildError::NoExternalSystem { operator: "orders".to_owned() });
}

/// Stages what it is given, and takes its time to say that it is durable.
#[derive(Clone, Default)]
struct Leisurely {
    numbers: Vec<u64>,
}

impl StagingWriter for Leisurely {
    type In = u64;
    type Staged = u64;
    type State = ();
    type Token = CheckpointId;
    type Answer = Acknowledged;

    fn open(&mut self, _: Opening<(), ()>, out: &mut SinkOutputs<'_, CheckpointId>) {
        out.opened();
    }

    fn write(&mut self, number: u64, _: RowMaker, _: &mut SinkOutputs<'_, CheckpointId>) {
        self.numbers.push(number);
    }

    fn stage(
        &mut self,
        _: Option<CheckpointId>,
        _: &mut SinkOutputs<'_, CheckpointId>,
    ) -> Vec<u64> {
        std::mem::take(&mut self.numbers)
    }

    fn flush(&mut self, checkpoint: CheckpointId, out: &mut SinkOutputs<'_, CheckpointId>) {
        out.wake(Duration::from_millis(1), checkpoint);
    }

    fn freeze(&self) -> Vec<()> {
        Vec::new()
    }

    fn handle_answer(
        &mut self,
        _: CheckpointId,
        _: Result<Acknowledged, NoAnswer>,
        out: &mut SinkOutputs<'_, CheckpointId>,
    ) {
        out.fail("it has asked nothing");
    }

    fn handle_timer(&mut self, checkpoint: CheckpointId, out: &mut SinkOutputs<'_, CheckpointId>) {
        out.prepared(checkpoint);
    }
}

#[test]
fn a_timer_of_a_staging_writer_fires() {
    let job = JobBuilder::new("leisurely");
    job.external_system(DeduplicatingQueue::new());
    let numbers = job.source("numbers", Replay::new(), 1, 1);
    let staged = numbers.staging_writer("stage", 1, Leisurely::default());
    staged.committing_sink("orders", 1, QueueSink::new("numbers"));
    assert_eq!(told_of(&job), None);
}
