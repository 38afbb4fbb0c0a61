//! URLs without their secrets.

use crate::semconv::value::REDACTED;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The keys of the semantic conventions ("HTTP client span", `url.full`), and the usual names of
/// credentials besides.
const SENSITIVE_KEYS: [&str; 18] = [
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Goog-Signature",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "access_token",
    "api_key",
    "api-key",
    "apikey",
    "auth_token",
    "client_secret",
    "id_token",
    "password",
    "refresh_token",
    "secret",
    "token",
];

/// Removes credentials and the values of sensitive parameters, of query and fragment, from URLs.
#[derive(Clone, Debug)]
pub struct UrlRedaction {
    keys: Vec<Cow<'static, str>>,
}

impl UrlRedaction {
    /// Redacts the values of these query parameters, case-sensitive, instead of the default ones.
    pub fn new<I>(keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        Self {
            keys: keys.into_iter().map(Into::into).collect(),
        }
    }

    /// The query with sensitive values replaced; keys and everything else stay.
    pub fn query<'a>(&self, query: &'a str) -> Cow<'a, str> {
        self.pairs(query, |character| character == '&')
    }

    /// A fragment may carry what a query does (OAuth 2.0, RFC 6749 section 4.2.2), also behind a
    /// path of its own.
    fn fragment<'a>(&self, fragment: &'a str) -> Cow<'a, str> {
        self.pairs(fragment, |character| matches!(character, '&' | '#' | '?'))
    }

    fn pairs<'a>(&self, text: &'a str, separates: fn(char) -> bool) -> Cow<'a, str> {
        if !text
            .split(separates)
            .any(|pair| self.sensitive_key(pair).is_some())
        {
            return Cow::Borrowed(text);
        }
        let mut redacted = String::with_capacity(text.len());
        for part in text.split_inclusive(separates) {
            let pair = part.strip_suffix(separates).unwrap_or(part);
            match self.sensitive_key(pair) {
                Some(key) => {
                    redacted.push_str(key);
                    redacted.push('=');
                    redacted.push_str(REDACTED);
                }
                None => redacted.push_str(pair),
            }
            redacted.push_str(part.get(pair.len()..).unwrap_or_default());
        }
        Cow::Owned(redacted)
    }

    /// The URL with its credentials and the sensitive values of query and fragment replaced.
    pub fn url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        let (before_fragment, fragment) = split_before(url, '#');
        let (before_query, query) = split_before(before_fragment, '?');
        let authority = match before_query.find("://") {
            Some(colon) => colon + 3,
            None if before_query.starts_with("//") => 2,
            None => 0,
        };
        let (scheme, rest) = before_query.split_at(authority);
        let (host, path) = split_before(rest, '/');
        let host_start = match host.rfind('@') {
            Some(at) if authority > 0 => at,
            _ => 0,
        };
        let clean_query = self.query(query.strip_prefix('?').unwrap_or(query));
        let clean_fragment = self.fragment(fragment);
        let is_clean = [&clean_query, &clean_fragment]
            .iter()
            .all(|part| matches!(part, Cow::Borrowed(_)));
        if host_start == 0 && is_clean {
            return Cow::Borrowed(url);
        }
        let mut redacted = String::with_capacity(url.len() + 2 * REDACTED.len());
        redacted.push_str(scheme);
        if host_start > 0 {
            redacted.push_str(REDACTED);
            redacted.push(':');
            redacted.push_str(REDACTED);
        }
        redacted.push_str(host.get(host_start..).unwrap_or_default());
        redacted.push_str(path);
        if !query.is_empty() {
            redacted.push('?');
            redacted.push_str(&clean_query);
        }
        redacted.push_str(&clean_fragment);
        Cow::Owned(redacted)
    }

    /// The pair's key, if its value is to be redacted.
    fn sensitive_key<'a>(&self, pair: &'a str) -> Option<&'a str> {
        let (key, _) = pair.split_once('=')?;
        // `s%69g` is `sig` to the server.
        let is_sensitive = if key.contains('%') {
            let decoded = percent_decode_str(key).decode_utf8_lossy();
            self.keys.contains(&decoded)
        } else {
            self.keys.iter().any(|sensitive| sensitive == key)
        };
        is_sensitive.then_some(key)
    }
}

