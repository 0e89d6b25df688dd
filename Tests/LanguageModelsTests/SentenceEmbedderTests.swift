import Foundation
import LanguageModels
import Testing
import Torch

/// Numbers of transformers; `Scripts/oracles/sentence_embeddings.py` made them and compares the real model.
@Suite struct SentenceEmbedderTests {
    private struct Expected: Decodable {
        var texts: [String]
        var embeddings: [[Float]]
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/bert")

    private static func largestDifference(_ vectors: Tensor, _ expected: [[Float]]) throws -> Float {
        let found = try vectors.array(of: Float.self), wanted = expected.flatMap { $0 }
        try #require(found.count == wanted.count)
        return zip(found, wanted).map { abs($0 - $1) }.max() ?? 0
    }

    @Test("Embeddings are those of transformers, whatever texts come together")
    func parity() throws {
        let embedder = try SentenceEmbedder(contentsOf: Self.folder)
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: Self.folder.appendingPathComponent("expected.json")))
        #expect(try Self.largestDifference(embedder(expected.texts), expected.embeddings) < 1e-5)
        for (text, embedding) in zip(expected.texts, expected.embeddings) {
            #expect(try Self.largestDifference(embedder([text]), [embedding]) < 1e-5)
        }
        #expect(try embedder([]).shape[0] == 0)
    }

    @Test("A text is as like itself as can be")
    func similarity() throws {
        let embedder = try SentenceEmbedder(contentsOf: Self.folder)
        let similarities = try embedder.similarities([("a brown dog", "a brown dog"), ("dog", "zebra")])
        #expect(abs(similarities[0] - 1) < 1e-5 && similarities[1] < 0.999)
        #expect(try embedder.similarities([]) == [])
    }

    @Test("A folder that is no sentence model is named")
    func wrongFolder() throws {
        #expect(throws: (any Error).self) { try SentenceEmbedder(contentsOf: URL(fileURLWithPath: "/nowhere")) }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bert-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: Self.folder, to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(#"{"hidden_size": 10}"#.utf8).write(to: folder.appendingPathComponent("config.json"))
        #expect(throws: LanguageModelError.self) { try SentenceEmbedder(contentsOf: folder) }
    }
}
