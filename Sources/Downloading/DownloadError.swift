/// Why something was not fetched. The message says what to change and gives nothing away about the network that the process stands in.
public enum DownloadError: Error, Sendable, Hashable {
    /// No http(s) address with a host, or one with a user and password in it.
    case invalidAddress(String)
    /// A host that is on no list.
    case hostNotAllowed(String)
    /// A host whose address is not one of the public Internet.
    case privateAddress(String)
    case unknownHost(String)
    case tooManyRedirects(limit: Int)
    /// The other server's answer was no success; `retryAfter` are the seconds that it asked to be left alone.
    case status(Int, retryAfter: Double? = nil)
    /// The answer declares itself as something other than a picture, such as `text/html`.
    case wrongType(String)
    /// The host's robots.txt excludes the address.
    case disallowed(String)
    /// The host's robots.txt could not be had, which counts as excluding everything.
    case robotsUnreachable(host: String, reason: String)
    case tooManyBytes(limit: Int)
    case timeout(seconds: Double)
    /// No connection, a certificate that is not trusted, an answer that broke off.
    case failed(String)
    /// A setting that nothing can be downloaded with.
    case invalidSetting(name: String, reason: String)

    /// Whether the same request may succeed later.
    public var isTransient: Bool {
        switch self {
        case .status(let code, _): code == 408 || code == 429 || (500...599).contains(code)
        case .timeout, .failed: true
        default: false
        }
    }
}

extension DownloadError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidAddress(let text): "'\(text.prefix(80))' is no address of the form https://host/path"
        case .hostNotAllowed(let host): "pictures are not fetched from \(host.prefix(80))"
        case .privateAddress(let host): "\(host.prefix(80)) is not on the public Internet"
        case .unknownHost(let host): "there is no host \(host.prefix(80))"
        case .tooManyRedirects(let limit): "the address leads on more than \(limit) times"
        case .status(let code, _): "the other server answered with status \(code)"
        case .wrongType(let type): "the other server answered with \(type.prefix(80)) instead of a picture"
        case .disallowed(let address): "the host's robots.txt excludes \(address.prefix(200))"
        case .robotsUnreachable(let host, let reason):
            "the robots.txt of \(host.prefix(80)) cannot be had, so nothing else is asked for: \(reason)"
        case .tooManyBytes(let limit): "it has more than \(limit) bytes"
        case .timeout(let seconds): "it took longer than \(seconds.formatted) seconds"
        case .failed(let reason): "it could not be fetched: \(reason)"
        case .invalidSetting(let name, let reason): "the setting '\(name)': \(reason)"
        }
    }
}

extension Double {
    fileprivate var formatted: String { self == rounded() ? String(Int(self)) : String(self) }
}
