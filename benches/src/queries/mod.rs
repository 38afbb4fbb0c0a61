//! One bound query through a pool, on a real database.
//!
//! The programs of the peers compile this module too, beside their own versions of sqlx and of the SDK.

mod orders;
mod work;

use std::io;

use crate::turns::relay;

pub(crate) use orders::Orders;
pub(crate) use work::Queries;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// In memory; the driver gives it a thread of its own.
    Sqlite,
    /// On loopback.
    Postgres,
}

impl Database {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// Where a pool finds it, once.
    fn url(self) -> io::Result<String> {
        Ok(match self {
            Self::Sqlite => "sqlite::memory:".to_owned(),
            Self::Postgres => {
                let port = relay("127.0.0.1:5432")?;
                format!("postgres://otelware:otelware@127.0.0.1:{port}/otelware")
            }
        })
    }

    /// The text of the query.
    pub(crate) fn text(self, fetch: Fetch) -> &'static str {
        match (self, fetch) {
            (Self::Sqlite, Fetch::Optional) => {
                "SELECT id, name, price FROM orders WHERE customer = ? AND id = ?"
            }
            (Self::Postgres, Fetch::Optional) => {
                "SELECT id, name, price FROM orders WHERE customer = $1 AND id = $2"
            }
            (Self::Sqlite, Fetch::All) => {
                "SELECT id, name, price FROM orders WHERE customer = ? AND state = ? ORDER BY id LIMIT 10"
            }
            (Self::Postgres, Fetch::All) => {
                "SELECT id, name, price FROM orders WHERE customer = $1 AND state = $2 ORDER BY id LIMIT 10"
            }
        }
    }
}

/// How much is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// One row, by `fetch_optional`.
    Optional,
    /// Ten rows, by `fetch_all`.
    All,
}

impl Fetch {
    pub(crate) const ALL: [Self; 2] = [Self::Optional, Self::All];

    /// The group of the cases.
    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Optional => "sql",
            Self::All => "sql-rows",
        }
    }
}
