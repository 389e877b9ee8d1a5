//! Faults as they take effect, in every world alike.

use std::ops::{ControlFlow, Deref};

use super::Observer;
use super::act::Act;
use super::network::{Cleared, Obstacle};
use super::run_state::RunState;
use crate::plan::{ClockChange, Fault, Plan};
use crate::protocol::{ChannelId, ProcessId, RescaleRequest};
use crate::trace::Event;

/// What a world does to its processes and the ways between them. What a fault of a plan means is said
/// here once, in these verbs; a world only carries them out.
///
/// `fault` is always the place of a fault in the plan.
pub(super) trait Injector {
    /// Who watches the run.
    type Observer: Observer;
    /// How the world holds the plan.
    type Plan: Deref<Target = Plan>;

    /// The plan of the run.
    fn plan(&self) -> Self::Plan;

    /// The state of the run.
    fn state(&mut self) -> &mut RunState<Self::Observer>;

    /// Shows an event of the system or of its faults; what waits for one of its kind sets out.
    fn tell(&mut self, process: ProcessId, event: &Event);

    /// Nothing waits for an event any more.
    fn release_all_waiting(&mut self);

    /// A request of the plan is made.
    fn ask(&mut self, request: usize);

    /// The coordinator hears that it shall rescale the job: at once if it is up, later if it is paused.
    fn rescale(&mut self, request: RescaleRequest);

    /// A process that is up or paused dies, the fault is marked, and the death told.
    fn crash(&mut self, fault: usize, process: ProcessId, restart_after_us: Option<u64>);

    /// A process that is up makes no progress for a while; the fault is marked, and the pause told.
    fn pause(&mut self, fault: usize, process: ProcessId, for_us: u64);

    /// A process that may be is replaced, and goes on; the fault is marked, and the replacement told.
    fn zombify(&mut self, fault: usize, process: ProcessId, restart_after_us: u64, for_us: u64);

    /// No zombie goes on any more.
    fn end_zombies(&mut self);

    /// The clock of a process changes; returns how far it is ahead then, in microseconds.
    fn change_clock(&mut self, process: ProcessId, change: ClockChange) -> i64;

    /// No clock gains or loses any more, but what it has gained stays: whose did, and how far they are ahead.
    fn steady_clocks(&mut self) -> Vec<(ProcessId, i64)>;

    /// A service is told of the trouble of this fault.
    fn trouble(&mut self, fault: usize);

    /// Something is in the way from one process to another from here on.
    fn block(&mut self, obstacle: Obstacle, from: ProcessId, to: ProcessId);

    /// It is not in the way any more.
    fn unblock(&mut self, obstacle: Obstacle, from: ProcessId, to: ProcessId);

    /// Ways may be open again.
    fn look_again(&mut self) {}

    /// After this time the fault is over.
    fn schedule_heal(&mut self, fault: usize, for_us: u64);

    /// An event of the system has been told: what is aimed at it happens. `Break` when the run is over by it,
    /// and nothing follows.
    #[inline]
    fn follow(&mut self, process: ProcessId, event: &Event) -> ControlFlow<()> {
        let state = self.state();
        state.note(event);
        if state.ending.is_some() {
            return ControlFlow::Break(());
        }
        if state.nemesis.is_watching(event) {
            self.act_after(process, event);
        }
        ControlFlow::Continue(())
    }

    /// What is aimed at this event happens, right after it.
    #[cold]
    fn act_after(&mut self, process: ProcessId, event: &Event) {
        for act in self.state().nemesis.handle_event(event) {
            self.act(act, process);
        }
    }

    /// Something happens that the plan has; `struck` is where its point was reached.
    fn act(&mut self, act: Act, struck: ProcessId) {
        match act {
            Act::Request(place) => self.ask(place),
            Act::Fault(_) | Act::Rescale(_) if self.state().is_healed => {}
            Act::Fault(place) => self.strike(place, struck),
            Act::Rescale(place) => {
                let request = self.plan().rescales[place].request();
                self.rescale(request);
            }
        }
    }

