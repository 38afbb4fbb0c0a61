//! What there is, in memory.

use super::v1::Line;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tonic::Status;

/// The products; clones share them.
#[derive(Clone)]
pub(super) struct Stock(Arc<[Item]>);

struct Item {
    name: &'static str,
    /// In cents.
    price: i64,
    left: AtomicU64,
}

impl Default for Stock {
    /// Plenty of everything but unicorns.
    fn default() -> Self {
        let item = |name, price, left| Item {
            name,
            price,
            left: AtomicU64::new(left),
        };
        Self(Arc::new([
            item("teapot", 2_499, 1_000_000_000),
            item("samovar", 12_900, 1_000_000_000),
            item("cup", 650, 1_000_000_000),
            item("unicorn", 99_900, 0),
        ]))
    }
}

impl Stock {
    fn item(&self, name: &str) -> Result<&Item, Status> {
        let item = self.0.iter().find(|item| item.name == name);
        item.ok_or_else(|| Status::not_found("the shop has no such product"))
    }

    pub(super) fn price(&self, name: &str) -> Result<i64, Status> {
        Ok(self.item(name)?.price)
    }

    /// Takes so many pieces, or none; tells how many are left.
    pub(super) fn take(&self, line: &Line) -> Result<u64, Status> {
        let quantity = u64::from(line.quantity);
        let left = &self.item(&line.product)?.left;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(quantity)
        });
        match taken {
            Ok(before) => Ok(before - quantity),
            Err(_) => Err(Status::failed_precondition("out of stock")),
        }
    }

    pub(super) fn give_back(&self, line: &Line) {
        if let Ok(item) = self.item(&line.product) {
            item.left
                .fetch_add(u64::from(line.quantity), Ordering::Relaxed);
        }
    }
}
