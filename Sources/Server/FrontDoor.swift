import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers

/// What every request passes: errors become documents, answers get the headers that protect a browser, and each is counted and logged.
struct FrontDoor: RouterMiddleware {
    let options: ServerOptions
    let metrics: Metrics

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        if request.method == .options, request.headers[.origin] != nil {
            response = Response(status: .noContent)
        } else {
            do {
                response = try await next(request, context)
            } catch {
                let told = ServerError(error, limits: options)
                if told.status.code == 500 { context.logger.error("\(error)") }
                response = told.response
                if told.status == .contentTooLarge || told.code == .cancelled || told.code == .invalidHTTP {
                    response = response.closing()
                }
            }
        }
        if request.method == .head { response = response.withoutBody() }
        addHeaders(to: &response, for: request)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let path = context.endpointPath ?? "NotFound"
        metrics.count(path: path, status: response.status.code, seconds: seconds)
        context.logger.info(
            "\(request.method) \(path) \(response.status.code) \(Int((seconds * 1000).rounded())) ms")
        return response
    }

    private static let pagePolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    private func addHeaders(to response: inout Response, for request: Request) {
        response.headers[.contentSecurityPolicy] = Self.pagePolicy
        response.headers[.xContentTypeOptions] = "nosniff"
        for (name, value) in Self.browserHeaders { response.headers[name] = value }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        guard let origin = request.headers[.origin], options.allowedOrigins.contains(origin) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.vary] = "Origin"
        if request.method == .options {
            response.headers[.accessControlAllowMethods] = "GET, POST"
            response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, Accept"
            response.headers[.accessControlMaxAge] = "600"
        }
    }

    private static let browserHeaders: [(HTTPField.Name, String)] = [
        ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
}

/// Who may let the model work: the right page, the right key, not too often.
final class Doorkeeper: RouterMiddleware {
    private let options: ServerOptions
    private let keys: [[UInt8]]
    private let rate = NIOLockedValueBox<[String: Bucket]>([:])

    init(options: ServerOptions) {
        self.options = options
        keys = options.apiKeys.map { Array($0.utf8) }
    }

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        try checkPage(request)
        var context = context
        context.client = try client(of: request, context)
        try checkRate(of: context.client)
        return try await next(request, context)
    }

    // MARK: Pages

    /// Refuses what a foreign web page sends, and names that were made to point here.
    private func checkPage(_ request: Request) throws(ServerError) {
        let authority = request.head.authority ?? ""
        if options.isLocal, keys.isEmpty, !options.allowsAnyone, !Self.isLocalName(authority) {
            throw ServerError(.forbidden, .forbiddenOrigin, "this server answers to localhost and 127.0.0.1 only")
        }
        guard let origin = request.headers[.origin] else { return }
        let own = ["http://\(authority)", "https://\(authority)"]
        if !own.contains(origin), !options.allowedOrigins.contains(origin) {
            throw ServerError(
                .forbidden, .forbiddenOrigin, "web pages of another origin are not allowed; see --cors-origin")
        }
    }

    private static func isLocalName(_ authority: String) -> Bool {
        if authority.hasPrefix("[::1]") { return true }
        let name = authority.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        return name.isEmpty || name == "localhost" || name.hasPrefix("127.")
    }

    // MARK: Keys

    private func client(of request: Request, _ context: ServerContext) throws(ServerError) -> String {
        if keys.isEmpty { return context.remoteAddress }
        let given = Self.key(in: request.headers[.authorization] ?? "")
        // Every key is compared to its end, so that the time says nothing about how much of one was right.
        var match: Int?
        for (index, key) in keys.enumerated() where Self.areEqual(given, key) { match = index }
        guard let match else {
            throw ServerError(
                .unauthorized, .invalidKey, given.isEmpty ? "an API key is needed" : "the API key is not known")
        }
        return "key \(match)"
    }

    /// The key of `Bearer KEY`, or of `Basic` with the key as its password, as Label Studio sends it.
    private static func key(in authorization: String) -> [UInt8] {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return [] }
        switch parts[0].lowercased() {
        case "bearer": return Array(parts[1].utf8)
        case "basic":
            guard let data = Data(base64Encoded: String(parts[1])), let colon = data.firstIndex(of: UInt8(ascii: ":"))
            else { return [] }
            return Array(data[(colon + 1)...])
        default: return []
        }
    }

    private static func areEqual(_ given: [UInt8], _ key: [UInt8]) -> Bool {
        var difference: UInt8 = given.count == key.count ? 0 : 1
        for index in key.indices { difference |= key[index] ^ (index < given.count ? given[index] : 0) }
        return difference == 0
    }

    // MARK: Rate

    /// Requests that a client may still send, refilled as time passes.
    private struct Bucket {
        var tokens: Double
        var time: ContinuousClock.Instant
    }

    private func checkRate(of client: String) throws(ServerError) {
        guard let limit = options.requestsPerMinute.map(Double.init) else { return }
        let isAllowed = rate.withLockedValue { buckets in
            let now = ContinuousClock.now
            if buckets.count > 10_000 { buckets = buckets.filter { now - $0.value.time < .seconds(60) } }
            var bucket = buckets[client] ?? Bucket(tokens: limit, time: now)
            bucket.tokens = min(limit, bucket.tokens + (now - bucket.time) / .seconds(60) * limit)
            bucket.time = now
            defer { buckets[client] = bucket }
            if bucket.tokens < 1 { return false }
            bucket.tokens -= 1
            return true
        }
        if !isAllowed {
            throw ServerError(
                .tooManyRequests, .rateLimit, "more than \(Int(limit)) requests in a minute",
                retryAfter: max(1, Int((60 / limit).rounded(.up))))
        }
    }
}
