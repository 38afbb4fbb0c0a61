//! What the customer counts, by its own clock.

use super::kinds::KINDS;
use otelware::console::histogram_quantile;
use otelware::opentelemetry::trace::TraceId;
use std::collections::BTreeMap;
use std::time::Duration;

/// How one order went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// Its index among the kinds.
    pub(super) kind: usize,
    /// `None` where there was no answer.
    pub(super) status: Option<u16>,
    pub(super) took: Duration,
    /// Its trace, where it is to be shown.
    pub(super) shown: Option<TraceId>,
}

#[derive(Debug)]
pub(in crate::launcher) struct Tally {
    /// By kind and status.
    pub(in crate::launcher) answers: BTreeMap<(usize, Option<u16>), u64>,
    /// The traces to be shown, by kind.
    pub(in crate::launcher) shown: BTreeMap<usize, (TraceId, Option<u16>)>,
    /// How many orders were placed per second.
    pub(in crate::launcher) rate: f64,
    bounds: Vec<f64>,
    buckets: Vec<u64>,
}

/// The bounds of the first and of the last bucket of times, in seconds, and the ratio of each bound to the one before.
const SHORTEST: f64 = 1e-4;
const LONGEST: f64 = 60.0;
const RATIO: f64 = 1.05;

impl Default for Tally {
    fn default() -> Self {
        let next = |bound: &f64| (*bound < LONGEST).then_some(bound * RATIO);
        let bounds: Vec<f64> = std::iter::successors(Some(SHORTEST), next).collect();
        Self {
            answers: BTreeMap::new(),
            shown: BTreeMap::new(),
            rate: 0.0,
            buckets: vec![0; bounds.len() + 1],
            bounds,
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, answer: Answer) {
        *self
            .answers
            .entry((answer.kind, answer.status))
            .or_default() += 1;
        if let Some(trace) = answer.shown {
            self.shown.insert(answer.kind, (trace, answer.status));
        }
        let seconds = answer.took.as_secs_f64();
        let index = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get_mut(index) {
            *bucket += 1;
        }
    }

    /// How many orders were answered.
    pub(in crate::launcher) fn orders(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Whether there are orders that are placed, but whose events had to wait for Kafka.
    pub(in crate::launcher) fn are_any_delayed(&self) -> bool {
        self.answers.keys().any(|(_, status)| *status == Some(202))
    }

    /// How many orders were placed, so that a notification is to follow.
    pub(in crate::launcher) fn placed(&self) -> u64 {
        self.by_status()
            .into_iter()
            .filter(|(status, _)| matches!(status, Some(201 | 202)))
            .map(|(_, count)| count)
            .sum()
    }

    pub(in crate::launcher) fn by_status(&self) -> BTreeMap<Option<u16>, u64> {
        let mut by_status = BTreeMap::new();
        for ((_, status), count) in &self.answers {
            *by_status.entry(*status).or_default() += count;
        }
        by_status
    }

    /// Those answers that were not to come: the kind, the status, and how often.
    pub(in crate::launcher) fn unexpected(
        &self,
    ) -> impl Iterator<Item = (&'static str, Option<u16>, u64)> {
        self.answers.iter().filter_map(|((kind, status), count)| {
            let kind = KINDS.get(*kind)?;
            (!kind.expects(*status)).then_some((kind.title, *status, *count))
        })
    }

    /// In how many seconds such a share of all orders was answered.
    pub(in crate::launcher) fn quantile(&self, quantile: f64) -> Option<f64> {
        histogram_quantile(&self.bounds, &self.buckets, None, quantile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_and_timed() {
        let mut tally = Tally::default();
        for number in 1..=1_000 {
            tally.add(Answer {
                kind: usize::from(number % 2 == 0) * 3,
                status: (number != 7).then_some(if number % 2 == 0 { 402 } else { 201 }),
                took: Duration::from_millis(number),
                shown: None,
            });
        }
        assert_eq!((tally.orders(), tally.placed()), (1_000, 499));
        let unexpected: Vec<_> = tally.unexpected().collect();
        assert_eq!(unexpected, [(KINDS[0].title, None, 1)]);
        for (quantile, expected) in [(0.5, 0.5), (0.95, 0.95), (0.99, 0.99)] {
            let estimate = tally.quantile(quantile).unwrap();
            assert!((estimate / expected - 1.0_f64).abs() < 0.05, "{estimate}");
        }
    }
}
