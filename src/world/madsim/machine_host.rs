//! The machine host: the simulated machines, on which the processes are driven, crash and are disconnected.
//! All that is madsim's is here.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use madsim::runtime::{Handle, Runtime};
use madsim::time::TimeHandle;
use tokio::sync::Notify;

use super::clocks::Clocks;
use super::driver::clock::Clock;
use super::driver::delays::network_latency;
use super::driver::either::either;
use super::driver::frame::Class;
use super::driver::process_instance::{ProcessInstance, Status};
use super::driver::{self, Life, Machine, World, lock};
use super::machine_control::MachineControl;
use super::run::{Errand, Remains, Run};
use crate::cluster::{Cluster, Message};
use crate::plan::{MessageAction, Plan};
use crate::protocol::{ProcessId, VirtualTime};
use crate::trace::{Event, MessageKind};
use crate::world::faults::Nemesis;
use crate::world::network::Delivery;
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
    let runtime = Runtime::with_seed_and_config(plan.root(), config(plan));
    let (remains, steps) = runtime.block_on(perform(plan, cluster, observer));
    let Remains { observer, nemesis, mut end, failure } = remains;
    if let Some(failure) = failure {
        std::panic::resume_unwind(failure);
    }
    end.steps = steps;
    (end, nemesis, observer)
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
    let host = MachineHost::build(plan, cluster, observer);
    host.direct().await;
    host.close().await
}

/// The processes' machines, and what they share.
struct MachineHost<O> {
    plan: Arc<Plan>,
    cluster: Cluster,
    shared: Arc<Shared<O>>,
    control: Arc<MachineControl>,
    instances: Arc<Instances>,
}

/// The newest life on each machine.
type Instances = Mutex<BTreeMap<Machine, Arc<ProcessInstance>>>;

/// What all processes share.
struct Shared<O> {
    clock: Clock,
    clocks: Arc<Clocks>,
    /// None once it is over.
    run: Mutex<Option<Run<O>>>,
    steps: AtomicU64,
    /// The run is over, or something is due.
    stir: Notify,
}

impl<O: Observer + Send + 'static> MachineHost<O> {
    fn build(plan: &Plan, cluster: &Cluster, observer: O) -> Self {
        let plan = Arc::new(plan.clone());
        let processes: Vec<ProcessId> = cluster.processes().collect();
        let shared = Arc::new(Shared {
            clock: clock(),
            clocks: Arc::new(Clocks::new(processes.len())),
            run: Mutex::new(None),
            steps: AtomicU64::new(0),
            stir: Notify::new(),
        });
        let (control, instances) = (Arc::default(), Arc::default());
        let host = Self { plan, cluster: cluster.clone(), shared, control, instances };
        for process in &processes {
            host.set_up(*process, Machine(slot_of(*process) as u16));
        }
        let (plan, control) = (Arc::clone(&host.plan), Box::new(Arc::clone(&host.control)));
        let clocks = Arc::clone(&host.shared.clocks);
        let mut run = Run::new(plan, processes.into_iter(), control, clocks, observer);
        run.begin(&Event::RunStarted(Box::new(run_started(&host.plan, cluster))));
        *lock(&host.shared.run) = Some(run);
        host
    }

    /// Sets a new machine up, for lives of a process.
    fn set_up(&self, process: ProcessId, machine: Machine) {
        let life = self.life(machine);
        let (name, ip) = (process.to_string(), address_of(machine).ip());
        let node = Handle::current().create_node().name(name).ip(ip).init(life).build();
        self.control.add(process, machine, node.id());
    }

    /// The next life of a process begins: where the last one was, or on a machine of its own.
    fn start(&self, process: ProcessId, machine: Machine) {
        match self.control.node(machine) {
            Some(node) => Handle::current().restart(node),
            None => self.set_up(process, machine),
        }
    }

    /// What a machine runs, each time it is started.
    fn life(&self, machine: Machine) -> impl Fn() -> BoxFuture + Send + Sync + 'static {
        let (plan, cluster) = (Arc::clone(&self.plan), self.cluster.clone());
        let (shared, instances) = (Arc::clone(&self.shared), Arc::clone(&self.instances));
        move || {
            let (plan, cluster) = (Arc::clone(&plan), cluster.clone());
            let (shared, instances) = (Arc::clone(&shared), Arc::clone(&instances));
            Box::pin(async move {
                let Some(life) = shared.life(machine) else { return };
                let before = lock(&instances).get(&machine).cloned();
                let instance =
                    ProcessInstance::new(&plan, &cluster, shared, life, before.as_deref());
                let instance = Arc::new(instance);
                lock(&instances).insert(machine, Arc::clone(&instance));
                drop(before);
                driver::drive(instance).await;
            })
        }
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
            Errand::Flush(machine) => self.with_instance(machine, ProcessInstance::flush),
            Errand::Kill(machine) => self.kill(machine),
            Errand::Start(process, machine) => self.start(process, machine),
            Errand::Tell(machine, input) => {
                self.with_instance(machine, |instance| instance.tell(input))
            }
            Errand::Afflict(machine, trouble) => {
                self.with_instance(machine, |instance| instance.afflict(trouble));
            }
            Errand::Deliver(machine, from, message) => {
                self.with_instance(machine, |instance| instance.deliver(from, message));
            }
            Errand::Release(machine, from) => {
                self.with_instance(machine, |instance| instance.release(from))
            }
            Errand::BreakOff(machine, to) => {
                self.with_instance(machine, |instance| instance.break_off(to))
            }
        }
    }

    fn kill(&self, machine: Machine) {
        if let Some(node) = self.control.node(machine) {
            Handle::current().kill(node);
        }
    }

    fn with_instance(&self, machine: Machine, action: impl FnOnce(&ProcessInstance)) {
        let instance = lock(&self.instances).get(&machine).cloned();
        if let Some(instance) = instance {
            action(&instance);
        }
    }

    /// The run is over: what is left in the external system is told.
    fn tell_held(&self) {
        let machine = Machine(slot_of(ProcessId::SinkTarget) as u16);
        let instance = lock(&self.instances).get(&machine).cloned();
        let held = instance.map_or_else(Vec::new, |instance| instance.held());
        if let Some(run) = lock(&self.shared.run).as_mut() {
            run.tell_held(&held);
        }
    }

    /// Ends all tasks, and what they hold.
    async fn close(self) -> (Remains<O>, u64) {
        self.tell_held();
        for node in self.control.nodes() {
            Handle::current().kill(node);
        }
        madsim::time::sleep(DRAIN).await;
        lock(&self.instances).clear();
        let run = lock(&self.shared.run).take().expect("a run ends once");
        (run.finish(), self.shared.steps.load(Ordering::Relaxed))
    }
}

