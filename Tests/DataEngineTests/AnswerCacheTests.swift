import DataEngine
import Foundation
import GRDB
import Hummingbird
import Testing

@Suite("Answers that are kept") struct AnswerCacheTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private var file: URL { folder.url.appendingPathComponent("answers/answers.sqlite") }

    @Test("No answer is paid for twice, also not by the next process")
    func once() async throws {
        defer { folder.remove() }
        setenv("CHATREX_TEST_KEY", "secret-7", 1)
        let server = try await ScriptedEndpoint { number, _ in try ScriptedEndpoint.says("Answer \(number).") }
        let question = ChatQuestion("What?", pictures: [[1, 2, 3]])
        let endpoint = try server.endpoint { $0.keyVariable = "CHATREX_TEST_KEY" }
        let model = StoredAnswersModel(endpoint, cache: try AnswerCache(file))
        let first = try await model.reply(to: question)
        #expect(try await model.reply(to: question) == first)
        // The first cache is still open, as after a kill.
        let next = StoredAnswersModel(try server.endpoint { $0.concurrency = 1 }, cache: try AnswerCache(file))
        #expect(try await next.reply(to: question) == first)
        #expect(await server.requests == 1)
        #expect(endpoint.usage.stored == 1 && next.endpoint.usage.stored == 1 && next.endpoint.usage.requests == 0)
        let usage = try await next.cache.usage()
        #expect(usage.count == 1 && usage.values.first?.promptTokens == 100 && usage.values.first?.answers == 1)
        for name in try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path) {
            let data = try Data(contentsOf: file.deletingLastPathComponent().appendingPathComponent(name))
            #expect(data.range(of: Data("secret-7".utf8)) == nil)
        }
    }

    @Test("Whatever changes the answer is asked anew")
    func keys() async throws {
        defer { folder.remove() }
        let server = try await ScriptedEndpoint { number, _ in try ScriptedEndpoint.says("Answer \(number).") }
        let cache = try AnswerCache(file)
        let questions = [
            ChatQuestion("What?"), ChatQuestion("What ?"), ChatQuestion("What?", system: "Be brief."),
            ChatQuestion("What?", pictures: [[1]]), ChatQuestion("What?", pictures: [[2]]),
            ChatQuestion("What?", pictures: [[1], [2]]), ChatQuestion("What?", variation: 1),
            ChatQuestion("What?", examples: [.init("Who?", "I.")]), ChatQuestion("What?", maxTokens: 5),
        ]
        let plain = StoredAnswersModel(try server.endpoint(), cache: cache)
        for question in questions + questions { _ = try await plain.reply(to: question) }
        #expect(await server.requests == questions.count)
        let changes: [(inout EndpointSettings) -> Void] = [
            { $0.model = "other" }, { $0.temperature = 0.5 }, { $0.seed = 1 }, { $0.maxTokens = 9 },
            { $0.parameters = #"{"top_p": 0.5}"# },
        ]
        for change in changes {
            _ = try await StoredAnswersModel(server.endpoint(change), cache: cache).reply(to: questions[0])
        }
        #expect(await server.requests == questions.count + changes.count)
    }

    @Test("Equal questions at the same time are asked once")
    func together() async throws {
        defer { folder.remove() }
        let server = try await ScriptedEndpoint { number, _ in
            try await Task.sleep(for: .milliseconds(100))
            return try ScriptedEndpoint.says("Answer \(number).")
        }
        let model = StoredAnswersModel(try server.endpoint(), cache: try AnswerCache(file))
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await model.reply(to: ChatQuestion("What?")).text } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(texts == ["Answer 0."])
        #expect(await server.requests == 1)
    }

    @Test("When the one who asks gives up, the next one asks")
    func handover() async throws {
        defer { folder.remove() }
        let server = try await ScriptedEndpoint { number, _ in
            if number == 0 { try await Task.sleep(for: .seconds(60)) }
            return try ScriptedEndpoint.says("Answer \(number).")
        }
        let model = StoredAnswersModel(try server.endpoint(), cache: try AnswerCache(file))
        let first = Task { try await model.reply(to: ChatQuestion("What?")) }
        while await server.requests == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let second = Task { try await model.reply(to: ChatQuestion("What?")) }
        try await Task.sleep(for: .milliseconds(50))
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(try await second.value.text == "Answer 1.")
    }

    @Test("A failure is not kept")
    func failures() async throws {
        defer { folder.remove() }
        let server = try await ScriptedEndpoint { number, _ in
            number == 0 ? ScriptedEndpoint.text("<html>") : try ScriptedEndpoint.says("A dog.")
        }
        let model = StoredAnswersModel(try server.endpoint(), cache: try AnswerCache(file))
        await #expect(throws: EndpointError.self) { try await model.reply(to: ChatQuestion("What?")) }
        #expect(try await model.reply(to: ChatQuestion("What?")).text == "A dog.")
    }

    @Test("A damaged file is named, with what to do", arguments: [true, false])
    func damaged(wholly: Bool) async throws {
        defer { folder.remove() }
        let server = try await ScriptedEndpoint { _, _ in try ScriptedEndpoint.says("A dog.") }
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        if wholly {
            try Data(repeating: 7, count: 20_000).write(to: file)
        } else {
            // The pages after the first are overwritten.
            let other = folder.url.appendingPathComponent("other.sqlite")
            let model = StoredAnswersModel(try server.endpoint(), cache: try AnswerCache(other))
            for number in 0..<50 { _ = try await model.reply(to: ChatQuestion("\(number)?")) }
            try model.cache.close()
            try await DatabaseQueue(path: other.path).writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            var data = try Data(contentsOf: other)
            try #require(data.count > 8192)
            data.replaceSubrange(4096..., with: Data(repeating: 7, count: data.count - 4096))
            try data.write(to: file)
        }
        await #expect {
            let model = StoredAnswersModel(try server.endpoint(), cache: try AnswerCache(file))
            for number in 0..<50 { _ = try await model.reply(to: ChatQuestion("\(number)?")) }
        } throws: { error in
            guard case .inaccessible(file.path, let reason) = error as? EngineError else { return false }
            return reason.contains("move it away")
        }
    }
}
