//! What a whole metric should be.

use crate::diff::{Want, Wanted};
use crate::metric::{MetricKind, histogram_text, point_label};
use crate::scope::Scope;
use crate::value::{Attributes, Value, expected};

/// Expects a histogram of this name without points, until told otherwise.
pub fn expect_histogram(name: impl Into<String>) -> ExpectedMetric {
    ExpectedMetric::new(name.into(), MetricKind::Histogram)
}

/// Expects a counter (a monotonic sum) of this name without points, until told otherwise.
pub fn expect_counter(name: impl Into<String>) -> ExpectedMetric {
    ExpectedMetric::new(name.into(), MetricKind::Counter)
}

/// Expects an up-down counter of this name without points, until told otherwise.
pub fn expect_up_down_counter(name: impl Into<String>) -> ExpectedMetric {
    ExpectedMetric::new(name.into(), MetricKind::UpDownCounter)
}

/// Expects a gauge of this name without points, until told otherwise.
pub fn expect_gauge(name: impl Into<String>) -> ExpectedMetric {
    ExpectedMetric::new(name.into(), MetricKind::Gauge)
}

/// An expectation of a whole metric; see [`expect_histogram`].
#[derive(Clone, Debug)]
#[must_use = "an expectation does nothing until it is handed to `Metric::assert`"]
pub struct ExpectedMetric {
    name: String,
    kind: MetricKind,
    unit: Option<String>,
    description: Option<String>,
    scope: Option<Scope>,
    boundaries: Option<Vec<f64>>,
    points: Vec<ExpectedPoint>,
}

#[derive(Clone, Debug)]
struct ExpectedPoint {
    attributes: Attributes,
    value: Value,
    sum: Option<f64>,
}

impl ExpectedMetric {
    fn new(name: String, kind: MetricKind) -> Self {
        Self {
            name,
            kind,
            unit: None,
            description: None,
            scope: None,
            boundaries: None,
            points: Vec::new(),
        }
    }

    /// Expects this unit; without this call any will do.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Expects this description; without this call any will do.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Expects these boundaries at every point of a histogram; without this call any will do.
    pub fn boundaries(mut self, boundaries: &[f64]) -> Self {
        self.boundaries = Some(boundaries.to_vec());
        self
    }

    /// Expects this instrumentation scope; without this call any will do.
    pub fn scope(mut self, name: &str, version: &str, schema_url: &str) -> Self {
        self.scope = Some(Scope::new(name, version, schema_url));
        self
    }

    /// Expects one more point: the count of a histogram, the value of anything else. [`attributes!`](crate::attributes!) mixes types.
    ///
    /// # Panics
    ///
    /// If a key is given twice, or a point of the same attributes was stated before.
    #[track_caller]
    pub fn point<K: Into<String>, V: Into<Value>>(
        self,
        attributes: impl IntoIterator<Item = (K, V)>,
        value: impl Into<Value>,
    ) -> Self {
        self.with_point(ExpectedPoint {
            attributes: expected("an expected point", attributes),
            value: value.into(),
            sum: None,
        })
    }

    /// Expects one more point of a histogram with this count and exactly this sum.
    ///
    /// # Panics
    ///
    /// If a key is given twice, or a point of the same attributes was stated before.
    #[track_caller]
    pub fn point_with_sum<K: Into<String>, V: Into<Value>>(
        self,
        attributes: impl IntoIterator<Item = (K, V)>,
        count: u64,
        sum: f64,
    ) -> Self {
        self.with_point(ExpectedPoint {
            attributes: expected("an expected point", attributes),
            value: Value::from(count),
            sum: Some(sum),
        })
    }

    #[track_caller]
    fn with_point(mut self, point: ExpectedPoint) -> Self {
        if self
            .points
            .iter()
            .any(|other| other.attributes == point.attributes)
        {
            panic!("{} is expected twice", point_label(&point.attributes));
        }
        self.points.push(point);
        self
    }

    /// The attributes of the points whose sum is to be compared.
    pub(crate) fn points_with_sum(&self) -> Vec<&Attributes> {
        self.points
            .iter()
            .filter(|point| point.sum.is_some())
            .map(|point| &point.attributes)
            .collect()
    }

    pub(crate) fn fields(&self) -> Vec<Wanted> {
        let quoted = |text: &Option<String>| {
            Want::exactly_or_anything(text.as_ref().map(|text| format!("{text:?}")))
        };
        let mut fields = vec![
            ("name".to_owned(), Want::Exactly(format!("{:?}", self.name))),
            ("kind".to_owned(), Want::Exactly(format!("{:?}", self.kind))),
            ("unit".to_owned(), quoted(&self.unit)),
            ("description".to_owned(), quoted(&self.description)),
            (
                "scope".to_owned(),
                Want::exactly_or_anything(self.scope.as_ref().map(ToString::to_string)),
            ),
        ];
        if self.kind == MetricKind::Histogram || self.boundaries.is_some() {
            let boundaries = self.boundaries.as_ref().map(|all| format!("{all:?}"));
            fields.push((
                "boundaries".to_owned(),
                Want::exactly_or_anything(boundaries),
            ));
        }
        for point in &self.points {
            let text = match (&point.value, self.kind) {
                (Value::Int(count), MetricKind::Histogram) => {
                    histogram_text(u64::try_from(*count).unwrap_or_default(), point.sum)
                }
                (value, _) => value.described(),
            };
            fields.push((point_label(&point.attributes), Want::Exactly(text)));
        }
        fields
    }
}

impl AsRef<ExpectedMetric> for ExpectedMetric {
    fn as_ref(&self) -> &ExpectedMetric {
        self
    }
}
