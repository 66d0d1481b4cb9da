//! The options of sampling.

use clap::Args;
use retrograde::nn::Sampler;
use retrograde::prelude::Tensor;
use retrograde_examples::Result;
use retrograde_examples::options::at_least_zero;
use retrograde_examples::text::Text;

/// The options for what is written.
#[derive(Args, Clone, Debug)]
pub(crate) struct Writing {
    /// Write what comes after TEXT [default: the validation text's first 32]
    #[arg(long, value_name = "TEXT")]
    start: Option<String>,
    /// Number of characters to write
    #[arg(long, value_name = "N", default_value = "600")]
    pub(crate) length: usize,
    /// Divisor of scores; below 1 favours the likely
    #[arg(long, value_name = "X", default_value = "0.8", value_parser = at_least_zero)]
    temperature: f64,
    /// Draw among the K likeliest characters only
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,
    /// Draw among the likeliest that have this probability
    #[arg(long, value_name = "P", default_value = "1")]
    top_p: f64,
}

impl Writing {
    /// The way in which characters are drawn.
    ///
    /// # Errors
    /// If a setting is out of its range.
    pub(crate) fn sampler(&self) -> Result<Sampler> {
        let &Writing { temperature, top_k, top_p, .. } = self;
        let sampler = Sampler { temperature, top_k, top_p };
        sampler.probabilities(&Tensor::<f32>::zeros([1]))?; // checks the settings
        Ok(sampler)
    }

    /// The beginning from which to go on.
    ///
    /// # Errors
    /// If it is empty, or if a character is not of the text.
    pub(crate) fn beginning(&self, validation: &Text) -> Result<Vec<usize>> {
        match &self.start {
            Some(start) => validation.encode(start),
            None => Ok(validation.tokens[..validation.tokens.len().min(32)].to_vec()),
        }
    }

    /// The heading of the sample.
    pub(crate) fn title(&self) -> String {
        let after = match &self.start {
            Some(start) => format!("{start:?}"),
            None => "the first 32 characters for validation".to_owned(),
        };
        format!("What it writes after {after}, at temperature {}:", self.temperature)
    }
}
