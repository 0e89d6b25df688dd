import Boxes
import ChatRexAPI
import ChatRexClient
import Foundation
import Server
import Testing

extension ServerTests {
    /// The client of this package against the server of this package.
    @Suite struct ClientTests {
        private func client(_ server: TestServer, key: String? = nil) throws -> ChatRexClient {
            ChatRexClient(address: try #require(URL(string: server.address)), apiKey: key)
        }

        @Test("Every task brings what the route brings")
        func tasks() async throws {
            let server = try await TestServer.shared, client = try client(server)
            #expect(await client.isReady())
            let found = try await client.detect(["dog", "cat"], in: Sample.png)
            let raw = try await server.post("/v1/detect", ["image": Sample.dataURL, "phrases": ["dog", "cat"]]).json()
            #expect(found.image == .init(width: Sample.width, height: Sample.height) && found.model == "nano")
            #expect(found.detections?.count == (raw["detections"] as? [Any])?.count)
            #expect(Set((found.detections ?? []).map(\.label)).union(found.notFound ?? []) == ["dog", "cat"])

            let counted = try await client.count(["dog"], in: Sample.png)
            #expect(counted.counts?.map(\.label) == ["dog"])
            #expect(counted.counts?.first?.count == counted.detections?.count)

            #expect(try await client.caption(Sample.png, style: "detailed").text?.isEmpty == false)
            let box = Box(x1: 8, y1: 8, x2: 60, y2: 50)
            let described = try await client.describe([box], of: Sample.png, level: "phrase")
            #expect(described.regions?.map(\.box) == [box])

            var options = ChatRexClient.Options()
            (options.proposalMinimumScore, options.maximumDetections, options.granularity) = (0, 3, "coarse")
            let proposed = try await client.propose(in: Sample.png, options: options)
            #expect(
                proposed.proposals?.count == 3 && proposed.proposals?.allSatisfy { $0.granularity == "coarse" } == true)

            let answer = try await client.ask("What is there?", about: Sample.png)
            #expect(!answer.text.isEmpty && !answer.isTruncated)
            options = .init()
            (options.maxTokens, options.seed) = (2, 1)
            let cut = try await client.ask("What is there?", about: Sample.png, isGrounded: false, options: options)
            #expect(cut.isTruncated && cut.detections.isEmpty)
        }

        @Test("Refusals say what is wrong")
        func refusals() async throws {
            var options = ServerOptions()
            options.apiKeys = ["long-enough"]
            let server = try await TestServer(options)
            let known = try client(server, key: "long-enough"), unknown = try client(server)
            func code(_ body: () async throws -> Void) async -> String? {
                do { try await body() } catch ClientError.refused(_, let code, _, _) { return code } catch {
                    return "\(error)"
                }
                return nil
            }
            #expect(await code { _ = try await unknown.propose(in: Sample.png) } == "invalid_api_key")
            #expect(await code { _ = try await known.propose(in: Data("text".utf8)) } == "invalid_image")
            #expect(await code { _ = try await known.detect([""], in: Sample.png) } == "invalid_text")
            #expect(await code { _ = try await known.propose(in: Sample.png) } == nil)
        }

        @Test("Where nobody listens, that is said")
        func nobody() async throws {
            let client = ChatRexClient(address: try #require(URL(string: "http://127.0.0.1:9")))
            #expect(await !client.isReady())
            await #expect { try await client.propose(in: Sample.png) } throws: { error in
                if case ClientError.unreachable = error { true } else { false }
            }
        }

        @Test("A cancelled question ends on the server")
        func cancellation() async throws {
            let server = try await TestServer.shared, client = try client(server)
            var options = ChatRexClient.Options()
            (options.temperature, options.maxTokens) = (2, 3000)
            let question = Task { [options] in
                try await client.ask("Tell me everything.", about: Sample.png, isGrounded: false, options: options)
            }
            try await server.wait { $0 > 0 }
            question.cancel()
            await #expect(throws: CancellationError.self) { try await question.value }
            try await server.wait { $0 == 0 }
            #expect(try await server.accepted() == 0)
        }
    }
}
