// Files from other servers, whose addresses came from outside: such an address must not reach what only this machine or its network can.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Fetches files over HTTP, from allowed hosts and from public addresses only.
///
/// A name is resolved once, the address is judged, and the connection goes to that very address; a redirect is judged like a new
/// request. Nothing is written to disk.
public struct Downloader: Sendable {
    /// Hosts that may be asked; all when nil.
    public var hosts: [HostPattern]?
    /// Most bytes of a file.
    public var byteLimit = 20 << 20
    public var redirectLimit = 3
    /// Time for everything together.
    public var timeLimit = Duration.seconds(20)

    private let isAllowed: @Sendable (SocketAddress) -> Bool

    public init(hosts: [HostPattern]? = nil) {
        self.init(hosts: hosts) { PublicAddress.contains($0) }
    }

    /// - Parameter isAllowed: judges resolved addresses in place of the usual rule
    package init(hosts: [HostPattern]?, isAllowed: @escaping @Sendable (SocketAddress) -> Bool) {
        (self.hosts, self.isAllowed) = (hosts, isAllowed)
    }

    /// The file at an address.
    /// - Throws: `DownloadError`, `CancellationError`.
    public func bytes(from address: String) async throws -> [UInt8] {
        let limit = timeLimit
        return try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask { try await follow(address) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw DownloadError.timeout(seconds: limit / .seconds(1))
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    private func follow(_ address: String) async throws -> [UInt8] {
        guard var url = URL(string: address) else { throw DownloadError.invalidAddress(address) }
        for _ in 0...redirectLimit {
            switch try await ask(url) {
            case .file(let bytes): return bytes
            case .elsewhere(let location):
                guard let next = URL(string: location, relativeTo: url)?.absoluteURL else {
                    throw DownloadError.invalidAddress(location)
                }
                url = next
            }
        }
        throw DownloadError.tooManyRedirects(limit: redirectLimit)
    }

    private enum Reply {
        case file([UInt8])
        case elsewhere(String)
    }

    private func ask(_ url: URL) async throws -> Reply {
        let (url, host, address) = try await resolve(url)
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(10)))
        configuration.dnsOverride = [host: address]
        configuration.httpVersion = .http1Only
        do {
            return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                var request = HTTPClientRequest(url: url.absoluteString)
                request.headers.add(name: "User-Agent", value: "chatrex")
                request.headers.add(name: "Accept", value: "image/*, */*;q=0.5")
                return try await read(client.execute(request, timeout: .seconds(60)))
            }
        } catch let error as DownloadError {
            throw error
        } catch let error as HTTPClientError {
            if Task.isCancelled { throw CancellationError() }
            throw DownloadError.failed(error.shortDescription)
        } catch is IOError {
            throw DownloadError.failed("no connection to \(host)")
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw DownloadError.failed("no connection that can be trusted, or one that broke off")
        }
    }

    private func read(_ response: HTTPClientResponse) async throws -> Reply {
        switch response.status.code {
        case 200: break
        case 301, 302, 303, 307, 308:
            guard let location = response.headers.first(name: "Location") else { fallthrough }
            return .elsewhere(location)
        default: throw DownloadError.status(Int(response.status.code))
        }
        if let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }), length > byteLimit {
            throw DownloadError.tooManyBytes(limit: byteLimit)
        }
        var bytes: [UInt8] = []
        for try await part in response.body {
            if bytes.count + part.readableBytes > byteLimit { throw DownloadError.tooManyBytes(limit: byteLimit) }
            bytes += part.readableBytesView
        }
        return .file(bytes)
    }

    // MARK: Where it leads

    /// An address that may be asked, its host, and the IP address to ask it at.
    private func resolve(_ url: URL) async throws -> (url: URL, host: String, address: String) {
        // One spelling of the name, so that judging and connecting cannot mean different hosts.
        guard var parts = URLComponents(url: url, resolvingAgainstBaseURL: true),
            let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", parts.user == nil, parts.password == nil,
            let host = parts.encodedHost?.lowercased(), HostPattern.isHost(host)
        else { throw DownloadError.invalidAddress(url.absoluteString) }
        (parts.scheme, parts.encodedHost, parts.fragment) = (scheme, host, nil)
        guard let url = parts.url else { throw DownloadError.invalidAddress(url.absoluteString) }
        let usual = scheme == "http" ? 80 : 443
        if let hosts, !hosts.contains(where: { $0.matches(host: host, port: parts.port == usual ? nil : parts.port) }) {
            throw DownloadError.hostNotAllowed(host)
        }
        let name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host, port = parts.port ?? usual
        // The system's resolver blocks its thread.
        let found = try await NIOThreadPool.singleton.runIfActive {
            try? SocketAddress.makeAddressResolvingHost(name, port: port)
        }
        guard let found, let address = found.ipAddress else { throw DownloadError.unknownHost(host) }
        if !isAllowed(found) { throw DownloadError.privateAddress(host) }
        return (url, host, address)
    }
}
