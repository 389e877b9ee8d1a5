//! `cutwater generate`: completions for shells and manual pages, for those who install the program; the gallery of
//! views; and digests.

mod digests;
mod gallery;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::out::OutDir;
use crate::explore::Experiments;

/// What to generate.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Prints the completions of a shell, for a file that it reads
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Writes the manual pages, in place of those of an earlier version
    Man {
        /// The directory; made where it is not there
        dir: PathBuf,
    },
    /// Prints the digests of two runs of every built-in scenario, which are the same in every build
    Digests,
    /// Writes the views of all plans in a directory's `plans` into it, in place of those of an earlier version
    Gallery {
        /// The directory
        dir: PathBuf,
    },
}

/// Generates it, of `program`: the command line without what is hidden.
pub fn execute(
    arguments: Arguments,
    program: clap::Command,
    experiments: &Experiments,
) -> Result<Exit, CliError> {
    match arguments.what {
        What::Completions { shell } => Console::stdout().write_all(&completions(shell, program))?,
        What::Digests => digests::print(experiments)?,
        What::Gallery { dir } => gallery::write(&dir, experiments)?,
        What::Man { dir } => write_pages(program, &OutDir::open(&dir)?)?,
    }
    Ok(Exit::Held)
}

/// The completions as a whole: the generator panics where a reader goes away.
fn completions(shell: Shell, mut program: clap::Command) -> Vec<u8> {
    let (name, mut script) = (program.get_name().to_owned(), Vec::new());
    clap_complete::generate(shell, &mut program, name, &mut script);
    script
}

/// A page for the program, and one for each of its subcommands.
fn write_pages(mut program: clap::Command, out: &OutDir) -> Result<(), CliError> {
    program.build();
    write_page_and_below(&program, out)
}

fn write_page_and_below(command: &clap::Command, out: &OutDir) -> Result<(), CliError> {
    let page = Man::new(command.clone())
        .source(concat!("cutwater ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut text = Vec::new();
    page.render(&mut text).expect("memory can be written to");
    out.replace(&page.get_filename(), &text)?;
    command.get_subcommands().try_for_each(|below| write_page_and_below(below, out))
}
