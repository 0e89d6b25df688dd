import Downloading
import Foundation
import Hummingbird
import NIOCore
import Testing

/// Requests that a server saw.
private actor Record {
    struct Request: Sendable {
        let path: String, userAgent: String
        /// Tells the client's connections apart.
        let clientPort: Int?
        let start: ContinuousClock.Instant
    }

    private(set) var requests: [Request] = []
    private var running = 0
    private(set) var mostAtOnce = 0

    func begin(_ path: String, _ userAgent: String, _ clientPort: Int?) -> Int {
        requests.append(Request(path: path, userAgent: userAgent, clientPort: clientPort, start: .now))
        running += 1
        mostAtOnce = max(mostAtOnce, running)
        return requests.count { $0.path == path }
    }

    func end() { running -= 1 }

    /// Seconds between the starts of requests for pictures.
    var gaps: [Double] {
        let starts = requests.filter { $0.path != "/robots.txt" }.map(\.start).sorted()
        return zip(starts, starts.dropFirst()).map { ($1 - $0) / .seconds(1) }
    }

    func count(_ path: String) -> Int { requests.count { $0.path == path } }
}

private struct Context: RequestContext {
    var coreContext: CoreRequestContextStorage
    let clientPort: Int?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        clientPort = source.channel.remoteAddress?.port
    }
}

/// A server of this machine that answers as a test says.
private struct Origin {
    let record = Record()
    let port: Int

    /// - Parameter answer: takes the path and how often it was asked for
    init(_ answer: @escaping @Sendable (_ path: String, _ count: Int) async throws -> Response) async throws {
        let (record, router) = (record, Router(context: Context.self))
        router.get("**") { request, context in
            let count = await record.begin(
                request.uri.path, request.headers[.userAgent] ?? "", context.clientPort)
            do {
                let response = try await answer(request.uri.path, count)
                await record.end()
                return response
            } catch {
                await record.end()
                throw error
            }
        }
        port = try await DownloadingTests.port(serving: router)
    }

