//! What an upload takes in a store, beside the cores.

use super::profile::StoreProfile;

/// Draws the tails, by who uploads what: nobody's draw depends on anybody else's.
#[derive(Clone, Debug)]
pub(super) struct Store {
    profile: StoreProfile,
    seed: u64,
}

impl Store {
    pub(super) fn new(profile: StoreProfile, seed: u64) -> Self {
        Self { profile, seed }
    }

    /// What the cores of the worker pay for so many requests, in nanoseconds.
    pub(super) fn cpu_ns(&self, requests: u32) -> f64 {
        f64::from(requests) * self.profile.request_us * 1e3
    }

    /// How long an upload takes, in nanoseconds: its requests share the connections, and so do its bytes.
    /// What a byte takes in a connection is the store's to say, unless it is a disk of which that is known.
    pub(super) fn upload_ns(
        &self,
        (bytes, byte_ns): (f64, Option<f64>),
        requests: u32,
        subtask: usize,
        number: u64,
    ) -> u64 {
        let rounds = requests.div_ceil(self.profile.parallelism.max(1)).max(1);
        let mut latency_ms = 0.0;
        for round in 0..rounds {
            latency_ms += self.request_ms(subtask, number, round);
        }
        let connections = f64::from(self.profile.parallelism.min(requests.max(1)).max(1));
        (latency_ms * 1e6 + bytes * byte_ns.unwrap_or(self.profile.byte_ns) / connections) as u64
    }

    /// How long it takes to read so many bytes, in nanoseconds.
    pub(super) fn read_ns(&self, bytes: f64) -> u64 {
        let connections = f64::from(self.profile.parallelism.max(1));
        (self.profile.latency_ms * 1e6 + bytes * self.profile.byte_ns / connections) as u64
    }

    /// How long it takes to read so many bytes out of so many logs, in nanoseconds: each is a request of its own, and
    /// they share the connections.
    pub(super) fn read_logs_ns(&self, bytes: f64, logs: u32) -> u64 {
        let connections = self.profile.parallelism.max(1);
        let rounds = f64::from(logs.div_ceil(connections));
        let bytes_ns = bytes * self.profile.byte_ns / f64::from(connections.min(logs.max(1)));
        (rounds * self.profile.latency_ms * 1e6 + bytes_ns) as u64
    }

    /// How long it takes to read so many bytes out of so many objects, one after another, in nanoseconds.
    pub(super) fn read_in_turn_ns(&self, bytes: f64, objects: u32) -> u64 {
        let latency_ns = f64::from(objects) * self.profile.latency_ms * 1e6;
        (latency_ns + bytes * self.profile.byte_ns) as u64
    }

    fn request_ms(&self, subtask: usize, number: u64, round: u32) -> f64 {
        let draw = mixed(mixed(mixed(self.seed, subtask as u64), number), u64::from(round));
        let is_slow = draw % 1_000_000 < u64::from(self.profile.tail_per_million);
        if is_slow { self.profile.tail_ms } else { self.profile.latency_ms }
    }
}

/// Two numbers as one that looks drawn (SplitMix64, Steele et al. 2014).
pub(super) fn mixed(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
