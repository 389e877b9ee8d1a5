//! What a subtask knows of event time.

use std::sync::Arc;

use crate::protocol::Digest;
use crate::protocol::ordered::VecSet;

/// The watermark before any has been seen.
pub(super) const WATERMARK_MIN: i64 = i64::MIN;

/// The watermark of an input that has ended.
pub(super) const WATERMARK_MAX: i64 = i64::MAX;

/// When a timer fires, and the digest of its key.
pub(super) type Timer = (i64, Digest);

/// What a subtask knows of event time, on the history that survives.
#[derive(Clone, Debug)]
pub(super) struct TimeProgress {
    /// Its own watermark.
    pub watermark: i64,
    /// What each of its channels has promised; nothing in a source.
    pub inputs: Vec<i64>,
    /// By channel, whether it leads back; empty where none does.
    pub back: Arc<[bool]>,
    /// Registered, and neither fired nor taken back.
    pub pending: VecSet<Timer>,
    /// Of these, those that the last watermark reached; all fire before anything else happens.
    pub due: VecSet<Timer>,
    /// The records it dropped as late, in order.
    pub dropped: Vec<Digest>,
    /// False once it began from a cut that the trace does not tell of.
    pub is_known: bool,
}

impl TimeProgress {
    /// That of a subtask which begins from nothing; by channel, whether it leads back.
    pub fn new(back: impl IntoIterator<Item = bool>) -> Self {
        let back: Arc<[bool]> = back.into_iter().collect();
        Self::of(back)
    }

    /// The same subtask, as it begins from nothing.
    pub fn anew(&self) -> Self {
        Self::of(Arc::clone(&self.back))
    }

    fn of(back: Arc<[bool]>) -> Self {
        Self {
            watermark: WATERMARK_MIN,
            inputs: vec![WATERMARK_MIN; back.len()],
            back,
            pending: VecSet::new(),
            due: VecSet::new(),
            dropped: Vec::new(),
            is_known: true,
        }
    }

    /// Watermarks are not in snapshots here: all begin anew.
    pub fn forget_watermarks(&mut self) {
        self.watermark = WATERMARK_MIN;
        self.inputs.fill(WATERMARK_MIN);
    }

    /// A channel promises that nothing at or below `watermark` follows.
    pub fn promise(&mut self, input: usize, watermark: i64) {
        let known = &mut self.inputs[input];
        *known = watermark.max(*known);
    }

    /// What all channels have promised; none in a source, whose splits a trace does not tell of.
    ///
    /// Watermarks do not go round: what leads back counts for nothing here. Its end comes by another way, so
    /// that nothing tells when the last watermark is due that waits for it ([`owed`](Self::owed)).
    pub fn promised(&self) -> Option<i64> {
        let inputs = self.inputs.iter().zip(self.back.iter());
        let regular = inputs.filter(|(_, leads_back)| !**leads_back);
        regular.map(|(promised, _)| *promised).min().filter(|_| self.is_known)
    }

    /// What its watermark must be by now.
    pub fn owed(&self) -> Option<i64> {
        let may_be_on_its_way = self.inputs.iter().zip(self.back.iter());
        let waits = may_be_on_its_way
            .filter(|(_, leads_back)| **leads_back)
            .any(|(promised, _)| *promised != WATERMARK_MAX);
        self.promised().filter(|promised| *promised != WATERMARK_MAX || !waits)
    }

    /// The watermark is this now, and reaches some timers.
    pub fn advance(&mut self, watermark: i64) {
        self.watermark = watermark;
        self.due = self.pending.iter().take_while(|(at, _)| *at <= watermark).copied().collect();
    }
}

/// A watermark in words: the first and the last one have no number.
pub(super) fn told(watermark: i64) -> String {
    match watermark {
        WATERMARK_MIN => "no watermark".to_owned(),
        WATERMARK_MAX => "the last watermark".to_owned(),
        watermark => format!("watermark {watermark}"),
    }
}
