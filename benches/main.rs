//! What a run costs in processor time: the worlds, the gate, the codecs, checkpoints by interval.
//!
//! One program for all, since linking one takes longest. `cargo bench -p cutwater-benches -- kernel`
//! runs one group.

mod bare;
mod codec;
mod gate;
mod laboratory;
mod own_job;
mod worlds;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    worlds::against_bare(&mut criterion);
    worlds::kernel_events(&mut criterion);
    worlds::digest_and_reach(&mut criterion);
    worlds::relay_seeds(&mut criterion);
    worlds::relay_protocols(&mut criterion);
    worlds::checkpoint_intervals(&mut criterion);
    own_job::own_job(&mut criterion);
    own_job::own_operator(&mut criterion);
    laboratory::records(&mut criterion);
    gate::gate(&mut criterion);
    codec::codecs(&mut criterion);
    criterion.final_summary();
}
