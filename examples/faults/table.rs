//! All exercises, a row for each.

use retrograde::autograd::{Tape, Var};
use retrograde::check::Named;
use retrograde::tensor::Tensor;

use crate::problem::Problem;
use crate::source;

/// Gradients from all that the forward pass read and left, and from the cotangents of its outputs; all by name.
pub(crate) type Backward = fn(&Named<Tensor<f64>>, &Named<Tensor<f64>>) -> Named<Tensor<f64>>;
/// The outputs of inputs, on a tape that derives the backward pass.
pub(crate) type Forward = for<'t> fn(&'t Tape<f64>, &Named<Var<'t, f64>>) -> Named<Var<'t, f64>>;

/// The code of an exercise.
#[derive(Clone, Copy)]
pub(crate) enum Pass {
    /// A backward pass by hand.
    Hand(Backward),
    /// A forward pass, from which the backward pass is derived.
    Tape(Forward),
}

/// The conditions under which a fault hides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Grade {
    Loud,
    SomeShapes,
    WithoutNoise,
    Silent,
    OffTheTape,
}

impl Grade {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Grade::Loud => "Loud: the pass stops",
            Grade::SomeShapes => "Silent at some shapes",
            Grade::WithoutNoise => "Silent without noise",
            Grade::Silent => "Silent",
            Grade::OffTheTape => "Off the tape: the derived pass is another function's",
        }
    }
}

/// A broken pass and its repair.
pub(crate) struct Exercise {
    pub(crate) number: usize,
    pub(crate) title: &'static str,
    pub(crate) grade: Grade,
    pub(crate) problem: Problem,
    /// The norm to which gradients are clipped, if `check` also trains a forecaster.
    pub(crate) trained: Option<f64>,
    pub(crate) source: &'static str,
    pub(crate) answer: &'static str,
    pub(crate) pass: Pass,
    /// The reference repair.
    pub(crate) repair: Pass,
}

impl Exercise {
    /// The three hints, which are the paragraphs at the top of the reference repair.
    pub(crate) fn hints(&self) -> Vec<String> {
        let lines = self.answer.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let lines: Vec<&str> = lines.collect();
        lines.split(|line| line.is_empty()).map(|paragraph| paragraph.join(" ")).collect()
    }

    /// The exercise with the reference repair in its place.
    pub(crate) fn repaired(&self) -> Exercise {
        Exercise { source: self.answer, pass: self.repair, ..*self }
    }

    /// The reason why the exercise as it stands is no repair, though its gradients may be right.
    pub(crate) fn dishonest(&self) -> Option<String> {
        let is_by_hand = matches!(self.pass, Pass::Hand(_));
        let (line, word) = source::reach(self.source, is_by_hand)?;
        let wanted =
            if is_by_hand { "the pass by hand, on tensors alone" } else { "the forward pass itself" };
        Some(format!("line {line}: expected a repair of {wanted}, found `{word}`"))
    }
}

macro_rules! exercises {
    ($($number:literal $title:literal $exercise:ident $source:literal $answer:ident $repaired:literal:
        $grade:ident $problem:ident $kind:ident($pass:ident) $trained:expr;)*) => {
        $(
            #[path = $source]
            #[allow(unused)] // a pass that is half repaired compiles
            mod $exercise;
            #[path = $repaired]
            #[allow(unused)]
            mod $answer;
        )*

        pub(crate) const EXERCISES: &[Exercise] = &[$(
            Exercise {
                number: $number,
                title: $title,
                grade: Grade::$grade,
                problem: Problem::$problem,
                trained: $trained,
                source: include_str!($source),
                answer: include_str!($repaired),
                pass: Pass::$kind($exercise::$pass),
                repair: Pass::$kind($answer::$pass),
            },
        )*];
    };
}

const WITHOUT_CLIPPING: Option<f64> = Some(f64::INFINITY);

exercises! {
    1 "The way back to the input"
        e01 "exercises/01.rs" a01 "answers/01.rs": Loud Step Hand(backward) None;
    2 "One bias for all examples"
        e02 "exercises/02.rs" a02 "answers/02.rs": Loud Step Hand(backward) None;
    3 "Labels and rows"
        e03 "exercises/03.rs" a03 "answers/03.rs": Loud Loss Hand(backward) None;
    4 "Four gates side by side"
        e04 "exercises/04.rs" a04 "answers/04.rs": Loud Lstm Hand(backward) None;
    5 "Two lines that look alike"
        e05 "exercises/05.rs" a05 "answers/05.rs": SomeShapes Step Hand(backward) None;
    6 "One number at a time"
        e06 "exercises/06.rs" a06 "answers/06.rs": SomeShapes Series Hand(backward) Some(1.0);
    7 "A square matrix"
        e07 "exercises/07.rs" a07 "answers/07.rs": SomeShapes Sequence Hand(backward) None;
    8 "A weight of every step"
        e08 "exercises/08.rs" a08 "answers/08.rs": SomeShapes Sequence Hand(backward) None;
    9 "The next step"
        e09 "exercises/09.rs" a09 "answers/09.rs": SomeShapes Sequence Hand(backward) None;
    10 "The last example"
        e10 "exercises/10.rs" a10 "answers/10.rs": SomeShapes Sequence Hand(backward) None;
    11 "Backwards in time"
        e11 "exercises/11.rs" a11 "answers/11.rs": SomeShapes Sequence Hand(backward) None;
    12 "Steps and examples"
        e12 "exercises/12.rs" a12 "answers/12.rs": SomeShapes Sequence Hand(backward) None;
    13 "The mean of a loss"
        e13 "exercises/13.rs" a13 "answers/13.rs": SomeShapes Loss Hand(backward) None;
    14 "A mask on the way up"
        e14 "exercises/14.rs" a14 "answers/14.rs": WithoutNoise Dropout Hand(backward) None;
    15 "A mask on the way on"
        e15 "exercises/15.rs" a15 "answers/15.rs": WithoutNoise Dropout Hand(backward) None;
    16 "The mask of another step"
        e16 "exercises/16.rs" a16 "answers/16.rs": WithoutNoise Dropout Hand(backward) None;
    17 "The way around a step"
        e17 "exercises/17.rs" a17 "answers/17.rs": WithoutNoise Zoneout Hand(backward) None;
    18 "Before and after"
        e18 "exercises/18.rs" a18 "answers/18.rs": Silent Sequence Hand(backward) None;
    19 "Seven digits"
        e19 "exercises/19.rs" a19 "answers/19.rs": Silent Sequence Hand(backward) None;
    20 "A loss that falls"
        e20 "exercises/20.rs" a20 "answers/20.rs": Silent Sequence Hand(backward) WITHOUT_CLIPPING;
    21 "A gradient that is clipped"
        e21 "exercises/21.rs" a21 "answers/21.rs": Silent Sequence Hand(backward) Some(1.0);
    22 "The cell and the state"
        e22 "exercises/22.rs" a22 "answers/22.rs": Silent Lstm Hand(backward) None;
    23 "A state that forgets where it came from"
        e23 "exercises/23.rs" a23 "answers/23.rs": OffTheTape Sequence Tape(forward) None;
    24 "A number in the place of a weight"
        e24 "exercises/24.rs" a24 "answers/24.rs": OffTheTape Sequence Tape(forward) None;
    25 "A mean from nowhere"
        e25 "exercises/25.rs" a25 "answers/25.rs": OffTheTape Centred Tape(forward) None;
}
