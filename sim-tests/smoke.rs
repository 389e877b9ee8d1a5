//! smoke
use cutwater::explore::*;
use cutwater::plan;
use cutwater::protocol::DefectSet;
use std::sync::atomic::AtomicBool;

#[test]
fn smoke() {
    let mut scenarios = plan::scenario::built_in();
    if let Ok(s) = std::env::var("S") {
        scenarios.retain(|x| x.name == s);
    }
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
            println!("   FAIL {} seed {}: {}", s.name, f.seed, f.verdict);
        }
    }
    println!("{:?} {:?} per run", e, e / (sweep.runs() as u32));
}

struct Print(u64);
struct Quiet;
impl cutwater::world::Observer for Quiet {
    fn observe(
        &mut self,
        _: cutwater::trace::Stamp,
        _: &cutwater::trace::Event,
    ) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }
}
impl cutwater::world::Observer for Print {
    fn observe(
        &mut self,
        stamp: cutwater::trace::Stamp,
        event: &cutwater::trace::Event,
    ) -> std::ops::ControlFlow<()> {
        use cutwater::trace::Event;
        match event {
            Event::Sent { .. } | Event::Received { .. } | Event::Read { .. } => {}
            e => {
                let s = format!("{e:?}");
                println!(
                    "{} {} {} {}",
                    stamp.number,
                    stamp.at,
                    stamp.process,
                    s.chars().take(300).collect::<String>()
                )
            }
        }
        std::ops::ControlFlow::Continue(())
    }
}
#[test]
fn one() {
    let Ok(name) = std::env::var("S") else { return };
    let Ok(seed) = std::env::var("SEED") else { return };
    let scenario = plan::scenario::all().into_iter().find(|x| x.name == name).unwrap();
    let e = Experiments::new();
    let plan = e.draw(&scenario, seed.parse().unwrap(), DefectSet::NONE).unwrap();
    println!("{}", plan.to_json());
    let prepared = e.prepare(&plan.job).unwrap();
    let t = std::time::Instant::now();
    let o = if std::env::var("Q").is_ok() {
        run_plan(&plan, &prepared, WorldKind::Kernel, Quiet).0
    } else {
        run_plan(&plan, &prepared, WorldKind::Kernel, Print(0)).0
    };
    println!("{:?}", t.elapsed());
    println!("{:?}", o);
}

#[test]
fn sizes() {
    use std::mem::size_of;
    println!(
        "Message {} Event {} Output {} Input {} Record {} Item {} Element {}",
        size_of::<cutwater::cluster::Message>(),
        size_of::<cutwater::trace::Event>(),
        size_of::<cutwater::cluster::Output>(),
        size_of::<cutwater::cluster::Input>(),
        size_of::<cutwater::dataflow::Record>(),
        size_of::<cutwater::dataflow::Item>(),
        size_of::<cutwater::protocol::Element<cutwater::dataflow::Item>>()
    );
}

#[test]
fn defects() {
    use cutwater::protocol::Defect;
    if std::env::var("D").is_err() {
        return;
    }
    let only = std::env::var("D").unwrap();
    let scenarios = plan::scenario::built_in();
    let e = Experiments::new();
    for defect in Defect::all() {
        if only != "all" && only != defect.name() {
            continue;
        }
        let mut found: Vec<(String, u64, u64, String)> = vec![];
        let mut total = 0;
        let (mut hits, mut runs) = (0, 0);
        for s in &scenarios {
            let mut first = None;
            let mut n = 0;
            for seed in 0..60 {
                let plan = e.draw(s, seed, DefectSet::only(defect)).unwrap();
                let prepared = e.prepare(&plan.job).unwrap();
                let hook = std::panic::take_hook();
                std::panic::set_hook(Box::new(|_| {}));
                let (o, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
                std::panic::set_hook(hook);
                total += 1;
                runs += 1;
                if !o.verdict.is_held() {
                    hits += 1;
                    n += 1;
                    if first.is_none() {
                        first = Some((seed, o.verdict));
                    }
                }
            }
            if let Some((seed, v)) = first {
                found.push((s.name.clone(), seed, n, v.to_string().chars().take(110).collect()));
            }
        }
        let _ = total;
        println!("{} hits {hits}/{runs}", defect.name());
        for f in found.iter().take(4) {
            println!("     {} first seed {} n {}: {}", f.0, f.1, f.2, f.3);
        }
    }
}
