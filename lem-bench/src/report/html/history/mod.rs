//! The page of a history: how benches went from session to session, and where their levels changed.
//!
//! Must not know how a change of level is found.

mod page;
mod sessions;

pub(super) use page::view;
