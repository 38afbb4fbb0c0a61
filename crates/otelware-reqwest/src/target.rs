use otelware::http::HostPort;
use otelware::http::client::Target;
use reqwest::Url;

/// Where a request goes.
pub(crate) struct UrlTarget<'a>(pub(crate) &'a Url);

impl Target for UrlTarget<'_> {
    fn scheme(&self) -> Option<&str> {
        Some(self.0.scheme())
    }

    fn host_port(&self) -> Option<HostPort<'_>> {
        let host = self.0.host_str()?;
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        Some(HostPort {
            host,
            port: self.0.port(),
        })
    }

    fn full(&self) -> String {
        self.0.as_str().to_owned()
    }
}
