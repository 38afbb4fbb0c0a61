//! Partitions as attributes.

use otelware::operation::Label;
use std::sync::OnceLock;

/// The partitions whose labels are kept.
const KEPT: usize = 1_024;

static LABELS: [OnceLock<Label>; KEPT] = [const { OnceLock::new() }; KEPT];

/// The label of a partition; a negative number stands for none.
#[inline]
pub(crate) fn label(partition: i32) -> Option<Label> {
    let index = usize::try_from(partition).ok()?;
    let make = || Label::foreign(&partition.to_string());
    Some(match LABELS.get(index) {
        Some(kept) => kept.get_or_init(make).clone(),
        None => make(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_its_number() {
        let text = |partition| label(partition).map(|label| label.as_str().to_owned());
        for partition in [0, 7, 1_023, 1_024, i32::MAX] {
            assert_eq!(text(partition), Some(partition.to_string()));
            assert_eq!(text(partition), Some(partition.to_string()));
        }
        assert_eq!((text(-1), text(i32::MIN)), (None, None));
    }
}
