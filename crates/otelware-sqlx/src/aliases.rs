//! The names that sqlx gives the types of each driver.

use crate::{Connection, Pool, PoolConnection, Transaction};

macro_rules! aliases {
    ($feature:literal, $driver:ident: $pool:ident, $connection:ident, $pooled:ident, $transaction:ident) => {
        #[doc = concat!("A pool of `", stringify!($driver), "`, observed.")]
        #[cfg(feature = $feature)]
        pub type $pool = Pool<sqlx::$driver>;

        #[doc = concat!("A connection of `", stringify!($driver), "`, observed.")]
        #[cfg(feature = $feature)]
        pub type $connection = Connection<sqlx::$driver>;

        #[doc = concat!("A connection out of a pool of `", stringify!($driver), "`, observed.")]
        #[cfg(feature = $feature)]
        pub type $pooled = PoolConnection<sqlx::$driver>;

        #[doc = concat!("A transaction of `", stringify!($driver), "`, observed.")]
        #[cfg(feature = $feature)]
        pub type $transaction<'c> = Transaction<'c, sqlx::$driver>;
    };
}

aliases!("postgres", Postgres: PgPool, PgConnection, PgPoolConnection, PgTransaction);
aliases!("mysql", MySql: MySqlPool, MySqlConnection, MySqlPoolConnection, MySqlTransaction);
aliases!("sqlite", Sqlite: SqlitePool, SqliteConnection, SqlitePoolConnection, SqliteTransaction);
aliases!("any", Any: AnyPool, AnyConnection, AnyPoolConnection, AnyTransaction);
