import Checkpoints
import Foundation
import Imaging
import Torch
import TorchNN

let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
let smallModel = fixtures.appending(path: "model")

/// What transformers made of some pictures and texts; `Scripts/oracles/grounding_dino.py` wrote it.
struct Expected {
    struct Results: Decodable {
        struct Labelled: Decodable {
            var box: [Double]
            var score: Double
            var label: String
        }

        var texts: [String]
        var boxThreshold: Double, textThreshold: Double
        var labelled: [[Labelled]]
        /// Width and height of pictures, then of what they are resized to.
        var sizes: [[Int]]
    }

    let tensors: any TensorArchive
    let results: Results

    init(_ folder: URL = fixtures) throws {
        tensors = try TensorArchives.open(at: folder.appending(path: "expected.safetensors"))
        results = try JSONDecoder().decode(
            Results.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
    }

    subscript(name: String) -> Tensor { get throws { try tensors.tensor(named: name) } }

    var pictures: [Image] {
        get throws {
            try results.texts.indices.map { index in
                let pixels = try self["picture.\(index)"]
                return try Image(
                    width: pixels.size(1), height: pixels.size(0), channels: 3, pixels: pixels.array(of: UInt8.self))
            }
        }
    }

    /// The ids of the texts without padding.
    var rows: [[Int]] {
        get throws {
            let ids = try self["ids"]
            let all = try ids.array(of: Int.self), length = ids.size(1)
            return (0..<ids.size(0)).map { row in all[row * length..<(row + 1) * length].filter { $0 != 0 } }
        }
    }
}

/// Largest difference of two tensors of the same shape; equal infinities do not differ, and what is no number differs without limit.
func difference(_ a: Tensor, _ b: Tensor) throws -> Float {
    if a.shape != b.shape { return .infinity }
    return try zip(a.array(of: Float.self), b.array(of: Float.self)).reduce(0) { worst, pair in
        if pair.0 == pair.1 { return worst }
        let distance = abs(pair.0 - pair.1)
        return distance.isNaN ? .infinity : max(worst, distance)
    }
}

/// Tensors of another source with some left out, replaced or added.
struct Altered: TensorSource {
    var base: any TensorSource
    var without: (String) -> Bool = { _ in false }
    var with: [String: Tensor] = [:]

    var tensorNames: [String] { base.tensorNames.filter { !without($0) && with[$0] == nil } + with.keys }

    func shape(of name: String) -> [Int]? { with[name]?.shape ?? (without(name) ? nil : base.shape(of: name)) }

    func tensor(named name: String) throws -> Tensor { try with[name] ?? base.tensor(named: name) }
}

/// A picture with structure everywhere.
func testImage(width: Int, height: Int) throws -> Image {
    let pixels = (0..<(width * height * 3)).map { index -> UInt8 in
        UInt8(truncatingIfNeeded: (index / 3 % width) * 5 + (index / 3 / width) * 3 + (index % 3) * 80)
    }
    return try Image(width: width, height: height, channels: 3, pixels: pixels)
}

/// A copy of the small model's folder for a test to spoil.
func withCopyOfModel<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "grounding-dino-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: smallModel, to: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
