//! Faults in words, one line each.

use std::fmt;
use std::time::Duration;

use super::fault::{ClockChange, Fault, MessageAction, PlannedFault, When};
use crate::cluster::{SinkFault, StoreFault};
use crate::protocol::ProcessId;

impl fmt::Display for PlannedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.when, self.fault)
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::At { us } => write!(f, "at {}", ms(*us)),
            When::Point { point, subtask, occurrence, after_restarts } => {
                write!(f, "after {point} no. {occurrence}")?;
                if let Some(subtask) = subtask {
                    write!(f, " of {subtask}")?;
                }
                match after_restarts {
                    0 => Ok(()),
                    1 => f.write_str(" since the first restart"),
                    restarts => write!(f, " since restart no. {restarts}"),
                }
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Crash { process, restart_after_us } => {
                write!(f, "crash {}, back ", whom(*process))?;
                match restart_after_us {
                    Some(us) => write!(f, "after {}", ms(*us)),
                    None => f.write_str("when faults end"),
                }
            }
            Fault::Zombie { process, restart_after_us, for_us } => {
                let (whom, after, lasting) = (whom(*process), ms(*restart_after_us), ms(*for_us));
                write!(f, "replace {whom} after {after}, and let the old life go on for {lasting}")
            }
            Fault::Pause { process, for_us } => {
                write!(f, "stall {} for {}", whom(*process), ms(*for_us))
            }
            Fault::Disconnect { from, to, both, for_us } => {
                let arrow = if *both { "<->" } else { "->" };
                write!(f, "disconnect {from} {arrow} {to} for {}", ms(*for_us))
            }
            Fault::Isolate { process, for_us } => {
                write!(f, "isolate {} for {}", whom(*process), ms(*for_us))
            }
            Fault::Hold { from, to, for_us } => {
                write!(f, "hold what {from} sends to {to} for {}", ms(*for_us))
            }
            Fault::HalfOpen { from, to, for_us } => {
                let lasting = ms(*for_us);
                write!(f, "lose what {from} sends to {to} for {lasting}, then reset the connection")
            }
            Fault::Lose { channel, count } => {
                write!(f, "lose the next {count} elements of {channel} in a reconnect")
            }
            Fault::Message { message, to, count, action } => {
                let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
                write_message(f, *action, &format!("the next {count} {message}{to}"))
            }
            Fault::Clock { process, change } => write_clock(f, &whom(*process), *change),
            Fault::Store { fault: StoreFault::Destroyed, process, .. } => {
                write!(f, "destroy what {process} holds")
            }
            Fault::Store { process, fault, for_us } => {
                write!(f, "{process} {} for {}", store_words(*fault), ms(*for_us))
            }
            Fault::Sink { fault, for_us } => write_sink(f, *fault, *for_us),
            Fault::Idle { split, for_us } => {
                write!(f, "nothing new in {split} for {}", ms(*for_us))
            }
        }
    }
}

fn ms(us: u64) -> String {
    let duration = Duration::from_micros(us);
    format!("{}.{:03} ms", duration.as_millis(), duration.subsec_micros() % 1_000)
}

fn whom(process: Option<ProcessId>) -> String {
    process.map_or_else(|| "that process".to_owned(), |process| process.to_string())
}

fn write_message(f: &mut fmt::Formatter<'_>, action: MessageAction, messages: &str) -> fmt::Result {
    match action {
        MessageAction::Drop => write!(f, "lose {messages}"),
        MessageAction::Delay { us } => write!(f, "hold back {messages} for {}", ms(us)),
        MessageAction::Duplicate { us } => write!(f, "repeat {messages} after {}", ms(us)),
        MessageAction::Until { point } => write!(f, "hold back {messages} until the next {point}"),
    }
}

fn write_clock(f: &mut fmt::Formatter<'_>, whom: &str, change: ClockChange) -> fmt::Result {
    match change {
        ClockChange::Step { us } if us < 0 => {
            write!(f, "set the clock of {whom} back by {}", ms(us.unsigned_abs()))
        }
        ClockChange::Step { us } => {
            write!(f, "set the clock of {whom} ahead by {}", ms(us.unsigned_abs()))
        }
        ClockChange::Drift { ppm } => {
            let what = if ppm < 0 { "loses" } else { "gains" };
            write!(f, "the clock of {whom} {what} {} µs a second", ppm.unsigned_abs())
        }
    }
}

fn store_words(fault: StoreFault) -> String {
    match fault {
        StoreFault::Slow { extra_ms } => format!("takes {extra_ms} ms longer"),
        StoreFault::Failing => "fails".to_owned(),
        StoreFault::Stalled => "serves nothing".to_owned(),
        StoreFault::Full => "is full".to_owned(),
        StoreFault::Torn => "tears what is written".to_owned(),
        StoreFault::Corrupt => "gives wrong bytes".to_owned(),
        StoreFault::Mute => "applies, and does not answer,".to_owned(),
        StoreFault::Lagging => "lists what was there before".to_owned(),
        StoreFault::Unsynced => "loses what is written".to_owned(),
        StoreFault::Destroyed => "is destroyed".to_owned(),
    }
}

fn write_sink(f: &mut fmt::Formatter<'_>, fault: SinkFault, for_us: u64) -> fmt::Result {
    match fault {
        SinkFault::TransactionTimeout => f.write_str("open transactions time out"),
        SinkFault::FencedProducer => f.write_str("the producers that write are fenced"),
        SinkFault::DelayedCommit { extra_ms } => {
            write!(f, "sink-target commits {extra_ms} ms late for {}", ms(for_us))
        }
        SinkFault::HangingTransaction => {
            write!(f, "aborted transactions hang for {}", ms(for_us))
        }
        SinkFault::RefusedCommit => write!(f, "sink-target refuses commits for {}", ms(for_us)),
        SinkFault::ExpiredTransaction => f.write_str("prepared transactions expire"),
        SinkFault::UnansweredCommit => {
            write!(f, "sink-target commits, and does not answer, for {}", ms(for_us))
        }
        SinkFault::ForeignCommit => f.write_str("somebody else commits"),
    }
}
