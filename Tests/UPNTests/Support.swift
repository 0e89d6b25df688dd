import Foundation
import Imaging
import Torch
import TorchNN
import UPN
import VisionEncoders

let testsFolder = URL(filePath: #filePath).deletingLastPathComponent()
let goldenFolder = testsFolder.deletingLastPathComponent().appending(path: "Golden")
let fixtures = testsFolder.appending(path: "Fixtures")

extension UPNConfiguration {
    /// Small enough to run in milliseconds; four queries are far fewer than tokens.
    static let tiny = UPNConfiguration(
        backbone: SwinConfiguration(
            width: 8, depths: [1, 2], headCounts: [1, 2], windowSize: 4, returnedStages: [0, 1]),
        width: 16, headCount: 2, pointCount: 2, hiddenWidth: 16, levelCount: 3, encoderLayerCount: 1,
        decoderLayerCount: 2,
        queryCount: 12, groupCount: 4, shortSide: 64, longSide: 96)
}

/// A fresh network whose boxes and scores vary: what starts at zero is drawn too.
func tinyNetwork(seed: Int = 3, drawingHeads: Bool = true) throws -> (
    network: UniversalProposalNetwork, store: ParameterStore
) {
    try Runtime.seed(UInt64(seed))
    let store = ParameterStore()
    let network = try UniversalProposalNetwork(.tiny, store.weights)
    if drawingHeads {
        try withoutGradients {
            let drawn = ["bbox_embed", "prompt", "sampling_offsets.weight", "attention_weights.weight"]
            for entry in store.entries where drawn.contains(where: entry.name.contains) {
                try entry.tensor.copy(from: Tensor.normal(entry.tensor.shape) * 0.3)
            }
        }
    }
    return (network, store)
}

/// A picture with structure everywhere.
func testImage(width: Int, height: Int, phase: Int = 0, channels: Int = 3) throws -> Image {
    let pixels = (0..<(width * height * channels)).map { index -> UInt8 in
        let pixel = index / channels
        return UInt8(
            truncatingIfNeeded: (pixel % width) * 5 + (pixel / width) * 3 + (index % channels) * 80 + phase * 31)
    }
    return try Image(width: width, height: height, channels: channels, pixels: pixels)
}
