//! Where a task takes its items from: a source from the log, everybody else from channels.

use super::super::buffers::Parcel;
use super::channel_state::Unprocessed;
use super::input_channel::InputChannel;
use super::source::SourceReader;
use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, Defect, DefectSet, ProcessId};

/// Where a task takes its items from.
#[derive(Clone, Debug)]
pub enum Side {
    /// A source reads the log.
    Source(SourceReader),
    /// Everybody else takes parcels off channels.
    Inputs(InputSide),
}

/// The input channels of a task.
#[derive(Clone, Debug)]
pub struct InputSide {
    /// In the order of the protocol; their ids are consecutive.
    pub channels: Vec<InputChannel>,
    /// The input whose buffer is being read.
    pub reading: Option<usize>,
}

impl Side {
    /// The input channels; a source has none.
    pub fn inputs(&self) -> &[InputChannel] {
        match self {
            Side::Source(_) => &[],
            Side::Inputs(side) => &side.channels,
        }
    }

    /// The input channels; a source has none.
    pub fn inputs_mut(&mut self) -> &mut [InputChannel] {
        match self {
            Side::Source(_) => &mut [],
            Side::Inputs(side) => &mut side.channels,
        }
    }

    /// The input that a protocol names.
    ///
    /// # Panics
    ///
    /// When there is no such input: a source's protocol names none.
    #[inline]
    pub fn input(&mut self, index: usize) -> &mut InputChannel {
        &mut self.inputs_mut()[index]
    }

    /// The index of this channel among the inputs; one that is none has an index that no input has.
    #[inline]
    pub fn index_of(&self, channel: ChannelId) -> usize {
        let first = self.inputs().first().map_or(0, |input| input.id().index());
        channel.index().wrapping_sub(first)
    }

    /// Whether it is a source that has something to read.
    pub fn is_reading(&self) -> bool {
        match self {
            Side::Source(reader) => !reader.is_idle(),
            Side::Inputs(_) => false,
        }
    }

    /// The reader of a source.
    pub fn source(&mut self) -> Option<&mut SourceReader> {
        match self {
            Side::Source(reader) => Some(reader),
            Side::Inputs(_) => None,
        }
    }

    /// The input whose buffer is being read, if one is.
    #[inline]
    pub fn reading(&self) -> Option<usize> {
        match self {
            Side::Source(_) => None,
            Side::Inputs(side) => side.reading,
        }
    }

    /// The input whose buffer is being read from here on.
    pub fn set_reading(&mut self, input: Option<usize>) {
        match self {
            Side::Source(_) => {}
            Side::Inputs(side) => side.reading = input,
        }
    }

    /// Whether anything comes from this process.
    pub fn reads_from(&self, peer: ProcessId) -> bool {
        self.inputs().iter().any(|input| input.peer() == peer)
    }

    /// What was taken off the inputs and not processed.
    pub fn unprocessed(&self, defects: DefectSet) -> Unprocessed {
        let restored = self.inputs().iter().map(|input| (input.id(), input.restored()));
        let restored = restored.filter(|(_, items)| *items > 0).collect();
        Unprocessed { restored, unread: self.unread(defects) }
    }

    /// By input, what was taken off it and not read.
    fn unread(&self, defects: DefectSet) -> VecMap<ChannelId, Parcel> {
        if defects.has(Defect::UnreadNotCaptured) {
            return VecMap::new();
        }
        let processed = defects.has(Defect::ProcessedCaptured);
        let rest = |input: &InputChannel| {
            if processed { input.latest() } else { input.unread().map(Parcel::Buffer) }
        };
        let unread = |input: &InputChannel| Some((input.id(), rest(input)?));
        self.inputs().iter().filter_map(unread).collect()
    }
}
