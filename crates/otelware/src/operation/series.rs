//! Instruments with their attribute sets resolved beforehand.

use super::table::{Table, hash_number};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, UpDownCounter};

/// Stands for one attribute set: numbers that are equal exactly where the attributes are.
pub type SeriesKey = [u64; 4];

/// An instrument that can be tied to an attribute set.
pub trait Instrument {
    /// The type of one measurement.
    type Value;
    /// The instrument tied to an attribute set.
    type Bound: Clone + Send + Sync;

    /// Ties the instrument to the attributes.
    fn tie(&self, attributes: Vec<KeyValue>) -> Self::Bound;
    /// Measures with attributes given on the spot.
    fn measure(&self, value: Self::Value, attributes: &[KeyValue]);
    /// Measures with the attributes it is tied to.
    fn measure_bound(bound: &Self::Bound, value: Self::Value);
}

macro_rules! instrument {
    ($instrument:ident<$value:ty>, $method:ident, $bound:ident) => {
        #[cfg(feature = "bound-instruments")]
        impl Instrument for $instrument<$value> {
            type Value = $value;
            type Bound = opentelemetry::metrics::$bound<$value>;

            fn tie(&self, attributes: Vec<KeyValue>) -> Self::Bound {
                self.bind(&attributes)
            }

            fn measure(&self, value: $value, attributes: &[KeyValue]) {
                self.$method(value, attributes);
            }

            #[inline]
            fn measure_bound(bound: &Self::Bound, value: $value) {
                bound.$method(value);
            }
        }

        #[cfg(not(feature = "bound-instruments"))]
        impl Instrument for $instrument<$value> {
            type Value = $value;
            type Bound = ($instrument<$value>, std::sync::Arc<[KeyValue]>);

            fn tie(&self, attributes: Vec<KeyValue>) -> Self::Bound {
                (self.clone(), attributes.into())
            }

            fn measure(&self, value: $value, attributes: &[KeyValue]) {
                self.$method(value, attributes);
            }

            fn measure_bound((instrument, attributes): &Self::Bound, value: $value) {
                instrument.$method(value, attributes);
            }
        }
    };
}

instrument!(Histogram<f64>, record, BoundHistogram);
instrument!(Histogram<u64>, record, BoundHistogram);
instrument!(UpDownCounter<i64>, add, BoundUpDownCounter);
instrument!(Counter<u64>, add, BoundCounter);

/// An instrument and its recent attribute sets, bounded in number.
pub struct Series<I: Instrument> {
    instrument: I,
    bound: Table<SeriesKey, I::Bound>,
}

impl<I: Instrument> Series<I> {
    /// The instrument without any attribute set yet.
    pub const fn new(instrument: I) -> Self {
        Self {
            instrument,
            bound: Table::new(),
        }
    }

    /// The instrument tied to the attributes that `key` stands for. `None` where the key is none
    /// or the bound on attribute sets is reached.
    #[inline]
    pub fn bound(
        &self,
        key: Option<SeriesKey>,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Option<&I::Bound> {
        let key = key?;
        let [route, error, packed, more] = key;
        let hash =
            hash_number(hash_number(route ^ more.rotate_left(21)) ^ error.rotate_left(32) ^ packed);
        self.bound.get_or_insert_with(
            hash,
            |known| *known == key,
            || (key, self.instrument.tie(attributes())),
        )
    }

    /// Measures `value`. `attributes` is called where the key's attribute set is not known, and
    /// must always give the same attributes in the same order for the same key.
    #[inline]
    pub fn measure(
        &self,
        value: I::Value,
        key: Option<SeriesKey>,
        attributes: impl Fn() -> Vec<KeyValue>,
    ) {
        match self.bound(key, &attributes) {
            Some(bound) => I::measure_bound(bound, value),
            None => self.instrument.measure(value, &attributes()),
        }
    }
}

impl Series<UpDownCounter<i64>> {
    /// Counts one more until the guard is dropped.
    pub fn count(
        &self,
        key: Option<SeriesKey>,
        attributes: impl Fn() -> Vec<KeyValue>,
    ) -> InFlight {
        let bound = self
            .bound(key, &attributes)
            .cloned()
            .unwrap_or_else(|| self.instrument.tie(attributes()));
        UpDownCounter::measure_bound(&bound, 1);
        InFlight(bound)
    }
}

impl<I: Instrument> std::fmt::Debug for Series<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Series").finish_non_exhaustive()
    }
}

/// One operation in flight: counted when made, counted back, with the same attributes, when dropped.
pub struct InFlight(<UpDownCounter<i64> as Instrument>::Bound);

impl Drop for InFlight {
    fn drop(&mut self) {
        UpDownCounter::measure_bound(&self.0, -1);
    }
}

impl std::fmt::Debug for InFlight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InFlight").finish_non_exhaustive()
    }
}
