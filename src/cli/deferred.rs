//! Arguments of a subcommand that clap learns of when the subcommand is asked for: a program has many, and runs one.

use std::fmt::{self, Debug, Formatter};

use clap::builder::{Resettable, StyledStr};
use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// The arguments `A`, declared late.
pub struct Deferred<A>(pub A);

impl<A: Debug> Debug for Deferred<A> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<A: Args> Args for Deferred<A> {
    fn augment_args(command: Command) -> Command {
        command.defer(declared::<A>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(declared::<A>)
    }
}

/// With the arguments. What the subcommand is about is said where it is listed, not by the type of its arguments.
fn declared<A: Args>(command: Command) -> Command {
    let (about, long_about) = (command.get_about().cloned(), command.get_long_about().cloned());
    A::augment_args(command).about(or_none(about)).long_about(or_none(long_about))
}

fn or_none(about: Option<StyledStr>) -> Resettable<StyledStr> {
    about.map_or(Resettable::Reset, Resettable::Value)
}

impl<A: FromArgMatches> FromArgMatches for Deferred<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}
