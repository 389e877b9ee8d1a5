//! The conformance check passes honest user code, and catches what hides state.

use cutwater::dataflow::conformance::{
    Divergence, Step, TwoInputStep, check, check_source, check_two_input,
};
use cutwater::dataflow::{
    Collector, Context, Entry, ListState, Operator, Source, SourceCollector, StateDeclarations,
    TwoInputOperator,
};

use super::harness::{Obedient, Op};
use super::source::Numbering;

fn steps() -> Vec<Step<(u16, Op)>> {
    let ops =
        [Op::SetValue(1), Op::RegisterTimer(5), Op::Insert(1, 2), Op::Show, Op::Push("a".into())];
    let mut steps: Vec<_> =
        (0..).zip(ops).map(|(key, op)| Step::Record(3, (key % 2, op))).collect();
    steps.push(Step::Watermark(9));
    steps.push(Step::Record(4, (0, Op::Show)));
    steps
}

#[test]
fn an_operator_with_declared_state_conforms() {
    assert_eq!(check(Obedient::new, |(key, _)| *key, &steps()), Ok(()));
}

/// Counts in a field what belongs in a state.
#[derive(Clone)]
struct Hiding {
    seen: u64,
}

impl Operator for Hiding {
    type In = (u16, Op);
    type Out = u64;

    fn process(&mut self, _: (u16, Op), _: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.seen += 1;
        out.emit(self.seen);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

#[test]
fn an_operator_that_hides_state_in_a_field_is_caught() {
    let divergence = check(|_| Hiding { seen: 0 }, |(key, _)| *key, &steps()).unwrap_err();
    let text = "snapshotted and restored after 1 inputs, input number 1, which is (1, RegisterTimer(5)), gives another \
                output: expected 2, got 1; the operator knows something that is not in its snapshot";
    assert_eq!(divergence.to_string(), text);
}

/// Pairs each right record with all left ones of its key.
#[derive(Clone)]
struct Join {
    left: ListState<u64>,
    /// A cache that the snapshot lacks; unused by an honest join.
    cache: Option<u64>,
    caches: bool,
}

impl Join {
    fn new(states: &mut StateDeclarations, caches: bool) -> Self {
        Self { left: states.list("left"), cache: None, caches }
    }
}

impl TwoInputOperator for Join {
    type Left = u64;
    type Right = String;
    type Out = (u64, String);

    fn process_left(&mut self, n: u64, ctx: &mut Context<'_>, _: &mut Collector<'_, Self::Out>) {
        if self.caches {
            self.cache = Some(n);
        }
        ctx.list(&self.left).push(&n);
    }

    fn process_right(
        &mut self,
        word: String,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    ) {
        match self.cache {
            Some(n) => out.emit((n, word)),
            None => ctx.list(&self.left).iter().for_each(|n| out.emit((n, word.clone()))),
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Self::Out>) {}
}

#[test]
fn a_join_conforms_unless_it_caches_in_a_field() {
    let steps = [
        TwoInputStep::Left(Step::Record(1, 3)),
        TwoInputStep::Left(Step::Record(1, 13)),
        TwoInputStep::Right(Step::Record(2, "abc".to_owned())),
        TwoInputStep::Left(Step::Watermark(5)),
        TwoInputStep::Right(Step::Watermark(5)),
    ];
    let checked = |caches| {
        let make = move |states: &mut StateDeclarations| Join::new(states, caches);
        check_two_input(make, |n| n % 10, |word| word.len() as u64, &steps)
    };
    assert_eq!(checked(false), Ok(()));
    let Err(Divergence::Output { prefix: 2, given, expected, got, .. }) = checked(true) else {
        panic!("it caches: {:?}", checked(true))
    };
    assert_eq!(
        (&*given, &*expected, &*got),
        ("\"abc\"", "(13, \"abc\")", "(3, \"abc\"), (13, \"abc\")")
    );
}

/// Numbers its records without telling the snapshot.
#[derive(Clone)]
struct Forgetful {
    next: u64,
}

impl Source for Forgetful {
    type Out = u64;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, u64>) {
        self.next += entry.bytes.len() as u64;
        out.emit(0, self.next);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

#[test]
fn a_source_conforms_unless_it_forgets() {
    let splits = vec![vec![b"a b".to_vec(), b"c".to_vec()], vec![], vec![b"d".to_vec()]];
    assert_eq!(check_source(Numbering::default(), &splits), Ok(()));
    let divergence = check_source(Forgetful { next: 0 }, &splits);
    assert!(matches!(divergence, Err(Divergence::Output { prefix: 1, .. })), "{divergence:?}");
}

/// Emits an entry byte by byte, and counts in a field or by what it has emitted.
#[derive(Clone)]
struct ByteByByte {
    counts: bool,
    read: usize,
}

impl Source for ByteByByte {
    type Out = u8;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, u8>) {
        let read = if self.counts { self.read } else { out.emitted() as usize };
        out.emit(0, entry.bytes[read]);
        self.read = (read + 1) % entry.bytes.len();
        if self.read != 0 {
            out.pause();
        }
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

#[test]
fn a_snapshot_within_an_entry_finds_what_a_source_knows_only_there() {
    let splits = vec![vec![b"a".to_vec(), b"bcd".to_vec()], vec![b"ef".to_vec()]];
    assert_eq!(check_source(ByteByByte { counts: false, read: 0 }, &splits), Ok(()));
    let divergence = check_source(ByteByByte { counts: true, read: 0 }, &splits);
    assert!(
        matches!(divergence, Err(Divergence::Output { prefix: 1, input: 1, .. })),
        "{divergence:?}"
    );
}
