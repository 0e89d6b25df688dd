import Foundation
import Server
import Testing

extension ServerTests {
    /// Waiting, giving up and starting.
    @Suite struct SchedulingTests {
        @Test("Who comes when the queue is full is told when to come again, and the others are answered")
        func fullQueue() async throws {
            var options = ServerOptions()
            (options.concurrency, options.queueLimit) = (1, 1)
            let server = try await TestServer(options)
            let answers = try await withThrowingTaskGroup(of: TestServer.Answer.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await server.post("/v1/caption", ["image": Sample.dataURL, "style": "detailed"])
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let (done, refused) = (answers.filter { $0.status == 200 }, answers.filter { $0.status == 429 })
            #expect(done.count >= 2 && !refused.isEmpty && done.count + refused.count == 8)
            #expect(refused.allSatisfy { $0.code == "queue_full" && $0.headers["retry-after"] != nil })
            #expect(Set(done.map(\.text)).count == 1)
            #expect(try await server.accepted() == 0)
        }

        @Test("A request that takes too long ends, and the next one is answered")
        func deadline() async throws {
            var options = ServerOptions()
            options.deadline = .milliseconds(1)
            let late = try await TestServer(options).post("/v1/caption", ["image": Sample.dataURL])
            #expect(late.status == 504 && late.code == "deadline_exceeded", "\(late.text)")
            let next = try await TestServer.shared.post("/v1/propose", ["image": Sample.dataURL])
            #expect(next.status == 200)
        }

        @Test("The model stops working for a client that has gone", arguments: [false, true])
        func goneClient(isStreamed: Bool) async throws {
            let server = try await TestServer.shared
            let more: [String: Any] = ["task": "chat", "temperature": 2, "max_tokens": 3000, "stream": isStreamed]
            let body = try JSONSerialization.data(withJSONObject: Sample.chat("Tell me everything.", more))
            let request = Task {
                try await server.send(
                    "POST", "/v1/chat/completions", body, headers: ["Content-Type": "application/json"])
            }
            try await server.wait { $0 > 0 }
            request.cancel()
            _ = try? await request.value
            try await server.wait { $0 == 0 }
            #expect(try await server.accepted() == 0)
        }

        @Test("While the model is loading the server lives but is not ready")
        func loading() async throws {
            let server = try await TestServer(ServerOptions(), isLoading: true)
            #expect(try await server.get("/healthz").status == 200)
            #expect(try await server.get("/readyz").status == 503)
            let answer = try await server.post("/v1/propose", ["image": Sample.dataURL])
            #expect(answer.status == 503 && answer.code == "model_loading" && answer.headers["retry-after"] != nil)
        }
    }

    /// What is told about the server.
    @Suite struct StatusTests {
        @Test("The page and its parts are there, and may run no foreign script")
        func page() async throws {
            let server = try await TestServer.shared
            let page = try await server.get("/")
            #expect(page.status == 200 && page.headers["content-type"]?.hasPrefix("text/html") == true)
            let policy = try #require(page.headers["content-security-policy"])
            #expect(policy.contains("script-src 'self'") && !policy.contains("unsafe"))
            #expect(page.headers["x-content-type-options"] == "nosniff" && page.headers["x-frame-options"] == "DENY")
            #expect(!page.text.contains("<script>") && !page.text.contains(" style=") && !page.text.contains("onclick"))
            for match in page.text.matches(of: /(?:src|href)="(\/[^"]*)"/) {
                #expect(try await server.get(String(match.1)).status == 200, "\(match.1)")
            }
            #expect(try await server.send("HEAD", "/").status == 200)
        }

        @Test("The interface's description names every route")
        func description() async throws {
            let server = try await TestServer.shared
            let paths = try #require(try await server.get("/openapi.json").json()["paths"] as? [String: Any])
            #expect(
                Set(paths.keys) == [
                    "/v1/chat/completions", "/v1/detect", "/v1/count", "/v1/caption", "/v1/regions", "/v1/propose",
                    "/v1/models", "/predict", "/setup", "/health", "/healthz", "/readyz", "/metrics",
                ])
            for (path, methods) in paths {
                for method in try #require(methods as? [String: Any]).keys {
                    #expect(try await server.send(method.uppercased(), path).status != 404, "\(method) \(path)")
                }
            }
        }

        @Test("The model is listed")
        func models() async throws {
            let server = try await TestServer.shared
            let list = try #require(try await server.get("/v1/models").json()["data"] as? [[String: Any]])
            #expect(list.map { $0["id"] as? String } == ["nano"])
            let (score, overlap) = (list[0]["proposal_min_score"] as? Double, list[0]["iou"] as? Double)
            #expect(score.map { (0.01...0.9).contains($0) } == true && overlap.map { (0.3...1).contains($0) } == true)
            #expect(try await server.get("/v1/models/nano").status == 200)
            #expect(try await server.get("/v1/models/other").code == "model_not_found")
        }

        @Test("Figures count what was done, by route and stage")
        func metrics() async throws {
            let server = try await TestServer(ServerOptions())
            for _ in 0..<2 { _ = try await server.post("/v1/detect", ["image": Sample.dataURL, "phrases": "dog"]) }
            _ = try await server.get("/v1/nowhere/at/all")
            let text = try await server.get("/metrics").text
            for line in [
                "chatrex_requests_total{path=\"/v1/detect\",status=\"200\"} 2",
                "chatrex_requests_total{path=\"NotFound\",status=\"404\"} 1", "chatrex_works_total 2",
                "chatrex_ready 1",
                "chatrex_request_seconds_count{path=\"/v1/detect\"} 2",
            ] { #expect(text.contains(line + "\n"), "\(line)") }
            #expect(text.contains("chatrex_stage_seconds_total{stage=\"answer\"}"))
            #expect(text.contains("chatrex_reused_pictures_total"))
        }
    }
}

/// What a server may be told.
@Suite struct OptionTests {
    @Test(
        "A server that others can reach needs a key or an explicit word", arguments: ["0.0.0.0", "::", "192.168.1.5"])
    func openness(host: String) throws {
        var options = ServerOptions()
        options.host = host
        #expect(throws: ServerError.self) { try options.validate() }
        options.allowsAnyone = true
        try options.validate()
        (options.allowsAnyone, options.apiKeys) = (false, ["long-enough"])
        try options.validate()
        options.apiKeys = ["short"]
        #expect(throws: ServerError.self) { try options.validate() }
    }

    @Test("This machine alone needs none", arguments: ["127.0.0.1", "localhost", "::1"])
    func localness(host: String) throws {
        var options = ServerOptions()
        options.host = host
        try options.validate()
    }
}

extension TestServer {
    /// Requests that wait or are worked on.
    func accepted() async throws -> Int {
        let line = try await get("/metrics").text.split(separator: "\n").first {
            $0.hasPrefix("chatrex_accepted_requests ")
        }
        return try #require(line?.split(separator: " ").last.flatMap { Int($0) })
    }

    /// Waits for a number of accepted requests, but not for ever.
    func wait(until isReached: (Int) -> Bool) async throws {
        for _ in 0..<400 {
            if isReached(try await accepted()) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
