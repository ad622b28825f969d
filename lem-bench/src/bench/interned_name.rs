//! Interned names of units and phases. Bodies use `&'static str`; names received from worker processes are leaked once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::de::{Deserialize, Deserializer, Error};

/// Limits the leaked memory if a body generates names.
const MAX_NAMES: usize = 4096;

/// A type alias, because serde treats a plain `&str` field as borrowed from the input.
pub(super) type Name = &'static str;

static KNOWN: Mutex<BTreeSet<Name>> = Mutex::new(BTreeSet::new());

fn intern<E: Error>(text: &str) -> Result<Name, E> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = known.get(text) {
        return Ok(name);
    }
    if known.len() == MAX_NAMES {
        return Err(E::custom(format_args!("more than {MAX_NAMES} names of units and phases")));
    }
    let name: Name = Box::leak(text.to_owned().into_boxed_str());
    known.insert(name);
    Ok(name)
}

pub(super) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
    intern(&Cow::<str>::deserialize(from)?)
}

pub(super) fn counts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Name, u64)>, D::Error> {
    Vec::<(Cow<'_, str>, u64)>::deserialize(from)?.iter().map(|(name, n)| Ok((intern(name)?, *n))).collect()
}
