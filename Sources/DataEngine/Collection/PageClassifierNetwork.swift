// The network of the classifier of low-content pictures: a small ConvNeXt, the mean of its last map, one logit.

import ChatRex
import Checkpoints
import Foundation
import Imaging
import Torch
import TorchNN
import VisionEncoders

/// Sizes of a classifier of low-content pictures, as in its `config.json`.
public struct PageClassifierConfiguration: Codable, Sendable, Equatable {
    public var backbone = ConvNeXtConfiguration(widths: [16, 32, 64, 128], depths: [1, 1, 2, 1])
    /// Side of the square that a picture is fitted into, pixels.
    public var side = 160
    /// Probability from which a picture counts as one of low content, where a caller names none.
    public var threshold = 0.5

    enum CodingKeys: String, CodingKey {
        case backbone
        case side = "image_size"
        case threshold
    }

    public init() {}

    /// - Throws: `ConfigurationError` when sizes are out of range.
    public func validate() throws {
        try backbone.validate()
        try ConfigurationError.require(
            (backbone.stride...4096).contains(side) && side.isMultiple(of: backbone.stride),
            "page classifier: image_size \(side) must be a multiple of the backbone's stride \(backbone.stride), at most 4096"
        )
        try ConfigurationError.require(
            (0...1).contains(threshold), "page classifier: threshold \(threshold) must be within 0...1")
    }
}

/// Tells pictures of low content from others. Names: `vision_stem`, `vision_stages.{s}`, `norm`, `head`.
public final class PageClassifierNetwork: Module {
    public let configuration: PageClassifierConfiguration
    /// Makes squares of pictures and batches of squares.
    public let preprocessor: ImagePreprocessor
    let backbone: ConvNeXt
    let norm: LayerNorm
    let head: Linear

    public init(_ configuration: PageClassifierConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        preprocessor = ImagePreprocessor(highResolution: configuration.side, lowResolution: configuration.side)
        backbone = try ConvNeXt(configuration.backbone, weights)
        let width = configuration.backbone.widths[configuration.backbone.widths.count - 1]
        norm = try LayerNorm(width, epsilon: configuration.backbone.layerNormEpsilon, weights / "norm")
        head = try Linear(
            width, 1, weights / "head", initializer: .truncatedNormal(deviation: 0.02), biasInitializer: .zeros)
        super.init(weights)
    }

    /// The logit of low content of each picture, [B].
    /// - Parameter squares: as `square` makes them, [B, S, S, 3] in 8 bits
    public func callAsFunction(_ squares: Tensor) throws -> Tensor {
        let pixels = try preprocessor.normalized(squares).to(device: weights.store.device)
        let map = try backbone(pixels).last  // [B, C, S / 32, S / 32]
        guard let map else { throw ConfigurationError("page classifier: the backbone has no stage") }
        return try head(norm(map.mean(2, 3))).squeezed(1)
    }

    /// A picture as the network sees it: fitted into a square; transparent parts are white, as on a web page.
    public static func square(_ image: Image, side: Int) throws -> Image {
        try ImagePreprocessor(highResolution: side, lowResolution: side).squarePixels(onWhite(image))
    }

    private static func onWhite(_ image: Image) throws -> Image {
        guard image.channels == 4 else { return image }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(image.width * image.height * 3)
        for start in stride(from: 0, to: image.pixels.count, by: 4) {
            let alpha = Int(image.pixels[start + 3])
            for channel in start..<start + 3 {
                pixels.append(UInt8((Int(image.pixels[channel]) * alpha + 255 * (255 - alpha) + 127) / 255))
            }
        }
        return try Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
    }
}

// MARK: - Files

extension PageClassifierNetwork {
    /// Loads `config.json` and the safetensors of a folder.
    ///
    /// - Throws: `CheckpointError`, `ConfigurationError`, or `LoadReport` naming every tensor that does not fit.
    public static func load(_ folder: URL, device: Device = .cpu) throws -> PageClassifierNetwork {
        let archive = try TensorArchives.open(at: folder)
        let file = folder.appendingPathComponent("config.json")
        let configuration: PageClassifierConfiguration
        do {
            configuration = try JSONDecoder().decode(PageClassifierConfiguration.self, from: Data(contentsOf: file))
        } catch let error as DecodingError {
            throw ConfigurationError("\(file.path) is no configuration of a page classifier: \(error.readable)")
        } catch {
            throw CheckpointError(
                .missingFile, path: file.path, "there is no such file; it states the network's sizes.")
        }
        let store = ParameterStore(archive, device: device, dtype: .float32)
        let network = try PageClassifierNetwork(configuration, store.weights)
        try store.checkComplete()
        return network
    }

    /// Writes `config.json` and the weights, these in 16 bits: half the size, and no probability moves by a thousandth.
    public func save(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(encoder.encode(configuration), to: folder.appendingPathComponent("config.json"))
        let tensors = try weights.entries.map { ($0.name, try $0.tensor.detached().to(dtype: .float16)) }
        try SafetensorsWriter.write(tensors, to: folder.appendingPathComponent("model.safetensors"))
    }
}
