//! What is removed from every text before it goes out.

use ptp_api::Secret;

use crate::ordered::Ordered;

/// Removes control characters, characters that are not seen, callback tokens, and `secrets`; times are cut to
/// the millisecond.
pub(crate) fn clean(value: &mut Ordered, secrets: &[Secret]) {
    match value {
        Ordered::Text(text) => {
            clean_text(text, secrets);
            to_the_millisecond(text);
        }
        Ordered::List(items) => items.iter_mut().for_each(|item| clean(item, secrets)),
        Ordered::Fields(fields) => {
            for (name, value) in fields {
                name.retain(|c| !is_unseen(c));
                clean(value, secrets);
            }
        }
        Ordered::Null | Ordered::Bool(_) | Ordered::Number(_) => {}
    }
}

/// Cuts a time, and nothing else: `2026-11-23T06:40:30.123456789Z` has 24 characters then.
fn to_the_millisecond(text: &mut String) {
    let is_time = text.len() > 24
        && text.ends_with('Z')
        && text.bytes().zip("0000-00-00T00:00:00.000".bytes()).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            _ => byte == like,
        })
        && text[23..text.len() - 1].bytes().all(|byte| byte.is_ascii_digit());
    if is_time {
        text.truncate(23);
        text.push('Z');
    }
}

pub(crate) fn clean_text(text: &mut String, secrets: &[Secret]) {
    if text.chars().any(is_unseen) {
        text.retain(|c| !is_unseen(c));
    }
    for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= 8) {
        if text.contains(secret) {
            *text = text.replace(secret, "(secret)");
        }
    }
    hide_callback_tokens(text);
}

/// Whoever knows the token of a callback URL can post events; publishers log those URLs.
fn hide_callback_tokens(text: &mut String) {
    const BEFORE: &str = "/event/";
    let mut from = 0;
    while let Some(at) = text[from..].find(BEFORE) {
        let begin = from + at + BEFORE.len();
        let token = text[begin..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        if token >= 32 {
            text.replace_range(begin..begin + token, "(secret)");
        }
        from = begin;
    }
}

/// Control characters but line breaks and tabs, marks that turn the direction of text around or
/// take no room, and the tag characters that spell text nobody sees.
fn is_unseen(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_unseen_and_no_secret_goes_out() {
        let token = "0123456789abcdef".repeat(4);
        let value = json!({
            "line\u{1b}[31m": ["a\u{202E}b\u{E0041}\r\n\tc", 1, null],
            "url": format!("POST http://agent:8080/event/{token} and /event/{token}, /event/short"),
            "said": "the token is hunter2hunter2",
            "at": "2026-11-23T06:40:30.123456789Z",
            "no time": "2026-11-23T06:40:30.123456789 Z",
        });
        let mut value = Ordered::of(&value).unwrap();
        clean(&mut value, &[Secret::new("hunter2hunter2"), Secret::new("a")]);
        assert_eq!(
            value.into_value(),
            json!({
                "line[31m": ["ab\n\tc", 1, null],
                "url": "POST http://agent:8080/event/(secret) and /event/(secret), /event/short",
                "said": "the token is (secret)",
                "at": "2026-11-23T06:40:30.123Z",
                "no time": "2026-11-23T06:40:30.123456789 Z",
            })
        );
    }
}
