import Boxes
import Foundation
import Imaging
import Scenes

/// How pictures are varied for training.
public struct PictureAugmentation: Codable, Sendable, Equatable {
    /// Longer side of a batch's canvas in pixels, one is drawn for a batch.
    public var sides = [256, 288, 320]
    /// Above 0, pictures keep their own aspect instead of a canvas's: `sides` are shorter sides then, this is the most that a longer
    /// side may have, and a batch's canvas holds its largest picture.
    public var longSideLimit = 0
    /// Share of batches with square pictures; the others get an aspect between 3:4 and 4:3.
    public var squareRate = 0.5
    /// Share of pictures of which only a part is shown, and the least share of the sides that is left.
    public var cropRate = 0.5, leastCrop = 0.65
    /// Share of pictures that do not fill the canvas, and the least size.
    public var shrinkRate = 0.2, leastSize = 0.8
    public var mirrorRate = 0.5

    public init() {}

    /// The canvas of a batch.
    func canvas(_ random: inout SceneRandom) -> (width: Int, height: Int) {
        let long = max(32, random.pick(sides) ?? 256)
        if random.chance(squareRate) { return (long, long) }
        let short = Int(Double(long) * random.double(0.75...1) / 16) * 16
        return random.chance(0.5) ? (long, short) : (short, long)
    }

    /// A view of a picture that keeps its aspect.
    /// - Parameter side: of the shorter side
    func view(of image: Image, shortSide side: Int, _ random: inout SceneRandom) -> PictureView {
        func part(_ length: Int) -> Int {
            max(1, Int(Double(length) * (isCropped ? random.double(leastCrop...1) : 1)))
        }
        let isCropped = random.chance(cropRate)
        let (w, h) = (part(image.width), part(image.height))
        let region = PixelRect(
            x: random.int(0...image.width - w), y: random.int(0...image.height - h), width: w, height: h)
        let scale = min(Double(side) / Double(min(w, h)), Double(longSideLimit) / Double(max(w, h)))
        func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }
        return PictureView(region: region, width: scaled(w), height: scaled(h), isMirrored: random.chance(mirrorRate))
    }

    /// A view of a picture with the canvas's aspect.
    func view(of image: Image, canvas: (width: Int, height: Int), _ random: inout SceneRandom) -> PictureView {
        let aspect = Double(canvas.width) / Double(canvas.height)
        let (imageWidth, imageHeight) = (Double(image.width), Double(image.height))
        let share = random.chance(cropRate) ? random.double(leastCrop...1) : 1
        let width = min(imageWidth, imageHeight * aspect) * share
        let (w, h) = (max(1, Int(width)), max(1, Int(min(width / aspect, imageHeight))))
        let region = PixelRect(
            x: random.int(0...image.width - w), y: random.int(0...image.height - h), width: w, height: h)
        let scale = random.chance(shrinkRate) ? random.double(leastSize...1) : 1
        return PictureView(
            region: region, width: Int(Double(canvas.width) * scale), height: Int(Double(canvas.height) * scale),
            isMirrored: random.chance(mirrorRate))
    }
}

/// Batches of training pictures, prepared ahead on background threads.
///
/// A batch depends on the seed and its number alone.
public final class SceneLoader {
    /// The picture of a number.
    public typealias Source = @Sendable (Int) throws -> AnnotatedPicture

    private let make: @Sendable (Int) throws -> PictureBatch
    private let threads: Int
    private var prefetcher: Prefetcher<PictureBatch>?

    /// - Parameter part: positions in a batch to prepare; all of them when nil.
    public init(
        _ source: @escaping Source, augmentation: PictureAugmentation, batchSize: Int, part: Range<Int>? = nil,
        seed: UInt64, threads: Int = 1
    ) {
        self.threads = threads
        let part = part ?? 0..<batchSize
        make = { number in
            var random = SceneRandom(seed: UInt64(number), stream: "batch/\(seed)")
            let positions = part.map { number * batchSize + $0 }
            // Of its own for each picture, so that a part of a batch is what it is in the whole.
            func viewRandom(_ position: Int) -> SceneRandom {
                SceneRandom(seed: UInt64(position), stream: "view/\(seed)")
            }
            if augmentation.longSideLimit > 0 {
                let pictures = try positions.map(source)
                let views = zip(positions, pictures).map { position, picture in
                    var random = viewRandom(position)
                    let side = random.pick(augmentation.sides) ?? augmentation.longSideLimit
                    return augmentation.view(of: picture.image, shortSide: side, &random)
                }
                var batch = PictureBatch(
                    count: part.count, width: views.map(\.width).max() ?? 1, height: views.map(\.height).max() ?? 1)
                for (picture, view) in zip(pictures, views) { batch.append(picture, view) }
                return batch
            }
            let canvas = augmentation.canvas(&random)
            var batch = PictureBatch(count: part.count, width: canvas.width, height: canvas.height)
            for position in positions {
                var random = viewRandom(position)
                let picture = try source(position)
                batch.append(picture, augmentation.view(of: picture.image, canvas: canvas, &random))
            }
            return batch
        }
    }

    /// The batch of a number; fast when numbers come in order.
    public func batch(_ number: Int) throws -> PictureBatch {
        if let prefetcher, prefetcher.position == number { return try prefetcher.take() }
        let started = Prefetcher(start: number, threads: threads, depth: threads + 2, make: make)
        prefetcher = started
        return try started.take()
    }
}
