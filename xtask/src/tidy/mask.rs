//! Blanks comments and literals, so that a rule about code never trips over prose.

/// The text with every comment, and the contents of every string and character, replaced by spaces.
///
/// Line breaks stay, and so does the length in bytes: a place in one is a place in the other.
pub(super) fn code(text: &str) -> String {
    let (mut masked, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(next) = rest.chars().next() {
        let before = masked.chars().next_back();
        let hidden = hidden_length(rest, before);
        let (taken, left) = rest.split_at(if hidden == 0 { next.len_utf8() } else { hidden });
        if hidden == 0 {
            masked.push(next);
        } else {
            masked.extend(taken.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
        rest = left;
    }
    masked
}

/// How many bytes of the comment or literal that starts here to hide; 0 if none does.
fn hidden_length(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(super::source::is_word);
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with('"') {
        quoted(rest, '"')
    } else if rest.starts_with('\'') {
        character(rest)
    } else if !in_word && rest.starts_with(['r', 'b', 'c']) {
        raw_string(rest)
    } else {
        0
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(found) = rest[at..].find(['/', '*']) {
        at += found;
        match rest.get(at..at + 2) {
            Some("/*") => depth += 1,
            Some("*/") => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a literal that opens and closes with the quote.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    rest.len()
}

/// The length of a character literal, 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => quoted(rest, '\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The length of `r"…"`, `br#"…"#` and the like, 0 for anything else.
fn raw_string(rest: &str) -> usize {
    let Some(body) = rest.trim_start_matches(['b', 'c']).strip_prefix('r') else { return 0 };
    let hashes = body.len() - body.trim_start_matches('#').len();
    if !body[hashes..].starts_with('"') {
        return 0;
    }
    let start = rest.len() - body.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    rest[start..].find(&close).map_or(rest.len(), |end| start + end + close.len())
}
