import Annotations
import Checkpoints
import Foundation

/// An import into shards that may end at any moment: begun again in the same way, it goes on behind the last complete shard.
///
/// Everything is made in a hidden folder beside the output, which takes the output's name at the end. So what bears the name is whole.
struct ShardedImport {
    /// `import.json`: what the import was begun with and how far it is; in the end, an account of it.
    struct State: Codable {
        var version = 1
        var format: ImportFormat
        /// The place with sizes and times of its files: another state of them is another import.
        var source: String
        var settings: ImportSettings
        var limits: ShardSink.Limits
        /// Records behind the last complete shard.
        var records = 0
        var report = ExchangeReport()
        var shards: [ShardSummary] = []

        func isSameImport(as other: State) -> Bool {
            version == other.version && format == other.format && source == other.source && settings == other.settings
                && limits == other.limits
        }
    }

    private static let stateName = "import.json"

    let format: ImportFormat
    let place: URL
    let settings: ImportSettings
    let limits: ShardSink.Limits
    /// Told the number of records and the account so far, after every record.
    let onRecord: (Int, ExchangeReport) throws -> Void

    func run(to url: URL) throws -> ExchangeReport {
        try refuseContents(of: url)
        let hidden = url.deletingLastPathComponent().appendingPathComponent(
            ".\(url.lastPathComponent).import", isDirectory: true)
        let work = OutputFolder(hidden), files = FileManager.default
        let lock = try PartLock(hidden, .whole)
        defer { withExtendedLifetime(lock) {} }
        var state = State(format: format, source: Self.fingerprint(of: place), settings: settings, limits: limits)
        if let former = Self.state(in: hidden), former.isSameImport(as: state) { state = former }
        let sink = try ShardSink(work, limits: limits, after: state.shards)
        let start = RecordImporter.Start(
            records: state.records, report: state.report,
            keys: try state.shards.flatMap { try Self.keys(of: $0, in: work) })
        let importer = RecordImporter(place: place, settings: settings, sink: sink, start: start) { records, report in
            if try sink.closeIfFull() {
                (state.records, state.report, state.shards) = (records, report, sink.shards)
                try Self.save(state, in: hidden)
            }
            try onRecord(records, report)
        }
        do {
            try AnnotationExchange.read(format, place, importer)
            (state.records, state.report) = (importer.recordCount, try importer.finish())
        } catch let error as ExchangeError {
            // It would end in the same way again.
            try? files.removeItem(at: hidden)
            throw error
        }
        state.shards = sink.shards
        try Self.save(state, in: hidden)
        try OutputFolder.accessing(url) {
            try files.removeItem(at: hidden.appendingPathComponent("lock"))
            // Only an empty folder can be in the way.
            rmdir(url.path)
            try files.moveItem(at: hidden, to: url)
        }
        return state.report
    }

    /// - Throws: `ExchangeError.unwritable` where there is something already.
    private func refuseContents(of url: URL) throws {
        guard FileManager.default.fileExists(atPath: url.path) else {
            return try OutputFolder.make(url.deletingLastPathComponent())
        }
        let found = try? FileManager.default.contentsOfDirectory(atPath: url.path)
        if found?.isEmpty != true {
            throw ExchangeError.unwritable(path: url.path, reason: "it is not empty; name a new folder")
        }
    }

    // MARK: State

    private static func state(in folder: URL) -> State? {
        let data = try? Data(contentsOf: folder.appendingPathComponent(stateName))
        return data.flatMap { try? JSONDecoder().decode(State.self, from: $0) }
    }

    private static func save(_ state: State, in folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let url = folder.appendingPathComponent(stateName)
        try OutputFolder.accessing(url) { try AtomicFile.write(encoder.encode(state), to: url) }
    }

    private static func keys(of shard: ShardSummary, in folder: OutputFolder) throws -> [String] {
        let url = folder.lines(of: shard)
        return try OutputFolder.accessing(url) {
            try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map {
                try JSONDecoder().decode(ShardIndexEntry.self, from: $0).key
            }
        }
    }

    /// The place, and of its file, or of the files that lie in it, names, sizes and times of the last change.
    private static func fingerprint(of place: URL) -> String {
        let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey, .isRegularFileKey]
        let files =
            place.isFolder
            ? ((try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: Array(keys))) ?? [])
            : [place]
        let lines = files.compactMap { file -> String? in
            guard let values = try? file.resourceValues(forKeys: keys), values.isRegularFile == true else { return nil }
            let time = values.contentModificationDate?.timeIntervalSince1970 ?? 0
            return "\(file.lastPathComponent) \(values.fileSize ?? 0) \(time)"
        }
        let text = lines.sorted().joined(separator: "\n")
        return "\(place.standardizedFileURL.path) \(Annotation.digest(of: Array(text.utf8)))"
    }
}

extension AnnotationExchange {
    /// Reads another form into shards in a new folder, as the engine writes them: with `index.jsonl`, `shards.json`, and an account in
    /// `import.json`. A call that is repeated after the process ended goes on where it was.
    ///
    /// - Parameters:
    ///   - place: the folder, or its main file
    ///   - folder: new or empty; appears when everything is in it
    ///   - onRecord: told the number of records and the account so far, after every record; what it throws ends the import for now
    /// - Throws: `ExchangeError`; what `onRecord` throws; `EngineError.inaccessible` for a folder that cannot be written to, `.busy` where another process makes it.
    public static func importRecords(
        _ format: ImportFormat, from place: URL, to folder: URL, settings: ImportSettings = ImportSettings(),
        limits: ShardSink.Limits = ShardSink.Limits(),
        onRecord: @escaping (Int, ExchangeReport) throws -> Void = { _, _ in }
    ) throws -> ExchangeReport {
        try ShardedImport(format: format, place: place, settings: settings, limits: limits, onRecord: onRecord).run(
            to: folder)
    }
}
