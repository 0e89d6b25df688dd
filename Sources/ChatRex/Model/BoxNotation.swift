// How prompts and answers name boxes: ChatRex's way, and the way that it is compared with.

import Boxes

/// How a model's prompts and answers name boxes.
public enum BoxNotation: String, Sendable, Codable, CaseIterable {
    /// By the index of a box in the prompt (ChatRex).
    case indices
    /// By coordinates, token by token, without any box in the prompt (Pix2Seq, arXiv 2109.10852; Shikra, arXiv 2306.15195): the twin
    /// that retrieval is measured against.
    case coordinates
}

/// Whose features stand for boxes.
public enum ObjectFeatures: String, Sendable, Codable, CaseIterable {
    /// ConvNeXt's pyramid of the high-resolution picture (ChatRex).
    case convNeXt = "convnext"
    /// CLIP's tokens of the small picture: the model without its high-resolution encoder.
    case clip
}

/// Texts with coordinates in place of indices.
///
/// A box is four tags, the places of its sides x1, y1, x2, y2 in hundredths of the model's square frame: `<obj12><obj40><obj31><obj77>`.
/// The tags are those of the indices, so that both models have the same vocabulary.
public struct CoordinateText: Sendable {
    /// Places that a side can have.
    public static let steps = 100

    private let width: Int, height: Int
    private let frame: SquareFrame

    /// - Parameter width, height: of the original picture in pixels
    public init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        frame = SquareFrame(width: width, height: height, side: Self.steps)
    }

    /// A text that names boxes by index, with their coordinates instead.
    /// - Parameter boxes: in pixels of the original picture, by index
    public func spelled(_ text: String, boxes: [Box]) -> String {
        text.replacing(/<obj(\d+)>/) { tag in
            guard let index = Int(tag.1), boxes.indices.contains(index) else { return String(tag.0) }
            return places(of: boxes[index]).map(Self.tag).joined()
        }
    }

    /// What a text with coordinates names.
    public struct Reading: Sendable, Equatable {
        /// The text with the index of a box in place of its coordinates. What makes no box has an index that no box has.
        public var text: String
        /// In pixels of the original picture, within it.
        public var boxes: [Box] = []
        /// One for each tag of `text`: that of the least sure side.
        public var confidences: [Double] = []
    }

    /// - Parameter confidences: one for each `<objK>` of the text, in order
    public func read(_ text: String, confidences: [Double]) -> Reading {
        var reading = Reading(text: ""), next = 0
        reading.text = text.replacing(/(?:<obj\d+>)+/) { run in
            let places = run.0.matches(of: /<obj(\d+)>/).map { Int($0.1) ?? .max }
            return stride(from: 0, to: places.count, by: 4).map { start in
                let sides = Array(places[start..<min(start + 4, places.count)])
                let sure = (next..<next + sides.count).map { confidences.indices.contains($0) ? confidences[$0] : 1 }
                next += sides.count
                reading.confidences.append(sure.min() ?? 1)
                guard let box = box(sides) else { return Self.tag(Self.noIndex) }
                reading.boxes.append(box)
                return Self.tag(reading.boxes.count - 1)
            }.joined()
        }
        return reading
    }

    /// Beyond what any answer can have of boxes.
    private static let noIndex = 999_999

    private static func tag(_ number: Int) -> String { "<obj\(number)>" }

    private func places(of box: Box) -> [Int] {
        let sides = frame.converted(box)
        return (0..<4).map { min(max(Int(sides[$0]), 0), Self.steps - 1) }
    }

    /// Nil for what encloses nothing.
    private func box(_ places: [Int]) -> Box? {
        guard places.count == 4, places.allSatisfy({ $0 < Self.steps }), places[2] > places[0], places[3] > places[1]
        else { return nil }
        let middles = places.map { Float($0) + 0.5 }
        let box = frame.original(SIMD4(middles[0], middles[1], middles[2], middles[3]))
            .clipped(toWidth: Double(width), height: Double(height))
        return box.width > 0 && box.height > 0 ? box : nil
    }
}
