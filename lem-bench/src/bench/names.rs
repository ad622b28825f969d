//! Names of units and phases. In a body they are constants; those that another process tells of become so here, each
//! once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::de::{Deserialize, Deserializer, Error};

/// A body that makes up names as it goes must not fill our memory.
const MOST: usize = 4096;

/// A name. As a reference, serde would take it for one into what is read.
pub(super) type Name = &'static str;

static KNOWN: Mutex<BTreeSet<Name>> = Mutex::new(BTreeSet::new());

fn constant<E: Error>(text: &str) -> Result<Name, E> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = known.get(text) {
        return Ok(name);
    }
    if known.len() == MOST {
        return Err(E::custom("more names of units and phases than any bench has"));
    }
    let name: Name = Box::leak(text.to_owned().into_boxed_str());
    known.insert(name);
    Ok(name)
}

pub(super) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
    constant(&Cow::<str>::deserialize(from)?)
}

pub(super) fn counts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Name, u64)>, D::Error> {
    Vec::<(Cow<'_, str>, u64)>::deserialize(from)?.iter().map(|(name, n)| Ok((constant(name)?, *n))).collect()
}
