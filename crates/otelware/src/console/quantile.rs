//! Quantiles estimated from the buckets of a histogram.

use opentelemetry_sdk::metrics::data::ExponentialHistogramDataPoint;

/// How many values lie between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) count: u64,
}

/// The value below which the share `quantile` (0 to 1) of all values lies, by linear interpolation within its bucket.
///
/// `None` if there are no values, or none of the bounds around it is known.
pub(super) fn estimate(buckets: &[Bucket], quantile: f64) -> Option<f64> {
    let total: f64 = buckets.iter().map(|bucket| bucket.count as f64).sum();
    let rank = quantile * total;
    let mut below = 0.0;
    for bucket in buckets.iter().filter(|bucket| bucket.count > 0) {
        let count = bucket.count as f64;
        if below + count >= rank {
            let value = bucket.lower + (bucket.upper - bucket.lower) * ((rank - below) / count);
            return value.is_finite().then_some(value);
        }
        below += count;
    }
    None
}

/// The value below which the share `quantile` (0 to 1) of a histogram's values lies, estimated by linear interpolation
/// within its bucket.
///
/// `counts` says how many values lie up to each of `bounds`, and how many above the last. `extremes`, the least and the
/// greatest value, narrow the outer buckets where they are known. `None` if there are no values, or no such share.
///
/// ```
/// use otelware::console::histogram_quantile;
///
/// let (bounds, counts) = ([1.0, 2.0, 4.0], [10, 0, 10, 0]);
/// assert_eq!(histogram_quantile(&bounds, &counts, None, 0.75), Some(3.0));
/// assert_eq!(histogram_quantile(&bounds, &counts, Some((0.5, 3.0)), 0.75), Some(2.5));
/// assert_eq!(histogram_quantile(&bounds, &counts, None, 1.5), None);
/// ```
pub fn histogram_quantile(
    bounds: &[f64],
    counts: &[u64],
    extremes: Option<(f64, f64)>,
    quantile: f64,
) -> Option<f64> {
    if !(0.0..=1.0).contains(&quantile) {
        return None;
    }
    let (minimum, maximum) = extremes.unzip();
    let buckets = explicit_buckets(bounds, counts.iter().copied(), minimum, maximum);
    estimate(&buckets, quantile)
}

/// The buckets of an explicit-bucket histogram. The known extremes narrow the bounds; they replace the infinite ones.
pub(super) fn explicit_buckets(
    bounds: &[f64],
    counts: impl Iterator<Item = u64>,
    minimum: Option<f64>,
    maximum: Option<f64>,
) -> Vec<Bucket> {
    // A first bucket with a positive bound holds durations or sizes in practice, which are not negative.
    let first = bounds
        .first()
        .map_or(f64::NEG_INFINITY, |bound| bound.min(0.0));
    let last = bounds.last().copied().unwrap_or(f64::INFINITY);
    let lowers = std::iter::once(first).chain(bounds.iter().copied());
    let uppers = bounds.iter().copied().chain(std::iter::once(last));
    let ranges = lowers.zip(uppers).zip(counts);
    let buckets = ranges.map(|((lower, upper), count)| Bucket {
        lower,
        upper,
        count,
    });
    narrow(buckets.collect(), minimum, maximum)
}

/// The buckets of an exponential histogram, from the most negative to the most positive.
///
/// Bucket `index` covers `(base^index, base^(index+1)]` with `base = 2^(2^-scale)` (OpenTelemetry specification, metrics
/// data model, exponential histogram).
pub(super) fn exponential_buckets<T: Copy>(
    point: &ExponentialHistogramDataPoint<T>,
    minimum: Option<f64>,
    maximum: Option<f64>,
) -> Vec<Bucket> {
    let exponent = (-f64::from(point.scale())).exp2();
    let bound = |offset: i32, index: usize| ((f64::from(offset) + index as f64) * exponent).exp2();
    let negative = point.negative_bucket();
    let mut buckets: Vec<Bucket> = negative
        .counts()
        .enumerate()
        .map(|(index, count)| Bucket {
            lower: -bound(negative.offset(), index + 1),
            upper: -bound(negative.offset(), index),
            count,
        })
        .collect();
    buckets.reverse();
    let threshold = point.zero_threshold();
    buckets.push(Bucket {
        lower: -threshold,
        upper: threshold,
        count: point.zero_count(),
    });
    let positive = point.positive_bucket();
    buckets.extend(positive.counts().enumerate().map(|(index, count)| Bucket {
        lower: bound(positive.offset(), index),
        upper: bound(positive.offset(), index + 1),
        count,
    }));
    narrow(buckets, minimum, maximum)
}

fn narrow(mut buckets: Vec<Bucket>, minimum: Option<f64>, maximum: Option<f64>) -> Vec<Bucket> {
    let mut filled = buckets.iter_mut().filter(|bucket| bucket.count > 0);
    let first = filled.next();
    let last = filled.next_back();
    match (first, last) {
        (Some(first), Some(last)) => {
            first.lower = minimum.unwrap_or(first.lower);
            last.upper = maximum.unwrap_or(last.upper);
        }
        (Some(only), None) => {
            only.lower = minimum.unwrap_or(only.lower);
            only.upper = maximum.unwrap_or(only.upper);
        }
        (None, _) => {}
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(lower: f64, upper: f64, count: u64) -> Bucket {
        Bucket {
            lower,
            upper,
            count,
        }
    }

    #[test]
    fn quantiles_interpolate_within_their_bucket() {
        let buckets = [
            bucket(0.0, 10.0, 10),
            bucket(10.0, 20.0, 0),
            bucket(20.0, 40.0, 10),
        ];
        let quantiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|quantile| estimate(&buckets, quantile));
        assert_eq!(
            quantiles,
            [Some(0.0), Some(5.0), Some(10.0), Some(30.0), Some(40.0)]
        );
    }

    #[test]
    fn nothing_is_estimated_from_nothing() {
        assert_eq!(estimate(&[], 0.5), None);
        assert_eq!(estimate(&[bucket(0.0, 1.0, 0)], 0.5), None);
        assert_eq!(
            estimate(&[bucket(f64::NEG_INFINITY, f64::INFINITY, 3)], 0.5),
            None
        );
    }

    #[test]
    fn extremes_narrow_the_outer_buckets() {
        let buckets = vec![
            bucket(0.0, 1.0, 0),
            bucket(1.0, 2.0, 1),
            bucket(2.0, 4.0, 1),
            bucket(4.0, 4.0, 0),
        ];
        let narrowed = vec![
            bucket(0.0, 1.0, 0),
            bucket(1.5, 2.0, 1),
            bucket(2.0, 3.0, 1),
            bucket(4.0, 4.0, 0),
        ];
        assert_eq!(narrow(buckets, Some(1.5), Some(3.0)), narrowed);
        assert_eq!(
            narrow(vec![bucket(0.0, 9.0, 2)], Some(4.0), Some(5.0)),
            vec![bucket(4.0, 5.0, 2)]
        );
    }
}
