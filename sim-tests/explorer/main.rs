//! The explorer: defects found, plans shrunk, kept and localised, digests that must not move.

mod defects;
mod golden;
mod localise;
mod reach;
mod regressions;
mod shrinking;
mod view;
