//! The native half of Coseal, a module of Python.
//!
//! Law: it only says yes. What it does not accept is decided by the Python, whose refusals are the only ones. A panic
//! is raised as a `RuntimeError`, never given as a verdict. It reads no clock, file, environment or randomness.

mod codec;
mod signature;

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use codec::Fault;
use signature::{Keys, KEY_BYTES, SIGNATURE_BYTES};

/// Decodes, and verifies signatures under rule E1; it remembers the points of keys.
#[pyclass(frozen, module = "coseal_native")]
struct Native {
    keys: Mutex<Keys>,
}

#[pymethods]
impl Native {
    #[new]
    fn new() -> Self {
        Self { keys: Mutex::new(Keys::default()) }
    }

    /// Return the value whose canonical encoding the bytes are; raise `ValueError` for what is not decoded here.
    fn decode<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let decoded = catch_unwind(AssertUnwindSafe(|| codec::decode(py, data)));
        match decoded.map_err(|panic| PyRuntimeError::new_err(text_of(panic.as_ref())))? {
            Ok(value) => Ok(value),
            Err(Fault::Refused) => Err(PyValueError::new_err("not decoded")),
            Err(Fault::Python(error)) => Err(error),
        }
    }

    /// Say whether a signature is accepted under rule E1.
    fn verify(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> PyResult<bool> {
        self.guarded(|keys| keys.verify(public_key, message, signature))
    }

    /// Return a byte for each record (key, message of `message_bytes`, signature), 1 or 0, without the interpreter lock.
    fn many<'py>(&self, py: Python<'py>, records: &[u8], message_bytes: usize) -> PyResult<Bound<'py, PyBytes>> {
        let size = message_bytes.saturating_add(KEY_BYTES + SIGNATURE_BYTES);
        if records.len() % size != 0 {
            return Err(PyValueError::new_err(format!("records of {size} bytes, {} in all", records.len())));
        }
        let items = records.chunks_exact(size).map(|record| {
            let (key, rest) = record.split_at(KEY_BYTES);
            let (message, signature) = rest.split_at(message_bytes);
            (key, message, signature)
        });
        let verdicts = py.detach(|| self.guarded(|keys| keys.verify_many(items)))?;
        Ok(PyBytes::new(py, &verdicts.into_iter().map(u8::from).collect::<Vec<u8>>()))
    }
}

impl Native {
    fn guarded<T>(&self, work: impl FnOnce(&mut Keys) -> T) -> PyResult<T> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        catch_unwind(AssertUnwindSafe(|| work(&mut keys))).map_err(|panic| {
            *keys = Keys::default();
            PyRuntimeError::new_err(text_of(panic.as_ref()))
        })
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    format!("panic: {text}")
}

#[pymodule]
fn coseal_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Native>()
}
