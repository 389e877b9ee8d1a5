//! A join of two keyed streams by time: each record with those of the other that are near enough.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::dataflow::{
    Collector, Context, Data, KeyedStream, MapState, Processed, StateDeclarations, TwoInputOperator,
};
use crate::protocol::{Defect, DefectSet};

/// Makes one record of two.
type PairFn<L, R, O> = Arc<dyn Fn(&L, &R) -> O + Send + Sync>;

/// Two keyed streams that are to be joined by time; see [`KeyedStream::interval_join`].
#[must_use = "a stream that nothing consumes is a build error"]
pub struct IntervalJoin<K, L, R> {
    left: KeyedStream<K, L>,
    right: KeyedStream<K, R>,
    bounds: Bounds,
}

/// How much later than the left record the right one may be; earlier where it is negative.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    lower_ms: i64,
    upper_ms: i64,
}

impl Bounds {
    /// How long a left record waits for right ones.
    fn left_waits(self) -> i64 {
        self.upper_ms.max(0)
    }

    /// How long a right record waits for left ones.
    fn right_waits(self) -> i64 {
        self.lower_ms.saturating_neg().max(0)
    }

    /// As the operator waits with these defects.
    fn seen(self, defects: DefectSet) -> Self {
        if defects.has(Defect::JoinWaitsSwapped) {
            let (lower_ms, upper_ms) =
                (self.upper_ms.saturating_neg(), self.lower_ms.saturating_neg());
            return Self { lower_ms, upper_ms };
        }
        self
    }

    fn hold(self, left: i64, right: i64) -> bool {
        let later = i128::from(right) - i128::from(left);
        (i128::from(self.lower_ms)..=i128::from(self.upper_ms)).contains(&later)
    }
}

/// The operator of [`IntervalJoin::process`]: keeps the records of both sides by time, as long as one of the
/// other side may come that is near enough (Flink: `IntervalJoinOperator`).
pub struct JoinOperator<L, R, O> {
    left: MapState<i64, Vec<L>>,
    right: MapState<i64, Vec<R>>,
    bounds: Bounds,
    pair: PairFn<L, R, O>,
}

impl<L, R, O> Clone for JoinOperator<L, R, O> {
    fn clone(&self) -> Self {
        let (left, right) = (self.left.clone(), self.right.clone());
        Self { left, right, bounds: self.bounds, pair: Arc::clone(&self.pair) }
    }
}

/// Keeps a record until the watermark has come so much further than its time; none that is late.
fn keep<T: Data>(
    state: &MapState<i64, Vec<T>>,
    record: &T,
    waits: i64,
    ctx: &mut Context<'_>,
) -> bool {
    let at = ctx.timestamp();
    if at <= ctx.watermark() {
        ctx.drop_late();
        return false;
    }
    let mut kept = ctx.map(state);
    let mut together = kept.get(&at).unwrap_or_default();
    together.push(record.clone());
    kept.insert(&at, &together);
    ctx.register_timer(at.saturating_add(waits));
    true
}

impl<L: Data, R: Data, O: Data> TwoInputOperator for JoinOperator<L, R, O> {
    type Left = L;
    type Right = R;
    type Out = O;

    fn process_left(&mut self, left: L, ctx: &mut Context<'_>, out: &mut Collector<'_, O>) {
        if !keep(&self.left, &left, self.bounds.seen(ctx.defects).left_waits(), ctx) {
            return;
        }
        let at = ctx.timestamp();
        for (other, rights) in ctx.map(&self.right).iter().filter(|(r, _)| self.bounds.hold(at, *r))
        {
            rights.iter().for_each(|right| out.emit_at(at.max(other), (self.pair)(&left, right)));
        }
    }

