//! smoke
use std::ops::ControlFlow;
use std::sync::Arc;
use cutwater::cluster::Cluster;
use cutwater::dataflow::{conformance::Replay, EncodedSink, Input, JobBuilder};
use cutwater::plan;
use cutwater::protocol::DefectSet;
use cutwater::trace::{Event, Stamp};
use cutwater::world::{Kernel, Observer};

struct Print(bool, std::collections::BTreeMap<String,u64>);
impl Observer for Print {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        *self.1.entry(cutwater::trace::Point::from(event).to_string()).or_default()+=1;
        match event { Event::Sent{..}|Event::Received{..}|Event::Read{..} => {}, e => if self.0 { let s = format!("{e:?}"); println!("{} {} {} {}", stamp.number, stamp.at, stamp.process, &s[..s.len().min(300)]) } }
        ControlFlow::Continue(())
    }
}

#[test]
fn smoke() {
    let builder = JobBuilder::new("t");
    builder.source("numbers", Replay::<u64>::new(), 1, 1).rebalance()
        .map("map", 2, |n: u64| n * 3).rebalance().transactional_sink("out", 1, EncodedSink::new());
    let job = Arc::new(builder.build().unwrap());
    let entries: Vec<Vec<u8>> = (0..2000u64).map(|n| postcard::to_allocvec(&n).unwrap()).collect();
    let input = Arc::new(Input::dealt(entries.iter(), 1));
    let scenario = plan::scenario::built_in().remove(0);
    let seed = std::env::var("SEED").ok().map_or(1, |s| s.parse().unwrap());
    let plan = plan::draw::<()>(&scenario, seed, DefectSet::NONE, |_| Ok(job.topology().clone())).unwrap();
    println!("{}", plan.to_json());
    let cluster = Cluster { job, input, settings: Arc::new(plan.cluster.clone()), defects: DefectSet::NONE };
    let t = std::time::Instant::now();
    let (end, _, print) = Kernel::new(&plan, &cluster, Print(std::env::var("P").is_ok(), Default::default())).run();
    println!("{end:?} {:?}", print.1);
    let n = 200;
    for _ in 0..n { Kernel::new(&plan, &cluster, ()).run(); }
    println!("per run {:?}", t.elapsed() / n);
}
