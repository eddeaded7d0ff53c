//! What is removed from every text before it goes out.

use serde_json::Value;

use crate::secret::Secret;

/// Removes control characters, characters that are not seen, callback tokens, and `secrets`.
pub(super) fn clean(value: &mut Value, secrets: &[Secret]) {
    match value {
        Value::String(text) => clean_text(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, secrets)),
        Value::Object(object) => {
            if object.keys().any(|key| key.chars().any(is_unseen)) {
                *object = std::mem::take(object)
                    .into_iter()
                    .map(|(key, value)| (key.replace(is_unseen, ""), value))
                    .collect();
            }
            object.values_mut().for_each(|item| clean(item, secrets));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn clean_text(text: &mut String, secrets: &[Secret]) {
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
        let mut value = json!({
            "line\u{1b}[31m": ["a\u{202E}b\u{E0041}\r\n\tc", 1, null],
            "url": format!("POST http://agent:8080/event/{token} and /event/{token}, /event/short"),
            "said": "the token is hunter2hunter2",
        });
        clean(&mut value, &[Secret::new("hunter2hunter2"), Secret::new("a")]);
        assert_eq!(
            value,
            json!({
                "line[31m": ["ab\n\tc", 1, null],
                "url": "POST http://agent:8080/event/(secret) and /event/(secret), /event/short",
                "said": "the token is (secret)",
            })
        );
    }
}
