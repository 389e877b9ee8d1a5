use strum::IntoEnumIterator as _;

use super::*;
use crate::plan::file::PlanFile;
use crate::plan::scenario::all;
use crate::plan::{FaultClass, FileError, Plan, Scenario, draw};
use crate::protocol::{DefectSet, KeyGroup, Topology};

/// A scenario with these lines in it, by table.
fn scenario(lines: &[(&str, &str)]) -> Result<Scenario, FileError> {
    let mut text =
        "version = 1\nname = \"x\"\nabout = \"x\"\n[job]\nworkload = \"relay\"\n".to_owned();
    let mut table = "job";
    for (named, line) in lines {
        if *named != table {
            text.push_str(&format!("[{named}]\n"));
            table = named;
        }
        text.push_str(&format!("{line}\n"));
    }
    Scenario::from_toml("x.toml", &text)
}

/// A plan of the shape that a scenario asks for, of a job with one subtask.
fn drawn(scenario: &Scenario, seed: u64) -> Plan {
    let shapes = |_: &_| Ok::<_, std::convert::Infallible>(vec![Topology::default()]);
    let plan = draw(scenario, seed, DefectSet::NONE, shapes);
    plan.unwrap_or_else(|never| match never {})
}

#[test]
fn names_are_unique_and_ranges_lead_upwards() {
    for (place, limit) in ALL.iter().enumerate() {
        assert!(limit.min <= limit.max && !limit.about.is_empty(), "{}", limit.name);
        assert!(!ALL[..place].iter().any(|other| other.name == limit.name), "{}", limit.name);
    }
    assert_eq!(JOB_PARALLELISM.max, u64::from(KeyGroup::COUNT));
}

#[test]
fn what_is_built_in_is_in_range() {
    for scenario in all() {
        assert_eq!(check_scenario(&scenario), Ok(()), "{}", scenario.name);
    }
}

/// Every number of a scenario, in a table of its own, with values that are just in range, and just not.
#[test]
fn every_number_of_a_scenario_is_held() {
    let is_number = |limit: &&&Limit| limit.files != Files::Plan;
    for limit in ALL.iter().filter(is_number) {
        let (table, field) = limit.name.rsplit_once('.').unwrap_or(("", limit.name));
        let written = |value: u64| match limit.name {
            "faults.*" => scenario(&[("faults", &format!("crash-worker = {value}"))]),
            "job.deal.empty.splits" => {
                scenario(&[("job", &format!("deal = [{{ empty = {{ splits = {value} }} }}]"))])
            }
            "links.channels" | "links.control" => {
                scenario(&[(table, &format!("{field} = {{ uniform = [0, {value}] }}"))])
            }
            "links.slow_control_latency" => {
                scenario(&[(table, &format!("{field} = [{{ uniform = [0, {value}] }}]"))])
            }
            "liveness_ms" => Scenario::from_toml(
                "x.toml",
                &format!(
                    "version = 1\nname = \"x\"\nabout = \"x\"\nliveness_ms = {value}\njob = {{ workload = \"relay\" }}"
                ),
            ),
            _ => scenario(&[(table, &format!("{}{field} = {value}", others(limit)))]),
        };
        assert!(told(written(limit.max)).is_none_or(|it| !it.contains(&limit.to_string())));
        let beyond = written(limit.max + 1).map(drop);
        let said = told(beyond).unwrap_or_else(|| panic!("{} is not held", limit.name));
        assert!(said.contains(&format!("is {}, expected {limit}", limit.max + 1)), "{said}");
        let line = match limit.name {
            "liveness_ms" => 4,
            "job.records" | "job.parallelism" | "job.splits" | "job.deal.empty.splits" => 6,
            _ => 7 + others(limit).lines().count(),
        };
        assert!(said.starts_with(&format!("x.toml:{line}: ")), "{}: {said}", limit.name);
        if limit.min > 0 {
            assert!(told(written(limit.min - 1)).is_some(), "{} has no lower end", limit.name);
        }
    }
}

/// What a table must have beside the number.
fn others(limit: &Limit) -> &'static str {
    match limit.name {
        "rescale.count" => "parallelism = 1\nwithin_ms = 1\n",
        "rescale.parallelism" => "count = 1\nwithin_ms = 1\n",
        "rescale.within_ms" => "count = 1\nparallelism = 1\n",
        "rescale.checkpoint_first_percent" => "count = 1\nparallelism = 1\nwithin_ms = 1\n",
        "cluster.buffers.bytes" => "timeout_ms = 1\n",
        "cluster.buffers.timeout_ms" => "bytes = 1\n",
        "cluster.discovery.interval_ms" => "appears_ms = 1\nretained_ms = 1\n",
        "cluster.discovery.appears_ms" => "interval_ms = 1\nretained_ms = 1\n",
        "cluster.discovery.retained_ms" => "interval_ms = 1\nappears_ms = 1\n",
        "cluster.cost.record_ns" => "byte_ns = 1\nfreeze_byte_ns = 1\n",
        "cluster.cost.byte_ns" => "record_ns = 1\nfreeze_byte_ns = 1\n",
        "cluster.cost.freeze_byte_ns" => "record_ns = 1\nbyte_ns = 1\n",
        _ => "",
    }
}

