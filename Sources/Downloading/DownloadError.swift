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
    /// The other server's answer was no success.
    case status(Int)
    case tooManyBytes(limit: Int)
    case timeout(seconds: Double)
    /// No connection, a certificate that is not trusted, an answer that broke off.
    case failed(String)
}

extension DownloadError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidAddress(let text): "'\(text.prefix(80))' is no address of the form https://host/path"
        case .hostNotAllowed(let host): "pictures are not fetched from \(host.prefix(80))"
        case .privateAddress(let host): "\(host.prefix(80)) is not on the public Internet"
        case .unknownHost(let host): "there is no host \(host.prefix(80))"
        case .tooManyRedirects(let limit): "the address leads on more than \(limit) times"
        case .status(let code): "the other server answered with status \(code)"
        case .tooManyBytes(let limit): "it has more than \(limit) bytes"
        case .timeout(let seconds): "it took longer than \(seconds.formatted) seconds"
        case .failed(let reason): "it could not be fetched: \(reason)"
        }
    }
}

extension Double {
    fileprivate var formatted: String { self == rounded() ? String(Int(self)) : String(self) }
}
