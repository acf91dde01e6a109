//! Words of this page.

use super::phrases;

phrases! {
}
