//! Random numbers for inputs: one stream per workload and seed, the same everywhere and for ever.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::protocol::Digest;

/// A stream of random numbers that depends on the workload's name and the seed alone.
#[derive(Clone, Debug)]
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of `workload` under `seed`; two workloads share no numbers.
    pub(super) fn new(workload: &str, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(Digest::of(workload.as_bytes()).0);
        Self(rng)
    }

    /// A number below `bound`, which is not 0; evenly distributed but for one part in 2^64 / `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let scaled = u128::from(self.0.next_u64()) * u128::from(bound);
        (scaled >> 64) as u64
    }

    /// Where a slice of `taken` out of `available` begins: 0 when all are taken.
    pub(super) fn slice_start(&mut self, available: usize, taken: usize) -> usize {
        self.below((available - taken + 1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_depends_on_name_and_seed_alone() {
        let numbers = |name, seed| {
            let mut draw = Draw::new(name, seed);
            std::array::from_fn::<u64, 4, _>(|_| draw.below(1_000))
        };
        assert_eq!(numbers("bank", 1), numbers("bank", 1));
        assert_ne!(numbers("bank", 1), numbers("bank", 2));
        assert_ne!(numbers("bank", 1), numbers("relay", 1));
    }

    #[test]
    fn a_slice_of_everything_begins_at_the_beginning() {
        let mut draw = Draw::new("bank", 7);
        assert_eq!(draw.slice_start(20, 20), 0);
        assert!((0..100).all(|_| draw.slice_start(20, 15) <= 5));
    }
}
