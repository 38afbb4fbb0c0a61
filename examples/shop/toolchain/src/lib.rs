//! Nothing: that this crate builds means that what the shop is built with is there.
