//! Where a list is scrolled.

use leptos::prelude::*;
use web_sys::Element;

/// The part of the screen in which the list is scrolled.
pub struct Sight {
    pub scroller: Element,
    pub top: f64,
    pub height: f64,
}

impl Sight {
    /// Around a list: the nearest ancestor that scrolls, or the window.
    pub fn around(container: &Element) -> Self {
        let mut ancestor = container.parent_element();
        while let Some(element) = ancestor {
            let style = window().get_computed_style(&element).ok().flatten();
            let overflow = style.and_then(|style| style.get_property_value("overflow-y").ok());
            if matches!(overflow.as_deref(), Some("auto" | "scroll")) {
                let rect = element.get_bounding_client_rect();
                return Self {
                    top: rect.top(),
                    height: f64::from(element.client_height()),
                    scroller: element,
                };
            }
            ancestor = element.parent_element();
        }
        let height = window().inner_height().ok().and_then(|height| height.as_f64());
        Self {
            scroller: document().document_element().unwrap_or_else(|| container.clone()),
            top: 0.0,
            height: height.unwrap_or(800.0),
        }
    }
}
