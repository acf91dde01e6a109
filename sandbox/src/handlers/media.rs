//! `w:m`: where to upload and download media.

use std::sync::Arc;

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::core::Core;
use crate::stanza::result;

/// `<media_conn auth ttl auth_ttl max_buckets><host hostname type><download/><upload/>`. The host is
/// this network's own port, which speaks plain http; clients that insist on https must rewrite it.
pub fn handle(core: &Arc<Core>, request: &Node) -> Node {
    let host = NodeBuilder::new("host")
        .attr("hostname", core.address.to_string())
        .attr("type", "primary")
        .children([NodeBuilder::new("download").build(), NodeBuilder::new("upload").build()])
        .build();
    result(
        request,
        [NodeBuilder::new("media_conn")
            .attr("auth", "sandbox")
            .attr("ttl", 3_600)
            .attr("auth_ttl", 21_600)
            .attr("max_buckets", 12)
            .children([host])
            .build()],
    )
}
