//! The checker as Python calls it: arrays cross as bytes, so that nothing here knows NumPy.
#![forbid(unsafe_code)]

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use retrograde_check::{Array, BoxError, Check, Error, Named};
use retrograde_tensor::Tensor;

create_exception!(retrograde_check, CheckError, PyValueError, "A check that could not be carried out.");

/// A named array: its name, its shape, and its numbers as the bytes of doubles.
type Raw<'py> = (String, Vec<usize>, Bound<'py, PyBytes>);

/// A report: whether it is ok, the number of elements that were not verified, its text, its text at length, and all
/// findings as JSON.
type Text = (bool, usize, String, String, String);

/// Runs a check of two callables that take and return lists of named arrays.
#[pyfunction]
fn check<'py>(
    py: Python<'py>,
    forward: &Bound<'py, PyAny>,
    backward: &Bound<'py, PyAny>,
    inputs: Vec<Raw<'py>>,
    settings: &Bound<'py, PyDict>,
) -> PyResult<Text> {
    let mut check = configured(settings)?;
    for (name, array) in arrays(inputs)? {
        check = check.input(name, Tensor::try_from(array).map_err(|error| raised(py, error))?);
    }
    let report = check.black_box(
        |x| Ok::<_, BoxError>(arrays(forward.call1((raw(py, x),))?.extract()?)?),
        |x, dy| Ok::<_, BoxError>(arrays(backward.call1((raw(py, x), raw(py, dy)))?.extract()?)?),
    );
    let report = report.map_err(|error| raised(py, error))?;
    Ok((report.is_ok(), report.unverified(), report.to_string(), format!("{report:#}"), report.to_json()))
}

/// The check that settings ask for.
fn configured(settings: &Bound<'_, PyDict>) -> PyResult<Check> {
    let mut check = Check::new();
    for (name, value) in settings {
        check = match name.extract::<String>()?.as_str() {
            "seed" => check.seed(value.extract()?),
            "directions" => check.directions(value.extract()?),
            "points" => check.points(value.extract()?),
            "elements" => check.elements(value.extract()?),
            "tolerance" => check.tolerance(value.extract()?),
            "cotangent_scale" => check.cotangent_scale(value.extract()?),
            "full_jacobian" => check.full_jacobian(value.extract()?),
            "keep_entries" => check.keep_entries(value.extract()?),
            "taylor" => check.taylor(value.extract()?),
            "frozen" => value.extract::<Vec<String>>()?.into_iter().fold(check, Check::freeze),
            "time_axes" => {
                let axes = value.extract::<Vec<(String, usize)>>()?;
                axes.into_iter().fold(check, |check, (name, axis)| check.time_axis(name, axis))
            }
            "within" => {
                let ranges = value.extract::<Vec<(String, f64, f64)>>()?;
                ranges.into_iter().fold(check, |check, (name, low, high)| check.within(name, low..=high))
            }
            "largest_step" => {
                let steps = value.extract::<Vec<(String, f64)>>()?;
                steps.into_iter().fold(check, |check, (name, step)| check.largest_step(name, step))
            }
            unknown => return Err(PyValueError::new_err(format!("check: there is no setting {unknown}"))),
        };
    }
    Ok(check)
}

/// The exception of a callable as itself, with a note of the call; any other error as a `CheckError`.
fn raised(py: Python<'_>, error: Error) -> PyErr {
    let (pass, call, source) = match error {
        Error::Forward { call, source } => ("forward", call, source),
        Error::Backward { call, source } => ("backward", call, source),
        other => return CheckError::new_err(other.to_string()),
    };
    match source.downcast::<PyErr>() {
        Ok(exception) => {
            let note = format!("in call {call} of the {pass} function by a gradient check");
            // Before Python 3.11 an exception has no notes.
            let _ = exception.value(py).call_method1("add_note", (note,));
            *exception
        }
        Err(source) => CheckError::new_err(format!("check: call {call} of the {pass} function failed: {source}")),
    }
}

fn raw<'py>(py: Python<'py>, arrays: &Named<Array>) -> Vec<Raw<'py>> {
    let bytes = |array: &Array| array.iter().flat_map(|x| x.to_ne_bytes()).collect::<Vec<u8>>();
    let one = |(name, array): (&str, &Array)| {
        (name.to_owned(), array.shape().to_vec(), PyBytes::new(py, &bytes(array)))
    };
    arrays.iter().map(one).collect()
}

fn arrays(raw: Vec<Raw<'_>>) -> PyResult<Named<Array>> {
    let one = |(name, shape, bytes): Raw<'_>| {
        let chunks = bytes.as_bytes().chunks_exact(size_of::<f64>());
        let numbers = chunks.map(|chunk| f64::from_ne_bytes(chunk.try_into().expect("the bytes of a double")));
        let array = Array::new(numbers.collect(), &shape);
        Ok((name, array.map_err(|error| CheckError::new_err(error.to_string()))?))
    };
    raw.into_iter().map(one).collect::<PyResult<Vec<_>>>().map(Named::from)
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CheckError", module.py().get_type::<CheckError>())?;
    module.add_function(wrap_pyfunction!(check, module)?)
}
