//! smoke
use cutwater::explore::*;
use cutwater::plan;
use cutwater::protocol::DefectSet;
use std::sync::atomic::AtomicBool;

#[test]
fn smoke() {
    let scenarios = plan::scenario::built_in();
    let n: u64 = std::env::var("N").ok().map_or(100, |s| s.parse().unwrap());
    let sweep = Sweep {
        scenarios: scenarios.clone(),
        seeds: 0..n,
        defects: DefectSet::NONE,
        world: WorldKind::Kernel,
        jobs: 1,
    };
    let mut report = SweepReport::new(&scenarios);
    let t = std::time::Instant::now();
    sweep
        .run(&Experiments::new(), &AtomicBool::new(false), |_, _| {}, |run| report.add(&run))
        .unwrap();
    let e = t.elapsed();
    for s in &report.scenarios {
        println!("{} seeds {} {:?} failures {}", s.name, s.seeds, s.statistics, s.failures.len());
        for f in s.failures.iter().take(5) {
            println!("   seed {}: {}", f.seed, f.verdict);
        }
    }
    println!("{:?} {:?} per run", e, e / (sweep.runs() as u32));
}
