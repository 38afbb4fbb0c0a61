//! The functions of librdkafka that rdkafka has no safe, or no sound enough, ones for: headers
//! without a panic at names that are not UTF-8, their removal, and the cluster's id without a leak.
//!
//! This is the only module with `unsafe` code. It takes and gives references alone, so that
//! lifetimes say what the C library says in words: values live as long as the list that they are
//! in, and that is not changed meanwhile.

// What rdkafka has no safe function for.
#![allow(unsafe_code)]

use rdkafka::bindings;
use rdkafka::client::{Client, ClientContext};
use rdkafka::message::{BorrowedHeaders, Headers, OwnedHeaders};
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

/// The name, and the value if it has any, of the header before which there are `index`, if there is
/// one.
fn header(headers: &BorrowedHeaders, index: usize) -> Option<(&CStr, Option<&[u8]>)> {
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
    // SAFETY: librdkafka ends names with a null byte, and the name is within the list, as the value
    // is; that is neither freed nor changed while `headers` is borrowed.
    Some(unsafe { (CStr::from_ptr(name), value(start, size)) })
}

/// Of more headers than these, those that stay are copied: librdkafka moves all that are behind each
/// one that it removes.
const MOST_MOVED: usize = 256;

/// All headers: their names, and their values if they have any.
pub(crate) fn all_headers(
    headers: &BorrowedHeaders,
) -> impl Iterator<Item = (&CStr, Option<&[u8]>)> {
    (0..).map_while(|index| header(headers, index))
}

/// Removes all headers of this name.
pub(crate) fn remove_headers(headers: &mut OwnedHeaders, name: &CStr) {
    if headers.count() > MOST_MOVED {
        if last_header(headers.as_borrowed(), name).is_some() {
            *headers = without(headers, name);
        }
        return;
    }
    let list = list(headers.as_borrowed()).cast_mut();
    // SAFETY: the list is alive and owned, and nobody has a reference into it, as `headers` is
    // borrowed for change. The address came from the C library, and no Rust object is there.
    let _absent = unsafe { bindings::rd_kafka_header_remove(list, name.as_ptr()) };
}

/// The headers but those of this name.
fn without(headers: &OwnedHeaders, name: &CStr) -> OwnedHeaders {
    let mut rest = OwnedHeaders::new_with_capacity(headers.count());
    all_headers(headers.as_borrowed())
        .filter(|(other, _)| *other != name)
        .for_each(|(other, value)| add_header(&mut rest, other, value));
    rest
}

/// Adds a header, whose name is whatever it is.
fn add_header(headers: &mut OwnedHeaders, name: &CStr, value: Option<&[u8]>) {
    let list = list(headers.as_borrowed()).cast_mut();
    let (start, size) = value.map_or((ptr::null(), 0), |value| (value.as_ptr(), value.len()));
    // SAFETY: the list is alive, owned and borrowed for change, as in `remove_headers`; the name,
    // which ends with a null byte, and the value, whose size no `isize` is too small for, are copied.
    let _never_refused = unsafe {
        bindings::rd_kafka_header_add(
            list,
            name.as_ptr(),
            -1,
            start.cast(),
            isize::try_from(size).unwrap_or_default(),
        )
    };
}

/// The id of the client's cluster, if a broker has told it already; nothing waits for one to do so.
/// (rdkafka's own function never frees what it is given.)
pub(crate) fn cluster_id<C: ClientContext>(client: &Client<C>) -> Option<String> {
    let native = client.native_ptr();
    // SAFETY: the client is alive.
    let id = unsafe { bindings::rd_kafka_clusterid(native, 0) };
    if id.is_null() {
        return None;
    }
    // SAFETY: what is not null is a string of this function's own, which ends with a null byte.
    let text = unsafe { CStr::from_ptr(id) }.to_str().ok();
    let text = text.map(str::to_owned);
    // SAFETY: nobody has it any more, and it is freed as librdkafka demands.
    unsafe { bindings::rd_kafka_mem_free(native, id.cast()) };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_as_it_was() {
        let names = [c"\xff", c"", c"baggage", c"baggage", c"x"];
        let values: [Option<&[u8]>; 5] = [None, Some(b""), Some(b"1"), None, Some(b"\0\xfe")];
        let mut headers = OwnedHeaders::new();
        for (name, value) in names.iter().zip(values) {
            add_header(&mut headers, name, value);
        }
        let rest = without(&headers, c"baggage");
        let expected = [
            (names[0], values[0]),
            (names[1], values[1]),
            (names[4], values[4]),
        ];
        let found: Vec<_> = all_headers(rest.as_borrowed()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_value_is_the_bytes_that_are_there() {
        // Without the C library, so that Miri can run it.
        let bytes = b"abc\0";
        let of = |start: *const u8, size| {
            // SAFETY: null, or within the bytes, which outlive what is returned.
            unsafe { value(start.cast(), size) }
        };
        assert_eq!(of(ptr::null(), 0), None);
        assert_eq!(of(bytes.as_ptr(), 3), Some(&b"abc"[..]));
        assert_eq!(of(bytes.as_ptr(), 0), Some(&b""[..]));
    }
}