    fn process_right(&mut self, right: R, ctx: &mut Context<'_>, out: &mut Collector<'_, O>) {
        if !keep(&self.right, &right, self.bounds.seen(ctx.defects).right_waits(), ctx) {
            return;
        }
        let at = ctx.timestamp();
        for (other, lefts) in ctx.map(&self.left).iter().filter(|(l, _)| self.bounds.hold(*l, at)) {
            lefts.iter().for_each(|left| out.emit_at(at.max(other), (self.pair)(left, &right)));
        }
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, _: &mut Collector<'_, O>) {
        let bounds = self.bounds.seen(ctx.defects);
        let (left, right) = (bounds.left_waits(), bounds.right_waits());
        ctx.map(&self.left).remove(&at.saturating_sub(left));
        ctx.map(&self.right).remove(&at.saturating_sub(right));
    }
}

impl<K: Data, L: Data> KeyedStream<K, L> {
    /// This stream and another, whose records are joined where key and time are near enough (Flink:
    /// `KeyedStream.intervalJoin`): the right record's time minus the left one's, in milliseconds, is in
    /// `later_ms`. Both bounds belong to it.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::explore::Check;
    ///
    /// let job = JobBuilder::new("clicks");
    /// let shown = job.source("shown", Replay::<(u8, char)>::new(), 1, 1).key_by(|shown| shown.0);
    /// let clicked = job.source("clicked", Replay::<(u8, char)>::new(), 1, 1).key_by(|click| click.0);
    /// shown
    ///     .interval_join(&clicked, 0..=1)
    ///     .process("joined", 1, |shown, clicked| (shown.1, clicked.1))
    ///     .transactional_sink("pairs", 1, EncodedSink::new());
    /// // The time of each is its place: 'b' is shown at 1, and clicked at 0 and 2.
    /// let shown = [(1_u8, 'a'), (7, 'b')].map(|shown| Replay::entry(&shown)).to_vec();
    /// let clicked = [(7_u8, 'x'), (1, 'y'), (7, 'z')].map(|click| Replay::entry(&click)).to_vec();
    /// let pairs = [('a', 'y'), ('b', 'z')];
    /// Check::new(&job, Input::new(vec![shown, clicked]), &pairs)?.seeds(0..2).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When no time is in `later_ms`.
    pub fn interval_join<R: Data>(
        &self,
        right: &KeyedStream<K, R>,
        later_ms: RangeInclusive<i64>,
    ) -> IntervalJoin<K, L, R> {
        let (lower_ms, upper_ms) = later_ms.into_inner();
        assert!(lower_ms <= upper_ms, "no time is between {lower_ms} and {upper_ms} ms later");
        let bounds = Bounds { lower_ms, upper_ms };
        IntervalJoin { left: self.clone(), right: right.clone(), bounds }
    }
}

impl<K: Data, L: Data, R: Data> IntervalJoin<K, L, R> {
    /// Emits what `pair`, which must be pure, makes of each two that belong together, with the later of
    /// their times. What comes behind the watermark is dropped, and told so: what it belongs to may be gone.
    pub fn process<O: Data>(
        &self,
        name: &str,
        parallelism: u16,
        pair: impl Fn(&L, &R) -> O + Send + Sync + 'static,
    ) -> Processed<JoinOperator<L, R, O>, O> {
        let (bounds, pair): (_, PairFn<L, R, O>) = (self.bounds, Arc::new(pair));
        let connected = self.left.connect(self.right.clone());
        connected.process2(name, parallelism, move |states: &mut StateDeclarations| JoinOperator {
            left: states.map("left"),
            right: states.map("right"),
            bounds,
            pair: Arc::clone(&pair),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_belong_to_the_interval_and_no_time_is_out_of_range() {
        let bounds = Bounds { lower_ms: -2, upper_ms: 5 };
        let near: Vec<i64> = (0..20).filter(|right| bounds.hold(10, *right)).collect();
        assert_eq!(near, [8, 9, 10, 11, 12, 13, 14, 15]);
        assert_eq!((bounds.left_waits(), bounds.right_waits()), (5, 2));
        assert!(!bounds.hold(i64::MIN, i64::MAX));
        let past = Bounds { lower_ms: i64::MIN, upper_ms: -3 };
        assert_eq!((past.left_waits(), past.right_waits()), (0, i64::MAX));
    }
}
