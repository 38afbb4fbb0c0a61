//! What librdkafka can do and rdkafka does not offer.
#![allow(unsafe_code, reason = "rdkafka has no safe function for it")]

use otelware_rdkafka::producer::{BaseProducer, Producer};
use rdkafka::bindings;
use rdkafka::message::OwnedHeaders;
use rdkafka::types::RDKafkaRespErr;
use std::ffi::CStr;

/// Lets the groups of a mock cluster form at once, and tells the cluster's address.
pub(crate) fn prepare_mock_cluster(owner: &BaseProducer) -> String {
    // SAFETY: the producer has a mock cluster that lives as long as it does, and the address is a
    // string of the cluster's.
    unsafe {
        let cluster = bindings::rd_kafka_handle_mock_cluster(owner.client().native_ptr());
        assert!(!cluster.is_null());
        bindings::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
        let address = CStr::from_ptr(bindings::rd_kafka_mock_cluster_bootstraps(cluster));
        address.to_str().unwrap().to_owned()
    }
}

/// Adds a header whose name may be anything.
pub(crate) fn add_header(headers: &mut OwnedHeaders, name: &[u8], value: Option<&[u8]>) {
    let list = std::ptr::from_ref(headers.as_borrowed()).cast_mut().cast();
    let (start, size) = match value {
        Some(value) => (value.as_ptr(), value.len()),
        None => (std::ptr::null(), 0),
    };
    // SAFETY: the list is owned and borrowed for change; name and value are copied.
    let error = unsafe {
        bindings::rd_kafka_header_add(
            list,
            name.as_ptr().cast(),
            name.len().try_into().unwrap(),
            start.cast(),
            size.try_into().unwrap(),
        )
    };
    assert_eq!(error, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
}
