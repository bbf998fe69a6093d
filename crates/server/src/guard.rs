//! Who may ask: names the server answers to, pages that may read its answers, pages that may change things.

use std::net::IpAddr;

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, HOST, HeaderMap, HeaderValue, ORIGIN, VARY,
};

use crate::options::ServerOptions;

/// Last parts of names that no public name server knows, so that nobody elsewhere can make them point here.
const PRIVATE_DOMAINS: [&str; 6] = ["localhost", "local", "internal", "svc", "test", "invalid"];

/// Whether the server answers to the name in the header `Host`. A request without one is of HTTP/1.0.
pub(crate) fn is_known_host(headers: &HeaderMap, options: &ServerOptions) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = without_port(host);
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or("");
    let is_private =
        !name.contains('.') || PRIVATE_DOMAINS.iter().any(|domain| last.eq_ignore_ascii_case(domain));
    let is_listed = options.hosts.iter().any(|listed| listed == "*" || listed.eq_ignore_ascii_case(name));
    is_address || is_private || is_listed
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// Whether the request may come from a page of another site, whose reader knows nothing of it.
pub(crate) fn is_cross_site(headers: &HeaderMap, options: &ServerOptions) -> bool {
    let says_so = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let is_foreign = headers.get(ORIGIN).is_some_and(|origin| !is_own_origin(headers, origin));
    (says_so || is_foreign) && allowed_origin(headers, options).is_none()
}

fn is_own_origin(headers: &HeaderMap, origin: &HeaderValue) -> bool {
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), headers.get(HOST).map(HeaderValue::to_str)) else {
        return false;
    };
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// The origin of the request, if its pages may read answers.
pub(crate) fn allowed_origin<'a>(headers: &'a HeaderMap, options: &ServerOptions) -> Option<&'a HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let allowed = options.cors_origin.as_ref()?;
    origin.to_str().is_ok_and(|text| allowed.is_match(text)).then_some(origin)
}

/// Adds the headers that let pages of other origins read an answer; only `Vary` where they may not.
pub(crate) fn add_cors_headers(set: &mut HeaderMap, allowed: Option<HeaderValue>) {
    set.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        let fixed = [
            (ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type, Origin"),
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
        ];
        set.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        set.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn names_that_anyone_could_own_are_unknown() {
        let mut options = ServerOptions::default();
        let known = |options: &ServerOptions, host| is_known_host(&headers(&[("host", host)]), options);
        for host in
            ["127.0.0.1:9090", "[::1]:9090", "[::1]", "localhost:9090", "narthex", "a.b.svc:80", "x.LOCAL"]
        {
            assert!(known(&options, host), "{host}");
        }
        for host in ["evil.example", "evil.example:9090", "127.0.0.1.nip.io", "localhost.evil.com"] {
            assert!(!known(&options, host), "{host}");
        }
        options.hosts = vec!["metrics.example.com".to_owned()];
        assert!(known(&options, "Metrics.example.com:443") && !known(&options, "other.example.com"));
        options.hosts = vec!["*".to_owned()];
        assert!(known(&options, "evil.example"));
        assert!(is_known_host(&HeaderMap::new(), &ServerOptions::default()));
    }

    #[test]
    fn foreign_pages_may_neither_read_nor_change() {
        let mut options = ServerOptions::default();
        let foreign = headers(&[("host", "localhost:9090"), ("origin", "https://a.example")]);
        let own = headers(&[("host", "localhost:9090"), ("origin", "http://localhost:9090")]);
        assert!(is_cross_site(&foreign, &options) && !is_cross_site(&own, &options));
        assert!(is_cross_site(&headers(&[("sec-fetch-site", "cross-site")]), &options));
        assert!(is_cross_site(&headers(&[("host", "x"), ("origin", "null")]), &options));
        let cors_headers = |options: &ServerOptions| {
            let mut set = HeaderMap::new();
            add_cors_headers(&mut set, allowed_origin(&foreign, options).cloned());
            set
        };
        assert_eq!(cors_headers(&options).len(), 1);
        options.cors_origin = narthex_regex::Regex::new("https://a\\.example").ok();
        assert!(!is_cross_site(&foreign, &options));
        let set = cors_headers(&options);
        assert_eq!(set.len(), 5);
        assert_eq!(set[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
    }
}
