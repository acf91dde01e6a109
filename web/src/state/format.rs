//! Numbers, dates and times as the chosen language and the tenant's time zone write them (`Intl`).

use std::cell::RefCell;

use js_sys::{Array, Date, Intl, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::{api::values::At, words};

thread_local! {
    static TIME_ZONE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Shows times in this zone from now on; one that the browser does not know is ignored.
pub fn use_time_zone(name: &str) {
    let options = object(&[("timeZone", name)]);
    let construct = Reflect::get(&js_sys::global(), &"Intl".into())
        .and_then(|intl| Reflect::get(&intl, &"DateTimeFormat".into()))
        .and_then(|class| {
            let class: js_sys::Function = class.unchecked_into();
            Reflect::construct(&class, &Array::of2(&locale().into(), &options))
        });
    TIME_ZONE.set(construct.is_ok().then(|| name.to_owned()));
}

fn locale() -> &'static str {
    words::language().locale()
}

fn object(entries: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        // A plain object accepts any key.
        let _ = Reflect::set(&object, &(*key).into(), &(*value).into());
    }
    object
}

fn in_zone(entries: &[(&str, &str)]) -> JsValue {
    let object = object(entries);
    TIME_ZONE.with_borrow(|zone| {
        if let Some(zone) = zone {
            let _ = Reflect::set(&object, &"timeZone".into(), &zone.into());
        }
    });
    object.into()
}

fn date(at: At) -> Date {
    Date::new(&at.0.into())
}

/// `14:05`
pub fn time(at: At) -> String {
    let options = in_zone(&[("hour", "2-digit"), ("minute", "2-digit"), ("hourCycle", "h23")]);
    date(at).to_locale_string(locale(), &options).into()
}

/// `14:05:09`
pub fn time_with_seconds(at: At) -> String {
    let options = in_zone(&[
        ("hour", "2-digit"),
        ("minute", "2-digit"),
        ("second", "2-digit"),
        ("hourCycle", "h23"),
    ]);
    date(at).to_locale_string(locale(), &options).into()
}

/// `21 November 2026, 14:05:09`
pub fn exact(at: At) -> String {
    let options = in_zone(&[
        ("day", "numeric"),
        ("month", "long"),
        ("year", "numeric"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
        ("second", "2-digit"),
        ("hourCycle", "h23"),
        ("timeZoneName", "short"),
    ]);
    date(at).to_locale_string(locale(), &options).into()
}

/// `21 Nov` or, in another year, `21 Nov 2025`.
pub fn day_short(at: At) -> String {
    let same_year = date(at).get_full_year() == Date::new_0().get_full_year();
    let mut entries = vec![("day", "numeric"), ("month", "short")];
    if !same_year {
        entries.push(("year", "numeric"));
    }
    date(at).to_locale_string(locale(), &in_zone(&entries)).into()
}

/// `Nov 2026`
pub fn month(at: At) -> String {
    date(at)
        .to_locale_string(locale(), &in_zone(&[("month", "short"), ("year", "numeric")]))
        .into()
}

/// A day as a heading: today, yesterday, `Friday`, `3 November`.
pub fn day_heading(at: At) -> String {
    let days = days_ago(at);
    if (0..2).contains(&days) {
        let format = Intl::RelativeTimeFormat::new(&Array::of1(&locale().into()), &object(&[("numeric", "auto")]));
        #[expect(clippy::cast_precision_loss, reason = "0 or 1")]
        return capitalised(&String::from(format.format(-(days as f64), "day")));
    }
    let entries: &[(&str, &str)] = if days < 7 {
        &[("weekday", "long")]
    } else if date(at).get_full_year() == Date::new_0().get_full_year() {
        &[("day", "numeric"), ("month", "long")]
    } else {
        &[("day", "numeric"), ("month", "long"), ("year", "numeric")]
    };
    date(at).to_locale_string(locale(), &in_zone(entries)).into()
}

/// The calendar day in the tenant's zone, to compare with another.
pub fn day_key(at: At) -> String {
    let options = in_zone(&[("year", "numeric"), ("month", "2-digit"), ("day", "2-digit")]);
    date(at).to_locale_string("sv", &options).into()
}

fn days_ago(at: At) -> i64 {
    let midnight = |at: At| Date::parse(&day_key(at));
    #[expect(clippy::cast_possible_truncation, reason = "days between two dates fit easily")]
    let days = ((midnight(At::now()) - midnight(at)) / 86_400_000.0).round() as i64;
    days
}

/// `14:05` today, `21 Nov` before: as lists of chats show it.
pub fn time_or_day(at: At) -> String {
    if days_ago(at) == 0 { time(at) } else { day_short(at) }
}

/// “3 minutes ago”, by the given present.
pub fn relative(at: At, now: f64) -> String {
    let seconds = (at.0 - now) / 1000.0;
    let (value, unit) = match seconds.abs() {
        s if s < 45.0 => (0.0, "second"),
        s if s < 2_700.0 => (seconds / 60.0, "minute"),
        s if s < 79_200.0 => (seconds / 3_600.0, "hour"),
        s if s < 2_592_000.0 => (seconds / 86_400.0, "day"),
        _ => return day_short(at),
    };
    let rounded = if unit == "second" {
        0.0
    } else {
        value.signum() * value.abs().round().max(1.0)
    };
    let format = Intl::RelativeTimeFormat::new(&Array::of1(&locale().into()), &object(&[("numeric", "auto")]));
    format.format(rounded, unit).into()
}

/// `12,345`
pub fn number(value: i32) -> String {
    js_sys::Number::from(f64::from(value)).to_locale_string(locale()).into()
}

/// A whole number that may need more than 32 bits.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³, and no figure is larger")]
pub fn whole(value: i64) -> String {
    js_sys::Number::from(value as f64).to_locale_string(locale()).into()
}

/// `1.5 GB`
#[expect(clippy::cast_precision_loss, reason = "rounded to one decimal anyway")]
pub fn bytes(value: i64) -> String {
    let mut amount = value as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if amount < 1000.0 {
            break;
        }
        amount /= 1000.0;
        unit = next;
    }
    let rounded = (amount * 10.0).round() / 10.0;
    let number: String = js_sys::Number::from(rounded).to_locale_string(locale()).into();
    format!("{number} {unit}")
}

/// Midnight of a day, `2026-11-21`, in the tenant's zone; none when it is no day.
pub fn midnight(day: &str) -> Option<At> {
    let guess = Date::parse(&format!("{day}T00:00:00Z"));
    if guess.is_nan() {
        return None;
    }
    let options = in_zone(&[
        ("year", "numeric"),
        ("month", "2-digit"),
        ("day", "2-digit"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
        ("hourCycle", "h23"),
    ]);
    // What clocks there show at that moment in Greenwich tells how far they are ahead.
    let shown: String = date(At(guess)).to_locale_string("sv", &options).into();
    let ahead = Date::parse(&format!("{}:00Z", shown.replace(' ', "T"))) - guess;
    (!ahead.is_nan()).then_some(At(guess - ahead))
}

/// `1:05`
pub fn countdown(ms: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and minutes at most"
    )]
    let seconds = (ms.max(0.0) / 1000.0).ceil() as u32;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
