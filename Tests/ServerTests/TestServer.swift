import ChatRex
import Foundation
import Imaging
import Logging
import NIOCore
import NIOPosix
import Server
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// All tests that ask the model, one after the other: they share it.
@Suite(.serialized) struct ServerTests {}

/// A server on a free port of this machine, with the built-in model.
struct TestServer: Sendable {
    let address: String

    /// The model, loaded once for all servers.
    private static let session = Task { try await ChatRexSession() }
    /// A server with the usual options.
    private static let usual = Task { try await TestServer(ServerOptions()) }

    static var shared: TestServer {
        get async throws { try await usual.value }
    }

    /// Starts a server, which runs as long as the tests.
    /// - Parameter isLoading: whether its model never comes
    init(_ options: ServerOptions, isLoading: Bool = false) async throws {
        var options = options
        options.port = 0
        let server = try ChatRexServer(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            if isLoading { try await Task.sleep(for: .seconds(3600)) }
            return try await Self.session.value
        }
        let (addresses, feed) = AsyncStream<String>.makeStream()
        Task {
            try? await server.run { feed.yield($0) }
            feed.finish()
        }
        let found = await addresses.first { _ in true }
        address = try #require(found)
        if isLoading { return }
        while try await get("/readyz").status != 200 { try await Task.sleep(for: .milliseconds(50)) }
    }

    static func options(_ change: (inout ServerOptions) -> Void) -> ServerOptions {
        var options = ServerOptions()
        change(&options)
        return options
    }

    // MARK: Requests

    struct Answer {
        let status: Int
        let body: Data
        let headers: [String: String]

        var text: String { String(decoding: body, as: UTF8.self) }

        func json() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any], "\(text.prefix(300))")
        }

        /// `error.code`
        var code: String? { ((try? json())?["error"] as? [String: Any])?["code"] as? String }
    }

    func send(
        _ method: String, _ path: String, _ body: Data? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: address + path)), timeoutInterval: 120)
        request.httpMethod = method
        request.httpBody = body
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var fields: [String: String] = [:]
        for (name, value) in http.allHeaderFields { fields["\(name)".lowercased()] = "\(value)" }
        return Answer(status: http.statusCode, body: data, headers: fields)
    }

    /// Sends bytes as they are.
    /// - Returns: what comes back, up to the end of the connection or, if not `untilEnd`, the first of it
    func raw(_ text: String, untilEnd: Bool) async throws -> String {
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await part in inbound {
                answer += String(buffer: part)
                if !untilEnd { break }
            }
            return answer
        }
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send("GET", path, headers: headers)
    }

    func post(_ path: String, _ body: [String: Any], headers: [String: String] = [:]) async throws -> Answer {
        let json = try JSONSerialization.data(withJSONObject: body)
        return try await send("POST", path, json, headers: ["Content-Type": "application/json"].merging(headers) { $1 })
    }
}

/// A small picture.
enum Sample {
    static let width = 96, height = 64

    static let png: Data = {
        let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
        let bytes = try? Image(width: width, height: height, channels: 3, pixels: pixels).encoded(as: .png)
        return Data(bytes ?? [])
    }()

    static let dataURL = "data:image/png;base64," + png.base64EncodedString()

    /// A chat request about the picture.
    static func chat(_ text: String, _ more: [String: Any] = [:]) -> [String: Any] {
        let parts: [[String: Any]] = [
            ["type": "text", "text": text], ["type": "image_url", "image_url": ["url": dataURL]],
        ]
        return ["messages": [["role": "user", "content": parts]]].merging(more) { $1 }
    }
}
