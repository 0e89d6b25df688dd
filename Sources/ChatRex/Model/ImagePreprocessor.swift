// A picture as the two encoders want it. Reference: chatrex-mllm.md, section 4.

import Boxes
import Imaging
import Torch

/// Pads to a square, resizes with Pillow's bicubic rule and normalises.
public struct ImagePreprocessor: Sendable {
    /// Side of the high-resolution input and of the CLIP input, pixels.
    public let highResolution: Int, lowResolution: Int
    static let mean: [Float] = [0.48145466, 0.4578275, 0.40821073]
    static let deviation: [Float] = [0.26862954, 0.26130258, 0.27577711]
    /// The mean colour, truncated, fills the padding.
    package static let padding = Color(
        red: UInt8(mean[0] * 255), green: UInt8(mean[1] * 255), blue: UInt8(mean[2] * 255))

    public init(highResolution: Int, lowResolution: Int) {
        (self.highResolution, self.lowResolution) = (highResolution, lowResolution)
    }

    /// What the model sees of a picture.
    public struct Input {
        /// [1, 3, S, S] with S = `highResolution`
        public let highResolution: Tensor
        /// [1, 3, s, s] with s = `lowResolution`
        public let lowResolution: Tensor
        public let frame: SquareFrame
    }

    public func callAsFunction(_ image: Image) throws -> Input {
        let pixels = try squarePixels(image)
        let high = try normalized(pixels)
        return try Input(
            highResolution: high, lowResolution: reduced(high),
            frame: SquareFrame(width: image.width, height: image.height, side: highResolution))
    }

    /// The padded, resized picture in 8 bits.
    public func squarePixels(_ image: Image) throws -> Image {
        try image.resizedInSquare(side: highResolution, padding: Self.padding)
    }

    /// 8-bit RGB to normalised float32 [1, 3, H, W].
    public func normalized(_ image: Image) throws -> Tensor {
        try normalized(Tensor(image.pixels, shape: [1, image.height, image.width, 3]))
    }

    /// uint8 [B, H, W, 3] to normalised float32 [B, 3, H, W].
    public func normalized(_ pixels: Tensor) throws -> Tensor {
        let bytes = try pixels.permuted(0, 3, 1, 2)
        // 1/255 is multiplied in double precision and rounded once, as the reference does.
        let unit = try (bytes.converted(to: .float64) * (1.0 / 255)).converted(to: .float32)
        let mean = try Tensor(Self.mean, shape: [1, 3, 1, 1]),
            deviation = try Tensor(Self.deviation, shape: [1, 3, 1, 1])
        return try ((unit - mean) / deviation).contiguous()
    }

    /// The CLIP input comes from the normalised high-resolution tensor, not from the picture.
    public func reduced(_ highResolution: Tensor) throws -> Tensor {
        try highResolution.upsampledBilinear(height: lowResolution, width: lowResolution)
    }
}

/// How a picture lies in the square frame of the model.
public struct SquareFrame: Sendable, Equatable {
    /// Side of the frame in pixels.
    public let side: Int
    private let left: Float, top: Float, scale: Float

    /// - Parameters:
    ///   - width, height: of the original picture
    ///   - side: of the square that the model sees
    public init(width: Int, height: Int, side: Int) {
        let longest = max(width, height)
        self.side = side
        left = Float((longest - width) / 2)
        top = Float((longest - height) / 2)
        scale = Float(Double(side) / Double(longest))
    }

    /// A box in original pixels as x1, y1, x2, y2 in the frame, by the reference's float32 steps.
    public func converted(_ box: Box) -> SIMD4<Float> {
        let x = (Float(box.x1) + left) * scale, y = (Float(box.y1) + top) * scale
        let width = Float(box.x2 - box.x1) * scale, height = Float(box.y2 - box.y1) * scale
        return SIMD4(x, y, x + width, y + height)
    }

    /// The reverse of `converted`.
    public func original(_ sides: SIMD4<Float>) -> Box {
        let sides = sides / scale - SIMD4(left, top, left, top)
        return Box(x1: Double(sides.x), y1: Double(sides.y), x2: Double(sides.z), y2: Double(sides.w))
    }
}
