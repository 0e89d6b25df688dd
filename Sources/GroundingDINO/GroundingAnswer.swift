import Boxes
import Torch

/// A box of a phrase.
public struct GroundedBox: Sendable, Hashable, Codable {
    /// In pixels of the original picture.
    public var box: Box
    /// 0…1
    public var score: Double

    public init(box: Box, score: Double) {
        (self.box, self.score) = (box, score)
    }
}

/// A box with the words of a text that it is like.
public struct LabelledBox: Sendable, Hashable, Codable {
    /// In pixels of the original picture; may reach a little beyond it.
    public var box: Box
    /// 0…1
    public var score: Double
    public var label: String

    public init(box: Box, score: Double, label: String) {
        (self.box, self.score, self.label) = (box, score, label)
    }
}

/// What the network says of one picture: a box for each query, and how much it is like each token.
package struct GroundingAnswer {
    /// In pixels of the original picture.
    package let boxes: [Box]
    /// 0…1, token by token for each box.
    private let scores: [Float]
    private let tokenCount: Int

    /// - Parameters:
    ///   - logits: [K, T]
    ///   - boxes: [K, 4] as cx, cy, w, h in 0…1
    ///   - width: of the original picture, pixels
    package init(logits: Tensor, boxes: Tensor, width: Int, height: Int) throws {
        self.boxes = try [Box](flat: boxes.array(of: Float.self), format: .cxcywh).map {
            $0.scaled(x: Double(width), y: Double(height))
        }
        scores = try logits.sigmoid().array(of: Float.self)
        tokenCount = logits.size(1)
    }

    private func scores(of index: Int) -> ArraySlice<Float> {
        scores[index * tokenCount..<(index + 1) * tokenCount]
    }

    /// Boxes and labels as transformers gives them: a box whose best token is above `boxThreshold`, with all tokens above
    /// `textThreshold` but the first and the last that the network can read. In the order of the queries.
    package func labelled(
        _ ids: [Int], limit: Int, boxThreshold: Double, textThreshold: Double, decode: ([Int]) -> String
    ) -> [LabelledBox] {
        boxes.enumerated().compactMap { index, box in
            let scores = scores(of: index)
            guard let best = scores.max(), best > Float(boxThreshold) else { return nil }
            let named = zip(ids, scores).enumerated().filter { place, token in
                place > 0 && place < limit - 1 && token.1 > Float(textThreshold)
            }
            return LabelledBox(box: box, score: Double(best), label: decode(named.map(\.element.0)))
        }
    }

    /// The phrase of each box that passes.
    ///
    /// A box passes where its best token, separators included, is above `boxThreshold`. It goes to the phrase with the highest token,
    /// if that is above `textThreshold`, and its score is that token's. The highest and not the mean decides: articles and prepositions
    /// score low, so a mean would favour short phrases, and every token has read its own phrase, so `car` in `red car` is not like
    /// `car` in `blue car`. Where two phrases tie, the mean decides.
    /// - Parameter spans: places of the phrases' tokens
    /// - Returns: for each box that passes its index, the index of its phrase's span, and the score
    package func assigned(_ spans: [Range<Int>], boxThreshold: Double, textThreshold: Double) -> [(
        box: Int, span: Int, score: Double
    )] {
        boxes.indices.compactMap { index in
            let scores = scores(of: index)
            guard let best = scores.max(), best > Float(boxThreshold) else { return nil }
            let first = scores.startIndex
            let phrases = spans.map { span in
                let own = scores[first + span.lowerBound..<first + span.upperBound]
                return (own.max() ?? 0, own.reduce(0, +) / Float(own.count))
            }
            guard let span = phrases.indices.max(by: { phrases[$0] < phrases[$1] }),
                phrases[span].0 > Float(textThreshold)
            else { return nil }
            return (index, span, Double(phrases[span].0))
        }
    }
}
