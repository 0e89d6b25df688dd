// Examples as the model reads them: a picture with boxes, and several exchanges that share that prefix.
//
// Every exchange sees the prefix and itself, never another one, and its positions continue from the prefix. So one pass over the prefix
// serves all questions about a picture, in training as at inference.

import ChatRex
import Foundation
import Torch

/// A picture and what is asked about it, as token ids.
public struct ConversationExample: Sendable {
    /// RGB, [S, S, 3]
    var pixels: [UInt8]
    /// In the square frame.
    var boxes: [SIMD4<Float>]
    /// Ids and placeholders of picture and boxes.
    var prefix: [Int]
    /// Ids of each question and of its answer.
    var exchanges: [(question: [Int], answer: [AnswerToken])]

    /// - Parameters:
    ///   - copies: boxes that show the same object, for each object that several show
    ///   - exchanges: in order of importance; those that do not fit are left out.
    ///   - limit: positions of prefix and exchanges together, image rows included
    ///   - notation: what `<objK>` says in exchanges; coordinates may stand twice in a list.
    package init(
        pixels: [UInt8], boxes: [SIMD4<Float>], copies: [[Int]] = [], exchanges: [Exchange], layout: PromptLayout,
        imageRows: Int, limit: Int, notation: BoxNotation = .indices
    ) throws {
        (self.pixels, self.boxes) = (pixels, boxes)
        let bare = try layout.prompt(question: "", boxCount: boxes.count)
        prefix = Array(bare.ids.prefix(bare.prefixCount))
        var length = prefix.count - 1 + imageRows
        self.exchanges = []
        for exchange in exchanges {
            let prompt = try layout.prompt(question: exchange.question, boxCount: boxes.count)
            let question = Array(prompt.ids.dropFirst(prompt.prefixCount)), answer = layout.answer(exchange.answer)
            if length + question.count + answer.count > limit { continue }
            length += question.count + answer.count
            let tokens =
                notation == .indices
                ? AnswerToken.tokens(answer, copies: copies, layout.vocabulary)
                : answer.map { AnswerToken(id: $0, right: [$0], excluded: []) }
            self.exchanges.append((question, tokens))
        }
    }
}

/// A token of an answer, and what else may stand in its place.
package struct AnswerToken: Sendable, Equatable {
    package let id: Int
    /// What is right here: in a list, any box that shows the thing.
    package let right: [Int]
    /// What the grammar does not offer here: indices that the list has already.
    package let excluded: [Int]

    /// - Parameter copies: boxes that show the same object, for each object that several show
    package static func tokens(_ answer: [Int], copies: [[Int]], _ vocabulary: ChatRexVocabulary) -> [AnswerToken] {
        var tokens: [AnswerToken] = [], said: [Int] = []
        var isList = false
        for id in answer {
            var right = [id]
            if isList, let box = vocabulary.objectIndex(of: id), let shown = copies.first(where: { $0.contains(box) }) {
                right = shown.map { vocabulary.objects[$0] }.filter { !said.contains($0) }
            }
            tokens.append(AnswerToken(id: id, right: right, excluded: isList ? said : []))
            if isList { said.append(id) }
            if id == vocabulary.objectsStart { (isList, said) = (true, []) }
            if id == vocabulary.objectsEnd { isList = false }
        }
        return tokens
    }
}

/// Examples on a common length, as plain arrays.
public struct ConversationBatch: Sendable {
    /// RGB, [B, S, S, 3]
    let pixels: [UInt8]
    /// Padded to equally many a picture, [B][N].
    let boxes: [[SIMD4<Float>]]
    /// Sequences, [B * T]: where each row comes from in the table of token rows, image rows and object rows (see `Source`).
    package let sources: [Int]
    /// [B * T]
    package let positions: [Int]
    /// Number of the exchange that each position belongs to; 0 for the prefix, -1 for padding. [B * T]
    let segments: [Int]
    /// Token ids, 0 where there is none, [B * T].
    package let tokens: [Int]
    /// Positions (in B * T) whose next token is part of an answer, and that token.
    package let targets: [(position: Int, token: AnswerToken)]
    package let count: Int, length: Int

    package init(_ examples: [ConversationExample], imageRows: Int) {
        count = examples.count
        let objectRows = max(1, examples.map(\.boxes.count).max() ?? 1)
        let rows = examples.map { Self.rows(of: $0, imageRows: imageRows) }
        let length = rows.map(\.count).max() ?? 0
        self.length = length
        pixels = examples.flatMap(\.pixels)
        boxes = examples.map { $0.boxes + Array(repeating: SIMD4(0, 0, 1, 1), count: objectRows - $0.boxes.count) }
        let imageStart = count * length, objectStart = imageStart + count * imageRows
        var sources: [Int] = [], positions: [Int] = [], segments: [Int] = [], tokens: [Int] = []
        var targets: [(position: Int, token: AnswerToken)] = []
        for (index, rows) in rows.enumerated() {
            for (step, row) in rows.enumerated() {
                let here = index * length + step
                switch row.content {
                case .token(let id):
                    tokens.append(id)
                    sources.append(here)
                    if let token = row.answer { targets.append((here - 1, token)) }
                case .image(let number):
                    tokens.append(0)
                    sources.append(imageStart + index * imageRows + number)
                case .object(let number):
                    tokens.append(0)
                    sources.append(objectStart + index * objectRows + number)
                }
                positions.append(row.position)
                segments.append(row.segment)
            }
            let padding = length - rows.count
            tokens += [Int](repeating: 0, count: padding)
            sources += (rows.count..<rows.count + padding).map { index * length + $0 }
            positions += [Int](repeating: 0, count: padding)
            segments += [Int](repeating: -1, count: padding)
        }
        (self.sources, self.positions, self.segments, self.tokens, self.targets) = (
            sources, positions, segments, tokens, targets
        )
    }

    private enum Content {
        case token(Int), image(Int), object(Int)
    }

    private struct Row {
        var content: Content, position: Int, segment: Int
        /// Set where this is part of an answer.
        var answer: AnswerToken? = nil
    }

    private static func rows(of example: ConversationExample, imageRows: Int) -> [Row] {
        var rows: [Row] = []
        var objects = 0
        for id in example.prefix {
            switch id {
            case Prompt.imageID:
                for number in 0..<imageRows {
                    rows.append(Row(content: .image(number), position: rows.count, segment: 0))
                }
            case Prompt.objectFeatureID:
                rows.append(Row(content: .object(objects), position: rows.count, segment: 0))
                objects += 1
            default:
                rows.append(Row(content: .token(id), position: rows.count, segment: 0))
            }
        }
        let prefixLength = rows.count
        for (number, exchange) in example.exchanges.enumerated() {
            let read: [(Int, AnswerToken?)] =
                exchange.question.map { ($0, nil) } + exchange.answer.map { ($0.id, $0) }
            for (step, (id, answer)) in read.enumerated() {
                rows.append(
                    Row(content: .token(id), position: prefixLength + step, segment: number + 1, answer: answer))
            }
        }
        return rows
    }

    /// True where a position (row) may look at another (column), bool [B, 1, T, T].
    package func attentionMask() throws -> Tensor {
        let segment = try Tensor(segments, shape: [count, length])
        let own = try segment.unsqueezed(2).equal(to: segment.unsqueezed(1))
        let prefix = try segment.equal(to: 0).unsqueezed(1)
        let causal = try Tensor.ones([length, length], dtype: .bool).lowerTriangle()
        return try own.logicalOr(prefix).logicalAnd(causal).unsqueezed(1)
    }
}
