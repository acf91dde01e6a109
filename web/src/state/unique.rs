//! Keys that no other request has.

use js_sys::Uint8Array;

/// A random UUID. `crypto.randomUUID` is missing on plain HTTP, so the bytes are asked for.
pub fn key() -> String {
    let mut bytes = [0_u8; 16];
    let filled = web_sys::window()
        .and_then(|window| window.crypto().ok())
        .is_some_and(|crypto| {
            let random = Uint8Array::new_with_length(16);
            let done = crypto.get_random_values_with_array_buffer_view(&random).is_ok();
            random.copy_to(&mut bytes);
            done
        });
    if !filled {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 255"
        )]
        bytes.fill_with(|| (js_sys::Math::random() * 256.0) as u8);
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
