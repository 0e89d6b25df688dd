import Downloading
import Foundation
import Imaging
import Server
import Testing

extension ServerTests {
    /// What is refused, and how it is said.
    @Suite struct RefusalTests {
        /// A request that cannot be done: path, body, status and code.
        struct Case: Sendable, CustomStringConvertible {
            let path: String, body: String, status: Int, code: String
            var type = "application/json"

            var description: String { "\(path) \(body.prefix(60)) \(code)" }
        }

        private static func text(_ body: [String: Any]) -> String {
            String(decoding: (try? JSONSerialization.data(withJSONObject: body)) ?? Data(), as: UTF8.self)
        }

        private static func detect(_ more: [String: Any]) -> String {
            text(["image": Sample.dataURL, "phrases": "dog"].merging(more) { $1 })
        }

        private static func chat(_ more: [String: Any], _ words: String = "dog") -> String {
            text(Sample.chat(words, more))
        }

        private static let completions = "/v1/chat/completions"
        private static let cases = [
            Case(path: "/v1/detect", body: "{", status: 400, code: "invalid_json"),
            Case(path: "/v1/detect", body: "[]", status: 400, code: "invalid_json"),
            Case(path: "/v1/detect", body: detect(["min_score": "high"]), status: 400, code: "invalid_json"),
            Case(path: "/v1/detect", body: detect(["granularity": "coarser"]), status: 400, code: "invalid_json"),
            Case(path: "/v1/detect", body: "x", status: 415, code: "unsupported_media_type", type: "text/plain"),
            Case(path: "/v1/detect", body: text(["phrases": "dog"]), status: 400, code: "missing_image"),
            Case(path: "/v1/detect", body: detect(["image": "@@@@"]), status: 400, code: "invalid_image"),
            Case(path: "/v1/detect", body: detect(["image": "aGVsbG8="]), status: 400, code: "invalid_image"),
            Case(path: "/v1/detect", body: detect(["image": "data:image/png,abc"]), status: 400, code: "invalid_image"),
            Case(
                path: "/v1/detect", body: detect(["image": Sample.png.prefix(60).base64EncodedString()]), status: 400,
                code: "invalid_image"),
            Case(
                path: "/v1/detect", body: detect(["image": "https://example.org/a.jpg"]), status: 400,
                code: "remote_image_not_allowed"),
            Case(path: "/v1/detect", body: detect(["phrases": " ; "]), status: 400, code: "invalid_text"),
            Case(path: "/v1/detect", body: detect(["phrases": "<ground>"]), status: 400, code: "invalid_text"),
            Case(
                path: "/v1/detect", body: detect(["phrases": (0...200).map { "thing \($0)" }]), status: 400,
                code: "invalid_text"),
            Case(path: "/v1/detect", body: detect(["min_score": 1.5]), status: 400, code: "invalid_value"),
            Case(path: "/v1/detect", body: detect(["max_tokens": 0]), status: 400, code: "invalid_value"),
            Case(path: "/v1/detect", body: detect(["max_detections": 0]), status: 400, code: "invalid_value"),
            Case(path: "/v1/regions", body: detect(["boxes": [[1, 2, 3]]]), status: 400, code: "invalid_value"),
            Case(path: "/v1/regions", body: detect(["boxes": [[9, 9, 3, 3]]]), status: 400, code: "invalid_box"),
            Case(
                path: "/v1/regions", body: detect(["boxes": [[500, 500, 600, 600]]]), status: 400, code: "invalid_box"),
            Case(
                path: "/v1/regions", body: detect(["boxes": [[Int]](repeating: [1, 1, 9, 9], count: 101)]), status: 400,
                code: "invalid_value"),
            Case(
                path: "/v1/detect", body: "--x\r\n\r\n", status: 400, code: "invalid_multipart",
                type: "multipart/form-data; boundary=x"),
            Case(
                path: "/v1/detect", body: "nothing", status: 400, code: "invalid_multipart", type: "multipart/form-data"
            ),
            Case(path: completions, body: chat(["task": "paint"]), status: 400, code: "invalid_json"),
            Case(path: completions, body: text(["messages": []]), status: 400, code: "invalid_value"),
            Case(
                path: completions, body: text(["messages": [["role": "user", "content": "dog"]]]), status: 400,
                code: "missing_image"),
            Case(path: completions, body: chat(["model": "gpt"]), status: 404, code: "model_not_found"),
            Case(path: completions, body: chat(["model": "nano:paint"]), status: 404, code: "model_not_found"),
            Case(
                path: completions, body: chat(["logprobs": true, "plain_text": true]), status: 400,
                code: "invalid_value"),
            Case(
                path: completions, body: chat(["logprobs": true, "top_logprobs": 21]), status: 400,
                code: "invalid_value"),
            Case(path: completions, body: chat(["top_logprobs": 2]), status: 400, code: "invalid_value"),
            Case(path: completions, body: chat(["n": 2]), status: 400, code: "unsupported_parameter"),
            Case(
                path: completions, body: chat(["tools": [["type": "function"]]]), status: 400,
                code: "unsupported_parameter"),
            Case(path: completions, body: chat(["temperature": 9]), status: 400, code: "invalid_value"),
            Case(path: completions, body: chat(["task": "describe"]), status: 400, code: "invalid_value"),
            Case(path: completions, body: chat([:], "What is <obj99>?"), status: 400, code: "invalid_text"),
            Case(path: completions, body: chat(["stream": true], " "), status: 400, code: "invalid_text"),
            Case(path: "/v1/paint", body: "{}", status: 404, code: "not_found"),
        ]

