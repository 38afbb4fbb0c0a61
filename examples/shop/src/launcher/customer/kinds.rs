//! The kinds of orders: what each shows, and how it is to be answered.

use crate::messages::{Line, NewOrder};

pub(in crate::launcher) struct Kind {
    pub(in crate::launcher) title: &'static str,
    customer: &'static str,
    lines: &'static [(&'static str, u32)],
    expected: Expected,
}

enum Expected {
    /// At once, or as soon as Kafka has it.
    Placed,
    Refused(u16),
}

use Expected::{Placed, Refused};

pub(in crate::launcher) const KINDS: [Kind; 8] = [
    kind(
        "an order, from the click to the notification",
        "ada",
        &[("teapot", 2)],
        Placed,
    ),
    kind(
        "an order of two lines, one priced by the cache",
        "ada",
        &[("teapot", 1), ("cup", 6)],
        Placed,
    ),
    kind(
        "a bank that answers when it is asked again",
        "bob",
        &[("samovar", 1)],
        Placed,
    ),
    kind(
        "a card that is declined: the stock is given back",
        "eve",
        &[("samovar", 1)],
        Refused(402),
    ),
    kind(
        "what is out of stock",
        "ada",
        &[("unicorn", 1)],
        Refused(409),
    ),
    kind(
        "what the shop does not have",
        "ada",
        &[("dragon", 1)],
        Refused(404),
    ),
    kind(
        "a mailbox that is busy at first: redelivered",
        "grace",
        &[("cup", 1)],
        Placed,
    ),
    kind(
        "a mailbox that is none: a dead letter",
        "nobody",
        &[("cup", 2)],
        Placed,
    ),
];

/// The kinds of many orders, over and over: of twenty 17 are placed.
const MIXED: [usize; 20] = [0, 1, 0, 2, 0, 1, 0, 3, 1, 0, 6, 1, 0, 4, 1, 0, 5, 1, 0, 7];

const fn kind(
    title: &'static str,
    customer: &'static str,
    lines: &'static [(&'static str, u32)],
    expected: Expected,
) -> Kind {
    Kind {
        title,
        customer,
        lines,
        expected,
    }
}

/// Which kind an order of many is, by its number.
pub(super) fn mixed(number: u64) -> usize {
    let index = usize::try_from(number % MIXED.len() as u64).unwrap_or_default();
    MIXED.get(index).copied().unwrap_or_default()
}

impl Kind {
    pub(super) fn order(&self) -> NewOrder {
        let line = |(product, quantity): &(&str, u32)| Line {
            product: (*product).to_owned(),
            quantity: *quantity,
        };
        NewOrder {
            customer: self.customer.to_owned(),
            lines: self.lines.iter().map(line).collect(),
        }
    }

    /// Whether such an order may be answered so.
    pub(in crate::launcher) fn expects(&self, status: Option<u16>) -> bool {
        match self.expected {
            Placed => matches!(status, Some(201 | 202)),
            Refused(expected) => status == Some(expected),
        }
    }
}
