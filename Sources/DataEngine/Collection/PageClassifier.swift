import ChatRex
import Foundation
import Imaging
import Torch

/// The trained classifier that finds pictures of low content.
///
/// The network runs on a thread of its own, so that calls wait without holding up other tasks.
public actor PageClassifier: LowContentJudge {
    /// What the network's folder states.
    public nonisolated let configuration: PageClassifierConfiguration
    private let network: PageClassifierNetwork
    private let executor: ModelExecutor

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// The name of the classifier that comes with the package.
    public static let builtInName = "pages"

    /// Loads a classifier.
    ///
    /// - Parameter folder: with `config.json` and `model.safetensors`; the built-in one when nil
    /// - Throws: what `ModelFolder.find` and `PageClassifierNetwork.load` throw.
    public init(_ folder: URL? = nil, device: Device = .cpu) async throws {
        let folder = try folder ?? ModelFolder.find(Self.builtInName).url
        let device = try device.checked()
        Runtime.initialize()
        executor = ModelExecutor(name: "page classifier")
        network = try PageClassifierNetwork.load(folder, device: device)
        configuration = network.configuration
    }

    /// The probability that a picture has little content: text, a form, a chart, a logo on plain white, or nothing at all.
    /// - Parameter image: of any size, RGB or RGBA
    public nonisolated func lowContentProbability(_ image: Image) async throws -> Double {
        // Making a large picture small takes longer than judging it and needs no network.
        try await probability(ofSquare: PageClassifierNetwork.square(image, side: configuration.side))
    }

    private func probability(ofSquare image: Image) throws -> Double {
        try inference {
            let squares = try Tensor(image.pixels, shape: [1, image.height, image.width, 3])
            return Double(try network(squares).sigmoid().item(Float.self))
        }
    }
}
