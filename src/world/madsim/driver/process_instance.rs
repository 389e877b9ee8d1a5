//! An instance: one life of a process, and all that its tasks share.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{self, Sleep};

use super::agenda::{Agenda, Task};
use super::clock::Clock;
use super::delays::{Delays, Departure};
use super::either::either;
use super::frame::Class;
use super::outgoing::Outgoing;
use super::session::{Arrival, MESSAGES_MAX, ReceiveSession};
use super::{Life, Machine, World, lock};
use crate::cluster::message::Route;
use crate::cluster::{
    Cluster, Delay, Input, Message, Output, Process, QueuedOutbox, Timer, Trouble,
};
use crate::plan::{Concern, MessageAction, Plan, Span, Stream};
use crate::protocol::{ProcessId, VirtualTime};
use crate::trace::Event;
use crate::world::network::Delivery;
use crate::world::{channels_max, slot_of};

/// Whether a process takes inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It takes what arrives.
    Up,
    /// It stalls; what arrives is kept for it.
    Paused,
    /// Never again.
    Gone,
}

/// Tells the tasks of one life of a process how it fares.
#[derive(Debug, Default)]
pub struct Status(AtomicU8);

impl Status {
    /// Tells it.
    pub fn set(&self, admission: Admission) {
        self.0.store(admission as u8, Ordering::Relaxed);
    }

    fn get(&self) -> Admission {
        match self.0.load(Ordering::Relaxed) {
            0 => Admission::Up,
            1 => Admission::Paused,
            _ => Admission::Gone,
        }
    }
}

/// No time comes after it.
const NEVER: VirtualTime = VirtualTime(u64::MAX);

/// One life of a process.
pub struct ProcessInstance {
    life: Life,
    status: Arc<Status>,
    world: Arc<dyn World>,
    clock: Clock,
    core: Mutex<Core>,
    /// Something is due earlier than the timekeeper knows.
    stir: Notify,
}

struct Core {
    process: Process,
    outbox: QueuedOutbox,
    mailbox: Stream,
    mailbox_us: Span,
    agenda: Agenda,
    /// When the timekeeper looks at the agenda next.
    alarm: VirtualTime,
    delays: Delays,
    outgoing: BTreeMap<(ProcessId, Class, Machine), Arc<Outgoing>>,
    sessions: BTreeMap<(ProcessId, Machine), ReceiveSession>,
    /// What has arrived from a peer and is held up by an obstacle, in order.
    held: BTreeMap<ProcessId, VecDeque<(Class, Message)>>,
}

impl ProcessInstance {
    /// A life that has not begun; `before` is the one before it on the same machine.
    pub fn new(
        plan: &Plan,
        cluster: &Cluster,
        world: Arc<dyn World>,
        (life, status): (Life, Arc<Status>),
        before: Option<&ProcessInstance>,
    ) -> Self {
        let process = match before {
            Some(before) => cluster.restart(&lock(&before.core).process),
            None => cluster.start(life.process),
        };
        let entity = u64::from(life.incarnation.0) << 32 | slot_of(life.process) as u64;
        let core = Core {
            process,
            outbox: QueuedOutbox::new(),
            mailbox: Stream::new(plan.root(), Concern::Mailbox, entity),
            mailbox_us: plan.mailbox_us,
            agenda: Agenda::default(),
            alarm: VirtualTime::ZERO,
            delays: Delays::new(plan, channels_max(plan, cluster), life.process),
            outgoing: BTreeMap::new(),
            sessions: BTreeMap::new(),
            held: BTreeMap::new(),
        };
        let (clock, core, stir) = (world.clock(), Mutex::new(core), Notify::new());
        Self { life, status, world, clock, core, stir }
    }

    /// The life begins.
    pub fn start(&self) {
        self.take(&mut lock(&self.core), self.clock.now(), Input::Start(self.life.incarnation));
    }

