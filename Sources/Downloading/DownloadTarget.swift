import Foundation

/// What is asked for, in one spelling, so that judging and connecting cannot mean different hosts.
struct DownloadTarget: Sendable {
    let url: URL
    let scheme: String
    /// In lower case; an IPv6 address stands in brackets.
    let host: String
    let port: Int
    /// Path and query as the request line has them.
    let path: String

    /// - Throws: `DownloadError.invalidAddress` for what is no http(s) address with a host, or has a user and password in it.
    init(_ url: URL) throws(DownloadError) {
        guard var parts = URLComponents(url: url, resolvingAgainstBaseURL: true),
            let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", parts.user == nil, parts.password == nil,
            let host = parts.encodedHost?.lowercased(), HostPattern.isHost(host)
        else { throw DownloadError.invalidAddress(url.absoluteString) }
        (parts.scheme, parts.encodedHost, parts.fragment) = (scheme, host, nil)
        guard let url = parts.url else { throw DownloadError.invalidAddress(url.absoluteString) }
        (self.url, self.scheme, self.host) = (url, scheme, host)
        port = parts.port ?? (scheme == "http" ? 80 : 443)
        let path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        self.path = parts.percentEncodedQuery.map { path + "?" + $0 } ?? path
    }

    var hasUsualPort: Bool { port == (scheme == "http" ? 80 : 443) }

    /// Whom the request goes to.
    var authority: String { "\(host):\(port)" }

    /// The name or address without brackets, as resolvers want it.
    var name: String { host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host }

    /// Where the host says what may be asked for.
    var robots: String { "\(scheme)://\(hasUsualPort ? host : authority)/robots.txt" }
}
