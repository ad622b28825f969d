//! The callers' pointers and handles. All `unsafe` code of the interface is here.

use std::ffi::{CStr, c_char, c_uint};

use crate::ErrorCode;
use crate::state::Answer;

/// The return value of a call: 0 or an error code.
pub(super) type Return = c_uint;

/// Converts a result to a return value.
pub(super) fn code(answer: Answer) -> Return {
    answer.map_or_else(|error| error as Return, |()| 0)
}

/// A pointer to memory for a result.
#[repr(transparent)]
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    pub(super) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Writes `value`.
    pub(super) fn put(&self, value: T) -> Answer {
        self.put_at(0, value)
    }

    /// Writes `value` at `index`, which must be less than the number of values that the call states.
    pub(super) fn put_at(&self, index: usize, value: T) -> Answer {
        if self.0.is_null() {
            return Err(ErrorCode::InvalidArgument);
        }
        // SAFETY: by NVML's contract, a pointer is null or points to as many writable values as the call states; `index` is
        // less than that number.
        unsafe { self.0.add(index).write(value) };
        Ok(())
    }
}

impl<T: Copy> Out<T> {
    /// Reads the caller's value at `index`.
    pub(super) fn get_at(&self, index: usize) -> Answer<T> {
        if self.0.is_null() {
            return Err(ErrorCode::InvalidArgument);
        }
        // SAFETY: as in `put_at`; by NVML's contract, the caller initialised values that the call reads.
        Ok(unsafe { self.0.add(index).read() })
    }

    /// Reads the caller's value.
    pub(super) fn get(&self) -> Answer<T> {
        self.get_at(0)
    }
}

impl Out<c_char> {
    /// Writes a text with a terminating 0 into `length` bytes.
    pub(super) fn put_text(&self, length: c_uint, text: &str) -> Answer {
        if text.len() >= length as usize {
            return Err(ErrorCode::InsufficientSize);
        }
        for (index, byte) in text.bytes().chain([0]).enumerate() {
            self.put_at(index, c_char::from_ne_bytes([byte]))?;
        }
        Ok(())
    }
}

/// A pointer to the caller's text.
#[repr(transparent)]
pub(super) struct Text(*const c_char);

impl Text {
    pub(super) fn get(&self) -> Answer<&str> {
        if self.0.is_null() {
            return Err(ErrorCode::InvalidArgument);
        }
        // SAFETY: the pointer is not null; by NVML's contract, a text ends with 0 and is valid during the call.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map_err(|_| ErrorCode::InvalidArgument)
    }
}

/// A device handle: an opaque number of the size of a pointer. The low byte is the device's index plus 1, the next byte the
/// MIG instance's index plus 1, or 0.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(super) struct Handle(usize);

impl Handle {
    pub(super) fn of_device(index: usize) -> Self {
        Self(index + 1)
    }

    pub(super) fn of_instance(index: usize, instance: usize) -> Self {
        Self((index + 1) | ((instance + 1) << 8))
    }

    /// Returns the index of the device.
    pub(super) fn device(self) -> Answer<usize> {
        (self.0 & 0xff).checked_sub(1).ok_or(ErrorCode::InvalidArgument)
    }

    /// Returns the index of the MIG instance, if it is one.
    pub(super) fn instance(self) -> Option<usize> {
        (self.0 >> 8).checked_sub(1)
    }

    /// Returns the index of the device; an error for a MIG instance, which has no sensors.
    pub(super) fn whole(self) -> Answer<usize> {
        if self.instance().is_some() { Err(ErrorCode::NotSupported) } else { self.device() }
    }
}
