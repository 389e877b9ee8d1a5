//! Keyed windows: what their records come to, given when the watermark has passed their end.
//!
//! After Flink's `WindowOperator`, with its event-time trigger: a window is given once when the watermark
//! reaches its last instant, again for each record that comes later and is still allowed, and is forgotten
//! when the watermark is past its end by the allowed lateness. What comes then is late.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::window::{TimeWindow, Windows};
use crate::dataflow::{Collector, Context, Data, MapState, Operator, OutputTag, StateDeclarations};
use crate::protocol::Defect;
use crate::protocol::ordered::VecSet;

/// What a window came to; its time is the window's last instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WindowResult<K, V> {
    /// The key of its records.
    pub key: K,
    /// The window.
    pub window: TimeWindow,
    /// What its records came to.
    pub value: V,
}

/// The operator of [`WindowedStream`](super::WindowedStream).
pub struct WindowOperator<K, A: Aggregate> {
    /// The windows of a key that are not forgotten.
    windows: MapState<TimeWindow, A::Accumulator>,
    settings: WindowSettings<A::In>,
    aggregate: A,
    /// What a defect keeps outside of the state: the sessions that it has seen.
    seen: VecSet<(Vec<u8>, TimeWindow)>,
    _key: PhantomData<fn() -> K>,
}

/// Which windows there are, and what becomes of what is late for them.
pub(super) struct WindowSettings<T> {
    pub(super) windows: Windows,
    /// How long after its end a window takes records.
    pub(super) lateness_ms: u32,
    /// Where records go that no window takes; without it they are dropped.
    pub(super) late: Option<OutputTag<T>>,
}

impl<T> Clone for WindowSettings<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for WindowSettings<T> {}

impl<T> WindowSettings<T> {
    /// When the window is forgotten.
    fn cleanup_time(&self, window: TimeWindow) -> i64 {
        window.max_timestamp().saturating_add(i64::from(self.lateness_ms))
    }

    fn is_late(&self, window: TimeWindow, watermark: i64) -> bool {
        self.cleanup_time(window) <= watermark
    }

    /// Whether a record of this time belongs to a window at all: some fall between two that do not meet.
    fn is_in_a_window(&self, timestamp: i64) -> bool {
        self.windows.assign(timestamp).next().is_some()
    }

    /// Whether anything is to be done about the window at this time.
    fn is_due(&self, window: TimeWindow, timestamp: i64) -> bool {
        window.max_timestamp() == timestamp || self.cleanup_time(window) == timestamp
    }
}

impl<K: Data, A: Aggregate> WindowOperator<K, A> {
    pub(super) fn new(
        states: &mut StateDeclarations,
        settings: WindowSettings<A::In>,
        aggregate: A,
    ) -> Self {
        let (seen, _key) = (VecSet::new(), PhantomData);
        Self { windows: states.map("windows"), settings, aggregate, seen, _key }
    }

    /// The windows of a key that are not forgotten; for a conserved quantity.
    #[must_use]
    pub fn state(&self) -> &MapState<TimeWindow, A::Accumulator> {
        &self.windows
    }

    /// Adds the record to one window. Whether that takes it.
    fn add(
        &self,
        record: A::In,
        window: TimeWindow,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, WindowResult<K, A::Out>>,
    ) -> bool {
        if self.settings.is_late(window, ctx.watermark()) {
            return false;
        }
        let before = ctx.map(&self.windows).get(&window);
        let accumulator = before.unwrap_or_else(|| self.aggregate.create());
        let accumulator = self.aggregate.add(record, accumulator);
        self.keep(window, &accumulator, ctx, out);
        true
    }

    /// Adds the record to a session: that which it makes of all those that it touches.
    fn add_to_session(
        &mut self,
        record: A::In,
        new: TimeWindow,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, WindowResult<K, A::Out>>,
    ) -> bool {
        let open = ctx.map(&self.windows).iter();
        let touched: Vec<_> =
            open.filter(|(open, _)| open.touches(new) && self.knows(*open, ctx)).collect();
        let joined = touched.iter().fold(new, |joined, (open, _)| joined.cover(*open));
        if self.settings.is_late(joined, ctx.watermark()) {
            return false;
        }
        let has_merged = touched.iter().any(|(open, _)| *open != joined);
        let mut accumulator = self.aggregate.add(record, self.aggregate.create());
        for (merged, held) in touched {
            if merged == joined || !ctx.defects.has(Defect::MergedSessionForgotten) {
                accumulator = self.aggregate.merge(held, accumulator);
            }
            self.retire(merged, ctx);
        }
        self.remember(joined, ctx);
        self.keep(joined, &accumulator, ctx, out);
        if has_merged && ctx.defects.has(Defect::MergedTimerLost) {
            ctx.delete_timer(joined.max_timestamp());
        }
        true
    }

