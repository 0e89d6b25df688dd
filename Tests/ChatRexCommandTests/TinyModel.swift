import ChatRex
import Foundation
import Imaging
import LanguageModels
import Tokenizers
import Torch
import TorchNN
import UPN
import VisionEncoders

/// A model of random numbers, small enough to answer at once. What it says means nothing; that it answers is what is tested.
enum TinyModel {
    /// The folder, made once for all tests.
    static let folder: Result<URL, any Error> = Result { try make() }

    private static func make() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "chatrex-tiny-\(ProcessInfo.processInfo.processIdentifier)")
        try? FileManager.default.removeItem(at: folder)
        try Runtime.seed(7)
        let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Golden/chatrex-tiny/tokenizer.json")
        let tokenizer = try BytePairTokenizer(contentsOf: golden)
        let size = try tokenizer.adding(specialTokens: ChatRexTokens.all).vocabularySize
        let configuration = ChatRexConfiguration(
            language: Qwen2Configuration(
                width: 32, hiddenWidth: 64, layerCount: 2, headCount: 4, keyValueHeadCount: 2, vocabularySize: size),
            clip: CLIPConfiguration(
                imageSize: 32, patchSize: 16, width: 32, layerCount: 2, headCount: 4, hiddenWidth: 64),
            convNeXt: ConvNeXtConfiguration(widths: [8, 16, 16, 24], depths: [1, 1, 1, 1]), highResolution: 64)
        try ChatRexModel(configuration, ParameterStore().weights).save(to: folder)
        let network = UPNConfiguration(
            backbone: SwinConfiguration(width: 8, depths: [1, 1, 1, 1], headCounts: [1, 1, 2, 2], windowSize: 4),
            width: 32,
            headCount: 4, hiddenWidth: 64, encoderLayerCount: 1, decoderLayerCount: 1, queryCount: 20, groupCount: 8,
            shortSide: 64,
            longSide: 96)
        try UniversalProposalNetwork(network, ParameterStore().weights).save(to: folder.appendingPathComponent("upn"))
        try FileManager.default.copyItem(at: golden, to: folder.appendingPathComponent("tokenizer.json"))
        return folder
    }
}

extension Image {
    /// Writes a picture whose pixels all differ.
    static func writePattern(width: Int = 96, height: Int = 64, to url: URL) throws {
        let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
        try Image(width: width, height: height, channels: 3, pixels: pixels).write(to: url.path)
    }
}
