//! Canonical MessagePack (docs/spec/encoding.md, K1 to K6): bytes to the value of Python that they encode.
//!
//! Law: what is decoded here is what `ledger/codec.py` decodes, value for value. All that is not the one encoding of a
//! value is refused here, without saying why: the Python says that.
#![forbid(unsafe_code)]

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList, PyString};

/// Items of a list for which space is made before they are there.
const CAPACITY_MAX: usize = 1024;

/// Different keys of maps that are remembered, so that those that come again are not made again.
const KEYS_MAX: usize = 32;

/// Containers within each other.
const DEPTH_MAX: usize = 16;

/// Why nothing was decoded: it is not the encoding of a value, or Python failed, for want of memory.
pub enum Fault {
    Refused,
    Python(PyErr),
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

type Decoded<T> = Result<T, Fault>;

/// Return the value whose canonical encoding the bytes are.
pub fn decode<'py>(py: Python<'py>, data: &[u8]) -> Decoded<Bound<'py, PyAny>> {
    let mut rest = Rest { data, keys: Vec::new() };
    let value = rest.value(py, DEPTH_MAX)?;
    if rest.data.is_empty() {
        Ok(value)
    } else {
        Err(Fault::Refused)
    }
}

/// The bytes that are not read yet, and keys that were read.
struct Rest<'a, 'py> {
    data: &'a [u8],
    keys: Vec<(&'a str, Bound<'py, PyString>)>,
}

impl<'a, 'py> Rest<'a, 'py> {
    fn take(&mut self, count: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.data.split_at_checked(count).ok_or(Fault::Refused)?;
        self.data = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Decoded<u8> {
        let (first, rest) = self.data.split_first().ok_or(Fault::Refused)?;
        self.data = rest;
        Ok(*first)
    }

    /// Read an unsigned integer of so many bytes, which no shorter form may hold.
    fn unsigned(&mut self, bytes: usize, least: u64) -> Decoded<u64> {
        let value = self.take(bytes)?.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
        if value >= least {
            Ok(value)
        } else {
            Err(Fault::Refused)
        }
    }

    /// Read a negative integer of so many bytes, below what a shorter form holds.
    fn negative(&mut self, bytes: usize, below: i64) -> Decoded<i64> {
        let taken = self.take(bytes)?;
        let sign = if taken.first().is_some_and(|first| *first >= 0x80) { -1 } else { 0 };
        let value = taken.iter().fold(sign, |sum: i64, byte| sum << 8 | i64::from(*byte));
        if value < below {
            Ok(value)
        } else {
            Err(Fault::Refused)
        }
    }

    /// Read a length, which the rest must be able to hold: each item takes a byte at least.
    fn length(&mut self, bytes: usize, least: u64, item_bytes: usize) -> Decoded<usize> {
        let length = usize::try_from(self.unsigned(bytes, least)?).map_err(|_| Fault::Refused)?;
        if length <= self.data.len() / item_bytes {
            Ok(length)
        } else {
            Err(Fault::Refused)
        }
    }

    fn text(&mut self, bytes: usize) -> Decoded<&'a str> {
        std::str::from_utf8(self.take(bytes)?).map_err(|_| Fault::Refused)
    }

