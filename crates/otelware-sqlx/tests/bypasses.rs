//! What otelware's types are not, so that no query goes past the spans unless it is asked for by
//! name; see `must_not_compile.md` for what this means to those who call.
#![cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]

use otelware_sqlx::{Connection, Driver, Pool, PoolConnection, RawConnection, Transaction};
use std::borrow::{Borrow, BorrowMut};
use std::ops::{Deref, DerefMut};

/// Does not compile if the type implements one of the traits: `check` is then one of several.
macro_rules! lacks {
    ($type:ty: $($bound:path),+) => {
        const _: fn() = || {
            trait Check<Which> {
                fn check() {}
            }
            impl<T> Check<()> for T {}
            $({
                struct Implemented;
                impl<T: $bound> Check<Implemented> for T {}
            })+
            <$type as Check<_>>::check();
        };
    };
}

macro_rules! no_ways_past_the_spans {
    ($($feature:literal, $driver:ty;)+) => {$(
        #[cfg(feature = $feature)]
        const _: () = {
            type Database = $driver;
            type Raw = <Database as sqlx::Database>::Connection;
            lacks!(Pool<Database>: Deref, Borrow<sqlx::Pool<Database>>, Into<sqlx::Pool<Database>>);
            lacks!(&'static Pool<Database>: Into<sqlx::Pool<Database>>, Deref<Target = sqlx::Pool<Database>>);
            lacks!(Connection<Database>: Deref, Borrow<Raw>, BorrowMut<Raw>, Into<Raw>, sqlx::Connection);
            lacks!(PoolConnection<Database>: Deref<Target = Raw>, Borrow<Raw>, BorrowMut<Raw>, Into<Raw>,
                Into<sqlx::pool::PoolConnection<Database>>, sqlx::Connection);
            lacks!(Transaction<'static, Database>: Deref<Target = Raw>, Borrow<Raw>, BorrowMut<Raw>,
                Into<sqlx::Transaction<'static, Database>>, sqlx::Connection);
        };
    )+};
}

no_ways_past_the_spans! {
    "postgres", sqlx::Postgres;
    "mysql", sqlx::MySql;
    "sqlite", sqlx::Sqlite;
    "any", sqlx::Any;
}

/// What derefs to a connection derefs to otelware's, which derefs to nothing.
fn derefs_to<T: DerefMut<Target = Target>, Target>() {}

fn is_send<T: Send>() {}

fn is_sync<T: Sync>() {}

fn check<DB: Driver>()
where
    DB::Connection: Sync,
{
    derefs_to::<PoolConnection<DB>, Connection<DB>>();
    derefs_to::<Transaction<'static, DB>, Connection<DB>>();
    // `sqlx::Acquire` wants it so.
    derefs_to::<RawConnection<DB>, DB::Connection>();
    is_send::<Pool<DB>>();
    is_sync::<Pool<DB>>();
    is_send::<PoolConnection<DB>>();
    is_sync::<PoolConnection<DB>>();
    is_send::<Transaction<'static, DB>>();
    is_sync::<Transaction<'static, DB>>();
}

#[test]
fn all_drivers_are_alike() {
    #[cfg(feature = "postgres")]
    check::<sqlx::Postgres>();
    #[cfg(feature = "mysql")]
    check::<sqlx::MySql>();
    #[cfg(feature = "sqlite")]
    check::<sqlx::Sqlite>();
}