fn clock() -> Clock {
    let time = TimeHandle::current();
    let (start, elapsed) = (time.now_instant(), time.elapsed());
    Clock::new(start, move || VirtualTime::ZERO + (time.elapsed() - elapsed))
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<O: Observer> Shared<O> {
    fn life(&self, machine: Machine) -> Option<(Life, Arc<Status>)> {
        lock(&self.run).as_ref().and_then(|run| run.life(machine))
    }

    /// Does something in the run, and sees to it that what is due now is not due later.
    fn with_run<R>(&self, action: impl FnOnce(&mut Run<O>) -> R) -> Option<R> {
        let mut run = lock(&self.run);
        let run = run.as_mut()?;
        let due = run.next_due();
        let result = action(run);
        if run.ending().is_some() || run.next_due() < due {
            self.stir.notify_one();
        }
        Some(result)
    }
}

impl<O: Observer + Send> World for Shared<O> {
    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn local_time(&self, process: ProcessId, now: VirtualTime) -> VirtualTime {
        self.clocks.read(process, now)
    }

    fn wait(&self, process: ProcessId, duration: Duration) -> Duration {
        self.clocks.wait(process, duration)
    }

    fn address(&self, machine: Machine) -> SocketAddr {
        address_of(machine)
    }

    fn machine_of(&self, to: ProcessId, message: &Message) -> Machine {
        let machine = lock(&self.run).as_ref().map(|run| run.machine_of(to, message));
        machine.unwrap_or(Machine(slot_of(to) as u16))
    }

    fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    fn event(&self, life: Life, now: VirtualTime, event: &Event) -> ControlFlow<()> {
        let flow = self.with_run(|run| run.event(life, now, event));
        flow.unwrap_or(ControlFlow::Break(()))
    }

    fn strike_message(
        &self,
        from: ProcessId,
        now: VirtualTime,
        to: ProcessId,
        kind: MessageKind,
        delayed: (Duration, &Message),
    ) -> Option<MessageAction> {
        self.with_run(|run| run.strike_message(from, now, to, kind, delayed)).flatten()
    }

    fn delivery(
        &self,
        now: VirtualTime,
        ends: (ProcessId, ProcessId),
        class: Class,
        message: &Message,
    ) -> Delivery {
        let delivery = self.with_run(|run| run.delivery(now, ends, class, message));
        delivery.unwrap_or(Delivery::Lost)
    }

    fn fail(&self, failure: Box<dyn Any + Send>) {
        if let Some(run) = lock(&self.run).as_mut() {
            run.fail(failure);
        }
        self.stir.notify_one();
    }
}

fn address_of(machine: Machine) -> SocketAddr {
    let [high, low] = (machine.0 + 1).to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)), PORT)
}
