// The folder of a run and its files; a folder is shared by the processes that work on its parts.

import Checkpoints
import Foundation

/// A part of a source: every picture belongs to one part, by its key.
public struct Part: Sendable, Hashable, Codable, CustomStringConvertible {
    /// From 0.
    public var index: Int
    public var count: Int

    public static let whole = Part(index: 0, count: 1)

    /// - Throws: `EngineError.invalidSetting` when there is no such part.
    public init(index: Int, of count: Int) throws {
        guard (1...100_000).contains(count), (0..<count).contains(index) else {
            throw EngineError.invalidSetting(
                name: "shard",
                reason: "\(index)/\(count) is no part; the first of four parts is 0/4, and there are at most 100000")
        }
        self.init(index: index, count: count)
    }

    private init(index: Int, count: Int) { (self.index, self.count) = (index, count) }

    public var description: String { "\(index)/\(count)" }

    /// Whether the picture with a key belongs to this part.
    func holds(_ key: String) -> Bool {
        key.stableHash % UInt64(count) == UInt64(index)
    }

    /// As part of file names; sorts by index.
    var name: String { String(format: "%0\(String(count - 1).count)d", index) }
}

/// Where a run keeps what it makes.
public struct OutputFolder: Sendable {
    public let url: URL

    public init(_ url: URL) { self.url = url }

    var manifest: URL { url.appendingPathComponent("engine.json") }
    public var shards: URL { url.appendingPathComponent("shards", isDirectory: true) }
    public var index: URL { url.appendingPathComponent("index.jsonl") }
    public var shardList: URL { url.appendingPathComponent("shards.json") }

    /// The part of the index that stands beside a shard.
    func lines(of shard: ShardSummary) -> URL {
        shards.appendingPathComponent(shard.name.replacing(".tar", with: ".jsonl"))
    }

    /// What a process keeps of its part.
    func part(_ part: Part) -> URL {
        url.appendingPathComponent("parts/\(part.name)-of-\(part.count)", isDirectory: true)
    }

    /// The file that keeps what endpoints answered to a part's questions.
    public func answers(of part: Part) -> URL { self.part(part).appendingPathComponent("answers.sqlite") }

    func state(of part: Part) -> URL { self.part(part).appendingPathComponent("state.sqlite") }

    /// What a run was begun with: everything that decides what comes out.
    struct Manifest: Codable, Equatable {
        var version = 1
        var source: String
        var parts: Int
        /// The recipe as JSON with sorted keys.
        var recipe: String
    }

    /// Notes what this run is, or makes sure that it is the one that was begun here: before anything is loaded.
    /// - Throws: `EngineError.otherRun`, `.foreignFolder`, `.inaccessible`.
    public func begin(source: String, parts: Int, recipe: String) throws {
        let manifest = Manifest(source: source, parts: parts, recipe: recipe)
        try Self.make(url)
        if !FileManager.default.fileExists(atPath: self.manifest.path) {
            let own: Set<String> = ["parts", "shards", self.manifest.lastPathComponent]
            let found = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
            if let other = found.sorted().first(where: { !own.contains($0) && !$0.hasPrefix(".") }) {
                throw EngineError.foreignFolder(folder: url.path, file: other)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let temporary = url.appendingPathComponent(".engine.\(ProcessInfo.processInfo.processIdentifier).json")
            try Self.accessing(self.manifest) { try encoder.encode(manifest).write(to: temporary) }
            // Of several processes that begin at a time, one puts its manifest there.
            link(temporary.path, self.manifest.path)
            unlink(temporary.path)
        }
        try Self.make(shards)
        let found = try readManifest()
        var differences: [String] = []
        if found.source != manifest.source { differences.append("its source is \(found.source)") }
        if found.parts != manifest.parts { differences.append("it has \(found.parts) parts") }
        if found.recipe != manifest.recipe { differences.append("its recipe differs") }
        if !differences.isEmpty {
            throw EngineError.otherRun(folder: url.path, difference: differences.joined(separator: ", "))
        }
    }

    /// - Throws: `EngineError.noRun`, `.newerState`, `.inaccessible`.
    func readManifest() throws -> Manifest {
        guard FileManager.default.fileExists(atPath: manifest.path) else { throw EngineError.noRun(folder: url.path) }
        let data = try Self.accessing(manifest) { try Data(contentsOf: manifest) }
        struct Version: Decodable { var version: Int }
        if let version = try? JSONDecoder().decode(Version.self, from: data), version.version > 1 {
            throw EngineError.newerState(path: manifest.path)
        }
        return try Self.accessing(manifest) { try JSONDecoder().decode(Manifest.self, from: data) }
    }

    /// All parts of the run.
    func parts() throws -> [Part] {
        let count = try readManifest().parts
        return try (0..<count).map { try Part(index: $0, of: count) }
    }

    static func make(_ folder: URL) throws {
        try accessing(folder) {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
    }

    static func accessing<Result>(_ url: URL, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as EngineError {
            throw error
        } catch let error as CheckpointError {
            throw EngineError.inaccessible(path: error.path, reason: error.message)
        } catch {
            let reason = error is DecodingError ? "it is damaged" : (error as NSError).localizedDescription
            throw EngineError.inaccessible(path: url.path, reason: reason)
        }
    }
}

/// Keeps other processes from a part; ends with the process.
final class PartLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `EngineError.busy`.
    init(_ folder: URL, _ part: Part) throws {
        try OutputFolder.make(folder)
        let path = folder.appendingPathComponent("lock").path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw EngineError.inaccessible(path: path, reason: String(cString: strerror(errno)))
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            close(descriptor)
            throw EngineError.busy(part: "part \(part)")
        }
    }

    deinit { close(descriptor) }
}
