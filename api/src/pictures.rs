//! Draws codes for cameras.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The picture of a code as SVG, with the quiet zone that scanners want.
pub fn svg(text: &str) -> Option<String> {
    let code = qrcode::QrCode::new(text.as_bytes()).ok()?;
    Some(
        code.render::<qrcode::render::svg::Color<'_>>()
            .min_dimensions(264, 264)
            .quiet_zone(true)
            .build(),
    )
}

/// The picture of a code as PNG.
pub fn png(text: &str) -> Option<Vec<u8>> {
    let code = qrcode::QrCode::new(text.as_bytes()).ok()?;
    let picture = code
        .render::<image::Luma<u8>>()
        .min_dimensions(264, 264)
        .quiet_zone(true)
        .build();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageLuma8(picture)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .ok()?;
    Some(bytes.into_inner())
}

/// The PNG as a `data:` URL.
pub fn png_url(text: &str) -> Option<String> {
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png(text)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_drawn() {
        let text = format!("2@{}", "x".repeat(230));
        assert!(svg(&text).is_some_and(|svg| svg.contains("<svg")));
        assert!(png(&text).is_some_and(|png| png.starts_with(b"\x89PNG")));
        assert!(png_url(&text).is_some_and(|url| url.starts_with("data:image/png;base64,iVBOR")));
    }
}
