//! O6: a channel delivers what was put in, in that order. The algorithm is right on no other channels.

use super::history::{Carried, ChannelHistory, History};
use super::{Property, Violation};

pub(super) fn judge(history: &History<'_>) -> Vec<Violation> {
    let channels = history.graph.channels().zip(&history.channels);
    let wrong = channels.filter_map(|(channel, it)| Some((channel, first_difference(it)?)));
    let violation = |(channel, number): (_, usize)| {
        let channel = history.graph.shown(channel);
        let text =
            format!("{channel} delivers out of order: its item {number} is not the one put in");
        Violation::new(Property::Order, text)
    };
    wrong.map(violation).collect()
}

/// The number of the first item that was taken off and is not the one put in.
fn first_difference(channel: &ChannelHistory) -> Option<usize> {
    let sent = |number: usize| channel.sent.get(number).map(|(_, item)| *item);
    let differs = |(number, (_, item)): &(usize, &(usize, Carried))| sent(*number) != Some(*item);
    channel.received.iter().enumerate().find(differs).map(|(number, _)| number)
}