    /// A fault strikes; `struck` is where its point was reached.
    fn strike(&mut self, index: usize, struck: ProcessId) {
        let plan = self.plan();
        let planned = &plan.faults[index];
        match &planned.fault {
            Fault::Crash { process, restart_after_us } => {
                self.crash(index, process.unwrap_or(struck), *restart_after_us);
            }
            Fault::Pause { process, for_us } => {
                self.pause(index, process.unwrap_or(struck), *for_us);
            }
            Fault::Zombie { process, restart_after_us, for_us } => {
                self.zombify(index, process.unwrap_or(struck), *restart_after_us, *for_us);
            }
            Fault::Disconnect { from, to, both, for_us } => {
                let directions = [(*from, *to), (*to, *from)];
                let number = if *both { 2 } else { 1 };
                self.obstruct(index, Obstacle::Cut, &directions[..number], *for_us);
            }
            Fault::Isolate { process, for_us } => {
                self.isolate(index, process.unwrap_or(struck), *for_us);
            }
            Fault::Hold { from, to, for_us } => {
                self.obstruct(index, Obstacle::Hold, &[(*from, *to)], *for_us);
            }
            Fault::HalfOpen { from, to, for_us } => {
                self.obstruct(index, Obstacle::HalfOpen, &[(*from, *to)], *for_us);
            }
            Fault::Lose { channel, count } => {
                self.state().network.arm_loss(index, *channel, *count);
            }
            Fault::Clock { process, change } => {
                self.step_clock(index, process.unwrap_or(struck), *change);
            }
            Fault::Message { .. } => self.state().nemesis.arm_messages(index, planned),
            Fault::Store { for_us, .. }
            | Fault::Sink { for_us, .. }
            | Fault::Idle { for_us, .. } => {
                self.afflict(index, &planned.fault, *for_us);
            }
        }
    }

    /// A fault takes effect.
    fn mark(&mut self, fault: usize, struck: ProcessId) {
        let plan = self.plan();
        let state = self.state();
        let moment = state.moment();
        state.nemesis.strike(fault, &plan.faults[fault], struck, moment);
    }

    /// Something gets into these ways for a while.
    fn obstruct(
        &mut self,
        fault: usize,
        obstacle: Obstacle,
        directions: &[(ProcessId, ProcessId)],
        for_us: u64,
    ) {
        let Some((first, _)) = directions.first() else { return };
        self.mark(fault, *first);
        for (from, to) in directions.iter().copied() {
            if self.state().network.obstruct(obstacle, from, to, fault) {
                self.block(obstacle, from, to);
                self.tell(from, &obstacle.begins(from, to));
            }
        }
        self.schedule_heal(fault, for_us);
    }

    /// A process is cut off from all others, in both directions.
    fn isolate(&mut self, fault: usize, process: ProcessId, for_us: u64) {
        let others = self.plan().cluster.processes().filter(|other| *other != process);
        let directions: Vec<_> =
            others.flat_map(|other| [(process, other), (other, process)]).collect();
        self.obstruct(fault, Obstacle::Cut, &directions, for_us);
    }

    /// The time of a fault is over: nothing of it is in the way any more.
    fn clear(&mut self, fault: usize) {
        let cleared = self.state().network.clear(fault);
        self.reopen(cleared);
    }

    /// These ways are open again.
    fn reopen(&mut self, cleared: Vec<Cleared>) {
        for (obstacle, from, to) in cleared {
            self.tell(from, &obstacle.ends(from, to));
            self.unblock(obstacle, from, to);
        }
        self.look_again();
    }

    /// Whether a reconnect loses an element that arrives now.
    fn loses(&mut self, channel: ChannelId, to: ProcessId) -> bool {
        let Some(fault) = self.state().network.loses(channel) else { return false };
        if let Some(fault) = fault {
            self.mark(fault, to);
        }
        self.tell(to, &Event::ElementLost { channel });
        true
    }

    /// A clock changes, and whoever reads the trace knows how far it is ahead.
    fn step_clock(&mut self, fault: usize, process: ProcessId, change: ClockChange) {
        self.mark(fault, process);
        let ahead_us = self.change_clock(process, change);
        self.tell(process, &Event::ClockChanged { process, ahead_us });
    }

    /// The service that a fault is about fares badly for a while, if the fault makes sense there.
    fn afflict(&mut self, index: usize, fault: &Fault, for_us: u64) {
        if let Some(process) = self.state().troubles.begin(index, fault) {
            self.mark(index, process);
            self.trouble(index);
            self.schedule_heal(index, for_us);
        }
    }

    /// The safety phase is over: no fault strikes or acts any more, and nothing is in the way. Processes and
    /// services are still to be healed.
    fn end_faults(&mut self) {
        let state = self.state();
        state.nemesis.end();
        state.is_healed = true;
        let cleared = state.network.clear_all();
        self.reopen(cleared);
        self.release_all_waiting();
        for (process, ahead_us) in self.steady_clocks() {
            self.tell(process, &Event::ClockChanged { process, ahead_us });
        }
        self.end_zombies();
    }
}
