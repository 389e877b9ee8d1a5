//! The story of a run: what matters of its trace, one line each, told as it happens.

use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::time::Duration;

use super::console::Console;
use crate::protocol::ordered::VecMap;
use crate::protocol::{CheckpointId, ProcessId, SubtaskId, Topology, VirtualTime};
use crate::trace::{Event, Stamp};
use crate::world::Observer;

/// Tells a run.
pub struct Story {
    out: Console,
    topology: Topology,
    /// When each pending checkpoint was triggered.
    triggered: VecMap<CheckpointId, VirtualTime>,
    /// How long completed ones took.
    durations: Vec<Duration>,
    error: Option<io::Error>,
}

impl Story {
    /// A story told on `out`.
    pub fn new(out: Console) -> Self {
        Self {
            out,
            topology: Topology::default(),
            triggered: VecMap::new(),
            durations: Vec::new(),
            error: None,
        }
    }

    /// The end: how long each completed checkpoint took, in order of completion, unless the story could
    /// not be told.
    pub fn finish(self) -> io::Result<Vec<Duration>> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.durations),
        }
    }

    fn tell(&mut self, at: VirtualTime, line: &str) {
        let told = writeln!(self.out, "{:>12}  {line}", at.to_string());
        if let Err(error) = told {
            self.error.get_or_insert(error);
        }
    }

    fn name(&self, subtask: SubtaskId) -> String {
        self.topology.name(subtask)
    }

    fn line(&mut self, stamp: Stamp, event: &Event) -> Option<String> {
        self.fault_line(event)
            .or_else(|| self.checkpoint_line(stamp.at, event))
            .or_else(|| self.job_line(stamp.process, event))
    }

    fn fault_line(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Crashed { process } => format!("fault: {process} crashes"),
            Event::Restarted { process, .. } => format!("{process} is back, with empty memory"),
            Event::Paused { process } => format!("fault: {process} stalls"),
            Event::Resumed { process } => format!("{process} goes on"),
            Event::Disconnected { from, to } => format!("fault: {from} no longer reaches {to}"),
            Event::Healed { from, to } => format!("{from} reaches {to} again"),
            Event::MessageDropped { from, to, message } => {
                format!("fault: {message} from {from} to {to} is lost")
            }
            Event::MessageDelayed { from, to, message } => {
                format!("fault: {message} from {from} to {to} is held back")
            }
            Event::MessageDuplicated { from, to, message } => {
                format!("fault: {message} from {from} to {to} comes twice")
            }
            Event::MessageReordered { from, to, message } => {
                format!("fault: {message} from {from} to {to} waits for what comes after it")
            }
            Event::Zombified { process, incarnation } => {
                format!("fault: {process} is replaced, and its {incarnation} goes on")
            }
            Event::ZombieEnded { process, incarnation } => {
                format!("{incarnation} of {process}, replaced before, ends")
            }
            Event::Held { from, to } => format!("fault: what {from} sends to {to} is held"),
            Event::Released { from, to } => format!("what {from} sent to {to} is let go"),
            Event::HalfOpened { from, to } => {
                format!("fault: what {from} sends to {to} vanishes, and nobody is told")
            }
            Event::ConnectionReset { from, to } => {
                format!("{from} and {to} learn that their connection was lost")
            }
            Event::ElementLost { channel } => {
                let channel = self.topology.channel_name(*channel);
                format!("fault: a reconnect loses an element of {channel}")
            }
            Event::ClockChanged { process, ahead_us } => {
                format!("fault: the clock of {process} is {ahead_us} µs ahead")
            }
            Event::StoreTroubled { process, trouble } => {
                format!("fault: {process} is in trouble: {trouble}")
            }
            Event::ObjectDestroyed { key } => format!("fault: {key} is gone for good"),
            Event::SinkTroubled { trouble } => {
                format!("fault: the sink target is in trouble: {trouble}")
            }
            Event::SinkRecovered => "the sink target works normally".to_owned(),
            Event::SplitIdle { split } => format!("fault: {split} has nothing new for a while"),
            Event::SplitResumed { split } => format!("{split} goes on"),
            Event::StoreRecovered { process } => format!("{process} works normally"),
            Event::FaultsEnded => "faults end, everything is healed".to_owned(),
            _ => return None,
        })
    }

    fn checkpoint_line(&mut self, at: VirtualTime, event: &Event) -> Option<String> {
        Some(match event {
            Event::Triggered { checkpoint, .. } => {
                self.triggered.insert(*checkpoint, at);
                format!("{checkpoint} triggered")
            }
            Event::Completed { checkpoint, .. } => {
                let took = self.took(*checkpoint, at);
                self.durations.extend(took);
                format!("{checkpoint} completed{}", after(took))
            }
            Event::Aborted { checkpoint, reason, .. } => {
                let took = self.took(*checkpoint, at);
                format!("{checkpoint} aborted{}: {reason}", after(took))
            }
            Event::Declined { subtask, checkpoint, .. } => {
                format!("{checkpoint} declined by {}", self.name(*subtask))
            }
            _ => return None,
        })
    }

    fn took(&mut self, checkpoint: CheckpointId, at: VirtualTime) -> Option<Duration> {
        self.triggered.remove(&checkpoint).map(|triggered| at.since(triggered))
    }

    fn job_line(&self, process: ProcessId, event: &Event) -> Option<String> {
        Some(match event {
            Event::LeadershipTaken { term } => format!("{process} leads, {term}"),
            Event::AttemptStarted { attempt, restored: Some(checkpoint), .. } => {
                format!("{attempt} is deployed, from {checkpoint}")
            }
            Event::AttemptStarted { attempt, restored: None, .. } => {
                format!("{attempt} is deployed, from the beginning")
            }
            Event::RescaleRequested { parallelism, .. } => {
                format!("parallelism {parallelism} is asked for")
            }
            Event::RescaleRefused { parallelism, reason } => {
                format!("parallelism {parallelism} is refused: {reason}")
            }
            Event::RescaleStarted { parallelism, .. } => {
                format!("the job goes on at parallelism {parallelism}")
            }
            Event::AttemptRunning { attempt } => format!("{attempt} runs"),
            Event::AttemptFailed { attempt, reason } => format!("{attempt} fails: {reason}"),
            Event::SubtaskFailed { subtask, reason, .. } => {
                format!("{} fails: {reason}", self.name(*subtask))
            }
            Event::SubtaskEnded { subtask, .. } => format!("{} has ended", self.name(*subtask)),
            Event::SavepointCompleted { checkpoint, mode, .. } => {
                format!("savepoint {checkpoint} completes: {mode}")
            }
            Event::JobStopped { checkpoint, clean, .. } => {
                let rest = if *clean { "" } else { ", not all of it committed" };
                format!("the job is stopped at savepoint {checkpoint}{rest}")
            }
            Event::JobResumed { checkpoint } => format!("the job is resumed from {checkpoint}"),
            Event::RequestRefused { reason } => format!("a request is refused: {reason}"),
            Event::JobFinished { attempt } => format!("the job has finished, in {attempt}"),
            _ => return None,
        })
    }
}

fn after(took: Option<Duration>) -> String {
    took.map_or_else(String::new, |took| format!(" after {}", ms(took)))
}

/// A duration as traces show times.
pub fn ms(duration: Duration) -> String {
    (VirtualTime::ZERO + duration).to_string()
}

impl Observer for Story {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        if let Event::RunStarted(run) = event {
            self.topology = run.topology.clone();
        } else if let Event::Reshaped { topology, .. } = event {
            self.topology.clone_from(topology);
        }
        if let Some(line) = self.line(stamp, event) {
            self.tell(stamp.at, &line);
        }
        ControlFlow::Continue(())
    }
}
