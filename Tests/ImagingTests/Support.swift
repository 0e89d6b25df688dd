import Foundation
import Imaging
import Testing

private let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

/// The path of a picture that `Fixtures/make_fixtures.py` made.
func fixture(_ name: String) -> String {
    here.appendingPathComponent("Fixtures/\(name)").path
}

/// The path of a file of the reference implementation's results.
func golden(_ name: String) -> String {
    here.deletingLastPathComponent().appendingPathComponent("Golden/\(name)").path
}

func fixtureBytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}

extension Image {
    /// The channels of one pixel.
    func pixel(_ x: Int, _ y: Int) -> [UInt8] {
        Array(pixels[(y * width + x) * channels..<(y * width + x + 1) * channels])
    }

    /// A picture whose every pixel differs from its neighbours.
    static func pattern(width: Int, height: Int, channels: Int = 3) throws -> Image {
        try Image(
            width: width, height: height, channels: channels,
            pixels: (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) })
    }

    /// The pictures of one size differ by at most `tolerance` in every channel.
    func isClose(to other: Image, tolerance: Int) -> Bool {
        width == other.width && height == other.height && channels == other.channels
            && zip(pixels, other.pixels).allSatisfy { abs(Int($0) - Int($1)) <= tolerance }
    }
}

/// The `U8` pictures [H, W, 3] of a safetensors file.
struct GoldenPictures {
    private let bytes: Data
    private let header: [String: Any]

    init(_ name: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: golden(name)))
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        header = try #require(
            try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: Any])
        bytes = data.dropFirst(8 + length)
    }

    func callAsFunction(_ name: String) throws -> Image {
        let entry = try #require(header[name] as? [String: Any])
        let shape = try #require(entry["shape"] as? [Int])
        let offsets = try #require(entry["data_offsets"] as? [Int])
        try #require(entry["dtype"] as? String == "U8" && shape.count == 3)
        return try Image(
            width: shape[1], height: shape[0], channels: shape[2],
            pixels: [UInt8](bytes.dropFirst(offsets[0]).prefix(offsets[1] - offsets[0])))
    }
}

/// Runs `body` with a new empty folder, removed afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("imaging-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}