    func address(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
}

private func text(_ text: String, type: String = "image/png") -> Response {
    Response(
        status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
}

private func status(_ code: Int, retryAfter: String? = nil) -> Response {
    Response(status: .init(code: code), headers: retryAfter.map { [.retryAfter: $0] } ?? [:])
}

@Suite("Many downloads") struct DownloadSessionTests {
    private func session(_ change: (inout DownloadSettings) -> Void = { _ in }) throws -> DownloadSession {
        var settings = DownloadSettings()
        (settings.firstWait, settings.secondsBetweenRequests) = (0.02, 0)
        // Other tests keep the machine busy.
        (settings.timeLimit, settings.respectRobots) = (120, false)
        change(&settings)
        return try DownloadSession(settings) { $0.ipAddress == "127.0.0.1" }
    }

    @Test("What fails twice and then works is had at the third attempt", arguments: [500, 503, 408, 429])
    func retries(code: Int) async throws {
        let origin = try await Origin { _, count in count < 3 ? status(code) : text("good") }
        #expect(try await session().bytes(from: origin.address("/x")) == Array("good".utf8))
        #expect(await origin.record.count("/x") == 3)
    }

    @Test("What will not change is asked for once", arguments: [404, 410, 403, 400])
    func permanent(code: Int) async throws {
        let origin = try await Origin { _, _ in status(code) }
        await #expect(throws: DownloadError.status(code)) { try await session().bytes(from: origin.address("/x")) }
        #expect(await origin.record.count("/x") == 1)
    }

    @Test("Attempts come to an end, and the waits between them grow")
    func givesUp() async throws {
        let origin = try await Origin { _, _ in status(500) }
        let session = try session {
            ($0.attempts, $0.firstWait) = (4, 0.1)
        }
        await #expect(throws: DownloadError.status(500)) { try await session.bytes(from: origin.address("/x")) }
        #expect(await origin.record.count("/x") == 4)
        let gaps = await origin.record.gaps
        #expect(gaps[0] >= 0.05 && gaps[1] >= 0.1 && gaps[2] >= 0.2)
    }

    @Test("A host is left alone for as long as it asks, by every request")
    func retryAfter() async throws {
        let origin = try await Origin { path, count in
            path == "/busy" && count == 1 ? status(429, retryAfter: "1") : text("good")
        }
        let session = try session { $0.attempts = 1 }
        await #expect(throws: DownloadError.self) { try await session.bytes(from: origin.address("/busy")) }
        _ = try await session.bytes(from: origin.address("/other"))
        #expect(try await session.bytes(from: origin.address("/busy")) == Array("good".utf8))
        let requests = await origin.record.requests
        #expect(requests.dropFirst().allSatisfy { $0.start - requests[0].start >= .milliseconds(990) })
    }

    @Test(
        "A host that wants to be left alone for long is not asked again",
        arguments: ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
    func longRetryAfter(value: String) async throws {
        let origin = try await Origin { _, _ in status(503, retryAfter: value) }
        let session = try session()
        for path in ["/x", "/y"] {
            await #expect {
                try await session.bytes(from: origin.address(path))
            } throws: {
                if case DownloadError.status(503, let time?) = $0 { time > 3000 } else { false }
            }
        }
        #expect(await origin.record.requests.count == 1)
    }

    @Test("A host gets few requests at a time, with a gap between them")
    func turns() async throws {
        let origin = try await Origin { path, _ in
            try await Task.sleep(for: .milliseconds(100))
            return text(path)
        }
        let session = try session { ($0.connectionsPerHost, $0.secondsBetweenRequests) = (2, 0.03) }
        let got = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<16 {
                group.addTask {
                    String(decoding: try await session.bytes(from: origin.address("/\(index)")), as: UTF8.self)
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(got.count == 16)
        #expect(await origin.record.mostAtOnce == 2)
        // Arrivals jitter; starts do not come in bursts.
        let gaps = await origin.record.gaps
        #expect(gaps.reduce(0, +) >= 15 * 0.03 - 0.02)
    }

    @Test("A connection is used again")
    func connections() async throws {
        let origin = try await Origin { path, _ in text(path) }
        let session = try session()
        for index in 0..<5 { _ = try await session.bytes(from: origin.address("/\(index)")) }
        #expect(await Set(origin.record.requests.map(\.clientPort)).count == 1)
    }

    @Test("Those who wait for a turn can be called off")
    func cancellation() async throws {
        let origin = try await Origin { _, _ in
            try await Task.sleep(for: .seconds(3600))
            return text("late")
        }
        let session = try session { $0.connectionsPerHost = 1 }
        let tasks = (0..<5).map { index in Task { try await session.bytes(from: origin.address("/\(index)")) } }
        while await origin.record.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(await origin.record.requests.count == 1)
    }

    @Test("What stalls or breaks off is tried again")
    func stalls() async throws {
        let origin = try await Origin { path, count in
            if count > 1 { return text("good") }
            if path == "/stalls" { try await Task.sleep(for: .seconds(3600)) }
            return Response(
                status: .ok, headers: [.contentType: "image/png"],
                body: ResponseBody(contentLength: 100_000) { writer in
                    try await writer.write(ByteBuffer(string: "part"))
                    throw CancellationError()
                })
        }
        #expect(try await session().bytes(from: origin.address("/breaks")) == Array("good".utf8))
        let session = try session { $0.timeLimit = 2 }
        #expect(try await session.bytes(from: origin.address("/stalls")) == Array("good".utf8))
        #expect(await origin.record.count("/stalls") == 2)
    }

    @Test("A web page, a file that is too long, and a way inwards are refused once and for all")
    func refused() async throws {
        let origin = try await Origin { path, _ in
            switch path {
            case "/page": text("<html>", type: "text/html; charset=utf-8")
            case "/long": text(String(repeating: "x", count: 5000))
            default: Response(status: .found, headers: [.location: "http://127.0.0.2/secret"])
            }
        }
        let session = try session { $0.byteLimit = 1000 }
        for (path, error) in [
            ("/page", DownloadError.wrongType("text/html; charset=utf-8")), ("/long", .tooManyBytes(limit: 1000)),
            ("/inward", .privateAddress("127.0.0.2")),
        ] {
            await #expect(throws: error) { try await session.bytes(from: origin.address(path)) }
            #expect(await origin.record.count(path) == 1)
        }
        await #expect(throws: DownloadError.privateAddress("127.0.0.1")) {
            try await DownloadSession().bytes(from: origin.address("/x"))
        }
    }

    @Test("The robots.txt is asked for once, under the session's name, and followed")
    func robots() async throws {
        let origin = try await Origin { path, _ in
            guard path == "/robots.txt" else { return text("good") }
            try await Task.sleep(for: .milliseconds(50))
            return text(
                "User-agent: lab-bot\nDisallow: /private\nCrawl-delay: 0.2\n\nUser-agent: *\nDisallow: /",
                type: "text/plain")
        }
        let session = try session { ($0.respectRobots, $0.userAgent) = (true, "Lab-Bot/1.0 (+https://example.org)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<4 { group.addTask { _ = try await session.bytes(from: origin.address("/\(index)")) } }
            try await group.waitForAll()
        }
        await #expect(throws: DownloadError.disallowed(origin.address("/private/x"))) {
            try await session.bytes(from: origin.address("/private/x"))
        }
        let record = origin.record
        #expect(await record.count("/robots.txt") == 1)
        #expect(await record.requests.allSatisfy { $0.userAgent == "Lab-Bot/1.0 (+https://example.org)" })
        #expect(await record.requests.count == 5)
        #expect(await record.gaps.reduce(0, +) >= 3 * 0.2 - 0.02)
    }

    @Test("A missing robots.txt allows all, one that cannot be had nothing", arguments: [404, 403, 500, 503])
    func robotsStatus(code: Int) async throws {
        let origin = try await Origin { path, _ in path == "/robots.txt" ? status(code) : text("good") }
        let session = try session { ($0.respectRobots, $0.attempts) = (true, 2) }
        if code < 500 {
            #expect(try await session.bytes(from: origin.address("/x")) == Array("good".utf8))
            #expect(await origin.record.count("/robots.txt") == 1)
        } else {
            for path in ["/x", "/y"] {
                await #expect {
                    try await session.bytes(from: origin.address(path))
                } throws: {
                    if case DownloadError.robotsUnreachable("127.0.0.1", _) = $0 { true } else { false }
                }
                #expect(await origin.record.count(path) == 0)
            }
            #expect(await origin.record.count("/robots.txt") == 2)
        }
    }

    @Test("A host that asks for more time between requests than anybody waits is not asked")
    func longDelay() async throws {
        let origin = try await Origin { path, _ in
            path == "/robots.txt" ? text("User-agent: *\nCrawl-delay: 86400", type: "text/plain") : text("good")
        }
        let session = try session { $0.respectRobots = true }
        await #expect(throws: DownloadError.disallowed(origin.address("/x"))) {
            try await session.bytes(from: origin.address("/x"))
        }
    }

    @Test("Settings that mean nothing are named")
    func settings() {
        let changes: [(String, (inout DownloadSettings) -> Void)] = [
            ("userAgent", { $0.userAgent = "a\r\nb" }), ("allowedHosts", { $0.allowedHosts = ["http://x"] }),
            ("attempts", { $0.attempts = 0 }), ("timeLimit", { $0.timeLimit = .nan }),
            ("firstWait", { $0.firstWait = 100 }),
            ("connectionsPerHost", { $0.connectionsPerHost = 0 }), ("byteLimit", { $0.byteLimit = -1 }),
        ]
        for (name, change) in changes {
            var settings = DownloadSettings()
            change(&settings)
            #expect {
                try settings.validate()
            } throws: {
                if case DownloadError.invalidSetting(name, _) = $0 { true } else { false }
            }
        }
    }
}
