//! The commands of a walk-through. Each is one stimulus, or prepares one.

use std::str::FromStr;

use cutwater::protocol::{Defect, DefectSet};

use super::processes::Processes;
use super::rescaling::Rescaled;

/// A walk-through under way.
#[derive(Debug, Default)]
pub struct Stage {
    defects: Vec<Defect>,
    /// In a walk-through of rescaling, its subtasks.
    rescaled: Option<Rescaled>,
    /// In all others, the processes.
    processes: Option<Processes>,
}

impl Stage {
    /// A stage on which these defects are at work from the beginning.
    pub fn with_defects(defects: DefectSet) -> Self {
        Self { defects: defects.iter().collect(), ..Self::default() }
    }

    /// Carries out one command; returns what it leads to.
    pub fn run(&mut self, command: &str) -> Result<Vec<String>, String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["defect", name] => {
                let defect = Defect::from_str(name);
                self.defects.push(defect.map_err(|_| format!("unknown defect {name:?}"))?);
                Ok(Vec::new())
            }
            ["job", shape @ ..] => {
                let defects = self.defects.iter().copied().collect();
                self.processes = Some(Processes::in_brief(shape, defects)?);
                Ok(Vec::new())
            }
            ["rescalable", shape @ ..] => {
                let defects = self.defects.iter().copied().collect();
                self.rescaled = Some(Rescaled::new(shape, defects)?);
                Ok(Vec::new())
            }
            ["cluster", shape @ ..] => {
                let defects = self.defects.iter().copied().collect();
                self.processes = Some(Processes::new(shape, defects)?);
                Ok(Vec::new())
            }
            words => {
                if let Some(processes) = &mut self.processes {
                    return processes.run(words);
                }
                if let Some(rescaled) = &mut self.rescaled {
                    return rescaled.run(words);
                }
                Err("a job comes first".to_owned())
            }
        }
    }
}