    /// Keeps what a window has come to; gives it at once where it has been given before.
    fn keep(
        &self,
        window: TimeWindow,
        accumulator: &A::Accumulator,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, WindowResult<K, A::Out>>,
    ) {
        ctx.map(&self.windows).insert(&window, accumulator);
        ctx.register_timer(self.settings.cleanup_time(window));
        if window.max_timestamp() > ctx.watermark() {
            ctx.register_timer(window.max_timestamp());
        } else {
            self.give(window, accumulator, ctx, out);
        }
    }

    /// The session has become part of another. A timer of its that no other window waits for is taken back.
    fn retire(&self, merged: TimeWindow, ctx: &mut Context<'_>) {
        ctx.map(&self.windows).remove(&merged);
        for due in [merged.max_timestamp(), self.settings.cleanup_time(merged)] {
            let mut others = ctx.map(&self.windows).iter();
            if !others.any(|(other, _)| self.settings.is_due(other, due)) {
                ctx.delete_timer(due);
            }
        }
    }

    fn give(
        &self,
        window: TimeWindow,
        accumulator: &A::Accumulator,
        ctx: &Context<'_>,
        out: &mut Collector<'_, WindowResult<K, A::Out>>,
    ) {
        let value = self.aggregate.result(accumulator);
        out.emit_at(window.max_timestamp(), WindowResult { key: ctx.key(), window, value });
    }

    /// Whether the session can be found: all can, unless a defect looks for them in its memory.
    fn knows(&self, session: TimeWindow, ctx: &Context<'_>) -> bool {
        !ctx.defects.has(Defect::MergingSessionsNotSnapshotted)
            || self.seen.contains(&(ctx.encoded_key().to_vec(), session))
    }

    fn remember(&mut self, session: TimeWindow, ctx: &Context<'_>) {
        if ctx.defects.has(Defect::MergingSessionsNotSnapshotted) {
            self.seen.insert((ctx.encoded_key().to_vec(), session));
        }
    }
}

impl<K, A: Aggregate> Clone for WindowOperator<K, A> {
    fn clone(&self) -> Self {
        Self {
            windows: self.windows.clone(),
            settings: self.settings,
            aggregate: self.aggregate.clone(),
            seen: self.seen.clone(),
            _key: PhantomData,
        }
    }
}

impl<K: Data, A: Aggregate> Operator for WindowOperator<K, A> {
    type In = A::In;
    type Out = WindowResult<K, A::Out>;

    fn process(
        &mut self,
        record: A::In,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    ) {
        let mut is_taken = false;
        for window in self.settings.windows.assign(ctx.timestamp()) {
            is_taken |= match self.settings.windows {
                Windows::Tumbling { .. } | Windows::Sliding { .. } => {
                    self.add(record.clone(), window, ctx, out)
                }
                Windows::Session { .. } => self.add_to_session(record.clone(), window, ctx, out),
            };
        }
        if !is_taken && self.settings.is_in_a_window(ctx.timestamp()) {
            match self.settings.late {
                Some(late) => out.emit_to(late, record),
                None => ctx.drop_late(),
            }
        }
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
        let windows = ctx.map(&self.windows).iter();
        let due: Vec<_> = windows.filter(|(window, _)| self.settings.is_due(*window, at)).collect();
        for (window, accumulator) in due {
            if window.max_timestamp() == at {
                self.give(window, &accumulator, ctx, out);
            }
            let is_purged = ctx.defects.has(Defect::WindowPurgedWhenGiven);
            if self.settings.cleanup_time(window) == at || is_purged {
                ctx.map(&self.windows).remove(&window);
            }
        }
    }
}
