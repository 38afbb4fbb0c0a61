//! Messages, as [`lapin::message`].

pub use crate::delegate::DeliveryResult;
pub use crate::delivery::{BasicGetMessage, Delivery};
pub use lapin::message::BasicReturnMessage;
