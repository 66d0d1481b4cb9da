//! Progress bars, on standard error: on a terminal they show how long there is to wait, elsewhere nothing.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over a number of steps, with room for a message.
pub fn bar(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("  {bar:28} {percent:>3} %  {eta:>4} left  {wide_msg}")
        .expect("the template is a constant")
        .progress_chars("━━─");
    ProgressBar::new(steps as u64).with_style(style)
}

/// A bar that shows nothing.
pub fn hidden() -> ProgressBar {
    ProgressBar::hidden()
}