    /// Where it is reached.
    pub fn address(&self) -> SocketAddr {
        self.world.address(self.life.machine)
    }

    /// Waits while it is paused; false once it is gone.
    pub async fn is_admitted(&self) -> bool {
        loop {
            match self.status.get() {
                Admission::Up => return true,
                Admission::Gone => return false,
                Admission::Paused => tokio::task::yield_now().await,
            }
        }
    }

    /// Something that the driver cannot go on with.
    pub fn fail(&self, failure: Box<dyn Any + Send>) {
        self.world.fail(failure);
    }

    /// What is to be told of the process when the run is over.
    pub fn held(&self) -> Vec<Event> {
        lock(&self.core).process.held()
    }

    /// Hands the process an input from outside, as soon as its tasks run.
    pub fn tell(&self, input: Input) {
        let now = self.clock.now();
        self.schedule(&mut lock(&self.core), now, Task::Input(input));
    }

    /// Tells a service how it fares from here on. Trouble befalls it also while it is down: it shows
    /// in its next life.
    pub fn afflict(&self, trouble: Trouble) {
        if self.status.get() != Admission::Gone {
            return self.tell(Input::Trouble(trouble));
        }
        let (core, now) = (&mut *lock(&self.core), self.clock.now());
        let local = self.world.local_time(self.life.process, now);
        for event in core.process.handle_trouble_while_down(local, trouble) {
            // It is gone already: nothing can end it.
            let _gone = self.world.event(self.life, now, &event);
        }
    }

    /// A message that travels alone arrives from outside of all connections.
    pub fn deliver(&self, from: ProcessId, message: Message) {
        let now = self.clock.now();
        self.schedule(&mut lock(&self.core), now, Task::Arrive { from, message });
    }

    /// What has arrived from a peer, and waits, may go on.
    pub fn release(&self, from: ProcessId) {
        let core = &mut *lock(&self.core);
        if core.held.contains_key(&from) {
            self.schedule(core, self.clock.now(), Task::Release { from });
        }
    }

    /// What was sent leaves at once.
    pub fn flush(&self) {
        lock(&self.core).outgoing.values().for_each(|outgoing| outgoing.flush());
    }

    /// All connections to `peer` break.
    pub fn break_off(&self, peer: ProcessId) {
        let core = lock(&self.core);
        let leads_there = |((to, ..), _): &(&(ProcessId, _, _), _)| *to == peer;
        core.outgoing.iter().filter(leads_there).for_each(|(_, outgoing)| outgoing.break_off());
    }

    /// A life of a peer connects: what it is to send next, unless it is one of the past.
    pub fn welcome(&self, from: Life) -> Option<Option<u64>> {
        let sessions = &mut lock(&self.core).sessions;
        let peer = from.incarnation;
        let session = sessions.entry((from.process, from.machine));
        let session = session.or_insert_with(|| ReceiveSession::new(peer));
        session.handle_hello(peer).then(|| session.expected())
    }

    /// An ordered message arrives; returns what to acknowledge, if anything.
    pub fn receive(&self, from: Life, sequence: u64, message: Message) -> (Arrival, Option<u64>) {
        let core = &mut *lock(&self.core);
        let Some(session) = core.sessions.get_mut(&(from.process, from.machine)) else {
            return (Arrival::Wrong, None);
        };
        let arrival = session.handle_data(from.incarnation, sequence);
        let next = session.poll_acknowledgement();
        if arrival == Arrival::Next {
            self.arrive(core, self.clock.now(), from.process, (Class::Ordered, message));
        }
        (arrival, next)
    }

    /// A message that travels alone arrives, and is held back for a while.
    pub fn receive_alone(&self, from: ProcessId, hold: Duration, message: Message) {
        let core = &mut *lock(&self.core);
        let now = self.clock.now();
        if hold.is_zero() {
            self.arrive(core, now, from, (Class::Control, message));
        } else {
            self.schedule(core, now + hold, Task::Arrive { from, message });
        }
    }

