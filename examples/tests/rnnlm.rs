//! The language models of words: they learn, and given weights give the textbook's curve.

mod common;

use std::fs;

use common::{folder, numbers, printed, refusal};
use retrograde::nn::weights::Writer;
use retrograde::tensor::{Shape, Tensor};

#[test]
fn both_models_learn() {
    let folder = folder("rnnlm");
    let text: String =
        (0..400).map(|i| format!("the {} reads the {}. ", ["tape", "sweep", "cell"][i % 3], i % 5)).collect();
    fs::write(folder.join("text.txt"), text).unwrap();
    let printed =
        printed("rnnlm", &folder, &["--quick", "--epochs", "4", "--text", "text.txt", "--out", "figures"]);
    let [first, last] = ["1 ", "4 "].map(|epoch| numbers(&printed, epoch));
    for (first, last) in [0, 1, 3, 4].map(|i| (first[i], last[i])) {
        assert!(last < first && last > 1.0, "{printed}");
    }
    assert!(fs::read_to_string(folder.join("figures/rnnlm.svg")).unwrap().contains("perplexity"));
}

/// Weights of zero predict every word alike at first: the first perplexity is that of the vocabulary, less what is
/// learned on the way.
#[test]
fn given_weights_are_where_it_starts() {
    let folder = folder("given");
    let mut writer = Writer::default();
    let mut zeros = |name, shape: Shape| writer.insert(name, &Tensor::<f32>::zeros(shape));
    zeros("embed_W", [7, 3].into());
    zeros("rnn_Wx", [3, 4].into());
    zeros("rnn_Wh", [4, 4].into());
    zeros("rnn_b", [4].into());
    zeros("affine_W", [4, 7].into());
    zeros("affine_b", [7].into());
    let ids: Vec<usize> = (0..51).map(|i| i % 7).collect();
    writer.insert("corpus", &Tensor::from_vec(ids, [51]).unwrap());
    writer.save(folder.join("run.safetensors")).unwrap();
    let options = ["--init", "run.safetensors", "--corpus", "run.safetensors", "--epochs", "1"];
    let perplexity = numbers(&printed("rnnlm", &folder, &options), "1 ")[0];
    assert!((perplexity - 7.0).abs() < 0.01, "one window of 50 words, found {perplexity}");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let folder = folder("refused by rnnlm");
    fs::write(folder.join("short.txt"), "too short").unwrap();
    fs::write(folder.join("no.safetensors"), "none").unwrap();
    let refused = |arguments: &[&str]| refusal("rnnlm", &folder, arguments);
    assert!(refused(&["--text", "short.txt"]).contains("expected at least"));
    assert!(refused(&["--text", "none.txt"]).contains("expected a file that can be read"));
    assert!(refused(&["--init", "no.safetensors"]).contains("--corpus <FILE>"));
    let words = refused(&["--init", "no.safetensors", "--corpus", "no.safetensors"]);
    assert!(words.starts_with("error: no.safetensors: expected"), "{words}");
}
