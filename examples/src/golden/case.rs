//! One case of a manifest, with its arrays.

use retrograde::nn::weights::Weights;
use retrograde::tensor::{Shape, Tensor};
use serde_json::Value;

use super::Error;

/// One case: the fields that the manifest gives it, and its arrays.
#[derive(Debug)]
pub struct Case<'a> {
    name: &'a str,
    fields: &'a Value,
    arrays: &'a Weights,
}

impl<'a> Case<'a> {
    pub(super) fn new(name: &'a str, fields: &'a Value, arrays: &'a Weights) -> Self {
        Case { name, fields, arrays }
    }

    /// The name of the case, such as `add_0`.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// A field that is a string.
    pub fn text(&self, field: &str) -> Result<&'a str, Error> {
        self.fields[field].as_str().ok_or_else(|| self.wrong(field, "a string"))
    }

    /// A field that is a boolean.
    pub fn flag(&self, field: &str) -> Result<bool, Error> {
        self.fields[field].as_bool().ok_or_else(|| self.wrong(field, "a boolean"))
    }

    /// A field that is an integer.
    pub fn integer(&self, field: &str) -> Result<i64, Error> {
        self.fields[field].as_i64().ok_or_else(|| self.wrong(field, "an integer"))
    }

    /// A field that is a number.
    pub fn number(&self, field: &str) -> Result<f64, Error> {
        self.fields[field].as_f64().ok_or_else(|| self.wrong(field, "a number"))
    }

    /// A field that is a list of numbers.
    pub fn numbers(&self, field: &str) -> Result<Vec<f64>, Error> {
        let numbers = self.fields[field].as_array();
        let numbers = numbers.and_then(|list| list.iter().map(Value::as_f64).collect());
        numbers.ok_or_else(|| self.wrong(field, "a list of numbers"))
    }

    /// A field that has fields of its own, with the same arrays.
    pub fn within(&self, field: &str) -> Result<Self, Error> {
        let fields = &self.fields[field];
        if fields.is_object() { Ok(Case { fields, ..*self }) } else { Err(self.wrong(field, "an object")) }
    }

    /// The names of the fields, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.fields.as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// A field that is a size, an axis or an index.
    pub fn size(&self, field: &str) -> Result<usize, Error> {
        size(&self.fields[field]).ok_or_else(|| self.wrong(field, "a size"))
    }

    /// A field that is a list of sizes or axes.
    pub fn sizes(&self, field: &str) -> Result<Vec<usize>, Error> {
        sizes(&self.fields[field]).ok_or_else(|| self.wrong(field, "a list of sizes"))
    }

    /// A field that is a shape.
    pub fn shape(&self, field: &str) -> Result<Shape, Error> {
        Ok(Shape::new(&self.sizes(field)?)?)
    }

    /// A field that is a list of shapes.
    pub fn shapes(&self, field: &str) -> Result<Vec<Shape>, Error> {
        let wrong = || self.wrong(field, "a list of shapes");
        let list = self.fields[field].as_array().ok_or_else(wrong)?;
        list.iter().map(|dims| Ok(Shape::new(&sizes(dims).ok_or_else(wrong)?)?)).collect()
    }

    /// A field that is a nested list of integers: these in row-major order, and their shape.
    pub fn integers(&self, field: &str) -> Result<(Vec<i64>, Shape), Error> {
        let value = &self.fields[field];
        let mut dims = Vec::new();
        let mut first = Some(value);
        while let Some(list) = first.and_then(Value::as_array) {
            dims.push(list.len());
            first = list.first();
        }
        let mut integers = Vec::new();
        if !flatten(value, &dims, &mut integers) {
            return Err(self.wrong(field, "a rectangular list of integers"));
        }
        Ok((integers, Shape::new(&dims)?))
    }

    /// The array `case/tensor`, which has to have this shape.
    pub fn tensor(&self, tensor: &str, dims: &[usize]) -> Result<Tensor<f64>, Error> {
        Ok(self.arrays.get_shaped(&format!("{}/{tensor}", self.name), Shape::new(dims)?)?)
    }

    pub(super) fn wrong(&self, field: &str, expected: impl Into<String>) -> Error {
        Error::field(field, expected, &self.fields[field])
    }
}

fn size(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn sizes(value: &Value) -> Option<Vec<usize>> {
    value.as_array()?.iter().map(size).collect()
}

/// Appends the integers of a list nested as `dims` says; whether it is.
fn flatten(value: &Value, dims: &[usize], integers: &mut Vec<i64>) -> bool {
    match (dims, value) {
        ([], value) => value.as_i64().map(|integer| integers.push(integer)).is_some(),
        ([dim, rest @ ..], Value::Array(list)) => {
            list.len() == *dim && list.iter().all(|value| flatten(value, rest, integers))
        }
        _ => false,
    }
}
