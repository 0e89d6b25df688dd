// Files from other servers, whose addresses came from outside: such an address must not reach what only this machine or its network can.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Fetches files over HTTP, from allowed hosts and from public addresses only.
///
/// A name is resolved once, the address is judged, and the connection goes to that very address; a redirect is judged like a new
/// request. Nothing is written to disk. For many files use `DownloadSession`.
public struct Downloader: Sendable {
    /// Hosts that may be asked; all when nil.
    public var hosts: [HostPattern]?
    /// Most bytes of a file.
    public var byteLimit = 20 << 20
    public var redirectLimit = 3
    /// Time for everything together, without waiting for the host's turn.
    public var timeLimit = Duration.seconds(20)
    /// How the requests present themselves.
    public var userAgent = "chatrex"
    /// Whether an answer that declares itself as a web page or another thing that is no picture is refused.
    public var refusesOtherTypes = false

    /// What requests share; each stands alone when nil.
    var manners: DownloadManners?
    /// Whether the host's robots.txt is asked first.
    var asksRobots = false
    /// Whether a file that is too long is cut instead of refused.
    var cutsAtLimit = false

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
        guard var url = URL(string: address) else { throw DownloadError.invalidAddress(address) }
        var left = timeLimit
        for _ in 0...redirectLimit {
            switch try await ask(url, within: &left) {
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

    /// - Parameter left: what remains of the time limit
    private func ask(_ url: URL, within left: inout Duration) async throws -> Reply {
        let target = try DownloadTarget(url)
        if let hosts,
            !hosts.contains(where: { $0.matches(host: target.host, port: target.hasUsualPort ? nil : target.port) })
        {
            throw DownloadError.hostNotAllowed(target.host)
        }
        guard let manners else { return try await timed(target, within: &left) }
        try await manners.enter(target, robotsBy: asksRobots ? self : nil)
        do {
            let reply = try await timed(target, within: &left)
            await manners.leave(target)
            return reply
        } catch {
            await manners.leave(target, after: error as? DownloadError)
            throw error
        }
    }

    private func timed(_ target: DownloadTarget, within left: inout Duration) async throws -> Reply {
        let (limit, time, start) = (timeLimit, left, ContinuousClock.now)
        defer { left -= ContinuousClock.now - start }
        return try await withThrowingTaskGroup(of: Reply?.self) { group in
            group.addTask { try await exchange(with: target) }
            group.addTask {
                try await Task.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            guard let reply = try await group.next() ?? nil else {
                throw DownloadError.timeout(seconds: limit / .seconds(1))
            }
            return reply
        }
    }

    // MARK: The request

    private func exchange(with target: DownloadTarget) async throws -> Reply {
        let request = request(for: target)
        do {
            if let connections = manners?.connections {
                return try await connections.withClient(for: target, address: { try await resolve(target) }) {
                    try await read($0.execute(request, timeout: .seconds(600)))
                }
            }
            let configuration = HTTPClient.Configuration(host: target.host, at: try await resolve(target))
            return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                try await read(client.execute(request, timeout: .seconds(600)))
            }
        } catch let error as DownloadError {
            throw error
        } catch let error as HTTPClientError {
            if Task.isCancelled { throw CancellationError() }
            throw DownloadError.failed(error.shortDescription)
        } catch is IOError {
            throw DownloadError.failed("no connection to \(target.host)")
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw DownloadError.failed("no connection that can be trusted, or one that broke off")
        }
    }

    private func request(for target: DownloadTarget) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: target.url.absoluteString)
        request.headers.add(name: "User-Agent", value: userAgent)
        request.headers.add(name: "Accept", value: "image/*, */*;q=0.5")
        return request
    }

    private func read(_ response: HTTPClientResponse) async throws -> Reply {
        switch response.status.code {
        case 200: break
        case 301, 302, 303, 307, 308:
            guard let location = response.headers.first(name: "Location") else { fallthrough }
            return .elsewhere(location)
        default:
            throw DownloadError.status(
                Int(response.status.code),
                retryAfter: response.headers.first(name: "Retry-After").flatMap { RetryAfter.seconds($0) })
        }
        if refusesOtherTypes, let type = response.headers.first(name: "Content-Type"), Self.isOtherType(type) {
            throw DownloadError.wrongType(type)
        }
        if !cutsAtLimit, let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }),
            length > byteLimit
        {
            throw DownloadError.tooManyBytes(limit: byteLimit)
        }
        var bytes: [UInt8] = []
        for try await part in response.body {
            bytes += part.readableBytesView.prefix(byteLimit - bytes.count + 1)
            if bytes.count <= byteLimit { continue }
            guard cutsAtLimit else { throw DownloadError.tooManyBytes(limit: byteLimit) }
            return .file(Array(bytes.dropLast()))
        }
        return .file(bytes)
    }

    /// Whether a declared type is surely no picture. Servers that know no better call pictures `application/octet-stream` or `text/plain`.
    private static func isOtherType(_ declared: String) -> Bool {
        let type = declared.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        let others = [
            "text/html", "application/xhtml+xml", "text/xml", "application/xml", "application/json", "application/pdf",
        ]
        return others.contains(type) || type.hasPrefix("video/") || type.hasPrefix("audio/")
    }

    // MARK: Where it leads

    /// The IP address to ask, judged.
    private func resolve(_ target: DownloadTarget) async throws -> String {
        let found = try await NIOThreadPool.singleton.runIfActive {
            try HostResolver.address(of: target.name, port: target.port)
        }
        guard let address = found.ipAddress else { throw DownloadError.unknownHost(target.host) }
        if !isAllowed(found) { throw DownloadError.privateAddress(target.host) }
        return address
    }
}

extension HTTPClient.Configuration {
    /// For requests to one host, whose connections go to an address that was judged, and nowhere else.
    init(host: String, at address: String) {
        self.init(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(10)))
        dnsOverride = [host: address]
        httpVersion = .http1Only
    }
}
