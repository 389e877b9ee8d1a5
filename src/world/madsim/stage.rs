//! The stage: the simulated machines, on which the processes are driven, crash and are disconnected.
//! All that is madsim's is here.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use madsim::net::NetSim;
use madsim::runtime::{Handle, Runtime};
use madsim::task::NodeId;
use madsim::time::TimeHandle;
use tokio::sync::Notify;

use super::driver::clock::Clock;
use super::driver::delays::network_latency;
use super::driver::either::either;
use super::driver::seat::{Seat, Status};
use super::driver::{self, Life, World, lock};
use super::run::{Errand, Machines, Remains, Run};
use crate::cluster::{Cluster, Input, Trouble};
use crate::plan::{MessageAction, Plan};
use crate::protocol::{ProcessId, VirtualTime};
use crate::trace::{Event, MessageKind};
use crate::world::faults::Nemesis;
use crate::world::{Observer, RunEnd, run_started, slot_of};

/// Where every process listens.
const PORT: u16 = 7_000;

/// After this, the futures of killed machines have been dropped: a runtime that is dropped before
/// leaks them.
const DRAIN: Duration = Duration::from_millis(2);

/// Runs a plan on a cluster, watched by an observer: the same as in the kernel, but over connections.
///
/// # Panics
///
/// When a process or the observer does: with the same payload, and without harm to later runs.
pub fn run<O: Observer + Send + 'static>(
    plan: &Plan,
    cluster: &Cluster,
    observer: O,
) -> (RunEnd, Nemesis, O) {
    let runtime = Runtime::with_seed_and_config(plan.seed, config(plan));
    let (remains, steps) = runtime.block_on(perform(plan, cluster, observer));
    let Remains { observer, nemesis, ending, at, events, failure } = remains;
    if let Some(failure) = failure {
        std::panic::resume_unwind(failure);
    }
    (RunEnd { ending, at, steps, events }, nemesis, observer)
}

fn config(plan: &Plan) -> madsim::Config {
    let mut config = madsim::Config::default();
    let (min, max) = network_latency(plan);
    config.net.send_latency = min..max + Duration::from_nanos(1);
    config
}

async fn perform<O: Observer + Send + 'static>(
    plan: &Plan,
    cluster: &Cluster,
    observer: O,
) -> (Remains<O>, u64) {
    let stage = Stage::build(plan, cluster, observer);
    stage.direct().await;
    stage.close().await
}

/// The processes' machines, and what they share.
struct Stage<O> {
    shared: Arc<Shared<O>>,
    machines: Vec<NodeId>,
    seats: Arc<Seats>,
}

/// The newest life of each process.
type Seats = Mutex<Vec<Option<Arc<Seat>>>>;

/// What all processes share.
struct Shared<O> {
    clock: Clock,
    /// None once it is over.
    run: Mutex<Option<Run<O>>>,
    steps: AtomicU64,
    /// The run is over, or something is due.
    stir: Notify,
}

impl<O: Observer + Send + 'static> Stage<O> {
    fn build(plan: &Plan, cluster: &Cluster, observer: O) -> Self {
        let plan = Arc::new(plan.clone());
        let processes: Vec<ProcessId> = cluster.processes().collect();
        let seats: Arc<Seats> = Arc::new(Mutex::new(vec![None; processes.len()]));
        let shared = Arc::new(Shared {
            clock: clock(),
            run: Mutex::new(None),
            steps: AtomicU64::new(0),
            stir: Notify::new(),
        });
        let mut machines = Vec::new();
        for process in &processes {
            let life = life(&plan, cluster, &shared, &seats, *process);
            let (name, ip) = (process.to_string(), address_of(*process).ip());
            let machine = Handle::current().create_node().name(name).ip(ip).init(life).build();
            machines.push(machine.id());
        }
        let hands = Box::new(Hands(machines.clone()));
        let mut run = Run::new(Arc::clone(&plan), processes.into_iter(), hands, observer);
        run.begin(&Event::RunStarted(Box::new(run_started(&plan, cluster))));
        *lock(&shared.run) = Some(run);
        Self { shared, machines, seats }
    }

    /// Lets happen what is due, until the run is over.
    async fn direct(&self) {
        while let Some(next) = self.run_errands() {
            either(self.shared.stir.notified(), self.shared.clock.sleep_until(next)).await;
        }
    }

    /// Runs what errands there are; returns when the next are due, if the run goes on.
    fn run_errands(&self) -> Option<VirtualTime> {
        loop {
            let (errand, next) = {
                let mut run = lock(&self.shared.run);
                let run = run.as_mut()?;
                let errand = run.poll_errand(self.shared.clock.now());
                if run.ending().is_some() {
                    return None;
                }
                (errand, run.next_due())
            };
            match errand {
                Some(errand) => self.run_errand(errand),
                None => return Some(next),
            }
        }
    }

    fn run_errand(&self, errand: Errand) {
        match errand {
            Errand::Flush(process) => self.with_seat(process, Seat::flush),
            Errand::Kill(process) => Handle::current().kill(self.machine(process)),
            Errand::Start(process) => Handle::current().restart(self.machine(process)),
            Errand::Tell(store, fault) => self.with_seat(store, |seat| {
                seat.tell(Input::Trouble(Trouble::Store(fault)));
            }),
            Errand::BreakOff(from, to) => self.with_seat(from, |seat| seat.break_off(to)),
        }
    }

    fn machine(&self, process: ProcessId) -> NodeId {
        self.machines[slot_of(process)]
    }

    fn with_seat(&self, process: ProcessId, action: impl FnOnce(&Seat)) {
        let seat = lock(&self.seats)[slot_of(process)].clone();
        if let Some(seat) = seat {
            action(&seat);
        }
    }

    /// Ends all tasks, and what they hold.
    async fn close(self) -> (Remains<O>, u64) {
        for machine in &self.machines {
            Handle::current().kill(*machine);
        }
        madsim::time::sleep(DRAIN).await;
        lock(&self.seats).clear();
        let run = lock(&self.shared.run).take().expect("a run ends once");
        (run.finish(), self.shared.steps.load(Ordering::Relaxed))
    }
}

