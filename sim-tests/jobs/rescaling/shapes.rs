//! Up and down, from completed checkpoints, with and without faults.

use cutwater::explore::Experiments;

use super::bench::{at_ms, hold, plan};

const SEEDS: u64 = 20;

#[test]
fn a_keyed_job_goes_up_and_down() {
    let experiments = Experiments::new();
    let mut both = 0;
    for seed in 0..SEEDS {
        let mut plan = plan(&experiments, "word-count", seed, 2, false);
        (plan.job.splits, plan.safety_ms) = (4, 3_000);
        plan.rescales = vec![at_ms(200, 3, seed % 2 == 0), at_ms(500, 1, seed % 3 == 0)];
        let (_, seen) = hold(&experiments, &plan);
        assert_eq!(seen.shapes()[0], 12, "seed {seed}");
        both += usize::from(seen.shapes() == [12, 4]);
    }
    assert!(both > 15, "{both} runs went down again before the job had finished");
}

#[test]
fn every_workload_survives_rescales_under_faults() {
    let experiments = Experiments::new();
    let mut reshaped = 0;
    for name in ["word-count", "sequence", "bank", "nexmark-q3", "nexmark-q5", "relay", "flights"] {
        for seed in 0..SEEDS {
            let mut plan = plan(&experiments, name, seed, 2, true);
            plan.job.splits = plan.job.splits.clamp(1, 4);
            if plan.job.splits > 1 {
                plan.job.splits = 4;
            }
            plan.rescales = vec![at_ms(150 + seed * 7, 3, seed % 2 == 0), at_ms(600, 1, false)];
            let (_, seen) = hold(&experiments, &plan);
            reshaped += usize::from(!seen.shapes().is_empty());
        }
    }
    assert!(reshaped > 70, "{reshaped} runs were rescaled");
}