        @Test("A request that cannot be done is refused with the reason", arguments: cases)
        func refusal(_ one: Case) async throws {
            let answer = try await TestServer.shared.send(
                "POST", one.path, Data(one.body.utf8), headers: ["Content-Type": one.type])
            #expect(answer.status == one.status && answer.code == one.code, "\(answer.status) \(answer.text)")
        }

        @Test(
            "JSON nested deeply is refused", arguments: ["/v1/detect", "/v1/chat/completions", "/predict"],
            [65, 511, 512, 513, 514, 100_000])
        func nesting(path: String, depth: Int) async throws {
            let server = try await TestServer.shared
            for body in [String(repeating: "[", count: depth), "{\"x\":" + String(repeating: "[", count: depth)] {
                let answer = try await server.send(
                    "POST", path, Data(body.utf8), headers: ["Content-Type": "application/json"])
                #expect(answer.status == 400 && answer.code == "invalid_json", "\(answer.text)")
            }
        }

        @Test("A picture much longer than wide takes no memory for the square around it")
        func narrow() async throws {
            let pixels = [UInt8](repeating: 90, count: 60_000 * 3)
            for (width, height) in [(1, 60_000), (60_000, 1)] {
                let png = try Image(width: width, height: height, channels: 3, pixels: pixels).encoded(as: .png)
                let url = "data:image/png;base64," + Data(png).base64EncodedString()
                let server = try await TestServer.shared
                let detected = try await server.post("/v1/detect", ["image": url, "phrases": "dog"])
                #expect(detected.status == 400 && detected.code == "invalid_image", "\(detected.text)")
                let part: [String: Any] = ["type": "image_url", "image_url": ["url": url]]
                let text: [String: Any] = ["type": "text", "text": "What is it?"]
                let asked = try await server.post(
                    "/v1/chat/completions",
                    ["task": "chat", "max_tokens": 5, "messages": [["role": "user", "content": [text, part]]]])
                #expect(asked.status == 200, "\(asked.text)")
            }
        }

        @Test("HEAD says what GET would, without a body", arguments: ["/", "/nothing", "/v1/detect"])
        func head(path: String) async throws {
            let answer = try await TestServer.shared.send("HEAD", path)
            #expect(answer.body.isEmpty && answer.status == (path == "/" ? 200 : 404))
        }

        @Test(
            "The server keeps to HTTP/1",
            arguments: [
                // Invited to send a body, unless it is too large.
                (
                    "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n",
                    "HTTP/1.1 100 Continue"
                ),
                (
                    "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n",
                    "HTTP/1.1 413 "
                ),
                // Ends where the client wants it to: what follows is the end of the connection.
                ("GET /healthz HTTP/1.0\r\n\r\n", "ok\n"),
                ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Close, TE\r\n\r\n", "ok\n"),
                (
                    "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
                    "HTTP/1.1 400 "
                ),
                // A refused body that never comes to its end.
                ("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc", "HTTP/1.1 404 "),
            ])
        func wire(request: String, expected: String) async throws {
            let text = try await TestServer.shared.raw(request, untilEnd: !expected.contains("100 "))
            #expect(text.contains(expected), "\(text)")
        }

