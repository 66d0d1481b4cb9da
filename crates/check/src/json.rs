//! The report as JSON.

use std::fmt::Write;

use crate::findings::{Measure, Oracle};
use crate::report::Report;

impl Report {
    /// Returns all findings as one JSON object, for other programs.
    ///
    /// Numbers are written so that they come back exactly; those that are not finite, for which JSON has no number, are
    /// the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. What is absent is `null`. The names are those of the fields of
    /// [`Row`](crate::Row), [`Mismatch`](crate::Mismatch) and the others; oracles and verdicts are as in the text.
    ///
    /// # Example
    /// ```
    /// use retrograde_check::Check;
    /// use retrograde_tensor::Tensor;
    ///
    /// let report = Check::new().input("x", Tensor::from([0.3])).run(|_, x| Ok([("y", x["x"].tanh())].into()))?;
    /// assert!(report.to_json().starts_with(r#"{"ok":true,"seed":0,"#));
    /// # Ok::<(), retrograde_check::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let step = |step: Option<usize>| step.map_or(NULL.to_owned(), |step| step.to_string());
        let index = |index: &[usize]| array(index, ToString::to_string);
        let strings = |list: &[String]| array(list, |text| string(text));
        object(&[
            ("ok", self.is_ok().to_string()),
            ("seed", self.seed.to_string()),
            ("directions", self.directions.to_string()),
            ("points", self.points.to_string()),
            ("tolerance", number(self.tolerances[0])),
            ("exact_tolerance", number(self.tolerances[1])),
            ("forward_passes", self.runs.to_string()),
            ("unverified", self.unverified().to_string()),
            ("bits", self.bits().map_or(NULL.to_owned(), |bits| bits.to_string())),
            (
                "accuracy",
                array(&self.accuracy, |found| {
                    object(&[
                        ("name", string(&found.name)),
                        ("relative", number(found.relative)),
                        ("cause", string(&found.cause)),
                    ])
                }),
            ),
            ("outputs", strings(&self.outputs)),
            (
                "jacobian",
                self.jacobian.map_or(NULL.to_owned(), |found| {
                    object(&[
                        ("outputs", found.outputs.to_string()),
                        ("inputs", found.inputs.to_string()),
                        ("below_noise", found.below_noise.to_string()),
                    ])
                }),
            ),
            (
                "rows",
                array(&self.rows, |row| {
                    object(&[
                        ("name", string(&row.name)),
                        ("step", step(row.step)),
                        ("elements", row.elements.to_string()),
                        ("magnitude", number(row.magnitude)),
                        ("measures", measures(&row.measures)),
                        ("verdict", string(row.verdict)),
                    ])
                }),
            ),
            (
                "mismatches",
                array(&self.mismatches, |found| {
                    object(&[
                        ("name", string(&found.name)),
                        ("index", found.index.as_deref().map_or(NULL.to_owned(), index)),
                        ("step", step(found.step)),
                        ("cotangent", string(&found.cotangent)),
                        ("analytic", number(found.analytic)),
                        ("numeric", number(found.numeric)),
                        ("absolute", number(found.absolute)),
                        ("relative", number(found.relative)),
                        ("oracles", array(&found.oracles, |oracle| string(oracle))),
                        ("pattern", found.pattern.as_ref().map_or(NULL.to_owned(), string)),
                    ])
                }),
            ),
            (
                "kinks",
                array(&self.kinks, |kink| {
                    object(&[
                        ("name", string(&kink.name)),
                        ("index", index(&kink.index)),
                        ("step", step(kink.step)),
                        ("analytic", number(kink.analytic)),
                        ("left", number(kink.left)),
                        ("right", number(kink.right)),
                    ])
                }),
            ),
            (
                "not_verifiable",
                array(&self.not_verifiable, |found| {
                    object(&[
                        ("name", string(&found.name)),
                        ("step", step(found.step)),
                        ("cotangent", string(&found.cotangent)),
                        ("magnitude", number(found.magnitude)),
                        ("floor", number(found.floor)),
                        ("elements", found.elements.to_string()),
                        ("adjoint", found.adjoint.to_string()),
                    ])
                }),
            ),
            (
                "not_applicable",
                array(&self.not_applicable, |found| {
                    object(&[
                        ("oracle", string(found.oracle)),
                        ("name", string(&found.name)),
                        ("function", string(found.function)),
                    ])
                }),
            ),
            ("guesses", strings(&self.guesses)),
            ("cuts", strings(&self.cuts)),
            (
                "taylor",
                array(&self.taylor, |table| {
                    let remainders = array(&table.remainders, |at| {
                        object(&[
                            ("step", number(at.step)),
                            ("without", number(at.without)),
                            ("with", number(at.with)),
                            ("noise", number(at.noise)),
                        ])
                    });
                    object(&[("name", string(&table.name)), ("remainders", remainders)])
                }),
            ),
            (
                "entries",
                array(&self.entries, |entry| {
                    object(&[
                        ("output", string(&entry.output)),
                        ("output_index", index(&entry.output_index)),
                        ("input", string(&entry.input)),
                        ("input_index", index(&entry.input_index)),
                        ("analytic", number(entry.analytic)),
                        ("numeric", entry.numeric.map_or(NULL.to_owned(), number)),
                        ("point", entry.point.to_string()),
                    ])
                }),
            ),
        ])
    }
}

const NULL: &str = "null";

fn measures(measures: &[(Oracle, Measure)]) -> String {
    let one = |&(oracle, measure): &(Oracle, Measure)| {
        object(&[
            ("oracle", string(oracle)),
            ("absolute", number(measure.absolute)),
            ("relative", number(measure.relative)),
            ("compared", measure.compared.to_string()),
        ])
    };
    array(measures, one)
}

fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}:{value}", string(name))).collect();
    format!("{{{}}}", fields.join(","))
}

fn array<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(one).collect::<Vec<_>>().join(","))
}

fn number(x: f64) -> String {
    match x {
        x if x.is_finite() => format!("{x:e}"),
        x if x.is_nan() => string("NaN"),
        x if x > 0.0 => string("Infinity"),
        _ => string("-Infinity"),
    }
}

fn string(text: impl ToString) -> String {
    let mut quoted = String::from('"');
    for c in text.to_string().chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => write!(quoted, "\\u{:04x}", c as u32).expect("a string takes all"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
