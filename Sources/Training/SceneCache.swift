import Boxes
import Checkpoints
import Foundation
import Imaging
import Scenes

/// Scenes rendered once and read back from disk in every epoch: drawing one costs more than a training step has to spare.
///
/// A folder with `pixels.rgb`, all pictures one after the other, and `scenes.json`.
public struct SceneCache: Sendable {
    /// Number of scenes.
    public var count: Int { index.fine.count }
    private let index: Index
    private let pixels: Data

    private struct Index: Codable {
        var version = 1
        var split: SceneSplit
        var firstSeed: UInt64
        var width: Int, height: Int
        var fine: [[Box]], coarse: [[Box]]
    }

    /// Opens a cache.
    /// - Throws: `TrainingError.unusableCache`.
    public init(_ folder: URL) throws {
        func fail(_ reason: String) -> TrainingError { .unusableCache(path: folder.path, reason: reason) }
        do {
            index = try JSONDecoder().decode(
                Index.self, from: Data(contentsOf: folder.appendingPathComponent("scenes.json")))
            pixels = try Data(contentsOf: folder.appendingPathComponent("pixels.rgb"), options: .alwaysMapped)
        } catch {
            throw fail("\(error)")
        }
        guard index.version == 1, (1...4096).contains(index.width), (1...4096).contains(index.height),
            index.coarse.count == index.fine.count, !index.fine.isEmpty,
            pixels.count == index.fine.count * index.width * index.height * 3
        else { throw fail("its files do not fit each other") }
    }

    /// The scene of a position, 0..<count.
    public func picture(_ position: Int) throws -> AnnotatedPicture {
        let size = index.width * index.height * 3
        let bytes = [UInt8](pixels[position * size..<(position + 1) * size])
        return AnnotatedPicture(
            image: try Image(width: index.width, height: index.height, channels: 3, pixels: bytes),
            fine: index.fine[position], coarse: index.coarse[position])
    }

    /// Renders `count` scenes with consecutive seeds into a folder; all must have the configured size.
    /// - Parameter progress: called with the number of scenes done.
    public static func make(
        _ folder: URL, generator: SceneGenerator, count: Int, firstSeed: UInt64, threads: Int = 2,
        progress: (Int) -> Void = { _ in }
    ) throws {
        let configuration = generator.configuration
        guard count > 0, !configuration.variesAspect else {
            throw TrainingError.invalidSetting(name: "scenes", reason: "a cache needs at least one scene, all of one size")
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var index = Index(
            split: configuration.split, firstSeed: firstSeed, width: configuration.width, height: configuration.height,
            fine: [], coarse: [])
        let scenes = Prefetcher(start: 0, threads: threads, depth: 4 * threads) { number in
            AnnotatedPicture(generator.scene(seed: firstSeed &+ UInt64(number)))
        }
        let file = try AtomicFile(replacing: folder.appendingPathComponent("pixels.rgb"))
        for number in 0..<count {
            let picture = try scenes.take()
            try file.write(picture.image.pixels)
            index.fine.append(picture.fine)
            index.coarse.append(picture.coarse)
            progress(number + 1)
        }
        try file.commit()
        try AtomicFile.write(JSONEncoder().encode(index), to: folder.appendingPathComponent("scenes.json"))
    }
}
