//! Options that are settled by their first use.

use std::sync::{Arc, OnceLock};

/// Options of a layer or wrapper, and what is made of them at their first use: then, and not
/// before, the global providers must be set.
///
/// It is shared in an [`Arc`] by all clones of the layer, so that a clone costs nothing and caches
/// live as long as the layer.
#[derive(Debug)]
pub struct Lazily<O, T> {
    options: O,
    made: OnceLock<T>,
}

impl<O, T> Lazily<O, T> {
    /// These options, not yet settled.
    pub const fn new(options: O) -> Self {
        Self {
            options,
            made: OnceLock::new(),
        }
    }

    /// The options.
    pub const fn options(&self) -> &O {
        &self.options
    }

    /// What `make` makes of the options, now or before.
    #[inline]
    pub fn get_or_make(&self, make: impl FnOnce(&O) -> T) -> &T {
        self.made.get_or_init(|| make(&self.options))
    }
}

impl<O: Clone, T> Lazily<O, T> {
    /// The options, to be changed. Clones made before stay as they were, and what was made of the
    /// options before is made anew.
    pub fn options_mut(this: &mut Arc<Self>) -> &mut O {
        let settled = Arc::make_mut(this);
        settled.made = OnceLock::new();
        &mut settled.options
    }
}

impl<O: Clone, T> Clone for Lazily<O, T> {
    /// The options, not yet settled.
    fn clone(&self) -> Self {
        Self::new(self.options.clone())
    }
}

impl<O: Default, T> Default for Lazily<O, T> {
    fn default() -> Self {
        Self::new(O::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_is_made_until_one_is_changed() {
        let mut first: Arc<Lazily<u32, String>> = Arc::default();
        *Lazily::options_mut(&mut first) = 1;
        let clone = first.clone();
        assert_eq!(first.get_or_make(ToString::to_string), "1");
        assert_eq!(clone.get_or_make(|_| unreachable!()), "1");
        *Lazily::options_mut(&mut first) = 2;
        assert_eq!(first.get_or_make(ToString::to_string), "2");
        assert_eq!(
            (
                clone.options(),
                clone.get_or_make(|_| unreachable!()).as_str()
            ),
            (&1, "1")
        );
        drop(clone);
        // Changed after its use, and nobody else has it: made anew all the same.
        *Lazily::options_mut(&mut first) = 3;
        assert_eq!(first.get_or_make(ToString::to_string), "3");
    }
}