    /// A message has come all the way: it waits behind those that are held up, or for its own sake, is
    /// lost, or is seen. Where so many wait that there is no room, one that may be lost is.
    fn arrive(&self, core: &mut Core, now: VirtualTime, from: ProcessId, item: (Class, Message)) {
        let (class, message) = &item;
        let delivery = match core.held.get(&from) {
            Some(held) if held.len() >= MESSAGES_MAX && *class == Class::Control => Delivery::Lost,
            Some(_) => Delivery::Waits,
            None => self.world.delivery(now, (from, self.life.process), *class, message),
        };
        match delivery {
            Delivery::Open => self.take(core, now, Input::Message { from, message: item.1 }),
            Delivery::Waits => core.held.entry(from).or_default().push_back(item),
            Delivery::Lost => {}
        }
    }

    /// Lets the first message that waits go on, if it may, and then the next.
    fn go_on(&self, core: &mut Core, now: VirtualTime, from: ProcessId) {
        let Some(held) = core.held.get_mut(&from) else { return };
        let Some((class, message)) = held.front() else { return };
        let delivery = self.world.delivery(now, (from, self.life.process), *class, message);
        if delivery == Delivery::Waits {
            return;
        }
        let released = held.pop_front();
        if held.is_empty() {
            core.held.remove(&from);
        } else {
            self.schedule(core, now, Task::Release { from });
        }
        if let (Delivery::Open, Some((_, message))) = (delivery, released) {
            self.take(core, now, Input::Message { from, message });
        }
    }

    /// Does what is due, for ever.
    pub async fn keep_time(&self) {
        let mut sleep = pin!(time::sleep_until(self.clock.instant(VirtualTime::ZERO)));
        while self.is_admitted().await {
            if let Some(next) = self.do_due() {
                sleep.as_mut().reset(self.clock.instant(next));
                self.until(next, sleep.as_mut()).await;
            }
        }
    }

    async fn until(&self, next: VirtualTime, sleep: Pin<&mut Sleep>) {
        if next == NEVER {
            self.stir.notified().await;
        } else {
            either(self.stir.notified(), sleep).await;
        }
    }

    /// Does what is due; returns when to look again, if all is done.
    fn do_due(&self) -> Option<VirtualTime> {
        let core = &mut *lock(&self.core);
        core.alarm = VirtualTime::ZERO;
        let now = self.clock.now();
        while let Some(task) = core.agenda.pop(now) {
            self.perform(core, now, task);
            if self.status.get() != Admission::Up {
                return None;
            }
        }
        core.alarm = core.agenda.next().unwrap_or(NEVER);
        Some(core.alarm)
    }

    fn perform(&self, core: &mut Core, now: VirtualTime, task: Task) {
        match task {
            Task::Input(input) => self.take(core, now, input),
            Task::Arrive { from, message } => {
                self.arrive(core, now, from, (Class::Control, message));
            }
            Task::Release { from } => self.go_on(core, now, from),
            Task::Send { to, message } => self.send_ordered(core, to, &message),
            Task::SendAlone { to, delay, message } => self.dispatch(core, now, to, delay, message),
        }
    }

    fn schedule(&self, core: &mut Core, at: VirtualTime, task: Task) {
        core.agenda.push(at, task);
        if at < core.alarm {
            core.alarm = at;
            self.stir.notify_one();
        }
    }

    /// Hands the process an input. A panic ends the run, and is seen by whoever started it.
    fn take(&self, core: &mut Core, now: VirtualTime, input: Input) {
        let handled = catch_unwind(AssertUnwindSafe(|| self.handle(core, now, input)));
        if let Err(panic) = handled {
            self.world.fail(panic);
        }
    }

