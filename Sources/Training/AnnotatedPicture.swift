import Boxes
import Imaging
import Scenes

/// What a proposal network should find in a picture, in pixels.
public struct SceneBoxes: Sendable, Codable, Equatable {
    public var fine: [Box], coarse: [Box]

    public init(fine: [Box], coarse: [Box]) {
        (self.fine, self.coarse) = (fine, coarse)
    }

    public init(_ scene: Scene) {
        self.init(fine: scene.boxes(.fine).map(\.box), coarse: scene.boxes(.coarse).map(\.box))
    }
}

/// A picture with its boxes at both granularities.
public struct AnnotatedPicture: Sendable {
    public var image: Image
    public var boxes: SceneBoxes

    public init(image: Image, boxes: SceneBoxes) {
        (self.image, self.boxes) = (image, boxes)
    }

    public init(_ scene: Scene) {
        self.init(image: scene.image, boxes: SceneBoxes(scene))
    }
}

/// Pictures on a common canvas, with their targets.
public struct PictureBatch: Sendable {
    /// Side lengths of the canvas.
    public let width: Int, height: Int
    /// RGB, [B, height, width, 3]; pictures at the top left, 0 elsewhere.
    public var pixels: [UInt8]
    /// Side lengths of every picture on its canvas.
    public var sizes: [(width: Int, height: Int)] = []
    /// Boxes of every picture in 0...1 of its sides.
    public var fine: [[Box]] = [], coarse: [[Box]] = []

    /// A batch with room for `count` pictures.
    public init(count: Int, width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: 0, count: count * width * height * 3)
    }

    /// Adds a part of a picture, resized: what training sees of it.
    public mutating func append(_ picture: AnnotatedPicture, _ view: PictureView) {
        let start = sizes.count * width * height * 3
        pixels.withUnsafeMutableBufferPointer { buffer in
            view.draw(picture.image, into: UnsafeMutableBufferPointer(rebasing: buffer[start...]), rowLength: width * 3)
        }
        sizes.append((view.width, view.height))
        fine.append(view.visible(picture.boxes.fine))
        coarse.append(view.visible(picture.boxes.coarse))
    }
}

/// Which part of a picture is shown, how large, and whether mirrored.
public struct PictureView: Sendable {
    /// The part, within the picture.
    public var region: PixelRect
    /// Side lengths that the part is resized to.
    public var width: Int, height: Int
    public var isMirrored: Bool
    /// Boxes of which less than this share of the area is left are dropped.
    public var leastVisibleShare = 0.4

    public init(region: PixelRect, width: Int, height: Int, isMirrored: Bool = false) {
        (self.region, self.width, self.height, self.isMirrored) = (region, width, height, isMirrored)
    }

    /// Boxes in pixels of the picture, cut to the part, in 0...1 of its sides.
    func visible(_ boxes: [Box]) -> [Box] {
        let (w, h) = (Double(region.width), Double(region.height))
        return boxes.compactMap { box in
            let cut = box.translated(x: -Double(region.x), y: -Double(region.y)).clipped(toWidth: w, height: h)
            guard cut.area > 0, cut.area >= leastVisibleShare * box.area else { return nil }
            let unit = cut.scaled(x: 1 / w, y: 1 / h)
            return isMirrored ? Box(x1: 1 - unit.x2, y1: unit.y1, x2: 1 - unit.x1, y2: unit.y2) : unit
        }
    }

    /// Draws the part at the top left of `target`, whose rows are `rowLength` bytes apart.
    func draw(_ image: Image, into target: UnsafeMutableBufferPointer<UInt8>, rowLength: Int) {
        let columns = ResamplingAxis(from: region.width, to: width),
            rows = ResamplingAxis(from: region.height, to: height)
        let span = width * 3, channels = image.channels
        // The part with its columns resized, row by row.
        var narrow = [Float](repeating: 0, count: region.height * span)
        image.pixels.withUnsafeBufferPointer { source in
            narrow.withUnsafeMutableBufferPointer { narrow in
                for y in 0..<region.height {
                    let row = ((region.y + y) * image.width + region.x) * channels
                    for x in 0..<width {
                        var (red, green, blue): (Float, Float, Float) = (0, 0, 0)
                        var input = row + columns.starts[x] * channels
                        for tap in columns.taps(x) {
                            let weight = columns.weights[tap]
                            red += weight * Float(source[input])
                            green += weight * Float(source[input + 1])
                            blue += weight * Float(source[input + 2])
                            input += channels
                        }
                        let output = y * span + (isMirrored ? width - 1 - x : x) * 3
                        narrow[output] = red
                        narrow[output + 1] = green
                        narrow[output + 2] = blue
                    }
                }
            }
        }
        var line = [Float](repeating: 0, count: span)
        for y in 0..<height {
            line.withUnsafeMutableBufferPointer { line in
                line.update(repeating: 0.5)
                narrow.withUnsafeBufferPointer { narrow in
                    for (offset, tap) in rows.taps(y).enumerated() {
                        let weight = rows.weights[tap], start = (rows.starts[y] + offset) * span
                        for index in 0..<span { line[index] += weight * narrow[start + index] }
                    }
                }
                for index in 0..<span { target[y * rowLength + index] = UInt8(min(255, max(0, line[index]))) }
            }
        }
    }
}

/// Weights of a triangle filter that is widened when shrinking, for one axis (upn.md, section 4).
private struct ResamplingAxis {
    /// First input of every output, and where its weights begin in `weights`.
    var starts: [Int] = [], begins: [Int] = [0]
    var weights: [Float] = []

    init(from inputs: Int, to outputs: Int) {
        let scale = Double(inputs) / Double(outputs), support = max(scale, 1)
        for output in 0..<outputs {
            let center = (Double(output) + 0.5) * scale
            let low = max(Int(center - support + 0.5), 0), high = min(Int(center + support + 0.5), inputs)
            let raw = (low..<high).map { max(0, 1 - abs((Double($0) - center + 0.5) / support)) }
            let sum = raw.reduce(0, +)
            starts.append(low)
            weights += raw.map { Float($0 / sum) }
            begins.append(weights.count)
        }
    }

    func taps(_ output: Int) -> Range<Int> { begins[output]..<begins[output + 1] }
}
