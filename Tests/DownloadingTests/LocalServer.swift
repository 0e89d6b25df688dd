import Hummingbird
import NIOCore
import Testing

/// Serves a router on this machine for as long as the tests run.
/// - Returns: the port
func port<Context: RequestContext>(serving router: Router<Context>) async throws -> Int
where Context.Source == ApplicationRequestContextSource {
    let (ports, feed) = AsyncStream<Int>.makeStream()
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { feed.yield($0.localAddress?.port ?? 0) })
    Task { try? await application.run() }
    return try #require(await ports.first { _ in true })
}
