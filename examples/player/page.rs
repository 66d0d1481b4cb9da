//! One HTML file of all parts.

use serde_json::Value;

use crate::policy;

/// The scripts, each of which uses those before it.
const SCRIPTS: [&str; 7] = [
    include_str!("words.js"),
    include_str!("tape.js"),
    include_str!("map.js"),
    include_str!("picture.js"),
    include_str!("panes.js"),
    include_str!("curves.js"),
    include_str!("player.js"),
];

/// The page: markup, style, words, script and data in one text that loads nothing.
pub(crate) fn html(data: &[(&str, Value)]) -> String {
    let script = |(name, value): &(&str, Value)| {
        // Within a script no `<` may begin an end tag.
        let json = value.to_string().replace('<', "\\u003c");
        format!("<script type=\"application/json\" id=\"{name}\">{json}</script>\n")
    };
    let mut html = include_str!("page.html").to_owned();
    for (place, text) in [
        ("/* style */", include_str!("page.css")),
        ("/* script */", &format!("\"use strict\";\n{}", SCRIPTS.concat())),
        ("<!-- data -->", &data.iter().map(script).collect::<String>()),
    ] {
        html = html.replacen(place, text, 1);
    }
    let within = |html: &str, tag: &str| -> String {
        let (_, rest) = html.split_once(&format!("<{tag}>")).expect("the page has this tag");
        rest.split_once(&format!("</{tag}>")).expect("and its end").0.to_owned()
    };
    for tag in ["style", "script"] {
        html = html.replacen(&format!("'{tag}'"), &policy::source(&within(&html, tag)), 1);
    }
    html
}