        @Test(
            "Pictures are fetched from allowed hosts only, and from none within",
            arguments: [
                ("https://elsewhere.example/a.jpg", "remote_image_not_allowed"),
                ("http://localhost/a.jpg", "remote_image_not_allowed"),
                ("http://127.0.0.1:PORT/examples", "remote_image_not_allowed"),
                ("http://nowhere.invalid/a.jpg", "remote_image_failed"),
            ])
        func remotePictures(address: String, code: String) async throws {
            let server = try await TestServer(
                TestServer.options {
                    $0.imageHosts = ["localhost", "127.0.0.1", "*.invalid"].compactMap(HostPattern.init)
                })
            let port = try #require(server.address.split(separator: ":").last)
            let answer = try await server.post(
                "/v1/detect",
                ["image": address.replacingOccurrences(of: "PORT", with: port), "phrases": "dog"])
            #expect(answer.status == 400 && answer.code == code, "\(answer.text)")
        }

        @Test("Bodies and pictures over the limits are refused")
        func limits() async throws {
            var options = ServerOptions()
            (options.bodyLimit, options.pixelLimit) = (100_000, 1000)
            let server = try await TestServer(options)
            let picture = try await server.post("/v1/propose", ["image": Sample.dataURL])
            #expect(picture.status == 413 && picture.code == "image_too_large", "\(picture.text)")
            let body = try await server.post("/v1/propose", ["image": String(repeating: "A", count: 300_000)])
            #expect(body.status == 413 && body.code == "body_too_large", "\(body.text)")
        }

        @Test("Only who has the key gets in")
        func keys() async throws {
            var options = ServerOptions()
            options.apiKeys = ["first-secret", "second-secret"]
            let server = try await TestServer(options)
            func status(_ authorization: String?) async throws -> Int {
                try await server.get("/v1/models", headers: authorization.map { ["Authorization": $0] } ?? [:]).status
            }
            #expect(try await status(nil) == 401)
            for wrong in [
                "Bearer", "Bearer first-secre", "Bearer first-secrets", "Bearer second", "Token first-secret",
            ] {
                #expect(try await status(wrong) == 401)
            }
            #expect(try await status("Bearer first-secret") == 200)
            #expect(try await status("bearer second-secret") == 200)
            #expect(try await status("Basic " + Data("label:second-secret".utf8).base64EncodedString()) == 200)
            #expect(try await server.get("/metrics").status == 401)
            for open in ["/", "/healthz", "/readyz", "/openapi.json"] {
                #expect(try await server.get(open).status == 200)
            }
        }

        @Test("Pages of another origin are kept out unless they are allowed")
        func origins() async throws {
            var options = ServerOptions()
            options.allowedOrigins = ["https://friend.example"]
            let server = try await TestServer(options)
            let stranger = try await server.get("/v1/models", headers: ["Origin": "https://stranger.example"])
            #expect(stranger.status == 403 && stranger.code == "forbidden_origin")
            #expect(stranger.headers["access-control-allow-origin"] == nil)
            #expect(try await server.get("/v1/models", headers: ["Origin": server.address]).status == 200)
            let friend = ["Origin": "https://friend.example"]
            let allowed = try await server.get("/v1/models", headers: friend)
            #expect(allowed.status == 200)
            #expect(allowed.headers["access-control-allow-origin"] == "https://friend.example")
            let preflight = try await server.send("OPTIONS", "/v1/detect", headers: friend)
            #expect(preflight.status == 204 && preflight.headers["access-control-allow-methods"] == "GET, POST")
        }

        @Test("Too many requests in a minute are refused")
        func rate() async throws {
            var options = ServerOptions()
            options.requestsPerMinute = 2
            let server = try await TestServer(options)
            for _ in 0..<2 { #expect(try await server.get("/v1/models").status == 200) }
            let third = try await server.get("/v1/models")
            #expect(third.status == 429 && third.code == "rate_limit_exceeded")
            #expect(third.headers["retry-after"] == "30")
        }
    }
}