impl Default for UrlRedaction {
    fn default() -> Self {
        Self::new(SENSITIVE_KEYS)
    }
}

/// Splits before the first `separator`, which goes to the second part.
fn split_before(text: &str, separator: char) -> (&str, &str) {
    text.split_at(text.find(separator).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sensitive_values_go_and_everything_else_stays() {
        let redaction = UrlRedaction::default();
        for (query, expected) in [
            ("", ""),
            ("q=OpenTelemetry", "q=OpenTelemetry"),
            ("color=blue&sig=s3cr3t", "color=blue&sig=REDACTED"),
            ("sig=a&sig=b&x", "sig=REDACTED&sig=REDACTED&x"),
            ("s%69g=a", "s%69g=REDACTED"),
            ("SIG=visible", "SIG=visible"),
            ("sig", "sig"),
            ("sig=", "sig=REDACTED"),
            ("=sig", "=sig"),
            ("a=1=2&&b", "a=1=2&&b"),
        ] {
            assert_eq!(redaction.query(query), expected);
        }
        for key in SENSITIVE_KEYS {
            assert_eq!(
                redaction.query(&format!("a=1&{key}=s3cr3t&b=2")),
                format!("a=1&{key}=REDACTED&b=2")
            );
        }
    }

    #[test]
    fn credentials_and_secrets_of_fragments_go() {
        let redaction = UrlRedaction::default();
        for (url, expected) in [
            ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
            (
                "https://user:pass@example.com:8443/",
                "https://REDACTED:REDACTED@example.com:8443/",
            ),
            (
                "https://user@example.com",
                "https://REDACTED:REDACTED@example.com",
            ),
            (
                "https://u:p@ss@h/p@th?sig=x#f",
                "https://REDACTED:REDACTED@h/p@th?sig=REDACTED#f",
            ),
            ("//u:p@h:443", "//REDACTED:REDACTED@h:443"),
            ("/path@x?token=1", "/path@x?token=REDACTED"),
            (
                "https://h/cb#access_token=x&state=1",
                "https://h/cb#access_token=REDACTED&state=1",
            ),
            (
                "https://h/?a=1#/cb?b=2&token=x#sig=y",
                "https://h/?a=1#/cb?b=2&token=REDACTED#sig=REDACTED",
            ),
            ("http://h?a=//u:p@x", "http://h?a=//u:p@x"),
        ] {
            assert_eq!(redaction.url(url), expected);
        }
    }

    #[test]
    fn own_keys_replace_the_default() {
        let redaction = UrlRedaction::new(["card"]);
        assert_eq!(redaction.query("card=1&sig=2"), "card=REDACTED&sig=2");
    }

    proptest! {
        #[test]
        fn nothing_else_changes(url in "[a-z]{0,5}(://)?[a-z:/?#&=%.]{0,40}") {
            // Without an `@` and without a sensitive key there is nothing to redact.
            let redaction = UrlRedaction::new(["S3NSITIVE"]);
            prop_assert_eq!(redaction.url(&url), url.as_str());
        }

        #[test]
        fn no_secret_survives(
            before in "[a-z=&#]{0,20}",
            after in "[a-z=&#]{0,20}",
            user in "[a-z]{0,5}",
            key in proptest::sample::select(SENSITIVE_KEYS.to_vec()),
            separator in proptest::sample::select(vec!['&', '#']),
        ) {
            let url = format!(
                "https://{user}:MARKER@host/p?{before}{separator}{key}=MARKER&{after}"
            );
            let redacted = UrlRedaction::default().url(&url).into_owned();
            prop_assert!(!redacted.contains("MARKER"), "{}", redacted);
        }

        #[test]
        fn arbitrary_input_is_survived(url in any::<String>()) {
            let _ = UrlRedaction::default().url(&url);
        }
    }
}
