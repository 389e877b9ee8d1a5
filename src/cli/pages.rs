//! Pages that a command leaves: each one file, which asks for nothing beside it.

use super::table::{Align, Table};
use crate::protocol::Digest;
use crate::view::markup::escaped;

const STYLE: &str = include_str!("pages/style.css");

const SCRIPT: &str = include_str!("pages/picture.js");

/// A page with this title and content. What is not the program's own must have been [escaped] before.
pub fn document(title: &str, content: &str) -> String {
    let (title, token) = (escaped(title), Digest::of(content.as_bytes()));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         script-src 'nonce-{token}'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{content}\
         <script nonce=\"{token}\">\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// A picture of which the parts tell their titles when somebody points at them, or comes to them by keys.
pub fn picture(about: &str, svg: &str) -> String {
    format!(
        "<div class=\"figure\">\n<div class=\"picture\" tabindex=\"0\" role=\"application\" aria-label=\"{}: arrow keys go from part to part\">\n\
         {svg}\n</div>\n<p class=\"told\" role=\"status\">Point at a part, or go there with the arrow keys.</p>\n</div>\n",
        escaped(about)
    )
}

/// A table as markup.
pub fn table(table: &Table) -> String {
    let class = |align: Align| if align == Align::Right { " class=\"right\"" } else { "" };
    let cell = |name: &str, text: &str, align: Align| {
        format!("<{name}{}>{}</{name}>", class(align), escaped(text))
    };
    let head: String = table.titles().map(|(title, align)| cell("th", title, align)).collect();
    let row = |cells: &[String]| -> String {
        cells.iter().zip(table.titles()).map(|(text, (_, align))| cell("td", text, align)).collect()
    };
    let rows: String = table.rows().map(|cells| format!("<tr>{}</tr>\n", row(cells))).collect();
    format!(
        "<div class=\"wide\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}
