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
    /// What these images are a part of.
    let whole: BatchOfTargets

    /// - Parameters:
    ///   - boxes: for every image, in units of the image's sides.
    ///   - whole: the batch, where several processes share it; these images alone when nil.
    public init(_ boxes: [[Box]], whole: BatchOfTargets? = nil, device: Device = .cpu) throws {
        counts = boxes.map(\.count)
        let whole = whole ?? BatchOfTargets(counts)
        self.whole = whole
        let flat = boxes.flatMap { $0.flatValues(.cxcywh) }.map(Float.init)
        self.boxes = try Tensor(flat, shape: [flat.count / 4, 4]).to(device: device)
        let longest = max(whole.longest, counts.max() ?? 0)
        let filler = Box(x1: 0.25, y1: 0.25, x2: 0.75, y2: 0.75)
        let rows = boxes.flatMap { ($0 + Array(repeating: filler, count: longest - $0.count)).flatValues(.cxcywh) }
        padded = try Tensor(rows.map(Float.init), shape: [boxes.count, longest, 4]).to(device: device)
    }

    /// Position of every image's first box among all.
    var offsets: [Int] {
        counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }.dropLast()
    }
}

/// What a loss needs to know of a whole batch of which it sees a part.
public struct BatchOfTargets: Sendable {
    /// Boxes in the batch, and the most of an image.
    let total: Int, longest: Int
    /// Images in the batch, and those before the first of this part.
    let images: Int, before: Int

    /// - Parameters:
    ///   - counts: boxes of every image of the batch
    ///   - before: images before the first of this part
    package init(_ counts: [Int], before: Int = 0) {
        (total, longest) = (counts.reduce(0, +), counts.max() ?? 0)
        (images, self.before) = (counts.count, before)
    }

    /// - Parameter counts: boxes of every image of this process's part.
    init(_ counts: [Int], _ parallel: DataParallel) throws {
        let own = BatchOfTargets(counts)
        let all = try parallel.gathered([own.total, own.longest, own.images].map(Double.init)).map {
            $0.map { Int($0) }
        }
        (total, longest) = (all.reduce(0) { $0 + $1[0] }, all.map { $0[1] }.max() ?? 0)
        (images, before) = (all.reduce(0) { $0 + $1[2] }, all.prefix(parallel.rank).reduce(0) { $0 + $1[2] })
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
