//! What the shop says while it runs: on the standard output what it is asked for, on the standard error how it goes.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, Write};

/// Keeps the progress bar, which only a terminal shows, apart from the lines.
#[derive(Clone)]
pub(super) struct Console {
    bar: ProgressBar,
}

impl Console {
    /// A console on which the progress of so many orders is shown; of any number where it is not known.
    pub(super) fn new(orders: Option<u64>) -> Self {
        let (bar, template) = match orders {
            Some(orders) => (
                ProgressBar::new(orders),
                "{bar:40} {pos}/{len} orders  {msg}",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {pos} orders  {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▌ "));
        }
        Self { bar }
    }

    /// Prints lines for the user.
    pub(super) fn print(&self, text: &str) {
        self.bar.suspend(|| {
            // Whoever closes the output does not want to know.
            let mut output = io::stdout().lock();
            let _ = writeln!(output, "{text}").and_then(|()| output.flush());
        });
    }

    /// Notes something beside the output.
    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "{text}");
        });
    }

    /// One more order is answered.
    pub(super) fn advance(&self, message: String) {
        self.bar.set_message(message);
        self.bar.inc(1);
    }

    /// No more orders are placed.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
