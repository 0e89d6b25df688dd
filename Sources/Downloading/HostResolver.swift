import Foundation
import NIOCore

/// The system's resolver, which blocks its thread.
enum HostResolver {
    /// The first address of a host.
    /// - Throws: `DownloadError.unknownHost` where there is surely none, `.failed` where nobody could say.
    static func address(of name: String, port: Int) throws(DownloadError) -> SocketAddress {
        var hints = addrinfo(), found: UnsafeMutablePointer<addrinfo>?
        hints.ai_protocol = Int32(IPPROTO_TCP)
        let status = getaddrinfo(name, String(port), &hints, &found)
        guard status == 0, let found else {
            // -5 is glibc's EAI_NODATA: the name is known but has no address.
            if status == EAI_NONAME || status == -5 { throw .unknownHost(name) }
            throw .failed(
                "the name \(name.prefix(80)) could not be looked up: \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        guard let address = found.pointee.ai_addr else { throw .unknownHost(name) }
        switch found.pointee.ai_family {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                SocketAddress($0.pointee, host: name)
            }
        case AF_INET6:
            return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                SocketAddress($0.pointee, host: name)
            }
        default: throw .unknownHost(name)
        }
    }
}
