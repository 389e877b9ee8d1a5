//! Just enough of Rust's lexical grammar to tell code from comments and literals.

/// The text with comments and the content of literals replaced by spaces; lines stay where they are.
pub fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = token_end(bytes, at);
        if let Token::Hidden(end) = end {
            blank(&mut code[at..end]);
            at = end;
        } else if let Token::Shown(end) = end {
            at = end;
        }
    }
    String::from_utf8(code).expect("only whole characters are replaced")
}

/// The code without items that only tests compile.
pub fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut bytes = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let end = item_end(code, start + MARK.len());
        blank(&mut bytes[start..end]);
        from = end;
    }
    String::from_utf8(bytes).expect("only whole characters are replaced")
}

/// Where the item that begins at `from` ends: after its block, or its semicolon.
pub fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b';' if depth == 0 => return offset + 1,
            b'{' | b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return offset + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

enum Token {
    /// Code, up to here.
    Shown(usize),
    /// A comment or a literal, up to here.
    Hidden(usize),
}

fn token_end(bytes: &[u8], at: usize) -> Token {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        return Token::Hidden(at + length);
    }
    if rest.starts_with(b"/*") {
        return Token::Hidden(at + block_comment(rest));
    }
    if let Some(length) = raw_string(rest) {
        return Token::Hidden(at + length);
    }
    match rest[0] {
        b'"' => Token::Hidden(at + quoted(rest, b'"')),
        b'\'' if is_character(rest) => Token::Hidden(at + quoted(rest, b'\'')),
        byte if is_word(byte) => {
            let length = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
            Token::Shown(at + length)
        }
        _ => Token::Shown(at + 1),
    }
}

/// Whether the byte can be part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = usize::from(rest[0] == b'b');
    let hashes = rest.get(prefix..)?.strip_prefix(b"r")?;
    let count = hashes.iter().take_while(|byte| **byte == b'#').count();
    if hashes.get(count) != Some(&b'"') {
        return None;
    }
    let content = prefix + 1 + count + 1;
    let mut closing = vec![b'"'];
    closing.resize(1 + count, b'#');
    let found = rest[content..].windows(closing.len()).position(|window| window == closing)?;
    Some(content + found + closing.len())
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character, and not a lifetime.
fn is_character(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'\\') => true,
        Some(first) if *first < 0x80 => rest.get(2) == Some(&b'\''),
        _ => true,
    }
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = "a // b\nlet s = \"c\\\"d\"; /* e /* f */ g */ h('\\'', 'i', &'j k) r#\"l\"m\"# n";
    let code = code_of(text);
    assert_eq!(code.len(), text.len());
    let words: Vec<_> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "let", "s", "=", ";", "h(", ",", ",", "&'j", "k)", "n"]);
}

#[test]
fn test_modules_are_not_shipped() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { c(); }\n}\nfn d() {}\n";
    let shipped = without_tests(code);
    assert!(shipped.contains("fn a") && shipped.contains("fn d") && !shipped.contains("fn b"));
    assert!(without_tests("#[cfg(test)]\nmod tests;\nfn d() {}").contains("fn d"));
}
