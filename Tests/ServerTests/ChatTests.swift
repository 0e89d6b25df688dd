import Foundation
import Server
import Testing

extension ServerTests {
    /// The interface of OpenAI's clients.
    @Suite struct ChatTests {
        private static func message(_ answer: TestServer.Answer) throws -> [String: Any] {
            let choices = try #require(try answer.json()["choices"] as? [[String: Any]], "\(answer.text)")
            return try #require(choices.first?["message"] as? [String: Any])
        }

        /// The documents of a stream, without its end mark.
        private static func events(_ answer: TestServer.Answer) throws -> [[String: Any]] {
            let data = answer.text.components(separatedBy: "\n\n").filter { !$0.isEmpty }
            #expect(data.allSatisfy { $0.hasPrefix("data: ") } && data.last == "data: [DONE]", "\(answer.text)")
            return try data.dropLast().map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.dropFirst(6).utf8)) as? [String: Any])
            }
        }

        private static func deltas(_ events: [[String: Any]]) -> [[String: Any]] {
            events.compactMap { ($0["choices"] as? [[String: Any]])?.first?["delta"] as? [String: Any] }
        }

        /// A document as text, so that it can be compared.
        private static func text(of document: Any) throws -> String {
            String(decoding: try JSONSerialization.data(withJSONObject: document, options: .sortedKeys), as: UTF8.self)
        }

        @Test("The text has tags, or none where plain text is asked for")
        func tags() async throws {
            let server = try await TestServer.shared
            let answer = try await server.post(
                "/v1/chat/completions", Sample.chat("dog; cat", ["task": "detect", "model": "nano", "tools": []]))
            let message = try Self.message(answer)
            let content = try #require(message["content"] as? String)
            #expect(content.components(separatedBy: "<ground>").count == 3 && content.hasSuffix("</objects>"))
            let plain = try Self.message(
                await server.post(
                    "/v1/chat/completions", Sample.chat("dog; cat", ["task": "detect", "plain_text": true])))
            #expect(plain["content"] as? String == "dog\ncat")
            // For clients that can send the name alone.
            let named = try Self.message(
                await server.post("/v1/chat/completions", Sample.chat("dog; cat", ["model": "nano:detect"])))
            #expect(named["content"] as? String == content)
            #expect(plain["content"] as? String == message["plain_text"] as? String)
            let detections = try #require(message["detections"] as? [[String: Any]])
            let absent = try #require(message["not_found"] as? [String])
            #expect(Set(detections.compactMap { $0["label"] as? String }).union(absent) == ["dog", "cat"])
            let usage = try #require(try answer.json()["usage"] as? [String: Int])
            #expect(usage["completion_tokens", default: 0] > 0 && usage["prompt_tokens", default: 0] > 0)
        }

        @Test(
            "A stream brings the same answer piece by piece",
            arguments: [
                ("dog; cat", "detect", false), ("dog; cat", "count", true), ("What is there?", "ask", false),
                ("", "caption", true), ("Is it day?", "chat", false),
            ])
        func streams(text: String, task: String, isPlain: Bool) async throws {
            let server = try await TestServer.shared
            let more: [String: Any] = ["task": task, "plain_text": isPlain, "max_tokens": 40]
            let message = try Self.message(await server.post("/v1/chat/completions", Sample.chat(text, more)))
            let answer = try await server.post(
                "/v1/chat/completions",
                Sample.chat(text, more.merging(["stream": true, "stream_options": ["include_usage": true]]) { $1 }))
            #expect(answer.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            let events = try Self.events(answer)
            let deltas = Self.deltas(events)
            #expect(deltas.first?["role"] as? String == "assistant")
            #expect(deltas.compactMap { $0["content"] as? String }.joined() == message["content"] as? String)
            let streamed = deltas.flatMap { $0["detections"] as? [[String: Any]] ?? [] }
            #expect(try Self.text(of: streamed) == Self.text(of: try #require(message["detections"])))
            let usage = try #require(events.last?["usage"] as? [String: Int])
            #expect(usage["total_tokens"].map { $0 > 0 } == true)
            let reasons = events.compactMap { ($0["choices"] as? [[String: Any]])?.first?["finish_reason"] as? String }
            #expect(reasons.count == 1)
        }

        @Test("The answer ends before a stop text", arguments: [true, false])
        func stops(isStreamed: Bool) async throws {
            let body = Sample.chat("dog; cat", ["task": "detect", "stop": ["</ground>"], "stream": isStreamed])
            let answer = try await TestServer.shared.post("/v1/chat/completions", body)
            if isStreamed {
                let content = Self.deltas(try Self.events(answer)).compactMap { $0["content"] as? String }.joined()
                #expect(content == "<ground>dog")
            } else {
                #expect(try Self.message(answer)["content"] as? String == "<ground>dog")
                #expect(answer.text.contains("\"finish_reason\":\"stop\""))
            }
        }

        /// A conversation whose last turn looks for zebras.
        private static func turns() throws -> [String: Any] {
            var body = Sample.chat("cat", ["task": "detect", "plain_text": true])
            let first = try #require(body["messages"] as? [[String: Any]])
            body["messages"] =
                [["role": "system", "content": "Be brief."]] + first + [
                    ["role": "assistant", "content": "<ground>cat</ground><objects><obj0></objects>"],
                    ["role": "user", "content": "zebra"],
                ]
            return body
        }

        @Test("Earlier turns may hold the picture; the last one holds the question")
        func turns() async throws {
            let server = try await TestServer.shared
            let message = try Self.message(await server.post("/v1/chat/completions", Self.turns()))
            #expect(message["content"] as? String == "zebra")
        }

        @Test("Earlier turns are read where the server says so")
        func history() async throws {
            func promptTokens(_ server: TestServer) async throws -> Int {
                let answer = try await server.post("/v1/chat/completions", Self.turns())
                let usage = try #require(try answer.json()["usage"] as? [String: Int], "\(answer.text)")
                return usage["prompt_tokens", default: 0]
            }
            let without = try await promptTokens(TestServer.shared)
            let with = try await promptTokens(TestServer(TestServer.options { $0.readsHistory = true }))
            #expect(with > without + 6)
        }

        @Test("Probabilities come with each token where they are asked for", arguments: [false, true])
        func probabilities(isStreamed: Bool) async throws {
            let server = try await TestServer.shared
            let more: [String: Any] = ["task": "detect", "logprobs": true, "top_logprobs": 3, "stream": isStreamed]
            let answer = try await server.post("/v1/chat/completions", Sample.chat("dog; cat", more))
            let documents = isStreamed ? try Self.events(answer) : [try answer.json()]
            let choices = documents.compactMap { ($0["choices"] as? [[String: Any]])?.first }
            let tokens = choices.flatMap { choice in
                (choice["logprobs"] as? [String: Any])?["content"] as? [[String: Any]] ?? []
            }
            let content = choices.compactMap { choice in
                ((choice["delta"] ?? choice["message"]) as? [String: Any])?["content"] as? String
            }
            #expect(tokens.compactMap { $0["token"] as? String }.joined() == content.joined())
            for token in tokens {
                let own = try #require(token["logprob"] as? Double)
                let top = try #require(token["top_logprobs"] as? [[String: Any]]).compactMap {
                    $0["logprob"] as? Double
                }
                #expect(own <= 0 && top.count <= 3 && top == top.sorted(by: >))
                #expect(top.map(exp).reduce(0, +) <= 1.000_001)
                // Forced tokens have no company; a greedy choice among few is one of the likeliest.
                #expect(top.isEmpty ? own == 0 : top.contains { $0 >= own })
            }
            #expect(tokens.contains { ($0["top_logprobs"] as? [Any])?.count == 3 })
            let without = try await server.post("/v1/chat/completions", Sample.chat("dog; cat", ["task": "detect"]))
            #expect(!without.text.contains("logprobs"))
        }

        @Test("Boxes may be named in a question, and described")
        func boxes() async throws {
            let server = try await TestServer.shared
            let asked = try await server.post(
                "/v1/chat/completions", Sample.chat("What is <obj0>?", ["task": "chat", "boxes": [[1, 1, 30, 30]]]))
            #expect(asked.status == 200, "\(asked.text)")
            let described = try await server.post(
                "/v1/chat/completions",
                Sample.chat("", ["task": "describe", "boxes": [[1, 1, 30, 30], [20, 20, 60, 60]], "max_tokens": 80]))
            let detections = try #require(try Self.message(described)["detections"] as? [[String: Any]])
            #expect(detections.compactMap { $0["index"] as? Int } == [0, 1])
            #expect(detections.first?["box"] as? [Double] == [1, 1, 30, 30])
        }
    }
}
