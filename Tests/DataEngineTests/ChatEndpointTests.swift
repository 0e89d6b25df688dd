import DataEngine
import Foundation
import Hummingbird
import NIOCore
import Testing

@Suite("Language models behind OpenAI's chat interface") struct ChatEndpointTests {
    @Test("A question becomes one request with all that was set, and its answer is counted")
    func asks() async throws {
        let server = try await ScriptedEndpoint { _, _ in try ScriptedEndpoint.says("A dog.") }
        setenv("CHATREX_TEST_KEY", "secret-7", 1)
        let endpoint = try server.endpoint {
            ($0.keyVariable, $0.temperature, $0.seed, $0.maxTokens) = ("CHATREX_TEST_KEY", 0.2, 5, 64)
            ($0.parameters, $0.choices) = (#"{"top_p": 0.9, "seed": null}"#, .grammar)
            ($0.promptPrice, $0.completionPrice) = (1, 10)
        }
        let picture: [UInt8] = [0xFF, 0xD8, 0xFF]
        let reply = try await endpoint.reply(
            to: ChatQuestion(
                "What is it?", system: "Be brief.", examples: [.init("1 + 1?", "2")], pictures: [picture], maxTokens: 7,
                choices: ["yes", "no"], wantsJSON: true))
        #expect(reply == ChatReply(text: "A dog.", finishReason: "stop", promptTokens: 100, completionTokens: 20))

        let body = ChatRequestBody(await server.log.bodies[0])
        #expect(body.messages.map { $0["role"] as? String } == ["system", "user", "assistant", "user"])
        #expect(body.text == "What is it?" && body.pictures == [picture])
        #expect(body.json["model"] as? String == "test" && body.json["max_tokens"] as? Int == 7)
        #expect(body.json["temperature"] as? Double == 0.2 && body.json["top_p"] as? Double == 0.9)
        #expect(body.json["seed"] == nil && body.json["grammar"] as? String == #"root ::= "yes" | "no""#)
        #expect((body.json["response_format"] as? [String: String]) == ["type": "json_object"])
        #expect(await server.log.authorizations == ["Bearer secret-7"])

        let usage = endpoint.usage
        #expect(usage.requests == 1 && usage.answers == 1 && usage.promptTokens == 100 && usage.completionTokens == 20)
        #expect(abs(usage.cost(endpoint.settings) - 0.0003) < 1e-12)
        await endpoint.shutdown()
        await #expect(throws: (any Error).self) { try await endpoint.reply(to: ChatQuestion("Again?")) }
    }

    @Test("Another variation has another seed, and a temperature at which it matters")
    func variations() async throws {
        let server = try await ScriptedEndpoint { _, _ in try ScriptedEndpoint.says("A dog.") }
        let endpoint = try server.endpoint { $0.seed = 3 }
        _ = try await endpoint.reply(to: ChatQuestion("What?"))
        _ = try await endpoint.reply(to: ChatQuestion("What?", variation: 2))
        let bodies = await server.log.bodies.map { ChatRequestBody($0).json }
        #expect(bodies.map { $0["seed"] as? Int } == [3, 5])
        #expect(bodies[0]["temperature"] as? Double == 0 && bodies[1]["temperature"] as? Double ?? 0 > 0.5)
        // Without the setting, choices are only words of the question.
        #expect(bodies[0]["grammar"] == nil && bodies[0]["messages"] != nil)
    }

    @Test(
        "What may pass is tried again",
        arguments: [
            ScriptedEndpoint.text("busy", status: .internalServerError), ScriptedEndpoint.text("", status: .badGateway),
            ScriptedEndpoint.text("", status: .serviceUnavailable), ScriptedEndpoint.text("", status: .requestTimeout),
            ScriptedEndpoint.text("", status: .tooEarly), ScriptedEndpoint.text(""),
            ScriptedEndpoint.text(#"{"choices": [{"message": {"content": "A d"#),
        ])
    func transient(failure: Response) async throws {
        let server = try await ScriptedEndpoint { number, _ in
            number < 2 ? failure : try ScriptedEndpoint.says("A dog.")
        }
        let endpoint = try server.endpoint()
        #expect(try await endpoint.reply(to: ChatQuestion("What?")).text == "A dog.")
        #expect(await server.requests == 3)
        #expect(endpoint.usage.retries == 2 && endpoint.usage.answers == 1)
    }

    @Test("A failure that stays is told after the attempts that were set")
    func persistent() async throws {
        let server = try await ScriptedEndpoint { _, _ in
            ScriptedEndpoint.text(#"{"error": {"message": "out of memory"}}"#, status: .internalServerError)
        }
        let endpoint = try server.endpoint { $0.attempts = 3 }
        await #expect(
            throws: EndpointError(
                endpoint: "http://127.0.0.1:\(server.port)/v1", problem: .status(500, "out of memory"), attempts: 3)
        ) { try await endpoint.reply(to: ChatQuestion("What?")) }
        #expect(await server.requests == 3)
        #expect(endpoint.usage.failures == 1)
    }

    @Test(
        "What cannot pass is not tried again",
        arguments: [
            (
                ScriptedEndpoint.text("<html>Welcome to nginx</html>"),
                .notJSON(beginning: "<html>Welcome to nginx</html>")
            ),
            (ScriptedEndpoint.text("{}"), .missing(field: "choices")),
            (ScriptedEndpoint.text(#"{"choices": []}"#), .missing(field: "choices")),
            (ScriptedEndpoint.text(#"{"choices": "none"}"#), .missing(field: "choices")),
            (ScriptedEndpoint.text(#"{"choices": [{}]}"#), .missing(field: "choices[0].message")),
            (ScriptedEndpoint.text(#"{"error": "no such adapter"}"#), .status(200, "no such adapter")),
            (ScriptedEndpoint.text(#"{"detail": "too long"}"#, status: .badRequest), .status(400, "too long")),
            (ScriptedEndpoint.text("<h1>413</h1>", status: .contentTooLarge), .status(413, "")),
            (ScriptedEndpoint.text(String(repeating: " ", count: 5000)), .tooManyBytes(limit: 4096)),
        ] as [(Response, EndpointError.Problem)])
    func permanent(failure: Response, problem: EndpointError.Problem) async throws {
        let server = try await ScriptedEndpoint { _, _ in failure }
        let endpoint = try server.endpoint { $0.responseBytes = 4096 }
        await #expect(throws: EndpointError(endpoint: "http://127.0.0.1:\(server.port)/v1", problem: problem)) {
            try await endpoint.reply(to: ChatQuestion("What?"))
        }
        #expect(await server.requests == 1)
    }

    @Test(
        "What no question would pass stops the run, and the key is not told",
        arguments: [HTTPResponse.Status.unauthorized, .init(code: 402), .notFound, .movedPermanently])
    func unusable(status: HTTPResponse.Status) async throws {
        setenv("CHATREX_TEST_KEY", "secret-7", 1)
        let server = try await ScriptedEndpoint { _, _ in
            ScriptedEndpoint.text(#"{"error": {"message": "unknown key secret-7"}}"#, status: status)
        }
        let endpoint = try server.endpoint { $0.keyVariable = "CHATREX_TEST_KEY" }
        await #expect {
            _ = try await endpoint.reply(to: ChatQuestion("What?"))
        } throws: { error in
            error is any StopsRun && "\(error)".contains("\(status.code)") && !"\(error)".contains("secret")
        }
        #expect(await server.requests == 1)
    }

    @Test("A field that is null, parts instead of a text, an answer that was withheld or cut off")
    func odd() async throws {
        let answers = [
            #"{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}"#,
            #"{"choices": [{"message": {"content": [{"type": "text", "text": "A "}, {"type": "text", "text": "dog."}]}}]}"#,
            #"{"choices": [{"message": {"content": null, "refusal": "No."}, "finish_reason": "stop"}]}"#,
            #"{"choices": [{"message": {"content": "A dog that"}, "finish_reason": "length"}], "usage": {}}"#,
        ]
        let server = try await ScriptedEndpoint { number, _ in ScriptedEndpoint.text(answers[number]) }
        let endpoint = try server.endpoint()
        var replies: [ChatReply] = []
        for _ in answers { replies.append(try await endpoint.reply(to: ChatQuestion("What?"))) }
        #expect(replies.map(\.text) == ["", "A dog.", "No.", "A dog that"])
        #expect(replies.map(\.isWithheld) == [false, false, true, false])
        #expect(replies.map(\.isCutOff) == [false, false, false, true])
    }

    // MARK: Time

    @Test("An answer that does not come, or drips, is given up in time and asked for again", arguments: [true, false])
    func timeouts(drips: Bool) async throws {
        let server = try await ScriptedEndpoint { number, _ in
            if number > 0 { return try ScriptedEndpoint.says("A dog.") }
            if !drips { try await Task.sleep(for: .seconds(60)) }
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    for _ in 0..<1000 {
                        try await writer.write(ByteBuffer(string: " "))
                        try await Task.sleep(for: .milliseconds(50))
                    }
                    try await writer.finish(nil)
                })
        }
        let start = ContinuousClock.now
        let endpoint = try server.endpoint { $0.timeoutSeconds = 0.5 }
        #expect(try await endpoint.reply(to: ChatQuestion("What?")).text == "A dog.")
        #expect(await server.requests == 2)
        #expect(ContinuousClock.now - start > .seconds(0.45) && ContinuousClock.now - start < .seconds(10))
        // The server was looked at before the attempt was counted.
        #expect(await server.log.looks >= 1)
    }

    @Test("An endpoint that asks for a pause gets it, and that costs no attempt", arguments: [true, false])
    func pause(asDate: Bool) async throws {
        let server = try await ScriptedEndpoint { number, _ in
            if number > 0 { return try ScriptedEndpoint.says("A dog.") }
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(secondsFromGMT: 0)
            formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            let value = asDate ? formatter.string(from: Date() + 2) : "1"
            return ScriptedEndpoint.text("", status: .tooManyRequests, headers: [.retryAfter: value])
        }
        let endpoint = try server.endpoint { $0.attempts = 1 }
        _ = try await endpoint.reply(to: ChatQuestion("What?"))
        let arrivals = await server.log.arrivals
        #expect(arrivals.count == 2 && arrivals[1] - arrivals[0] > .seconds(0.9))
    }

    @Test("A pause that is longer than patience ends the run at once")
    func longPause() async throws {
        let server = try await ScriptedEndpoint { _, _ in
            ScriptedEndpoint.text("", status: .tooManyRequests, headers: [.retryAfter: "86400"])
        }
        let endpoint = try server.endpoint()
        await #expect(throws: EndpointUnusable.self) { try await endpoint.reply(to: ChatQuestion("What?")) }
        #expect(await server.requests == 1)
    }

    @Test("There are never more requests at a time than were set, nor more a minute")
    func limits() async throws {
        let server = try await ScriptedEndpoint { number, _ in
            try await Task.sleep(for: .milliseconds(20))
            return number % 5 == 4
                ? ScriptedEndpoint.text("", status: .internalServerError) : try ScriptedEndpoint.says("A dog.")
        }
        let endpoint = try server.endpoint { $0.concurrency = 3 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<30 { group.addTask { _ = try await endpoint.reply(to: ChatQuestion("What?")) } }
            try await group.waitForAll()
        }
        #expect(await server.log.peak == 3)
        #expect(endpoint.usage.answers == 30 && endpoint.usage.requests == 30 + endpoint.usage.retries)

        let paced = try server.endpoint { $0.requestsPerMinute = 600 }
        let before = await server.requests, start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<5 { group.addTask { _ = try await paced.reply(to: ChatQuestion("What?")) } }
            try await group.waitForAll()
        }
        let sent = await server.requests - before
        #expect(sent >= 5 && ContinuousClock.now - start > .milliseconds(99 * (sent - 1)))
    }

    @Test("A question that is given up leaves its place to others")
    func cancellation() async throws {
        let server = try await ScriptedEndpoint { number, _ in
            if number == 0 { try await Task.sleep(for: .seconds(60)) }
            return try ScriptedEndpoint.says("A dog.")
        }
        let endpoint = try server.endpoint { $0.concurrency = 1 }
        let stuck = Task { try await endpoint.reply(to: ChatQuestion("Stuck?")) }
        while await server.requests == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let waiting = Task { try await endpoint.reply(to: ChatQuestion("Waiting?")) }
        let patient = Task { try await endpoint.reply(to: ChatQuestion("What?")) }
        try await Task.sleep(for: .milliseconds(50))
        waiting.cancel()
        stuck.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        await #expect(throws: CancellationError.self) { try await stuck.value }
        #expect(try await patient.value.text == "A dog.")
        #expect(endpoint.usage.failures == 0)
    }

    // MARK: Whether anybody is there

    @Test("While nobody answers, questions wait and use up no attempts")
    func down() async throws {
        let port = try freePort()
        let endpoint = try ChatEndpoint(.quick(port: port) { $0.attempts = 1 })
        let questions = (0..<8).map { number in Task { try await endpoint.reply(to: ChatQuestion("\(number)?")) } }
        while await endpoint.secondsDown == nil { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(200))
        let server = try await ScriptedEndpoint(port: port) { _, _ in try ScriptedEndpoint.says("A dog.") }
        for question in questions { #expect(try await question.value.text == "A dog.") }
        #expect(await server.requests == 8)
        #expect(await endpoint.secondsDown == nil)
        // They did not all hammer the closed port.
        #expect(endpoint.usage.requests <= 8 + endpoint.settings.concurrency)
    }

    @Test("Patience ends: the run stops, for every question")
    func downForGood() async throws {
        let endpoint = try ChatEndpoint(.quick(port: try freePort()) { $0.patienceSeconds = 0.3 })
        await #expect(throws: EndpointUnusable.self) { try await endpoint.check() }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    await #expect(throws: EndpointUnusable.self) { try await endpoint.reply(to: ChatQuestion("What?")) }
                }
            }
        }
        #expect(endpoint.usage.failures == 20)
    }

    @Test("A question that brings the server down each time comes to an end")
    func poison() async throws {
        let server = try await ScriptedEndpoint(isUp: { $0 % 2 == 1 }) { _, _ in
            ScriptedEndpoint.text("", status: .badGateway)
        }
        let endpoint = try server.endpoint { $0.attempts = 2 }
        await #expect(throws: EndpointError.self) { try await endpoint.reply(to: ChatQuestion("What?")) }
        #expect(await server.requests == 4)
        #expect(await server.log.looks == 4)
    }

    @Test("Connections that are reset count as attempts where nobody waits for the endpoint")
    func resets() async throws {
        let server = try ResettingServer()
        let endpoint = try ChatEndpoint(.quick(port: server.port) { ($0.attempts, $0.waitsWhenDown) = (3, false) })
        await #expect {
            _ = try await endpoint.reply(to: ChatQuestion("What?"))
        } throws: { error in
            guard let error = error as? EndpointError, case .unreachable = error.problem else { return false }
            return error.attempts == 3
        }
        #expect(server.connections == 3)
    }

    // MARK: Settings

    private typealias Change = @Sendable (inout EndpointSettings) -> Void

    private static let badChanges: [(String, Change)] = [
        ("url", { $0.url = "localhost:8000" }), ("url", { $0.url = "" }),
        ("url", { $0.url = "http://user:secret@host/" }), ("attempts", { $0.attempts = 0 }),
        ("concurrency", { $0.concurrency = 0 }), ("timeoutSeconds", { $0.timeoutSeconds = .nan }),
        ("parameters", { $0.parameters = "top_p" }), ("parameters", { $0.parameters = #"{"messages": []}"# }),
        ("keyVariable", { $0.keyVariable = "CHATREX_TEST_NO_SUCH_KEY" }),
    ]

    @Test("Settings that cannot be meant are named", arguments: badChanges.indices)
    func badSettings(index: Int) throws {
        let (name, change) = Self.badChanges[index]
        var settings = EndpointSettings()
        change(&settings)
        #expect {
            _ = try ChatEndpoint(settings)
        } throws: { error in
            if case .invalidSetting("endpoint." + name, _) = error as? EngineError { true } else { false }
        }
    }

    @Test("An address may end with /v1")
    func addresses() throws {
        for url in ["http://[::1]:80", "http://[::1]:80/", "http://[::1]:80/v1", "http://[::1]:80/v1/"] {
            var settings = EndpointSettings()
            settings.url = url
            let address = try ChatEndpoint(settings).address
            #expect(
                address.hasPrefix("http://[::1]:80/v1") && !address.hasSuffix("v1/v1") && address.count < 20,
                "\(address)")
        }
    }

    private func freePort() throws -> Int {
        let socket = try ListeningSocket()
        defer { socket.close() }
        return socket.port
    }
}

/// A port of this machine.
struct ListeningSocket {
    let descriptor: Int32
    let port: Int

    init() throws {
        #if canImport(Darwin)
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let bound = bind(descriptor, $0, length)
                return bound == 0 ? getsockname(descriptor, $0, &length) : bound
            }
        }
        try #require(status == 0 && listen(descriptor, 64) == 0)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() { _ = Foundation.close(descriptor) }
}

/// Takes connections and resets each after its first bytes.
final class ResettingServer: Sendable {
    let port: Int
    private let count = Counter()

    init() throws {
        let socket = try ListeningSocket(), count = count
        port = socket.port
        Thread.detachNewThread {
            while true {
                let connection = accept(socket.descriptor, nil, nil)
                if connection < 0 { return }
                count.add()
                var bytes = [UInt8](repeating: 0, count: 1024)
                _ = recv(connection, &bytes, bytes.count, 0)
                // Without lingering, closing sends a reset.
                var atOnce = linger(l_onoff: 1, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout.size(ofValue: atOnce)))
                close(connection)
            }
        }
    }

    var connections: Int { count.value }
}

/// Counts from several threads; the lock guards the number.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0

    func add() { lock.withLock { number += 1 } }
    var value: Int { lock.withLock { number } }
}
