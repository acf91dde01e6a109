//! The columns of a table of which not all rows are drawn.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Lets the columns keep the widths that they have, whichever rows are drawn; false when there are no columns.
pub fn fix(body: &Element) -> bool {
    let Some(table) = body.closest("table").ok().flatten() else {
        return false;
    };
    let whole = table.get_bounding_client_rect().width();
    let heads = heads(&table);
    let widths: Vec<f64> = heads
        .iter()
        .map(|head| head.get_bounding_client_rect().width())
        .collect();
    // As cards, a table has no columns.
    if whole == 0.0 || widths.iter().sum::<f64>() < whole / 2.0 {
        return false;
    }
    for (head, width) in heads.iter().zip(widths) {
        let _ = head
            .style()
            .set_property("width", &format!("{}%", width / whole * 100.0));
    }
    let _ = table.set_attribute("data-fixed", "");
    true
}

/// Lets them have the widths that their contents want.
pub fn free(body: &Element) {
    if let Ok(Some(table)) = body.closest("table") {
        let _ = table.remove_attribute("data-fixed");
        for head in heads(&table) {
            let _ = head.style().remove_property("width");
        }
    }
}

fn heads(table: &Element) -> Vec<HtmlElement> {
    let Ok(heads) = table.query_selector_all("thead th") else {
        return Vec::new();
    };
    (0..heads.length())
        .filter_map(|at| heads.item(at)?.dyn_into().ok())
        .collect()
}
