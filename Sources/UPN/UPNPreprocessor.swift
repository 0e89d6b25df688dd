// Pictures as the proposal network wants them. Reference: upn.md, section 4.

import Imaging
import Torch

/// Resizes by the short side (Pillow's bilinear rule on 8-bit pixels), normalises and puts pictures of different sizes on one canvas.
public struct UPNPreprocessor: Sendable {
    /// Wanted short side and the limit for the long side, pixels.
    public let shortSide: Int, longSide: Int
    package static let mean: [Float] = [0.485, 0.456, 0.406]
    package static let deviation: [Float] = [0.229, 0.224, 0.225]

    public init(shortSide: Int = 800, longSide: Int = 1333) {
        (self.shortSide, self.longSide) = (shortSide, longSide)
    }

    /// A batch on one canvas.
    public struct Batch {
        /// [B, 3, H, W], pictures at the top left, zeros elsewhere
        public let pixels: Tensor
        /// True = padding, [B, H, W]
        public let mask: Tensor
    }

    /// - Parameter images: at least one, RGB
    public func callAsFunction(_ images: [Image]) throws -> Batch {
        let tensors = try images.map { try normalized(resized($0)) }
        return try Self.canvas(tensors)
    }

    /// The size that a picture is resized to. Never below one pixel.
    public func targetSize(width: Int, height: Int) -> (width: Int, height: Int) {
        let shortest = Double(min(width, height)), longest = Double(max(width, height))
        var size = shortSide
        if longest / shortest * Double(shortSide) > Double(longSide) {
            size = max(1, Int((Double(longSide) * shortest / longest).rounded(.toNearestOrEven)))
        }
        if (width <= height && width == size) || (height <= width && height == size) { return (width, height) }
        return width < height
            ? (size, Int(Double(size) * Double(height) / Double(width)))
            : (Int(Double(size) * Double(width) / Double(height)), size)
    }

    public func resized(_ image: Image) throws -> Image {
        let target = targetSize(width: image.width, height: image.height)
        // The rule bounds the long side only while the short one stays above a pixel.
        if max(target.width, target.height) > 64 * longSide {
            throw UPNError.pictureTooNarrow(width: image.width, height: image.height)
        }
        return try image.resized(width: target.width, height: target.height, filter: .bilinear)
    }

    /// 8-bit RGB (an alpha channel is dropped) to normalised float32 [3, H, W].
    public func normalized(_ image: Image) throws -> Tensor {
        try Self.normalized(image, mean: Self.mean, deviation: Self.deviation)
    }

    /// 8-bit RGB (an alpha channel is dropped) to float32 [3, H, W], normalised channel by channel.
    package static func normalized(_ image: Image, mean: [Float], deviation: [Float]) throws -> Tensor {
        let bytes = try Tensor(image.pixels, shape: [image.height, image.width, image.channels])[.rest, .upTo(3)]
            .permuted(2, 0, 1)
        let mean = try Tensor(mean, shape: [3, 1, 1]), deviation = try Tensor(deviation, shape: [3, 1, 1])
        return try ((bytes.converted(to: .float32) / 255) - mean) / deviation
    }

    /// Puts normalised pictures [3, H_i, W_i] on a canvas of the largest height and width.
    public static func canvas(_ pictures: [Tensor]) throws -> Batch {
        let height = pictures.map { $0.size(1) }.max() ?? 0, width = pictures.map { $0.size(2) }.max() ?? 0
        let padded = try pictures.map { try $0.padded([0, width - $0.size(2), 0, height - $0.size(1)]) }
        let masks = try pictures.map {
            try Tensor.zeros([$0.size(1), $0.size(2)]).padded([0, width - $0.size(2), 0, height - $0.size(1)], with: 1)
        }
        return try Batch(pixels: Tensor.stacked(padded), mask: Tensor.stacked(masks).greater(than: 0.5))
    }
}
