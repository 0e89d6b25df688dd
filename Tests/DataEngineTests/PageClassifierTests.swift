import Checkpoints
import DataEngine
import Foundation
import Imaging
import Scenes
import Testing
import Torch
import TorchNN
import VisionEncoders

/// A classifier with random weights in a folder of its own.
private func withNetwork(
    _ change: (inout PageClassifierConfiguration) -> Void = { _ in }, _ body: (URL) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pages-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = PageClassifierConfiguration()
    configuration.backbone = ConvNeXtConfiguration(widths: [4, 8], depths: [1, 2])
    configuration.side = 32
    change(&configuration)
    try PageClassifierNetwork(configuration, ParameterStore().weights).save(to: folder)
    try await body(folder)
}

/// Replaces a part of the folder's configuration.
private func edit(_ folder: URL, _ old: String, _ new: String) throws {
    let file = folder.appendingPathComponent("config.json")
    let text = try String(contentsOf: file, encoding: .utf8).filter { !$0.isWhitespace }
    #expect(text.contains(old), "\(text)")
    try text.replacingOccurrences(of: old, with: new).write(to: file, atomically: true, encoding: .utf8)
}

@Suite struct PageClassifierTests {
    private static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Examples/images").standardized
    private static let hasAssets = AssetLocations.debian.missingPackages.isEmpty && ImagingSupport.hasFont
    private static let names: Set<String> = ["koala", "otter", "police car", "peacock", "toucan", "swan", "rooster"]

    @Test func `the built-in classifier keeps the example pictures and drops white ones`() async throws {
        let judge = try await PageClassifier()
        for name in ["animals", "desk", "pets", "snack", "vehicles"] {
            let image = try Image(contentsOf: Self.examples.appendingPathComponent(name + ".jpg").path)
            #expect(try await judge.lowContentProbability(image) < 0.3, "\(name)")
        }
        for (width, height) in [(300, 400), (640, 480)] {
            let white = try Image(width: width, height: height, filledWith: .white)
            #expect(try await judge.lowContentProbability(white) > 0.7)
        }
    }

    @Test(.enabled(if: hasAssets))
    func `the built-in classifier tells generated pages from pictures, with fonts and objects that it never saw`()
        async throws
    {
        let judge = try await PageClassifier()
        let assets = try SceneAssets(catalogue: Catalogue(minimumSprites: 1, names: Self.names), withPhotos: false)
        let generator = try PageGenerator(split: .heldOut, assets: assets)
        var right = 0
        for seed in UInt64(0)..<60 {
            let example = generator.example(seed: seed)
            let isDropped = try await judge.lowContentProbability(example.image) >= judge.configuration.threshold
            right += isDropped == example.isLowContent ? 1 : 0
        }
        #expect(right >= 56, "\(right) of 60")
    }

    @Test(arguments: [(1, 1), (1, 5000), (5000, 1), (3, 7), (31, 900)])
    func `pictures of any shape are judged`(width: Int, height: Int) async throws {
        try await withNetwork { folder in
            let judge = try await PageClassifier(folder)
            for channels in [Image.Channels.rgb, .rgba] {
                let image = try Image(
                    width: width, height: height, channels: channels, filledWith: Color(red: 9, green: 200, blue: 90))
                #expect((0...1).contains(try await judge.lowContentProbability(image)))
            }
        }
    }

    @Test func `transparent parts count as white`() async throws {
        try await withNetwork { folder in
            let judge = try await PageClassifier(folder)
            let clear = try Image(
                width: 20, height: 30, channels: .rgba, filledWith: Color(red: 0, green: 0, blue: 0, alpha: 0))
            let white = try Image(width: 20, height: 30, filledWith: .white)
            #expect(try await judge.lowContentProbability(clear) == judge.lowContentProbability(white))
        }
    }

    @Test func `calls at the same time get the answers that they get one after the other`() async throws {
        try await withNetwork { folder in
            let judge = try await PageClassifier(folder)
            let images = try (0..<12).map { number in
                try Image(
                    width: 40, height: 30,
                    filledWith: Color(red: UInt8(number * 20), green: 80, blue: UInt8(255 - number * 9)))
            }
            var serial: [Double] = []
            for image in images { serial.append(try await judge.lowContentProbability(image)) }
            let parallel = try await withThrowingTaskGroup(of: (Int, Double).self) { group in
                for (index, image) in images.enumerated() {
                    group.addTask { (index, try await judge.lowContentProbability(image)) }
                }
                return try await group.reduce(into: [Int: Double]()) { $0[$1.0] = $1.1 }
            }
            #expect(images.indices.map { parallel[$0] } == serial)
            #expect(Set(serial).count > 1)
        }
    }

    @Test func `every tensor that does not fit is named in one error`() async throws {
        try await withNetwork { folder in
            try edit(folder, "\"depths\":[1,2]", "\"depths\":[2,1]")
            let report = try await #require(throws: LoadReport.self) { try await PageClassifier(folder) }
            #expect(report.missing.contains("vision_stages.0.blocks.1.conv_dw.weight"))
            #expect(report.unexpected.contains("vision_stages.1.blocks.1.conv_dw.weight"))
        }
        try await withNetwork { folder in
            try edit(folder, "\"hidden_sizes\":[4,8]", "\"hidden_sizes\":[4,12]")
            let report = try await #require(throws: LoadReport.self) { try await PageClassifier(folder) }
            #expect(
                report.misshaped.contains { $0.name == "head.weight" && $0.expected == [1, 12] && $0.found == [1, 8] })
        }
    }

    @Test func `folders that hold no classifier are refused with the reason`() async throws {
        await #expect(throws: CheckpointError.self) {
            try await PageClassifier(URL(fileURLWithPath: "/nowhere/at/all"))
        }
        try await withNetwork { folder in
            try FileManager.default.removeItem(at: folder.appendingPathComponent("config.json"))
            let error = try await #require(throws: CheckpointError.self) { try await PageClassifier(folder) }
            #expect(error.kind == .missingFile && "\(error)".contains("config.json"))
        }
        for (old, new) in [
            ("\"image_size\":32", "\"image_size\":33"), ("\"image_size\":32", "\"image_size\":\"big\""),
            ("\"threshold\":0.5", "\"threshold\":7"),
        ] {
            try await withNetwork { folder in
                try edit(folder, old, new)
                await #expect(throws: ConfigurationError.self) { try await PageClassifier(folder) }
            }
        }
        try await withNetwork { folder in
            try Data("no tensors".utf8).write(to: folder.appendingPathComponent("model.safetensors"))
            await #expect(throws: CheckpointError.self) { try await PageClassifier(folder) }
        }
    }
}