fn clock() -> Clock {
    let time = TimeHandle::current();
    let (start, elapsed) = (time.now_instant(), time.elapsed());
    Clock::new(start, move || VirtualTime::ZERO + (time.elapsed() - elapsed))
}

/// What the machine of a process runs, each time it is started.
fn life<O: Observer + Send + 'static>(
    plan: &Arc<Plan>,
    cluster: &Cluster,
    shared: &Arc<Shared<O>>,
    seats: &Arc<Seats>,
    process: ProcessId,
) -> impl Fn() -> BoxFuture + Send + Sync + 'static {
    let (plan, cluster) = (Arc::clone(plan), cluster.clone());
    let (shared, seats) = (Arc::clone(shared), Arc::clone(seats));
    move || {
        let (plan, cluster) = (Arc::clone(&plan), cluster.clone());
        let (shared, seats) = (Arc::clone(&shared), Arc::clone(&seats));
        Box::pin(async move {
            let Some((life, status)) = shared.life(process) else { return };
            let seat = Arc::new(Seat::new(&plan, &cluster, shared, life, status));
            lock(&seats)[slot_of(process)] = Some(Arc::clone(&seat));
            driver::drive(seat).await;
        })
    }
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<O: Observer> Shared<O> {
    fn life(&self, process: ProcessId) -> Option<(Life, Arc<Status>)> {
        lock(&self.run).as_ref().map(|run| run.life(process))
    }
}

impl<O: Observer + Send> World for Shared<O> {
    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn address(&self, process: ProcessId) -> SocketAddr {
        address_of(process)
    }

    fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    fn event(&self, process: ProcessId, now: VirtualTime, event: &Event) -> ControlFlow<()> {
        let mut run = lock(&self.run);
        let Some(run) = run.as_mut() else { return ControlFlow::Break(()) };
        let due = run.next_due();
        let flow = run.event(process, now, event);
        if run.ending().is_some() || run.next_due() < due {
            self.stir.notify_one();
        }
        flow
    }

    fn strike_message(
        &self,
        from: ProcessId,
        now: VirtualTime,
        to: ProcessId,
        kind: MessageKind,
    ) -> Option<MessageAction> {
        lock(&self.run).as_mut().and_then(|run| run.strike_message(from, now, to, kind))
    }

    fn fail(&self, failure: Box<dyn Any + Send>) {
        if let Some(run) = lock(&self.run).as_mut() {
            run.fail(failure);
        }
        self.stir.notify_one();
    }
}

/// Acts on the machines, in the order of [`slot_of`].
struct Hands(Vec<NodeId>);

impl Hands {
    fn machine(&self, process: ProcessId) -> NodeId {
        self.0[slot_of(process)]
    }
}

impl Machines for Hands {
    fn pause(&self, process: ProcessId) {
        Handle::current().pause(self.machine(process));
    }

    fn resume(&self, process: ProcessId) {
        Handle::current().resume(self.machine(process));
    }

    fn cut(&self, from: ProcessId, to: ProcessId) {
        NetSim::current().clog_link(self.machine(from), self.machine(to));
    }

    fn heal(&self, from: ProcessId, to: ProcessId) {
        NetSim::current().unclog_link(self.machine(from), self.machine(to));
    }
}

fn address_of(process: ProcessId) -> SocketAddr {
    let [high, low] = (slot_of(process) as u16 + 1).to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)), PORT)
}
