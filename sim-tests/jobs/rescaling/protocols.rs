//! Every protocol, rescaled within a run, up and down, under its own scenario's faults.

use cutwater::explore::Experiments;
use cutwater::trace::Event;

use super::bench::{Seen, at_ms, hold, plan};

const SEEDS: u64 = 12;

/// How many runs of a scenario did what they were to do, rescaled to 3 and then to 1.
fn count(scenario: &str, checkpoint_first: bool, is_it: impl Fn(&Seen) -> bool) -> u64 {
    let experiments = Experiments::new();
    let mut found = 0;
    for seed in 0..SEEDS {
        let mut plan = plan(&experiments, scenario, seed, 2, true);
        plan.job.splits = if plan.job.splits > 1 { 4 } else { 1 };
        let (up, down) = (120 + seed * 15, 320 + seed * 15);
        plan.rescales = vec![at_ms(up, 3, checkpoint_first), at_ms(down, 1, checkpoint_first)];
        plan.safety_ms = plan.safety_ms.max(1_000);
        let (_, seen) = hold(&experiments, &plan);
        found += u64::from(is_it(&seen));
    }
    found
}

fn is_reshaped(seen: &Seen) -> bool {
    !seen.shapes().is_empty()
}

fn is_dealt(seen: &Seen) -> bool {
    seen.0.iter().any(|(_, event)| matches!(event, Event::ChannelStateDealt(_)))
}

#[test]
fn where_nothing_is_in_flight_any_job_goes_on() {
    for scenario in ["counted-barriers", "at-least-once", "stop-the-world"] {
        let reshaped = count(scenario, false, is_reshaped);
        assert!(reshaped > SEEDS / 2, "{scenario}: {reshaped} runs were rescaled");
        assert_eq!(count(scenario, true, is_dealt), 0, "{scenario}: nothing was in flight");
    }
}

#[test]
fn what_is_in_flight_is_dealt_out() {
    for scenario in ["rescale-unaligned", "rescale-hybrid", "rescale-laps"] {
        for checkpoint_first in [false, true] {
            let dealt = count(scenario, checkpoint_first, is_dealt);
            assert!(dealt >= SEEDS / 4, "{scenario}: {dealt} runs had something to deal out");
        }
    }
}

#[test]
fn behind_forward_edges_an_aligned_checkpoint_comes_first() {
    for scenario in ["unaligned", "unaligned-join", "unaligned-recovery", "hybrid"] {
        let refused = count(scenario, false, |seen| !seen.refusals().is_empty());
        assert!(refused > SEEDS / 2, "{scenario}: {refused} runs refused");
        assert_eq!(count(scenario, false, is_reshaped), 0, "{scenario}: none was rescaled");
        let reshaped = count(scenario, true, is_reshaped);
        assert!(reshaped > SEEDS / 3, "{scenario}: {reshaped} runs were rescaled");
    }
}
