//! Bench mode: from a configuration and its cases to results on disk and on the terminal.

mod duel;
mod duel_journals;
mod headline;
mod instrument;
mod jobs;
mod plan_view;
mod ranks;
mod results;
mod resume;
mod room;
mod rounds;
mod run;
mod session;

pub(super) use duel::{Duel, DuelBuild, duel};
pub(super) use jobs::described;
pub(super) use plan_view::span;
pub(super) use results::home_of;
pub(super) use run::run;
