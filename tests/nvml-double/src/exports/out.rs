//! Pointers that callers give, and the handles that they hold.
//!
//! All `unsafe` of the interface is here.

use std::ffi::{CStr, c_char, c_uint};

use crate::ErrorCode;
use crate::state::Answer;

/// What a call returns: 0 or an error code.
pub(super) type Return = c_uint;

/// Turns an answer into what C sees.
pub(super) fn code(answer: Answer) -> Return {
    answer.map_or_else(|error| error as Return, |()| 0)
}

/// A place to which the caller wants a value written; layout of a pointer.
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

    /// Writes `value` to the place with this index, of as many as the caller said there are.
    pub(super) fn put_at(&self, index: usize, value: T) -> Answer {
        if self.0.is_null() {
            return Err(ErrorCode::InvalidArgument);
        }
        // SAFETY: NVML's contract is that a pointer is null or points to as many writable values as the call says; the
        // callers of this function stay below that number.
        unsafe { self.0.add(index).write(value) };
        Ok(())
    }
}

impl<T: Copy> Out<T> {
    /// What the caller left there, at this index.
    pub(super) fn get_at(&self, index: usize) -> Answer<T> {
        if self.0.is_null() {
            return Err(ErrorCode::InvalidArgument);
        }
        // SAFETY: as in `put_at`; where a value is read, NVML's contract is that the caller has initialised it.
        Ok(unsafe { self.0.add(index).read() })
    }

    /// What the caller left there.
    pub(super) fn get(&self) -> Answer<T> {
        self.get_at(0)
    }
}

impl Out<c_char> {
    /// Writes a text with its final 0 into `length` bytes.
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

/// A text that the caller gives; layout of a pointer.
#[repr(transparent)]
pub(super) struct Text(*const c_char);

impl Text {
    pub(super) fn get(&self) -> Answer<&str> {
        if self.0.is_null() {
            return Err(ErrorCode::InvalidArgument);
        }
        // SAFETY: not null, and NVML's contract is that a text ends in 0 and lives during the call.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map_err(|_| ErrorCode::InvalidArgument)
    }
}

/// What a caller holds of a device: an opaque number the size of a pointer. The low byte is the device's index plus 1,
/// the next one the MIG instance's index plus 1 or 0.
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

    /// The index of the device.
    pub(super) fn device(self) -> Answer<usize> {
        (self.0 & 0xff).checked_sub(1).ok_or(ErrorCode::InvalidArgument)
    }

    /// The index of the MIG instance, if it is one.
    pub(super) fn instance(self) -> Option<usize> {
        (self.0 >> 8).checked_sub(1)
    }

    /// The index of a device that is no MIG instance: instances have no sensors.
    pub(super) fn whole(self) -> Answer<usize> {
        if self.instance().is_some() { Err(ErrorCode::NotSupported) } else { self.device() }
    }
}
