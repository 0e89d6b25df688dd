import Foundation
import GRDB

/// What was done, dropped and why, how fast, and what is left, over all parts of a run.
public struct EngineStatus: Codable, Sendable {
    public struct StageCount: Codable, Sendable {
        public var stage: String
        /// Pictures that passed it, and those that wait for it or are in it.
        public var done: Int, waiting: Int
        /// Mean time of a picture in it.
        public var secondsEach: Double
    }

    public struct Failure: Codable, Sendable {
        public var key: String, stage: String, error: String
    }

    public var parts: Int
    /// Parts that a process has begun, and those that are complete.
    public var begunParts: Int, completeParts: Int
    /// Whether the whole source is known.
    public var isWalked: Bool
    public var pictures: Int
    public var annotated: Int, dropped: Int, failed: Int, open: Int
    public var drops: [String: Int]
    /// Failed pictures by stage, and the last of them.
    public var failures: [String: Int]
    public var lastFailures: [Failure]
    public var stages: [StageCount]
    public var shards: Int, bytes: Int
    /// Parts of the source that could not be read.
    public var damages: [SourceDamage]
    /// Pictures that were refined, dropped or failed during the last ten minutes of work, for each minute.
    public var picturesPerMinute: Double
    /// At that speed.
    public var secondsLeft: Double?

    /// - Throws: `EngineError.noRun`, `.state`.
    public init(_ folder: OutputFolder) throws {
        let parts = try folder.parts()
        self.parts = parts.count
        (begunParts, completeParts, isWalked) = (0, 0, true)
        (pictures, annotated, dropped, failed, open) = (0, 0, 0, 0, 0)
        (drops, failures, lastFailures, damages) = ([:], [:], [], [])
        (shards, bytes, picturesPerMinute) = (0, 0, 0)
        stages = Stage.allCases.map { StageCount(stage: $0.name, done: 0, waiting: 0, secondsEach: 0) }
        var seconds = [Double](repeating: 0, count: stages.count)
        for part in parts {
            let state = folder.state(of: part)
            guard FileManager.default.fileExists(atPath: state.path) else {
                isWalked = false
                continue
            }
            begunParts += 1
            try EngineStore(state).readNow { try add($0, &seconds) }
        }
        for index in stages.indices where stages[index].done > 0 {
            stages[index].secondsEach = seconds[index] / Double(stages[index].done)
        }
        lastFailures = Array(lastFailures.suffix(10))
        if open > 0, picturesPerMinute > 0 { secondsLeft = Double(open) / picturesPerMinute * 60 }
    }

    private mutating func add(_ database: Database, _ seconds: inout [Double]) throws {
        let walked = try String.fetchOne(database, sql: "SELECT value FROM note WHERE name = 'walked'") != nil
        isWalked = isWalked && walked
        var openHere = 0
        for row in try Row.fetchAll(
            database, sql: "SELECT state, stage, reason, COUNT(*) AS n FROM item GROUP BY state, stage, reason")
        {
            let count: Int = row["n"], reason: String? = row["reason"]
            pictures += count
            switch row["state"] as String {
            case "annotated": annotated += count
            case "dropped":
                dropped += count
                drops[reason ?? "", default: 0] += count
            case "failed":
                failed += count
                failures[reason ?? "", default: 0] += count
            default:
                openHere += count
                if stages.indices.contains(row["stage"]) { stages[row["stage"]].waiting += count }
            }
        }
        open += openHere
        if walked && openHere == 0 { completeParts += 1 }
        for row in try Row.fetchAll(database, sql: "SELECT stage, done, seconds FROM tally") {
            guard stages.indices.contains(row["stage"]) else { continue }
            stages[row["stage"]].done += row["done"] as Int
            seconds[row["stage"]] += row["seconds"] as Double
        }
        for row in try Row.fetchAll(
            database, sql: "SELECT key, reason, detail FROM item WHERE state = 'failed' ORDER BY ordinal DESC LIMIT 10")
        {
            lastFailures.append(.init(key: row["key"], stage: row["reason"] ?? "", error: row["detail"] ?? ""))
        }
        let sums = try Row.fetchOne(
            database, sql: "SELECT COUNT(*) AS n, TOTAL(bytes) AS bytes FROM shard WHERE samples > 0")
        shards += sums?["n"] ?? 0
        bytes += Int(sums?["bytes"] as Double? ?? 0)
        damages += try Row.fetchAll(database, sql: "SELECT place, reason FROM damage ORDER BY place")
            .map { SourceDamage(place: $0["place"], reason: $0["reason"]) }
        // Speed over the last work, however long ago that was.
        if let last = try Double.fetchOne(database, sql: "SELECT MAX(finished) FROM result") {
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT MIN(finished - seconds) AS first,
                        COUNT(DISTINCT CASE WHEN result.stage = \(Stage.refine.rawValue) OR state IN ('dropped', 'failed')
                            THEN ordinal END) AS n
                    FROM result JOIN item USING (ordinal) WHERE finished > ?
                    """, arguments: [last - 600])
            // From the beginning of the first work of any stage on: what waits in between counts as well.
            if let count = row?["n"] as Int?, let first = row?["first"] as Double?, last > first {
                picturesPerMinute += Double(count) / (last - max(first, last - 600)) * 60
            }
        }
    }
}
