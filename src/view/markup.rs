//! The page as one file: markup, styles, data and script.
//!
//! Nothing from a trace is markup here: data stands in elements that no browser runs, with every `<` escaped, and
//! the script writes it as text. The page's own policy forbids it to load anything, and to run any script but the
//! one that carries a token made of the data.

use super::encode::Data;
use crate::protocol::Digest;

const TEMPLATE: &str = include_str!("page/page.html");

const STYLE: &str = include_str!("page/style.css");

/// The script, file by file in the order of what each needs.
pub const SCRIPT: [&str; 11] = [
    include_str!("page/data.js"),
    include_str!("page/causality.js"),
    include_str!("page/scale.js"),
    include_str!("page/place.js"),
    include_str!("page/columns.js"),
    include_str!("page/drawing.js"),
    include_str!("page/grid.js"),
    include_str!("page/panel.js"),
    include_str!("page/strip.js"),
    include_str!("page/search.js"),
    include_str!("page/main.js"),
];

/// The whole page.
#[must_use]
pub fn page(title: &str, data: &Data) -> String {
    let token = token(data);
    let mut page =
        String::with_capacity(TEMPLATE.len() + data.parts.iter().map(String::len).sum::<usize>());
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("a mark in the template ends");
        page.push_str(before);
        fill(&mut page, name, title, &token, data);
        rest = after;
    }
    page.push_str(rest);
    page
}

fn fill(page: &mut String, name: &str, title: &str, token: &str, data: &Data) {
    match name {
        "title" => page.push_str(&escaped(title)),
        "token" => page.push_str(token),
        "style" => page.push_str(STYLE),
        "data" => {
            let all = std::iter::once(("head".to_owned(), &data.head));
            let parts =
                data.parts.iter().enumerate().map(|(index, part)| (format!("part-{index}"), part));
            for (id, json) in all.chain(parts) {
                page.push_str(&format!(
                    "<script type=\"application/json\" id=\"{id}\">{json}</script>\n"
                ));
            }
        }
        "script" => {
            page.push_str("\"use strict\";\n(() => {\n");
            SCRIPT.iter().for_each(|file| page.push_str(file));
            page.push_str("})();\n");
        }
        other => unreachable!("the template names {other}, which nothing stands for"),
    }
}

/// What the page's policy lets run: nobody who wrote the trace can have known it.
fn token(data: &Data) -> String {
    let parts = data.parts.iter().map(|part| Digest::of(part.as_bytes()));
    let mut token = Digest::of(data.head.as_bytes());
    parts.for_each(|part| token.push(part.0));
    token.to_string()
}

/// Text that is no markup.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            c if c.is_control() => shown.push(' '),
            c => shown.push(c),
        }
    }
    shown
}
