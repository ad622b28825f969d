//! Values that are expensive to create and shared between the cases of a process, such as models and clients.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

type Values = HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>;

/// Values shared by the bodies of one process. Clones share the same values.
#[derive(Clone, Default)]
pub struct Fixtures {
    values: Arc<Mutex<Values>>,
}

impl Debug for Fixtures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixtures").finish_non_exhaustive()
    }
}

impl Fixtures {
    /// Returns the value of this type and key. Calls `make` on first use, and again after an error.
    ///
    /// # Errors
    /// Returns the error of `make`.
    pub fn shared<K, T, E>(&self, key: K, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        K: Debug,
        T: Any + Send + Sync,
    {
        let key = (TypeId::of::<T>(), format!("{key:?}"));
        let found = self.values.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(fixture) = found.and_then(|fixture| fixture.downcast::<T>().ok()) {
            return Ok(fixture);
        }
        // Created outside the lock, so that `make` can use other fixtures. Only one body runs at a time.
        let fixture = Arc::new(make()?);
        self.values.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::<T>::clone(&fixture) as _);
        Ok(fixture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creates_once_per_type_and_key() {
        let fixtures = Fixtures::default();
        assert!(fixtures.shared("a", || Err::<u32, _>("offline")).is_err());
        let first = fixtures.shared("a", || Ok::<u32, ()>(1)).unwrap();
        let again = fixtures.shared("a", || Ok::<u32, ()>(2)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(*fixtures.shared("b", || Ok::<u32, ()>(3)).unwrap(), 3);
        assert_eq!(*fixtures.shared("a", || Ok::<u64, ()>(4)).unwrap(), 4);
    }
}
