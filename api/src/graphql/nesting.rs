//! How deep brackets are nested in a document, found without parsing it: the parser calls itself for every level, and a
//! document of nothing but brackets would run out of its stack.

/// Deeper documents are refused unparsed. Introspection queries of the usual tools are about twenty levels deep.
const DEEPEST: usize = 60;

/// Whether a document can be given to the parser.
pub fn is_shallow(document: &str) -> bool {
    let bytes = document.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > DEEPEST {
                    return false;
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => at = end_of_line(bytes, at),
            b'"' if bytes[at..].starts_with(b"\"\"\"") => at = end_of_block(bytes, at + 3),
            b'"' => at = end_of_string(bytes, at + 1),
            _ => {}
        }
        at += 1;
    }
    true
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    let length = bytes[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    length.map_or(bytes.len(), |length| from + length)
}

/// The index of the closing quote. A string that does not end before its line does is no string: the scan goes on after
/// the opening quote's line, and the parser complains later.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' | b'\n' | b'\r' => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The index of the last of three closing quotes.
fn end_of_block(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return at + 2;
        } else {
            at += 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_texts_count() {
        let many = "{".repeat(100);
        assert!(!is_shallow(&many));
        assert!(!is_shallow(&"[{(".repeat(30)));
        assert!(is_shallow(&"{}".repeat(1_000)));
        assert!(is_shallow(&format!("# {many}\n{{ a }}")));
        assert!(is_shallow(&format!("{{ a(b: \"{many}\\\"{many}\") }}")));
        assert!(is_shallow(&format!("{{ a(b: \"\"\"{many}\n\\\"\"\"{many}\"\"\") }}")));
        assert!(!is_shallow(&format!("{{ a(b: \"x\") {many}")));
        assert!(!is_shallow(&format!("{{ a(b: \"\"\"x\"\"\") {many}")));
        assert!(!is_shallow(&format!("\"unclosed\n{many}")));
    }
}
