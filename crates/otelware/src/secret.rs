//! Names of headers that carry credentials.

/// Header names that carry credentials, besides those that [`SECRET_WORDS`] finds.
const SECRETS: [&str; 4] = [
    "cookie",
    "set-cookie",
    "x-forwarded-client-cert",
    "sec-websocket-key",
];

/// Words that mark a header's name as one that carries credentials.
const SECRET_WORDS: [&str; 18] = [
    "access-key",
    "auth-key",
    "authorization",
    "authentication",
    "api-key",
    "apikey",
    "assertion",
    "bearer",
    "credential",
    "csrf",
    "jwt",
    "macaroon",
    "passw",
    "private-key",
    "secret",
    "session",
    "signature",
    "token",
];

/// Whether a header of this name carries credentials.
#[cfg_attr(
    not(feature = "http"),
    allow(unreachable_pub, reason = "HTTP alone hands it on")
)]
pub fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name) || SECRET_WORDS.iter().any(|word| name.contains(word))
}
