//! Reading stanzas and building the answers every handler gives.

use std::borrow::Cow;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeContent, NodeValue, Server};

/// An attribute as text.
pub fn attr<'a>(node: &'a Node, key: &str) -> Option<Cow<'a, str>> {
    node.attrs.get(key).map(NodeValue::as_str)
}

/// An attribute as a jid.
pub fn jid_attr(node: &Node, key: &str) -> Option<Jid> {
    node.attrs.get(key).and_then(NodeValue::to_jid)
}

/// Whether an attribute has exactly this text.
pub fn attr_is(node: &Node, key: &str, expected: &str) -> bool {
    node.attrs.get(key).is_some_and(|value| value == expected)
}

/// The bytes a node contains; text counts as its bytes, because which of the two a client's
/// encoder writes depends on the client.
pub fn bytes(node: &Node) -> Option<&[u8]> {
    match node.content.as_ref()? {
        NodeContent::Bytes(bytes) => Some(bytes),
        NodeContent::String(text) => Some(text.as_bytes()),
        NodeContent::Nodes(_) => None,
    }
}

/// The bytes of the first child with this tag.
pub fn child_bytes<'a>(node: &'a Node, tag: &str) -> Option<&'a [u8]> {
    node.get_optional_child(tag).and_then(bytes)
}

/// An unsigned big-endian number of up to four bytes, as key ids are written.
pub fn child_number(node: &Node, tag: &str) -> Option<u32> {
    let bytes = child_bytes(node, tag)?;
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// The children, or none.
pub fn children(node: &Node) -> &[Node] {
    node.children().unwrap_or_default()
}

/// The server's own jid, `s.whatsapp.net`.
pub fn server() -> Jid {
    Jid::new("", Server::Pn)
}

/// `<iq from=<to of the request> type="result" id>` with children.
pub fn result(request: &Node, children: impl IntoIterator<Item = Node>) -> Node {
    answer(request, "result").children(children).build()
}

/// An `<iq type="result">` without content.
pub fn empty_result(request: &Node) -> Node {
    answer(request, "result").build()
}

/// `<iq type="error"><error code text/></iq>`.
pub fn error(request: &Node, code: u16, text: &str) -> Node {
    answer(request, "error")
        .children([NodeBuilder::new("error").attr("code", code).attr("text", text).build()])
        .build()
}

fn answer(request: &Node, kind: &str) -> NodeBuilder {
    let from = request
        .attrs
        .get("to")
        .cloned()
        .unwrap_or_else(|| NodeValue::Jid(server()));
    let mut builder = NodeBuilder::new("iq").attr("from", from).attr("type", kind);
    if let Some(id) = request.attrs.get("id") {
        builder = builder.attr("id", id.clone());
    }
    builder
}

/// `<error>` of a stream, after which the server closes the connection.
pub fn stream_error(code: u16, child: Option<Node>) -> Node {
    NodeBuilder::new("stream:error")
        .attr("code", code)
        .children(child)
        .build()
}

/// `<tag>bytes</tag>`.
pub fn leaf(tag: &'static str, content: impl Into<Vec<u8>>) -> Node {
    NodeBuilder::new(tag).bytes(content).build()
}
