//! The matrix of protocols, topologies and hazards, in the madsim world, which is slower.

use cutwater::explore::WorldKind;
use cutwater::protocol::DefectSet;

use crate::matrix::runs::{Settings, total};
use crate::matrix::{all_work, hold};

/// Of each cell.
const SEEDS: u64 = 2;

#[test]
fn every_cell_holds_in_madsim() {
    let settings = Settings { world: WorldKind::Madsim, seeds: SEEDS, defects: DefectSet::NONE };
    let tallies = hold(&all_work(), settings);
    println!("{} cells, {:?}", tallies.len(), total(&tallies));
}