    fn handle(&self, core: &mut Core, now: VirtualTime, input: Input) {
        self.world.step();
        let mut outbox = std::mem::take(&mut core.outbox);
        let local = self.world.local_time(self.life.process, now);
        core.process.handle(local, input, &mut outbox);
        let mut is_dead = false;
        for output in outbox.drain() {
            if is_dead && !matches!(output, Output::Event(_)) {
                continue;
            }
            is_dead |= self.carry_out(core, now, output).is_break();
            // A service keeps what it did: that is told, and nobody is answered.
            if is_dead && !self.life.process.is_durable() {
                break;
            }
        }
        core.outbox = outbox;
    }

    /// Carries out one consequence; `Break` when the process died of it, or the run is over.
    fn carry_out(&self, core: &mut Core, now: VirtualTime, output: Output) -> ControlFlow<()> {
        match output {
            Output::Send { to, message } => self.send(core, now, to, message),
            Output::SetTimer { after, timer } => self.set_timer(core, now, after, timer),
            Output::Event(event) => return self.world.event(self.life, now, &event),
        }
        ControlFlow::Continue(())
    }

    fn set_timer(&self, core: &mut Core, now: VirtualTime, after: Delay, timer: Timer) {
        let after = match after {
            Delay::Exactly(duration) => self.world.wait(self.life.process, duration),
            Delay::Scheduled => Duration::from_micros(core.mailbox.within(core.mailbox_us)),
        };
        self.schedule(core, now + after, Task::Input(Input::Timer(timer)));
    }

    fn send(&self, core: &mut Core, now: VirtualTime, to: ProcessId, message: Message) {
        let from = self.life.process;
        match core.delays.ordered(now, to, &message) {
            Some(Departure::AtOnce) => self.send_ordered(core, to, &message),
            Some(Departure::At(at)) if to == from => {
                self.schedule(core, at, Task::Input(Input::Message { from, message }));
            }
            Some(Departure::At(at)) => self.schedule(core, at, Task::Send { to, message }),
            None => self.send_alone(core, now, to, message),
        }
    }

    fn send_alone(&self, core: &mut Core, now: VirtualTime, to: ProcessId, message: Message) {
        let delay = core.delays.alone(now, to);
        let action = match message.route() {
            Route::Control(kind) => {
                self.world.strike_message(self.life.process, now, to, kind, (delay, &message))
            }
            Route::Channel(_) | Route::Credit(_) | Route::Stream => None,
        };
        match action {
            Some(MessageAction::Drop | MessageAction::Until { .. }) => return,
            Some(MessageAction::Delay { us }) => {
                let at = now + Duration::from_micros(us);
                return self.schedule(core, at, Task::SendAlone { to, delay, message });
            }
            Some(MessageAction::Duplicate { us }) => {
                let (at, message) = (now + Duration::from_micros(us), message.clone());
                self.schedule(core, at, Task::SendAlone { to, delay, message });
            }
            None => {}
        }
        self.dispatch(core, now, to, delay, message);
    }

    fn dispatch(
        &self,
        core: &mut Core,
        now: VirtualTime,
        to: ProcessId,
        delay: Duration,
        message: Message,
    ) {
        let from = self.life.process;
        if to == from {
            return self.schedule(core, now + delay, Task::Input(Input::Message { from, message }));
        }
        let hold = core.delays.hold(delay);
        self.outgoing(core, to, Class::Control, &message).send_alone(hold, &message);
    }

    fn send_ordered(&self, core: &mut Core, to: ProcessId, message: &Message) {
        self.outgoing(core, to, Class::Ordered, message).send(message);
    }

    fn outgoing<'a>(
        &self,
        core: &'a mut Core,
        to: ProcessId,
        class: Class,
        message: &Message,
    ) -> &'a Outgoing {
        let machine = self.world.machine_of(to, message);
        let open = || Outgoing::open(&self.world, self.life, machine, class);
        core.outgoing.entry((to, class, machine)).or_insert_with(open)
    }
}
