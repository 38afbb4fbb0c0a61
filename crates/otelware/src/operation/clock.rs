//! One reading for span and metric alike.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

/// How long a thread goes on from one reading of the wall clock.
const ANCHORED_FOR: Duration = Duration::from_secs(1);

thread_local! {
    static ANCHOR: Cell<Option<(Instant, SystemTime)>> = const { Cell::new(None) };
}

/// A point in time on both clocks.
///
/// The wall clock is read once per thread and second; in between it advances with the monotonic
/// one, so that spans can't run backwards and a duration is the same on span and metric.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    /// Now.
    #[inline]
    pub fn now() -> Self {
        Self::at(Instant::now(), SystemTime::now)
    }

    #[inline]
    fn at(monotonic: Instant, read_wall: impl FnOnce() -> SystemTime) -> Self {
        if let Some((instant, system)) = ANCHOR.get() {
            let since = monotonic.saturating_duration_since(instant);
            if since < ANCHORED_FOR {
                let wall = system + since;
                return Self { monotonic, wall };
            }
        }
        let wall = read_wall();
        ANCHOR.set(Some((monotonic, wall)));
        Self { monotonic, wall }
    }

    /// The wall clock's time.
    pub const fn wall(&self) -> SystemTime {
        self.wall
    }

    /// Time from another moment to this one, never negative.
    #[inline]
    pub fn since(&self, earlier: Self) -> Duration {
        self.monotonic.saturating_duration_since(earlier.monotonic)
    }

    /// Time since then, never negative.
    #[inline]
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(self.monotonic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_read_once_a_second() {
        let start = Instant::now();
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let reads = Cell::new(0);
        let at = |millis| {
            Moment::at(start + Duration::from_millis(millis), || {
                reads.set(reads.get() + 1);
                // A wall clock that is set back by an hour between the readings.
                wall - Duration::from_secs(3_600 * (reads.get() - 1))
            })
            .wall()
        };
        ANCHOR.set(None);
        assert_eq!(at(0), wall);
        assert_eq!(at(999), wall + Duration::from_millis(999));
        assert_eq!(reads.get(), 1);
        assert_eq!(at(1_000), wall - Duration::from_secs(3_600));
        assert_eq!(reads.get(), 2);
        ANCHOR.set(None);
    }
}
