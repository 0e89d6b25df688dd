import Foundation
import Imaging
import UPN
import VisionEncoders

/// Pictures as the network wants them: resized by the short side with a limit for the long one, normalised, on one canvas.
public struct GroundingDINOPreprocessor: Sendable, Equatable {
    /// Wanted short side and the limit for the long side, pixels.
    public var shortSide = 800, longSide = 1333
    /// Of the channels' values in 0…1.
    public var mean = UPNPreprocessor.mean, deviation = UPNPreprocessor.deviation

    public init() {}

    /// Reads `preprocessor_config.json`; without one the released models' values hold.
    public init(folder: URL) throws {
        self = try readJSON("preprocessor_config.json", in: folder, as: Self.self) ?? Self()
        try validate()
    }

    /// - Throws: `ConfigurationError` for sizes or values out of range.
    public func validate() throws {
        try ConfigurationError.require(
            (16...8192).contains(shortSide) && (shortSide...16384).contains(longSide) && mean.count == 3
                && deviation.count == 3 && mean.allSatisfy(\.isFinite)
                && deviation.allSatisfy { $0.isFinite && $0 > 0 },
            """
            preprocessing: the size must be 16 to 8192 pixels with a limit from there to 16384, image_mean and image_std \
            three numbers each
            """)
    }

    /// - Parameter images: at least one, of any size
    public func callAsFunction(_ images: [Image]) throws -> UPNPreprocessor.Batch {
        try UPNPreprocessor.canvas(
            images.map { image in
                let size = targetSize(width: image.width, height: image.height)
                let resized = try image.resized(width: size.width, height: size.height, filter: .bilinear)
                return try UPNPreprocessor.normalized(resized, mean: mean, deviation: deviation)
            })
    }

    /// The size that a picture is resized to, by the rule of transformers (not quite UPN's: the long side of a picture that meets the
    /// limit is counted from the short side before that is rounded). Never below one pixel.
    public func targetSize(width: Int, height: Int) -> (width: Int, height: Int) {
        let shortest = Double(min(width, height)), longest = Double(max(width, height))
        var side = Double(shortSide), rounded = shortSide
        if longest / shortest * side > Double(longSide) {
            side = Double(longSide) * shortest / longest
            rounded = Int(side.rounded(.toNearestOrEven))
        }
        if min(width, height) == rounded { return (width, height) }
        let long = max(1, Int(side * longest / shortest))
        return width < height ? (max(1, rounded), long) : (long, max(1, rounded))
    }
}

extension GroundingDINOPreprocessor: Decodable {
    private enum CodingKeys: String, CodingKey {
        case size
        case limit = "max_size"
        case mean = "image_mean"
        case deviation = "image_std"
        case filter = "resample"
        case resizes = "do_resize"
        case rescales = "do_rescale"
        case factor = "rescale_factor"
        case normalizes = "do_normalize"
    }

    private struct Size: Decodable {
        var shortest: Int
        var longest: Int?

        enum CodingKeys: String, CodingKey {
            case shortest = "shortest_edge"
            case longest = "longest_edge"
        }
    }

    public init(from decoder: any Decoder) throws {
        let file = try decoder.container(keyedBy: CodingKeys.self)
        let switches: [CodingKeys] = [.resizes, .rescales, .normalizes]
        let isSwitchedOff = try switches.contains { try file.decodeIfPresent(Bool.self, forKey: $0) == false }
        // Pillow's number of the bilinear filter is 2.
        let filter = try file.decodeIfPresent(Int.self, forKey: .filter) ?? 2
        let factor: Double = try file.decodeIfPresent(Double.self, forKey: .factor) ?? 1 / 255
        guard !isSwitchedOff, filter == 2, abs(factor * 255 - 1) < 1e-4 else {
            throw ConfigurationError("only bilinear resizing, rescaling by 1/255 and normalising are supported")
        }
        if let side = try? file.decode(Int.self, forKey: .size) {  // files of old
            shortSide = side
        } else if let size = try file.decodeIfPresent(Size.self, forKey: .size) {
            (shortSide, longSide) = (size.shortest, size.longest ?? longSide)
        }
        longSide = try file.decodeIfPresent(Int.self, forKey: .limit) ?? longSide
        mean = try file.decodeIfPresent([Float].self, forKey: .mean) ?? mean
        deviation = try file.decodeIfPresent([Float].self, forKey: .deviation) ?? deviation
    }
}
