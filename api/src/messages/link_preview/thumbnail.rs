//! A picture made small enough to travel inside a message.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, codecs::jpeg::JpegEncoder,
    metadata::Orientation,
};

/// The longer side, in pixels. WhatsApp's clients draw it about half as wide, on fine screens.
const SIDE: u32 = 192;
/// The largest picture that is opened: it takes four bytes for each pixel.
const MOST_PIXELS: u64 = 16_000_000;
const MOST_MEMORY: u64 = 128 * 1024 * 1024;
/// The largest thumbnail, in bytes: it is stored and sent with the message.
const MOST_BYTES: usize = 12 * 1024;
/// From good to small.
const QUALITIES: [u8; 4] = [80, 65, 50, 30];

/// A picture that cannot be opened, or is too large.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be read")]
pub(super) struct Unreadable;

impl From<image::ImageError> for Unreadable {
    fn from(_: image::ImageError) -> Self {
        Self
    }
}

/// A JPEG of the picture, upright and at most 192 pixels wide and high. Reads JPEG, PNG and WebP.
pub(super) fn draw(picture: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut reader = ImageReader::new(Cursor::new(picture))
        .with_guessed_format()
        .map_err(|_| Unreadable)?;
    if !matches!(
        reader.format(),
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)
    ) {
        return Err(Unreadable);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    // Before a byte of it is unpacked.
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Unreadable);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)?;
    if width > SIDE || height > SIDE {
        image = image.thumbnail(SIDE, SIDE);
    }
    image.apply_orientation(orientation);
    let image = on_white(&image);
    for quality in QUALITIES {
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(&image)?;
        if jpeg.len() <= MOST_BYTES {
            return Ok(jpeg);
        }
    }
    Err(Unreadable)
}

/// JPEG knows no transparency.
fn on_white(image: &DynamicImage) -> RgbImage {
    let image = image.to_rgba8();
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u16::from);
        let mix = |colour: u16| u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        to.0 = [mix(red), mix(green), mix(blue)];
    }
    flat
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("a picture");
        bytes.into_inner()
    }

    #[test]
    fn pictures_become_small_jpegs() {
        let noise = RgbaImage::from_fn(640, 320, |x, y| {
            let value = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).to_le_bytes();
            Rgba([value[0], value[1], value[2], 255])
        });
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let jpeg = draw(&file(&DynamicImage::ImageRgba8(noise.clone()), format)).expect("a thumbnail");
            assert!(jpeg.len() <= MOST_BYTES);
            let drawn = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).expect("a JPEG");
            assert_eq!((drawn.width(), drawn.height()), (192, 96));
        }
        let small = DynamicImage::ImageRgb8(RgbImage::new(20, 10));
        let jpeg = draw(&file(&small, ImageFormat::Jpeg)).expect("a thumbnail");
        let drawn = image::load_from_memory(&jpeg).expect("a JPEG");
        assert_eq!((drawn.width(), drawn.height()), (20, 10), "nothing is made larger");
    }

    #[test]
    fn what_can_be_seen_through_is_white() {
        let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0])));
        let jpeg = draw(&file(&clear, ImageFormat::Png)).expect("a thumbnail");
        let drawn = image::load_from_memory(&jpeg).expect("a JPEG").to_rgb8();
        assert!(drawn.pixels().all(|pixel| pixel.0.iter().all(|value| *value > 250)));
    }

    #[test]
    fn what_is_too_large_or_no_picture_is_refused() {
        // A PNG that says it is 20,000 pixels wide and high, in 57 bytes.
        let mut bomb = file(&DynamicImage::ImageRgb8(RgbImage::new(1, 1)), ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        let checksum = crc32fast::hash(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(draw(&bomb).is_err());
        for bytes in [b"".as_slice(), b"<svg/>", b"GIF89a", b"\xff\xd8\xff\xe0garbage"] {
            assert!(draw(bytes).is_err());
        }
    }
}
