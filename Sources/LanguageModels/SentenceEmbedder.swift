import Checkpoints
import Foundation
import Tokenizers
import Torch
import TorchNN

/// Says how alike texts are in meaning: a BERT whose hidden states are averaged to one vector a text, as all-MiniLM-L6-v2 does
/// (Reimers and Gurevych 2019, arXiv 1908.10084).
public final class SentenceEmbedder {
    private let model: Bert
    private let tokenizer: WordPieceTokenizer
    /// Most tokens of a text that are read, `[CLS]` and `[SEP]` included.
    private let tokenLimit: Int

    /// - Parameter folder: `config.json`, `model.safetensors`, `tokenizer.json` and, where there is one, `sentence_bert_config.json`
    /// - Throws: `CheckpointError`, `TokenizerError`, `LanguageModelError`; names what is missing or does not fit.
    public init(contentsOf folder: URL) throws {
        func read<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
            let url = folder.appendingPathComponent(name)
            guard let data = try? Data(contentsOf: url) else {
                throw CheckpointError(.missingFile, path: url.path, "there is no such file.")
            }
            do { return try JSONDecoder().decode(type, from: data) } catch let error as DecodingError {
                throw LanguageModelError.configuration("\(url.path): \(error.readable)")
            }
        }
        let configuration = try read("config.json", as: BertConfiguration.self)
        let limit = (try? read("sentence_bert_config.json", as: Limit.self))?.tokens
        tokenLimit = min(limit ?? configuration.maxPositions, configuration.maxPositions)
        tokenizer = try WordPieceTokenizer(contentsOf: folder.appendingPathComponent("tokenizer.json"))
        guard tokenizer.vocabularySize <= configuration.vocabularySize else {
            throw LanguageModelError.configuration(
                "\(folder.path): the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(configuration.vocabularySize)"
            )
        }
        let store = ParameterStore(try TensorArchives.open(at: folder), dtype: .float32)
        model = try Bert(configuration, store.weights)
        try store.checkComplete { $0.hasPrefix("pooler.") || $0.hasSuffix("position_ids") }
    }

    private struct Limit: Decodable {
        var tokens: Int

        enum CodingKeys: String, CodingKey { case tokens = "max_seq_length" }
    }

    /// Vectors of length 1, [texts, D]; their products are the similarities.
    public func callAsFunction(_ texts: [String]) throws -> Tensor {
        try inference {
            let rows = texts.map { tokenizer.encode($0, maximumLength: tokenLimit) }
            // Texts of like length together waste little work on padding.
            let order = rows.indices.sorted { rows[$0].count < rows[$1].count }
            let batches = stride(from: 0, to: order.count, by: 64).map { order[$0..<min($0 + 64, order.count)] }
            let vectors = try batches.map { batch in try average(batch.map { rows[$0] }) }
            if vectors.isEmpty { return try Tensor.zeros([0, model.configuration.width]) }
            var place = [Int](repeating: 0, count: order.count)
            for (position, index) in order.enumerated() { place[index] = position }
            return try Tensor.concatenated(vectors).selected(0, Tensor(place))
        }
    }

    /// Cosine of each text with the other text of its pair, -1...1.
    public func similarities(_ pairs: [(String, String)]) throws -> [Double] {
        if pairs.isEmpty { return [] }
        let texts = Array(Set(pairs.flatMap { [$0.0, $0.1] })).sorted()
        let place = Dictionary(uniqueKeysWithValues: texts.enumerated().map { ($1, $0) })
        let vectors = try self(texts)
        func rows(_ side: KeyPath<(String, String), String>) throws -> Tensor {
            try vectors.selected(0, Tensor(pairs.map { place[$0[keyPath: side], default: 0] }))
        }
        return try (rows(\.0) * rows(\.1)).sum(1).array(of: Float.self).map(Double.init)
    }

    /// The mean of each row's hidden states, of length 1: [B, D].
    private func average(_ rows: [[Int]]) throws -> Tensor {
        let length = rows.map(\.count).max() ?? 0
        let ids = rows.flatMap { $0 + [Int](repeating: 0, count: length - $0.count) }
        let isToken = try Tensor(
            rows.flatMap { row in (0..<length).map { $0 < row.count } }, shape: [rows.count, length])
        let hidden = try model(Tensor(ids, shape: [rows.count, length]), mask: isToken)
        let weights = try isToken.converted(to: .float32).unsqueezed(2)
        let mean = try (hidden * weights).sum(1) / weights.sum(1)
        return try mean / (mean.norm(over: 1, keepingDimension: true) + 1e-12)
    }
}
