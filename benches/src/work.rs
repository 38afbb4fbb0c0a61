//! One repeatable operation, and the function inside which callgrind collects.

use crate::Error;
use crate::allocator::{self, Allocations};

/// How often most operations run before anything is counted.
pub(crate) const WARM_UP: u64 = 300;

/// How often an operation runs in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repetitions {
    /// Before anything is counted: caches, interned routes and lazily built instruments are then in place.
    pub(crate) warm_up: u64,
    /// Counted.
    pub(crate) counted: u64,
}

/// The threads whose allocations count. Instructions are counted on the one that runs the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The one that runs the operation: those of processors and readers do not disturb it.
    This,
    /// All, where the operation is carried out by several. Processors and readers sleep meanwhile.
    All,
}

/// An operation that can be repeated.
pub(crate) trait Work {
    /// Runs the operation once and says whether its result was right.
    fn once(&mut self) -> bool;

    /// Where the operation is carried out.
    fn threads(&self) -> Threads {
        Threads::This
    }

    /// Waits until nothing is left to do in the background.
    fn settle(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Checks that `operations` operations have left behind the telemetry they should have.
    fn verify(&self, _operations: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// Warms up, runs the operations that count, checks all and returns what those that count allocated.
pub(crate) fn run(work: &mut dyn Work, repetitions: Repetitions) -> Result<Allocations, Error> {
    let Repetitions { warm_up, counted } = repetitions;
    let warm = (0..warm_up).filter(|_| work.once()).count() as u64;
    work.settle()?;

    let allocations = match work.threads() {
        Threads::This => allocator::of_this_thread,
        Threads::All => allocator::of_all_threads,
    };
    let before = allocations();
    let right = measured_section(work, counted);
    let allocations = allocations() - before;

    if (warm, right) != (warm_up, counted) {
        return Err(format!(
            "{warm} of {warm_up} and {right} of {counted} operations came out right"
        )
        .into());
    }
    work.settle()?;
    work.verify(warm_up + counted)?;
    Ok(allocations)
}

/// What callgrind collects: it is told this function's name, so it must stay a function of its own.
#[inline(never)]
pub(crate) fn measured_section(work: &mut dyn Work, iterations: u64) -> u64 {
    let mut right = 0;
    for _ in 0..iterations {
        right += u64::from(work.once());
    }
    right
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::case;
    use crate::telemetry::{Counts, SPANS_AND_METRICS, Telemetry};
    use crate::work::{Repetitions, Work, run};

    const FEW: Repetitions = Repetitions {
        warm_up: 2,
        counted: 10,
    };

    /// Globals are per process, so only the variants that need none run here.
    #[test]
    fn what_has_no_telemetry_is_measured() {
        for name in [
            "request/both/bare",
            "request/met/zero",
            "grpc/server/bare",
            "grpc/client/bare",
            "grpc/both/bare",
        ] {
            let mut work = case::find(name).unwrap().prepare().unwrap();
            assert!(run(work.as_mut(), FEW).unwrap().count > 0, "{name}");
        }
    }

    #[test]
    fn a_stream_has_each_message_in_a_frame_of_its_own() {
        let once = Repetitions {
            warm_up: 0,
            counted: 1,
        };
        for name in ["grpc-stream/server/bare", "grpc-stream/client/bare"] {
            let mut work = case::find(name).unwrap().prepare().unwrap();
            assert!(run(work.as_mut(), once).unwrap().count > 0, "{name}");
        }
    }

    #[test]
    #[cfg(feature = "ours")]
    fn a_statement_is_read_right() {
        for name in ["sql-analysis/cached", "sql-analysis/uncached"] {
            let mut work = case::find(name).unwrap().prepare().unwrap();
            run(work.as_mut(), FEW).unwrap();
        }
    }

    #[test]
    fn every_propagation_comes_out_right() {
        for case in case::all()
            .into_iter()
            .filter(|case| case.name().starts_with("propagation/"))
        {
            assert!(
                run(case.prepare().unwrap().as_mut(), FEW).unwrap().count > 0,
                "{}",
                case.name()
            );
        }
    }

    #[test]
    fn wrong_results_and_missing_telemetry_are_errors() {
        struct Wrong;
        impl Work for Wrong {
            fn once(&mut self) -> bool {
                false
            }
        }
        let error = run(&mut Wrong, FEW).unwrap_err().to_string();
        assert_eq!(error, "0 of 2 and 0 of 10 operations came out right");

        let error = Telemetry::new(&SPANS_AND_METRICS)
            .verify(Counts {
                spans: 3,
                durations: 3,
            })
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "exported: expected Counts { spans: 3, durations: 3 }, got Counts { spans: 0, durations: 0 }"
        );
    }
}
