//! Checkpoints forced by what processes know of each other's, with fewer of them than a clock forces.
//!
//! After Hélary, Mostéfaoui, Netzer and Raynal, *Communication-Based Prevention of Useless Checkpoints in
//! Distributed Computations* (2000), in the form with vectors. CheckMate (Siachamis et al. 2024) implements it.

use alloc::vec;
use alloc::vec::Vec;

use super::defect::{IndependentDefect, IndependentDefectSet};

/// What one process knows of the checkpoints of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    process: usize,
    clock: u64,
    /// By process: how many checkpoints it is known to have taken.
    checkpoints: Vec<u64>,
    /// By process: whether a message went there since this process's newest checkpoint.
    sent_to: Vec<bool>,
    /// By process: whether a checkpoint lies on a causal path from its newest known one to here. Never of itself.
    taken: Vec<bool>,
    /// By process: whether this one's clock is known to be ahead of it. Never of itself.
    greater: Vec<bool>,
}

impl Knowledge {
    /// The first of process `process` of so many: its initial state is its first checkpoint.
    pub(super) fn new(process: usize, processes: usize) -> Self {
        let no = vec![false; processes];
        let mut first = Self {
            process,
            clock: 0,
            checkpoints: vec![0; processes],
            sent_to: no.clone(),
            taken: no.clone(),
            greater: no,
        };
        first.checkpoint();
        first
    }

    /// A checkpoint was taken.
    pub(super) fn checkpoint(&mut self) {
        let own = self.process;
        self.sent_to.fill(false);
        self.taken.iter_mut().enumerate().for_each(|(other, taken)| *taken = other != own);
        self.greater.iter_mut().enumerate().for_each(|(other, greater)| *greater = other != own);
        self.clock += 1;
        self.checkpoints[own] += 1;
    }

    /// What a message to the process `to` tells.
    pub(super) fn tell(&mut self, to: usize) -> Self {
        self.sent_to[to] = true;
        self.clone()
    }

    /// Whether a message that tells this would make a checkpoint useless.
    pub(super) fn is_forced_by(&self, told: &Self, defects: IndependentDefectSet) -> bool {
        let overtaken = told.clock > self.clock
            && self.sent_to.iter().zip(&told.greater).any(|(sent, greater)| *sent && *greater);
        let comes_back = told.checkpoints[self.process] == self.checkpoints[self.process]
            && told.taken[self.process];
        (overtaken && !defects.has(IndependentDefect::OvertakenMessageForcesNothing))
            || (comes_back && !defects.has(IndependentDefect::OwnIntervalForcesNothing))
    }

    /// A message that tells this is processed.
    pub(super) fn learn(&mut self, told: &Self, defects: IndependentDefectSet) {
        self.learn_clock(told);
        let own = self.process;
        for other in (0..self.checkpoints.len()).filter(|other| *other != own) {
            if told.checkpoints[other] > self.checkpoints[other] {
                self.checkpoints[other] = told.checkpoints[other];
                self.taken[other] = told.taken[other];
            } else if told.checkpoints[other] == self.checkpoints[other]
                && !defects.has(IndependentDefect::KnowledgeNotMerged)
            {
                self.taken[other] |= told.taken[other];
            }
        }
    }

    fn learn_clock(&mut self, told: &Self) {
        if told.clock > self.clock {
            self.clock = told.clock;
            self.greater.clone_from(&told.greater);
            self.greater[self.process] = false;
        } else if told.clock == self.clock {
            for (own, other) in self.greater.iter_mut().zip(&told.greater) {
                *own &= *other;
            }
        }
    }

    /// Eight bytes a number, and a bit a flag that travels.
    pub(super) fn bytes(&self) -> u64 {
        let processes = self.checkpoints.len() as u64;
        8 + 8 * processes + (2 * processes).div_ceil(8)
    }
}
