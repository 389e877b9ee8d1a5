//! What a cut holds as processed, it holds as sent.

use cutwater::explore::{Experiments, Signature, WorldKind, run_plan};
use cutwater::plan::Plan;
use cutwater::protocol::DefectSet;

#[test]
fn channel_not_blocked() {
    let plan = Plan::from_json("PLAN", PLAN).expect("the plan is whole");
    assert_eq!(fails(plan.defects).as_deref(), Some("cut/orphan-record"));
    assert_eq!(fails(DefectSet::NONE), None);
}

/// How the plan fails with these defects; none when all holds.
fn fails(defects: DefectSet) -> Option<String> {
    let plan = Plan::from_json("PLAN", PLAN).expect("the plan is whole");
    let plan = Plan { defects, ..plan };
    let prepared = Experiments::new().prepare(&plan.job).expect("the job is one of ours");
    let (outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
    Signature::of(&outcome.verdict).map(|signature| signature.to_string())
}

const PLAN: &str = r#"{
  "format": "cutwater-plan",
  "version": 1,
  "plan": {
    "scenario": "relay",
    "seed": 0,
    "job": {
      "workload": "relay",
      "records": 2,
      "parallelism": 2,
      "splits": 1
    },
    "cluster": {
      "workers": 2,
      "slots": 2,
      "heartbeat_ms": 5,
      "heartbeat_timeout_ms": 20,
      "session_timeout_ms": 80,
      "restart_delay_ms": 1,
      "request_retry_ms": 10,
      "credits": 64,
      "source_interval_us": 10000,
      "fetch_max": 64,
      "sink_batch": 1,
      "object_store": {
        "latency_us": 100,
        "byte_ns": 0
      },
      "meta_store": {
        "latency_us": 100,
        "byte_ns": 0
      },
      "cost": null,
      "checkpoints": {
        "interval_ms": 5,
        "pause_min_ms": 0,
        "timeout_ms": 20,
        "concurrent_max": 1,
        "failures_tolerated": 100,
        "retained": 1
      }
    },
    "links": {
      "channels": {
        "uniform": [
          100,
          100
        ]
      },
      "control": {
        "uniform": [
          100,
          100
        ]
      },
      "local_us": 1,
      "byte_ns": 0
    },
    "mailbox_us": [
      0,
      5550
    ],
    "faults": [],
    "safety_ms": 0,
    "liveness_ms": 1704,
    "defects": [
      "channel-not-blocked"
    ]
  }
}
"#;