fn told<T>(result: Result<T, FileError>) -> Option<String> {
    result.err().map(|error| error.to_string())
}

#[test]
fn numbers_of_a_plan_are_held_where_they_stand() {
    let plan = drawn(&scenario(&[("faults", "crash-worker = 2")]).expect("it is one"), 1);
    let text = plan.to_json();
    assert!(PlanFile::from_json("x.json", &text).is_ok());
    let cases = [
        ("\"retained\": ", "\"retained\": 100", "cluster.checkpoints.retained is 100"),
        ("\"safety_ms\": ", "\"safety_ms\": 9999999", "safety_ms is 9999999"),
        ("\"local_us\": ", "\"local_us\": 9999999", "links.local_us is 9999999"),
        (
            "\"restart_after_us\": ",
            "\"restart_after_us\": 999999",
            "fault.restart_after_us is 999999",
        ),
    ];
    for (field, with, expected) in cases {
        let bad = text.replacen(field, with, 1);
        let line = bad.lines().position(|line| line.contains(with)).expect("it is there") + 1;
        let said = told(PlanFile::from_json("x.json", &bad)).expect(with);
        assert!(said.starts_with(&format!("x.json:{line}: ")) && said.contains(expected), "{said}");
    }
}

#[test]
fn a_number_that_its_type_cannot_hold_is_told_with_what_it_may_be() {
    let plan = drawn(&scenario(&[]).expect("it is one"), 1).to_json();
    let bad = plan.replacen("\"workers\": ", "\"workers\": 10000", 1);
    let said = told(PlanFile::from_json("x.json", &bad)).expect("no such number of workers");
    assert!(said.contains("expected a number from 0 to 65535"), "{said}");
}

#[test]
fn what_no_job_could_hold_under_is_refused_with_the_reason() {
    let cases = [
        ("cluster", "heartbeat_timeout_ms = 50", "nobody would be heard of in time"),
        ("cluster", "heartbeat_ms = 200", "nobody would be heard of in time"),
        ("checkpoints", "interval_ms = [0, 9]", "no checkpoint would be taken"),
        ("checkpoints", "timeout_ms = [1, 2]", "expected at least 3: with these links and stores"),
    ];
    for (table, line, reason) in cases {
        let said = told(scenario(&[(table, line)])).expect(line);
        assert!(said.starts_with("x.toml:") && said.contains(reason), "{line}: {said}");
    }
    let plan = drawn(&scenario(&[]).expect("it is one"), 1);
    let changes: [fn(&mut Plan); 4] = [
        |plan| plan.cluster.heartbeat_timeout_ms = plan.cluster.heartbeat_ms,
        |plan| plan.cluster.session_timeout_ms = plan.cluster.heartbeat_ms,
        |plan| plan.cluster.checkpoints.interval_ms = 0,
        |plan| plan.cluster.object_store.latency_us = plan.cluster.checkpoints.timeout_ms * 1_000,
    ];
    for change in changes {
        let mut bad = plan.clone();
        change(&mut bad);
        assert!(PlanFile::from_json("x.json", &bad.to_json()).is_err());
        bad.cluster.final_at_once = true;
        let is_about_cuts = bad.cluster.checkpoints.interval_ms == 0;
        assert_eq!(PlanFile::from_json("x.json", &bad.to_json()).is_ok(), is_about_cuts);
    }
}

/// The largest plan of all can be read again.
#[test]
fn what_is_drawn_can_be_read_again() {
    let mut largest = all().swap_remove(0);
    let most = |limit: &Limit| Span::new(limit.max, limit.max);
    largest.faults = FaultClass::iter().map(|class| (class, most(&FAULTS_OF_A_CLASS))).collect();
    largest.links.slow = most(&SLOW);
    largest.links.slow_control = most(&SLOW_CONTROL);
    largest.cluster.workers = most(&WORKERS);
    largest.cluster.losable = most(&LOSABLE);
    largest.requests.savepoints = most(&SAVEPOINTS);
    largest.requests.stops = most(&STOPS);
    largest.checkpoints.retained = Span::new(u64::from(u32::MAX) + 1, u64::MAX);
    largest.liveness_ms = u64::MAX;
    let mut plan = drawn(&largest, 7);
    assert_eq!(plan.cluster.checkpoints.retained, 1_000);
    let first = plan.faults[0].clone();
    plan.faults.extend(std::iter::repeat_n(first, 10_000));
    let directory = std::env::temp_dir().join(format!("cutwater-largest-{}", std::process::id()));
    std::fs::write(&directory, plan.to_json()).expect("it can be written");
    let read = Plan::read(&directory);
    std::fs::remove_file(&directory).expect("it is there");
    assert_eq!(read.expect("it can be read"), plan);
}
