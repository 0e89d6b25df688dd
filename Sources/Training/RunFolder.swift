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
        // What a full disk holds of it is in the way of the next try. After success there is none.
        defer { try? files.removeItem(at: partial) }
        do {
            if files.fileExists(atPath: partial.path) { try files.removeItem(at: partial) }
            try files.createDirectory(at: partial, withIntermediateDirectories: false)
            try body(partial)
            let final = checkpoint(step)
            if files.fileExists(atPath: final.path) { try files.removeItem(at: final) }
            try files.moveItem(at: partial, to: final)
            for old in checkpointSteps.dropLast(max(1, keeping)) { try files.removeItem(at: checkpoint(old)) }
        } catch let error as CocoaError {
            throw unwritable(step, error.localizedDescription)
        } catch let error as CheckpointError where error.kind == .writeFailed {
            throw unwritable(step, "\(error)")
        }
    }

    private func unwritable(_ step: Int, _ reason: String) -> TrainingError {
        let last = latest.map { "\($0.lastPathComponent) is untouched" } ?? "There is no checkpoint before it"
        return .unwritable(
            path: checkpoint(step).path,
            reason: "\(reason) \(last); make room and repeat the command to go on.")
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