    fn value(&mut self, py: Python<'py>, depth: usize) -> Decoded<Bound<'py, PyAny>> {
        let first = self.byte()?;
        Ok(match first {
            0x00..=0x7f => i64::from(first).into_pyobject(py).map_err(PyErr::from)?.into_any(),
            0x80..=0x8f => self.dict(py, usize::from(first & 0x0f), depth)?,
            0x90..=0x9f => self.list(py, usize::from(first & 0x0f), depth)?,
            0xa0..=0xbf => PyString::new(py, self.text(usize::from(first & 0x1f))?).into_any(),
            0xc0 => py.None().into_bound(py),
            0xc2 | 0xc3 => PyBool::new(py, first == 0xc3).to_owned().into_any(),
            0xc4 => self.octets(py, 1, 0)?,
            0xc5 => self.octets(py, 2, 1 << 8)?,
            0xc6 => self.octets(py, 4, 1 << 16)?,
            0xcc => self.positive(py, 1, 1 << 7)?,
            0xcd => self.positive(py, 2, 1 << 8)?,
            0xce => self.positive(py, 4, 1 << 16)?,
            0xcf => self.positive(py, 8, 1 << 32)?,
            0xd0 => self.below(py, 1, -32)?,
            0xd1 => self.below(py, 2, -(1 << 7))?,
            0xd2 => self.below(py, 4, -(1 << 15))?,
            0xd3 => self.below(py, 8, -(1 << 31))?,
            0xd9 => self.string(py, 1, 32)?,
            0xda => self.string(py, 2, 1 << 8)?,
            0xdb => self.string(py, 4, 1 << 16)?,
            0xdc => self.length(2, 16, 1).and_then(|length| self.list(py, length, depth))?,
            0xdd => self.length(4, 1 << 16, 1).and_then(|length| self.list(py, length, depth))?,
            0xde => self.length(2, 16, 2).and_then(|length| self.dict(py, length, depth))?,
            0xdf => self.length(4, 1 << 16, 2).and_then(|length| self.dict(py, length, depth))?,
            0xe0..=0xff => (i64::from(first) - 256).into_pyobject(py).map_err(PyErr::from)?.into_any(),
            // floats, extensions and what is never used
            0xc1 | 0xc7..=0xcb | 0xd4..=0xd8 => return Err(Fault::Refused),
        })
    }

    fn positive(&mut self, py: Python<'py>, bytes: usize, least: u64) -> Decoded<Bound<'py, PyAny>> {
        Ok(self.unsigned(bytes, least)?.into_pyobject(py).map_err(PyErr::from)?.into_any())
    }

    fn below(&mut self, py: Python<'py>, bytes: usize, below: i64) -> Decoded<Bound<'py, PyAny>> {
        Ok(self.negative(bytes, below)?.into_pyobject(py).map_err(PyErr::from)?.into_any())
    }

    fn octets(&mut self, py: Python<'py>, bytes: usize, least: u64) -> Decoded<Bound<'py, PyAny>> {
        let length = self.length(bytes, least, 1)?;
        Ok(PyBytes::new(py, self.take(length)?).into_any())
    }

    fn string(&mut self, py: Python<'py>, bytes: usize, least: u64) -> Decoded<Bound<'py, PyAny>> {
        let length = self.length(bytes, least, 1)?;
        Ok(PyString::new(py, self.text(length)?).into_any())
    }

    fn list(&mut self, py: Python<'py>, length: usize, depth: usize) -> Decoded<Bound<'py, PyAny>> {
        let below = depth.checked_sub(1).ok_or(Fault::Refused)?;
        let mut items = Vec::with_capacity(length.min(CAPACITY_MAX));
        for _ in 0..length {
            items.push(self.value(py, below)?);
        }
        Ok(PyList::new(py, items)?.into_any())
    }

    fn dict(&mut self, py: Python<'py>, length: usize, depth: usize) -> Decoded<Bound<'py, PyAny>> {
        let below = depth.checked_sub(1).ok_or(Fault::Refused)?;
        let found = PyDict::new(py);
        let mut last: Option<&str> = None;
        for _ in 0..length {
            let key = self.key()?;
            if last.is_some_and(|last| last >= key) {
                return Err(Fault::Refused); // K3, K4: in the order of their bytes, and each once
            }
            last = Some(key);
            let name = self.named(py, key);
            found.set_item(name, self.value(py, below)?)?;
        }
        Ok(found.into_any())
    }

    fn named(&mut self, py: Python<'py>, key: &'a str) -> Bound<'py, PyString> {
        if let Some((_, known)) = self.keys.iter().find(|(name, _)| *name == key) {
            return known.clone();
        }
        let made = PyString::new(py, key);
        if self.keys.len() < KEYS_MAX {
            self.keys.push((key, made.clone()));
        }
        made
    }

    fn key(&mut self) -> Decoded<&'a str> {
        let length = match self.byte()? {
            first @ 0xa0..=0xbf => usize::from(first & 0x1f),
            0xd9 => self.length(1, 32, 1)?,
            0xda => self.length(2, 1 << 8, 1)?,
            0xdb => self.length(4, 1 << 16, 1)?,
            _ => return Err(Fault::Refused),
        };
        self.text(length)
    }
}
