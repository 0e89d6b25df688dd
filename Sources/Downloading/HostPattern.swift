/// Hosts that may be asked: `images.example.org`, or `*.example.org` for all below it; with `:8443` on that port instead of the
/// scheme's own.
public struct HostPattern: Sendable, Hashable {
    private let name: String
    private let includesSubdomains: Bool
    private let port: Int?

    /// - Returns: nil for a text that is no such pattern.
    public init?(_ text: String) {
        var rest = text.lowercased()[...]
        includesSubdomains = rest.hasPrefix("*.")
        if includesSubdomains { rest = rest.dropFirst(2) }
        if let colon = rest.lastIndex(of: ":") {
            guard let number = Int(rest[rest.index(after: colon)...]), (1...65535).contains(number) else { return nil }
            port = number
            rest = rest[..<colon]
        } else {
            port = nil
        }
        guard Self.isName(rest) else { return nil }
        name = String(rest)
    }

    /// Whether an address may have this host, in lower case: a name, an IPv4 address, or an IPv6 address in brackets.
    static func isHost(_ host: String) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            return host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        return isName(host[...])
    }

    private static func isName(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.allSatisfy { isInNames($0) }
        }
    }

    private static func isInNames(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// - Parameter port: nil for the scheme's own
    package func matches(host: String, port: Int?) -> Bool {
        guard port == self.port else { return false }
        let host = host.lowercased()
        return includesSubdomains ? host.hasSuffix("." + name) : host == name
    }
}
