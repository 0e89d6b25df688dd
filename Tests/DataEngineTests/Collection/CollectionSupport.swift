import DataEngine
import Foundation
import Imaging

/// Runs `body` with a new empty folder, removed afterwards.
func withCollectionFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("collection-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

extension URL {
    /// Writes a file below a folder.
    @discardableResult
    func adding(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        return file.path
    }

    @discardableResult
    func adding(_ name: String, _ text: String) throws -> String { try adding(name, Array(text.utf8)) }
}

/// An archive in the classical format.
func tarArchive(_ members: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    func octal(_ number: Int, _ width: Int) -> [UInt8] {
        let digits = String(number, radix: 8)
        return Array((String(repeating: "0", count: width - 1 - digits.count) + digits + "\0").utf8)
    }
    var archive: [UInt8] = []
    for (name, bytes) in members {
        var block = [UInt8](repeating: 0, count: 512)
        block.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        block.replaceSubrange(124..<136, with: octal(bytes.count, 12))
        block.replaceSubrange(148..<156, with: Array("        ".utf8))
        block[156] = UInt8(ascii: "0")
        block.replaceSubrange(257..<265, with: Array("ustar\u{0}00".utf8))
        block.replaceSubrange(148..<155, with: octal(block.reduce(0) { $0 + Int($1) }, 7))
        archive += block + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }
    return archive + [UInt8](repeating: 0, count: 1024)
}

/// What a walk through a source gave.
actor Walk {
    private(set) var items: [SourceItem] = []
    func add(_ item: SourceItem) { items.append(item) }
}

/// What a walk reported. The callback is synchronous, so that an actor will not do.
final class Damages: @unchecked Sendable {
    // Guarded by the lock.
    private var list: [SourceDamage] = []
    private let lock = NSLock()
    func add(_ damage: SourceDamage) { lock.withLock { list.append(damage) } }
    var all: [SourceDamage] { lock.withLock { list } }
}

func walk(_ source: any ItemSource) async throws -> (items: [SourceItem], damages: [SourceDamage]) {
    let (walk, damages) = (Walk(), Damages())
    try await source.forEachItem(onDamage: { damages.add($0) }) { await walk.add($0) }
    return (await walk.items, damages.all)
}

/// The bytes of a file that the tests of `Imaging` have.
func imagingFixture(_ name: String) throws -> [UInt8] {
    let tests = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return Array(try Data(contentsOf: tests.appendingPathComponent("ImagingTests/Fixtures/\(name)")))
}

/// The photographs in the repository, by name.
func examplePhotographs() throws -> [(name: String, image: Image)] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples/images")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".jpg") }.sorted()
        .map { ($0, try Image(contentsOf: folder.appendingPathComponent($0).path)) }
}

/// A picture of a few waves and blocks, another one for each seed.
func testPicture(width: Int, height: Int, seed: Int) throws -> Image {
    var state = UInt64(seed &+ 1) &* 0x9E37_79B9_7F4A_7C15
    func random(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % limit
    }
    var pixels = [UInt8](repeating: UInt8(random(200)), count: width * height * 3)
    for _ in 0..<12 {
        let (w, h) = (1 + random(width / 2), 1 + random(height / 2))
        let (x, y) = (random(width - w), random(height - h))
        let color = (0..<3).map { _ in UInt8(random(256)) }
        for row in y..<y + h {
            for column in x..<x + w {
                pixels.replaceSubrange((row * width + column) * 3..<(row * width + column) * 3 + 3, with: color)
            }
        }
    }
    return try Image(width: width, height: height, channels: 3, pixels: pixels)
}
