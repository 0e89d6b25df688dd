import Boxes
import Torch

/// What a batch of images should be answered with.
public struct DetectionTargets {
    /// All boxes, image after image, (cx, cy, w, h) in 0...1 of the image: [T, 4].
    public let boxes: Tensor
    /// Number of boxes of every image; the sum is T.
    public let counts: [Int]
    /// The same boxes in rows of equal length, filled up with an arbitrary valid box: [B, M, 4].
    let padded: Tensor

    /// - Parameter boxes: for every image, in units of the image's sides.
    public init(_ boxes: [[Box]], device: Device = .cpu) throws {
        counts = boxes.map(\.count)
        let flat = boxes.flatMap { $0.flatValues(.cxcywh) }.map(Float.init)
        self.boxes = try Tensor(flat, shape: [flat.count / 4, 4]).to(device: device)
        let longest = counts.max() ?? 0
        let filler = Box(x1: 0.25, y1: 0.25, x2: 0.75, y2: 0.75)
        let rows = boxes.flatMap { ($0 + Array(repeating: filler, count: longest - $0.count)).flatValues(.cxcywh) }
        padded = try Tensor(rows.map(Float.init), shape: [boxes.count, longest, 4]).to(device: device)
    }

    /// Boxes in the batch.
    public var total: Int { counts.reduce(0, +) }

    /// Position of every image's first box among all.
    var offsets: [Int] {
        counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }.dropLast()
    }
}

/// What a detection transformer says about a batch, in float32 or converted to it by the criterion.
public struct DetectionOutputs {
    /// (cx, cy, w, h) in 0...1 after every decoder layer: [L, B, K, 4].
    public var boxes: Tensor
    /// Before the sigmoid: [L, B, K].
    public var logits: Tensor

    public init(boxes: Tensor, logits: Tensor) {
        (self.boxes, self.logits) = (boxes, logits)
    }

    /// The queries in a range, for all layers.
    public func queries(_ range: Range<Int>) throws -> DetectionOutputs {
        DetectionOutputs(
            boxes: try boxes[.all, .all, .range(range)], logits: try logits[.all, .all, .range(range)])
    }

    /// These layers followed by one more, [B, K, 4] and [B, K]: how the encoder's selection joins the decoder's layers.
    public func appending(boxes layerBoxes: Tensor, logits layerLogits: Tensor) throws -> DetectionOutputs {
        DetectionOutputs(
            boxes: try Tensor.concatenated([boxes, layerBoxes.unsqueezed(0)]),
            logits: try Tensor.concatenated([logits, layerLogits.unsqueezed(0)]))
    }

    /// - Throws: `TrainingError.shapeMismatch`.
    func checked(images: Int) throws -> (layers: Int, images: Int, queries: Int) {
        guard logits.rank == 3, logits.size(1) == images else {
            throw TrainingError.shapeMismatch(
                what: "logits", expected: "[layers, \(images), queries]", found: logits.shape)
        }
        guard boxes.shape == logits.shape + [4] else {
            throw TrainingError.shapeMismatch(what: "boxes", expected: "\(logits.shape + [4])", found: boxes.shape)
        }
        return (logits.size(0), images, logits.size(2))
    }
}
