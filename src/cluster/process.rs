//! All processes of a job: how each is started and restarted, and that it takes one input at a time.

use std::sync::Arc;

use super::coordinator::Coordinator;
use super::io::{Input, Outbox, Output, QueuedOutbox};
use super::meta_store::MetaStore;
use super::object_store::ObjectStore;
use super::settings::ClusterSettings;
use super::sink_target::SinkTarget;
use super::source_log::SourceLog;
use super::trouble::Trouble;
use super::worker::Worker;
use crate::dataflow;
use crate::dataflow::Job;
use crate::protocol::{DefectSet, ProcessId, VirtualTime};
use crate::trace::Event;

/// Everything that the processes of one job need to be started.
#[derive(Clone)]
pub struct Cluster {
    /// The job.
    pub job: Arc<Job>,
    /// The content of the source log.
    pub input: Arc<dataflow::Input>,
    /// The settings.
    pub settings: Arc<ClusterSettings>,
    /// The seeded bugs.
    pub defects: DefectSet,
}

impl Cluster {
    /// All processes, in the order in which they are started.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> + use<> {
        self.settings.processes()
    }

    /// A process with empty memory.
    #[must_use]
    pub fn start(&self, id: ProcessId) -> Process {
        let settings = Arc::clone(&self.settings);
        match id {
            ProcessId::Coordinator => {
                let job = Arc::clone(&self.job);
                Process::Coordinator(Box::new(Coordinator::new(settings, job, self.defects)))
            }
            ProcessId::ObjectStore => {
                let store = ObjectStore::new(settings.object_store, self.defects);
                Process::ObjectStore(store)
            }
            ProcessId::MetaStore => Process::MetaStore(MetaStore::new(settings.meta_store)),
            ProcessId::SourceLog => {
                let discovery = settings.discovery.clone();
                Process::SourceLog(SourceLog::new(Arc::clone(&self.input), discovery))
            }
            ProcessId::SinkTarget => {
                Process::SinkTarget(SinkTarget::new(self.defects, self.job.external_system()))
            }
            ProcessId::Worker(index) => {
                let job = Arc::clone(&self.job);
                Process::Worker(Box::new(Worker::new(index, settings, job, self.defects)))
            }
        }
    }

    /// The next life of a process: with what was durable, and nothing else. Coordinator and workers keep
    /// nothing of their own.
    #[must_use]
    pub fn restart(&self, old: &Process) -> Process {
        match old {
            Process::Coordinator(_) => self.start(ProcessId::Coordinator),
            Process::Worker(worker) => self.start(ProcessId::Worker(worker.index())),
            Process::ObjectStore(_)
            | Process::MetaStore(_)
            | Process::SourceLog(_)
            | Process::SinkTarget(_) => old.remains(),
        }
    }
}

/// A process of the cluster. Cloning it forks it.
#[derive(Clone)]
pub enum Process {
    /// See [`Coordinator`].
    Coordinator(Box<Coordinator>),
    /// See [`ObjectStore`].
    ObjectStore(ObjectStore),
    /// See [`MetaStore`].
    MetaStore(MetaStore),
    /// See [`SourceLog`].
    SourceLog(SourceLog),
    /// See [`SinkTarget`].
    SinkTarget(SinkTarget),
    /// See [`Worker`].
    Worker(Box<Worker>),
}

impl Process {
    /// What a crash leaves: of a service what is durable, and its troubles, which are not its own. The memory of
    /// the others is what they are, and stays with their corpse.
    #[must_use]
    pub fn remains(&self) -> Self {
        match self {
            Process::ObjectStore(store) => Process::ObjectStore(store.restarted()),
            Process::MetaStore(store) => Process::MetaStore(store.restarted()),
            Process::SinkTarget(target) => Process::SinkTarget(target.restarted()),
            Process::Coordinator(_) | Process::SourceLog(_) | Process::Worker(_) => self.clone(),
        }
    }

    /// A service is told how it fares while it is down: it shows in its next life. What happens by it at once is
    /// given back; it answers nobody.
    pub fn handle_trouble_while_down(
        &mut self,
        now: VirtualTime,
        trouble: Trouble,
    ) -> impl Iterator<Item = Event> + use<> {
        let mut outbox = QueuedOutbox::new();
        *self = self.remains();
        self.handle(now, Input::Trouble(trouble), &mut outbox);
        outbox.into_outputs().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send { .. } | Output::SetTimer { .. } => None,
        })
    }

    /// What is to be told of it when the run is over: what an external system holds, and readers do not see.
    #[must_use]
    pub fn held(&self) -> Vec<Event> {
        match self {
            Process::SinkTarget(target) => target.held(),
            Process::Coordinator(_)
            | Process::ObjectStore(_)
            | Process::MetaStore(_)
            | Process::SourceLog(_)
            | Process::Worker(_) => Vec::new(),
        }
    }

    /// Takes one input; its consequences go to `outbox`, in order.
    pub fn handle(&mut self, now: VirtualTime, input: Input, outbox: &mut dyn Outbox) {
        match self {
            Process::Coordinator(process) => process.handle(now, input, outbox),
            Process::ObjectStore(process) => process.handle(input, outbox),
            Process::MetaStore(process) => process.handle(input, outbox),
            Process::SourceLog(process) => process.handle(now, input, outbox),
            Process::SinkTarget(process) => process.handle(now, input, outbox),
            Process::Worker(process) => process.handle(now, input, outbox),
        }
    }
}
