//! A changelog, as what it charges: changes are uploaded all the time, the state itself now and then.

use crate::lab::profile::ChangelogCost;

/// The changelog of one subtask.
#[derive(Clone, Debug)]
pub(super) struct Changelog {
    cost: ChangelogCost,
    entry_bytes: f64,
    /// Bytes of changes that are not uploaded.
    pending: f64,
    /// Bytes of changes since the state was materialised: a restore applies them again.
    since: f64,
    /// In how many parts these were uploaded, each an object of its own in the store.
    parts: u32,
    /// When the next materialisation is due, in nanoseconds.
    due: u64,
    /// Bytes of a materialisation that is due and not given out yet.
    materialise: Option<f64>,
}

impl Changelog {
    pub(super) fn new(cost: ChangelogCost, entry_bytes: f64) -> Self {
        let due = cost.materialise_ms.saturating_mul(1_000_000);
        Self { cost, entry_bytes, pending: 0.0, since: 0.0, parts: 0, due, materialise: None }
    }

    /// So many bytes of changes: what the thread pays.
    pub(super) fn append(&mut self, bytes: f64, state_bytes: f64, now: u64) -> f64 {
        debug_assert!(bytes >= self.entry_bytes || bytes == 0.0, "a change is at least an entry");
        self.pending += bytes;
        self.since += bytes;
        if now >= self.due {
            self.due = now + self.cost.materialise_ms.saturating_mul(1_000_000);
            self.materialise = Some(state_bytes);
            self.since = 0.0;
            self.parts = 0;
        }
        bytes * self.cost.log_byte_ns
    }

    pub(super) fn take_pending(&mut self) -> f64 {
        self.parts = self.parts.saturating_add(u32::from(self.pending > 0.0));
        std::mem::take(&mut self.pending)
    }

    /// What is to be uploaded without a checkpoint that asks for it.
    pub(super) fn poll_upload(&mut self) -> Option<f64> {
        if let Some(bytes) = self.materialise.take() {
            return Some(bytes);
        }
        let is_much = self.pending >= self.cost.upload_bytes as f64;
        is_much.then(|| self.take_pending())
    }

    pub(super) fn since_materialised(&self) -> f64 {
        self.since
    }

    /// What a restore reads beside the state: so many changes, in so many parts.
    pub(super) fn changes(&self) -> (f64, u32) {
        (self.since / self.entry_bytes.max(1.0), self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_uploaded_early_is_not_uploaded_again() {
        let cost = ChangelogCost { log_byte_ns: 1.0, upload_bytes: 1_000, materialise_ms: 1 };
        let mut log = Changelog::new(cost, 100.0);
        assert_eq!(log.append(900.0, 5_000.0, 0), 900.0);
        assert_eq!(log.poll_upload(), None);
        log.append(100.0, 5_000.0, 0);
        assert_eq!(log.poll_upload(), Some(1_000.0));
        log.append(300.0, 5_000.0, 0);
        assert_eq!((log.take_pending(), log.since_materialised()), (300.0, 1_300.0));
        assert_eq!(
            (log.take_pending(), log.changes()),
            (0.0, (13.0, 2)),
            "what is empty is no part"
        );
        log.append(100.0, 5_000.0, 1_000_000);
        assert_eq!(log.poll_upload(), Some(5_000.0), "the state itself");
        assert_eq!((log.since_materialised(), log.changes()), (0.0, (0.0, 0)));
    }
}
