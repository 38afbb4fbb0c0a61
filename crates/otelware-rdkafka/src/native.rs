//! The functions of librdkafka on headers that rdkafka has no safe, or no sound enough, ones for:
//! look-up by name without a panic at names that are not UTF-8, and removal.
//!
//! This is the only module with `unsafe` code. It takes and gives references alone, so that
//! lifetimes say what the C library says in words: values live as long as the list that they are
//! in, and that is not changed meanwhile.

// What rdkafka has no safe function for.
#![allow(unsafe_code)]

use rdkafka::bindings;
use rdkafka::message::{BorrowedHeaders, OwnedHeaders};
use rdkafka::types::{RDKafkaHeaders, RDKafkaRespErr};
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

/// The list that rdkafka shows as `headers`, which is the list's address under another type.
const fn list(headers: &BorrowedHeaders) -> *const RDKafkaHeaders {
    ptr::from_ref(headers).cast()
}

/// A value that librdkafka told.
///
/// # Safety
///
/// `value` is null, or begins `size` bytes that are neither freed nor changed during `'h`.
unsafe fn value<'h>(value: *const c_void, size: usize) -> Option<&'h [u8]> {
    if value.is_null() {
        return None;
    }
    // SAFETY: by this function's own contract.
    Some(unsafe { std::slice::from_raw_parts(value.cast(), size) })
}

fn is_found(error: RDKafkaRespErr) -> bool {
    error == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// The value, if it has any, of the last header of this name, if there is one.
pub(crate) fn last_header<'h>(
    headers: &'h BorrowedHeaders,
    name: &CStr,
) -> Option<Option<&'h [u8]>> {
    let (mut start, mut size) = (ptr::null(), 0);
    // SAFETY: the list is alive for `'h`, the name ends with a null byte, and the function writes
    // nothing but the two variables.
    let error = unsafe {
        bindings::rd_kafka_header_get_last(
            list(headers),
            name.as_ptr(),
            &raw mut start,
            &raw mut size,
        )
    };
    // SAFETY: the value is within the list, which is neither freed nor changed during `'h`.
    is_found(error).then(|| unsafe { value(start, size) })
}

/// The value, if it has any, of the header of this name before which there are `index` of the same
/// name, if there is one.
pub(crate) fn header<'h>(
    headers: &'h BorrowedHeaders,
    name: &CStr,
    index: usize,
) -> Option<Option<&'h [u8]>> {
    let (mut start, mut size) = (ptr::null(), 0);
    // SAFETY: as in `last_header`.
    let error = unsafe {
        bindings::rd_kafka_header_get(
            list(headers),
            index,
            name.as_ptr(),
            &raw mut start,
            &raw mut size,
        )
    };
    // SAFETY: as in `last_header`.
    is_found(error).then(|| unsafe { value(start, size) })
}

/// The name of the header before which there are `index`, if there is one.
pub(crate) fn header_name(headers: &BorrowedHeaders, index: usize) -> Option<&CStr> {
    let mut name: *const c_char = ptr::null();
    let (mut start, mut size) = (ptr::null(), 0);
    // SAFETY: the list is alive, and the function writes nothing but the three variables.
    let error = unsafe {
        bindings::rd_kafka_header_get_all(
            list(headers),
            index,
            &raw mut name,
            &raw mut start,
            &raw mut size,
        )
    };
    if !is_found(error) || name.is_null() {
        return None;
    }
    // SAFETY: librdkafka ends names with a null byte, and the name is within the list.
    Some(unsafe { CStr::from_ptr(name) })
}

/// Removes all headers of this name.
pub(crate) fn remove_headers(headers: &mut OwnedHeaders, name: &CStr) {
    let list = list(headers.as_borrowed()).cast_mut();
    // SAFETY: the list is alive and owned, and nobody has a reference into it, as `headers` is
    // borrowed for change. The address came from the C library, and no Rust object is there.
    let _absent = unsafe { bindings::rd_kafka_header_remove(list, name.as_ptr()) };
}
