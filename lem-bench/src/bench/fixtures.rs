//! Things that are expensive to make and shared between the cases of a process: models, clients.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

type Shelf = HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>;

/// What the bodies of one process share. Clones are the same store.
#[derive(Clone, Default)]
pub struct Fixtures {
    shelf: Arc<Mutex<Shelf>>,
}

impl Debug for Fixtures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixtures").finish_non_exhaustive()
    }
}

impl Fixtures {
    /// The fixture of this type and key, made by `make` when it is asked for the first time. One that could not be
    /// made is tried again the next time.
    ///
    /// # Errors
    /// What `make` returns.
    pub fn shared<K, T, E>(&self, key: K, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        K: Debug,
        T: Any + Send + Sync,
    {
        let key = (TypeId::of::<T>(), format!("{key:?}"));
        let found = self.shelf.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(fixture) = found.and_then(|fixture| fixture.downcast::<T>().ok()) {
            return Ok(fixture);
        }
        // Made outside the lock, so that making one fixture may ask for another. One body runs at a time.
        let fixture = Arc::new(make()?);
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::<T>::clone(&fixture) as _);
        Ok(fixture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_for_each_type_and_key_and_again_after_a_failure() {
        let fixtures = Fixtures::default();
        assert!(fixtures.shared("a", || Err::<u32, _>("offline")).is_err());
        let first = fixtures.shared("a", || Ok::<u32, ()>(1)).unwrap();
        let again = fixtures.shared("a", || Ok::<u32, ()>(2)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(*fixtures.shared("b", || Ok::<u32, ()>(3)).unwrap(), 3);
        assert_eq!(*fixtures.shared("a", || Ok::<u64, ()>(4)).unwrap(), 4);
    }
}
