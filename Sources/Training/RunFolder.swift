import Checkpoints
import Foundation

/// The files of a training run: `config.json`, `log.jsonl` and a folder `step-N` for every kept checkpoint.
public struct RunFolder: Sendable {
    public let url: URL

    /// Makes the folder where there is none.
    /// - Parameter isMade: false for a process that leaves the folder to another.
    /// - Throws: `TrainingError.unwritable`.
    public init(_ url: URL, isMade: Bool = true) throws {
        self.url = url
        if !isMade { return }
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw TrainingError.unwritable(path: url.path, reason: "\(error)")
        }
    }

    /// Steps that have a checkpoint, ascending.
    public var checkpointSteps: [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.sorted()
    }

    /// The newest checkpoint's folder.
    public var latest: URL? { checkpointSteps.last.map(checkpoint) }

    /// The folder of a step's checkpoint.
    public func checkpoint(_ step: Int) -> URL { url.appendingPathComponent("step-\(step)", isDirectory: true) }

    /// Writes a checkpoint: `body` fills a folder, which gets its name when it is complete. Older ones are deleted but for
    /// the last `keeping`.
    public func writeCheckpoint(_ step: Int, keeping: Int, _ body: (URL) throws -> Void) throws {
        let files = FileManager.default
        let partial = url.appendingPathComponent(".partial-\(step)", isDirectory: true)
        do {
            if files.fileExists(atPath: partial.path) { try files.removeItem(at: partial) }
            try files.createDirectory(at: partial, withIntermediateDirectories: false)
            try body(partial)
            let final = checkpoint(step)
            if files.fileExists(atPath: final.path) { try files.removeItem(at: final) }
            try files.moveItem(at: partial, to: final)
            for old in checkpointSteps.dropLast(max(1, keeping)) { try files.removeItem(at: checkpoint(old)) }
        } catch let error as CocoaError {
            throw TrainingError.unwritable(path: partial.path, reason: error.localizedDescription)
        }
    }

    /// Renames a step's checkpoint, so that it is no longer taken for one.
    /// - Returns: its new name
    func setAside(_ step: Int) throws -> String {
        let name = "damaged-step-\(step)-\(UUID().uuidString.prefix(8))"
        do {
            try FileManager.default.moveItem(at: checkpoint(step), to: url.appendingPathComponent(name))
        } catch {
            throw TrainingError.unwritable(path: checkpoint(step).path, reason: "\(error)")
        }
        return name
    }

    /// Writes settings or the like as JSON, all at once.
    public func write(_ value: some Encodable, to name: String) throws {
        try Self.write(value, to: url.appendingPathComponent(name))
    }

    static func write(_ value: some Encodable, to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(encoder.encode(value), to: url)
    }

    static func read<Value: Decodable>(_ type: Value.Type, from url: URL) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(contentsOf: url))
        } catch {
            throw TrainingError.unusableRun(path: url.path, reason: "\(error)")
        }
    }
}

/// A run's record: one JSON object a line, appended as things happen.
final class RunLog {
    private let file: FileHandle?

    /// - Parameter folder: nil for a process that leaves the record to another.
    init(_ folder: RunFolder?) throws {
        guard let folder else {
            file = nil
            return
        }
        let url = folder.url.appendingPathComponent("log.jsonl")
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw TrainingError.unwritable(path: url.path, reason: String(cString: strerror(errno)))
        }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// - Parameter event: what the numbers are about: `step`, `evaluation`, `checkpoint`, `start`, `stop`.
    func write(_ event: String, step: Int, _ values: [String: Double] = [:]) throws {
        guard let file else { return }
        struct Line: Encodable {
            let event: String, step: Int, values: [String: Double]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try file.write(contentsOf: encoder.encode(Line(event: event, step: step, values: values)) + Data("\n".utf8))
    }
}
