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

/// Which kind an order of many is, by its number: of sixty in a row six are unlike the others, each in
/// its own way. More would raise the alerts that `deploy` has.
pub(super) fn mixed(number: u64) -> usize {
    let kind = match number % 10 {
        9 => 2 + number / 10 % 6,
        usual => usual % 2,
    };
    usize::try_from(kind).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_sixty_orders_six_are_unlike_the_others() {
        let mut counts = [0; KINDS.len()];
        for number in 120..180 {
            counts[mixed(number)] += 1;
        }
        assert_eq!(counts, [30, 24, 1, 1, 1, 1, 1, 1]);
    }
}
