//! What `otelware-sqlx` reads out of a statement: looked up, and found anew.

use std::sync::Arc;
use std::time::Instant;

use otelware_sqlx::Dialect;
use otelware_sqlx::query::{self, Cache};

use crate::work::{Work, measured_section};

/// 300 bytes, with strings and numbers that are masked.
const STATEMENT: &str = "SELECT o.id, o.state, o.total, c.name AS customer, c.city FROM orders o \
     JOIN customers c ON c.id = o.customer_id LEFT JOIN discounts d ON d.order_id = o.id AND d.kind = 'coupon' \
     WHERE o.customer_id = 42 AND o.state IN ('open', 'paid') AND o.total > 99.95 \
     ORDER BY o.created_at DESC LIMIT 20 FOR SHARE";
const _: () = assert!(STATEMENT.len() == 300);

const SUMMARY: &str = "SELECT orders customers discounts";
const MASKED: usize = 6;

/// Whether the statement is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Analysis {
    /// It is found in the cache, among others.
    Cached,
    /// It is analysed: summary and text without literals.
    Uncached,
}

impl Analysis {
    pub(crate) const ALL: [Self; 2] = [Self::Cached, Self::Uncached];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Uncached => "uncached",
        }
    }

    pub(crate) fn prepare(self) -> Box<dyn Work> {
        match self {
            Self::Cached => {
                let cache = Cache::new();
                for number in 0..100 {
                    let other = format!("SELECT name FROM table_{number} WHERE id = ?");
                    cache.get_or_insert_with(&other, summarise);
                }
                Box::new(Cached(cache))
            }
            Self::Uncached => Box::new(Uncached),
        }
    }
}

fn summarise(text: &str) -> Arc<str> {
    query::summarise(text, Dialect::PostgreSql)
        .unwrap_or_default()
        .into()
}

struct Cached(Cache<Arc<str>>);

impl Work for Cached {
    fn once(&mut self) -> bool {
        *self.0.get_or_insert_with(STATEMENT, summarise) == *SUMMARY
    }
}

struct Uncached;

impl Work for Uncached {
    fn once(&mut self) -> bool {
        let analysis = query::analyse(STATEMENT, Dialect::PostgreSql);
        analysis.summary.as_deref() == Some(SUMMARY)
            && analysis.text.bytes().filter(|byte| *byte == b'?').count() == MASKED
    }
}

/// How long one takes at best, of many rounds.
pub(crate) fn nanoseconds(work: &mut dyn Work) -> f64 {
    const ROUNDS: u32 = 200;
    const OPERATIONS: u32 = 1_000;
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            measured_section(work, u64::from(OPERATIONS));
            start.elapsed().as_secs_f64() * 1e9 / f64::from(OPERATIONS)
        })
        .fold(f64::INFINITY, f64::min)
}
