//! A global allocator that counts what each thread allocates, and what all do.
//!
//! A thread's counters are plain thread-local cells: the exporter's threads do not disturb the request thread's count, and
//! counting costs an allocation a handful of instructions, the same for every variant.

// Implementing `GlobalAlloc` is unsafe by definition; each method below only counts and then forwards to `System`,
// under the same contract. Nothing else in this crate may be unsafe.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt;
use std::ops::Sub;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Counting;

/// How often was allocated (a reallocation counts as one), and how many bytes were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocations {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

thread_local! {
    // `const` and without a destructor: reading it neither allocates nor registers anything.
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

static COUNT_OF_ALL: AtomicU64 = AtomicU64::new(0);
static BYTES_OF_ALL: AtomicU64 = AtomicU64::new(0);

/// What this thread has allocated since it began.
pub(crate) fn of_this_thread() -> Allocations {
    Allocations {
        count: COUNT.get(),
        bytes: BYTES.get(),
    }
}

/// What the process has allocated since it began.
pub(crate) fn of_all_threads() -> Allocations {
    Allocations {
        count: COUNT_OF_ALL.load(Ordering::Relaxed),
        bytes: BYTES_OF_ALL.load(Ordering::Relaxed),
    }
}

fn count(bytes: usize) {
    COUNT.set(COUNT.get() + 1);
    BYTES.set(BYTES.get() + bytes as u64);
    COUNT_OF_ALL.fetch_add(1, Ordering::Relaxed);
    BYTES_OF_ALL.fetch_add(bytes as u64, Ordering::Relaxed);
}

// SAFETY: every method forwards its arguments unchanged to `System`, whose contract is the caller's; counting touches
// only thread-local cells and atomics and cannot allocate or unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size);
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

impl Sub for Allocations {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            count: self.count - earlier.count,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

impl fmt::Display for Allocations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.count, self.bytes)
    }
}

impl FromStr for Allocations {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (count, bytes) = text
            .trim()
            .split_once(' ')
            .ok_or_else(|| format!("expected two numbers, got {text:?}"))?;
        Ok(Self {
            count: count.parse()?,
            bytes: bytes.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Allocations, of_this_thread};
    use std::hint::black_box;

    #[test]
    fn only_this_thread_counts_and_a_reallocation_counts_once() {
        let before = of_this_thread();
        let mut bytes: Vec<u8> = black_box(Vec::with_capacity(16));
        bytes.reserve_exact(black_box(40));
        let own = of_this_thread() - before;
        let others = std::thread::spawn(|| {
            let before = of_this_thread();
            black_box(Vec::<u8>::with_capacity(64));
            of_this_thread() - before
        });
        let before = of_this_thread();
        let others = others.join().unwrap();
        assert_eq!(
            own,
            Allocations {
                count: 2,
                bytes: 56
            }
        );
        assert_eq!(
            others,
            Allocations {
                count: 1,
                bytes: 64
            }
        );
        assert_eq!((of_this_thread() - before).count, 0);
    }

    #[test]
    fn what_a_process_prints_is_read_back() {
        let allocations = Allocations {
            count: 8,
            bytes: 845,
        };
        assert_eq!(
            format!("{allocations}\n").parse::<Allocations>().unwrap(),
            allocations
        );
        assert!("8".parse::<Allocations>().is_err());
    }
}
