// The durable state of a part: one row for every picture, and one for every picture and stage that it has passed.
//
// A stage's output and the picture's move to the next stage are one transaction: after a kill, a picture stands where its last
// complete stage left it. Schema: Documentation/data-engine.md.

import Annotations
import Boxes
import Foundation
import GRDB

/// A picture that waits for a stage, with what the stages before made of it.
struct StageTask: Sendable {
    /// Place in the source.
    var ordinal: Int
    var item: SourceItem
    /// How often failed pictures had been taken up again when this one was.
    var round: Int
    fileprivate var outputs: [Stage: Data]

    /// What an earlier stage made.
    func output<Output: Decodable>(of stage: Stage, _ type: Output.Type) throws -> Output {
        try JSONDecoder().decode(type, from: outputs[stage] ?? Data())
    }
}

/// How a picture left the engine without an annotation.
enum Departure: Sendable {
    case dropped(Drop)
    case failed(reason: String)
}

final class EngineStore: Sendable {
    let url: URL
    private let database: DatabasePool

    /// Opens a part's state, or begins one.
    /// - Throws: `EngineError.state` and `.newerState`.
    init(_ url: URL) throws {
        self.url = url
        var configuration = Configuration()
        // Another process may read the state, or look at it with sqlite3.
        configuration.busyMode = .timeout(30)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        database = try Self.guarded(url) { try DatabasePool(path: url.path, configuration: configuration) }
        let migrator = Self.migrator
        let isNewer = try Self.guarded(url) { try database.read { try migrator.hasBeenSuperseded($0) } }
        if isNewer { throw EngineError.newerState(path: url.path) }
        try Self.guarded(url) { try migrator.migrate(database) }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE item (
                        ordinal INTEGER PRIMARY KEY,
                        key TEXT NOT NULL UNIQUE,
                        source TEXT NOT NULL,
                        round INTEGER NOT NULL DEFAULT 0,
                        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'annotated', 'dropped', 'failed')),
                        stage INTEGER NOT NULL DEFAULT 0,
                        reason TEXT,
                        detail TEXT
                    );
                    CREATE INDEX item_open ON item (stage, ordinal) WHERE state = 'open';
                    CREATE INDEX item_state ON item (state, reason);
                    CREATE TABLE result (
                        ordinal INTEGER NOT NULL REFERENCES item,
                        stage INTEGER NOT NULL,
                        output TEXT,
                        seconds REAL NOT NULL,
                        finished REAL NOT NULL,
                        PRIMARY KEY (ordinal, stage)
                    ) WITHOUT ROWID;
                    CREATE TABLE tally (stage INTEGER PRIMARY KEY, done INTEGER NOT NULL, seconds REAL NOT NULL);
                    CREATE TABLE shard (
                        name TEXT PRIMARY KEY, round INTEGER NOT NULL, window INTEGER NOT NULL, samples INTEGER NOT NULL,
                        bytes INTEGER NOT NULL, sha256 TEXT NOT NULL
                    );
                    CREATE TABLE damage (place TEXT PRIMARY KEY, reason TEXT NOT NULL);
                    CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
                    """)
            try DuplicateIndex.createTable(database)
        }
        return migrator
    }

    // MARK: The source's walk

    /// Adds pictures; a key that is there already is not added again.
    func add(_ items: [(ordinal: Int, item: SourceItem)]) async throws {
        let encoder = JSONEncoder.lines
        try await write { database in
            let insert = try database.makeStatement(
                sql: "INSERT OR IGNORE INTO item (ordinal, key, source, round) VALUES (?, ?, ?, ?)")
            let round = try Self.round(database)
            for (ordinal, item) in items {
                let source = String(decoding: try encoder.encode(item), as: UTF8.self)
                try insert.execute(arguments: [ordinal, item.key, source, round])
            }
        }
    }

    func note(_ damage: SourceDamage) async throws {
        try await write {
            try $0.execute(
                sql: "INSERT OR REPLACE INTO damage VALUES (?, ?)", arguments: [damage.place, damage.reason])
        }
    }

    /// Where a walk of the source is: nil when it was walked to its end, else what its first picture's place counts from.
    func walkStart() async throws -> Int? {
        try await read { database in
            if try Self.note("walked", database) != nil { return nil }
            return try Self.note("walk start", database).flatMap { Int($0) } ?? 0
        }
    }

    func endWalk() async throws {
        try await write { try Self.setNote("walked", "1", $0) }
    }

    /// Has the source walked again for new pictures; these get places behind all others, and shards of their own.
    func reopenWalk() async throws {
        try await write { database in
            // A walk that was not finished just goes on.
            guard try Self.note("walked", database) != nil else { return }
            let last = try Int.fetchOne(database, sql: "SELECT MAX(ordinal) FROM item") ?? -1
            try Self.setNote("walk start", "\(last + 1)", database)
            try Self.setNote("round", "\(Self.round(database) + 1)", database)
            try database.execute(sql: "DELETE FROM note WHERE name = 'walked'")
        }
    }

    /// Takes failed pictures up again, where they failed, and begins a round for them.
    /// - Returns: their number
    func reopenFailed() async throws -> Int {
        try await write { database in
            let count = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM item WHERE state = 'failed'") ?? 0
            if count == 0 { return 0 }
            let round = try Self.round(database) + 1
            try Self.setNote("round", "\(round)", database)
            try database.execute(
                sql: "UPDATE item SET state = 'open', reason = NULL, detail = NULL, round = ? WHERE state = 'failed'",
                arguments: [round])
            return count
        }
    }

    private static func round(_ database: Database) throws -> Int {
        try note("round", database).flatMap { Int($0) } ?? 0
    }

    private static func note(_ name: String, _ database: Database) throws -> String? {
        try String.fetchOne(database, sql: "SELECT value FROM note WHERE name = ?", arguments: [name])
    }

    private static func setNote(_ name: String, _ value: String, _ database: Database) throws {
        try execute("INSERT OR REPLACE INTO note VALUES (?, ?)", [name, value], database)
    }

    // MARK: Passing stages

    /// Places of the pictures that wait for a stage, in the source's order.
    /// - Parameter inOrder: only those that no earlier picture can follow any more
    func waiting(for stage: Stage, limit: Int, inOrder: Bool = false) async throws -> [Int] {
        try await read { database in
            var end = Int.max
            if inOrder {
                end = try Self.firstOpen(before: stage, database) ?? .max
            }
            return try Int.fetchAll(
                database,
                sql:
                    "SELECT ordinal FROM item WHERE state = 'open' AND stage = ? AND ordinal < ? ORDER BY ordinal LIMIT ?",
                arguments: [stage.rawValue, end, limit])
        }
    }

    /// The first picture that a stage's predecessors still have, or nil.
    private static func firstOpen(before stage: Stage, _ database: Database) throws -> Int? {
        try Int.fetchOne(
            database, sql: "SELECT MIN(ordinal) FROM item WHERE state = 'open' AND stage < ?",
            arguments: [stage.rawValue])
    }

    /// A picture with all that was made of it; nil when it is no longer open.
    func task(_ ordinal: Int) async throws -> StageTask? {
        try await read { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT source, round FROM item WHERE ordinal = ? AND state = 'open'",
                arguments: [ordinal])
            return try row.map { row in
                let source: String = row["source"]
                return StageTask(
                    ordinal: ordinal, item: try JSONDecoder().decode(SourceItem.self, from: Data(source.utf8)),
                    round: row["round"], outputs: try Self.outputs(of: ordinal, database))
            }
        }
    }

    private static func outputs(of ordinal: Int, _ database: Database) throws -> [Stage: Data] {
        let rows = try Row.fetchAll(
            database, sql: "SELECT stage, output FROM result WHERE ordinal = ? AND output IS NOT NULL",
            arguments: [ordinal])
        let pairs = rows.compactMap { row in
            Stage(rawValue: row["stage"]).map { ($0, Data((row["output"] as String).utf8)) }
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// How many pictures were fetched and wait to be packed.
    func aheadCount() async throws -> Int {
        try await read {
            try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM item WHERE state = 'open' AND stage > 0") ?? 0
        }
    }

    func openCount() async throws -> Int {
        try await read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM item WHERE state = 'open'") ?? 0 }
    }

    /// The pictures whose files are wanted.
    func openOrdinals() async throws -> Set<Int> {
        try await read { try Int.fetchSet($0, sql: "SELECT ordinal FROM item WHERE state = 'open' AND stage > 0") }
    }

    /// A stage is done with a picture: it goes on to the next.
    func finish(_ stage: Stage, _ ordinal: Int, output: some Encodable & Sendable, seconds: Double) async throws {
        let text = String(decoding: try JSONEncoder.lines.encode(output), as: UTF8.self)
        try await write { database in
            try Self.record(stage, ordinal, text, seconds, database)
            try Self.execute("UPDATE item SET stage = ? WHERE ordinal = ?", [stage.rawValue + 1, ordinal], database)
        }
    }

    /// A picture leaves at a stage.
    func leave(_ stage: Stage, _ ordinal: Int, _ departure: Departure, seconds: Double) async throws {
        try await write { database in
            switch departure {
            case .dropped(let drop):
                try Self.record(stage, ordinal, nil, seconds, database)
                try Self.execute(
                    "UPDATE item SET state = 'dropped', reason = ?, detail = ? WHERE ordinal = ?",
                    [drop.reason, drop.detail, ordinal], database)
            case .failed(let reason):
                // No result: when the picture is taken up again, the stage is still before it.
                try Self.execute(
                    "UPDATE item SET state = 'failed', reason = ?, detail = ? WHERE ordinal = ?",
                    [stage.name, reason, ordinal], database)
            }
        }
    }

    /// Sends a picture back to the first stage, as though it had not been fetched.
    func restart(_ ordinal: Int) async throws {
        try await write { database in
            try Self.execute("DELETE FROM result WHERE ordinal = ?", [ordinal], database)
            try Self.execute("DELETE FROM duplicate_hash WHERE ordinal = ?", [ordinal], database)
            try Self.execute("UPDATE item SET stage = 0 WHERE ordinal = ?", [ordinal], database)
        }
    }

    /// Passes a picture on unless it looks like an earlier one.
    /// - Throws: `Drop`.
    func deduplicate(
        _ ordinal: Int, _ collected: CollectedRecord, _ conversation: [ConversationTurn]?, by index: DuplicateIndex,
        seconds: Double
    ) async throws {
        let drop = try await write { database in
            let judgement = try index.judge(
                ordinal: Int64(ordinal), sha256: collected.sha256, perceptualHash: collected.perceptualHash,
                conversation: conversation, in: database)
            if let drop = judgement.drop { return drop as Drop? }
            try Self.record(.deduplicate, ordinal, nil, seconds, database)
            try Self.execute(
                "UPDATE item SET stage = ? WHERE ordinal = ?", [Stage.deduplicate.rawValue + 1, ordinal], database)
            return nil
        }
        if let drop { throw drop }
    }

    // MARK: Shards

    /// The pictures of a shard that can be written.
    struct ShardPlan: Sendable {
        var round: Int, window: Int
        var ordinals: [Int]
    }

    /// The first shard whose pictures have all either come to the last stage or left.
    func nextShard(windowLength: Int) async throws -> ShardPlan? {
        try await read { database in
            let isWalked = try Self.note("walked", database) != nil
            let end = isWalked ? Int.max : try Int.fetchOne(database, sql: "SELECT MAX(ordinal) FROM item") ?? 0
            // Later rounds take up single pictures of any window; they come together in shards of their own.
            let candidates = try Row.fetchCursor(
                database,
                sql: """
                    SELECT round, ordinal / ? AS window, MIN(stage) AS least FROM item WHERE state = 'open'
                    GROUP BY round, window ORDER BY round, window
                    """, arguments: [windowLength])
            while let row = try candidates.next() {
                let round: Int = row["round"], window: Int = row["window"], least: Int = row["least"]
                guard least == Stage.pack.rawValue, (window + 1) * windowLength <= end else { continue }
                let ordinals = try Int.fetchAll(
                    database,
                    sql: """
                        SELECT ordinal FROM item WHERE state = 'open' AND round = ? AND ordinal >= ? AND ordinal < ?
                        ORDER BY ordinal
                        """, arguments: [round, window * windowLength, (window + 1) * windowLength])
                return ShardPlan(round: round, window: window, ordinals: ordinals)
            }
            return nil
        }
    }

    /// A shard is in place: its pictures are annotated.
    func finishShard(_ shard: ShardSummary, round: Int, window: Int, _ ordinals: [Int], seconds: Double) async throws {
        let output = String(decoding: try JSONEncoder.lines.encode(PackRecord(shard: shard.name)), as: UTF8.self)
        try await write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO shard VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [shard.name, round, window, shard.samples, shard.bytes, shard.sha256])
            for ordinal in ordinals {
                try Self.record(.pack, ordinal, output, seconds / Double(ordinals.count), database)
                try Self.execute("UPDATE item SET state = 'annotated' WHERE ordinal = ?", [ordinal], database)
                // The shard holds it all now; what is kept is how long it took.
                try Self.execute("UPDATE result SET output = NULL WHERE ordinal = ?", [ordinal], database)
            }
        }
    }

    private static func record(
        _ stage: Stage, _ ordinal: Int, _ output: String?, _ seconds: Double, _ database: Database
    ) throws {
        try execute(
            "INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?)",
            [ordinal, stage.rawValue, output, seconds, Date.now.timeIntervalSince1970], database)
        try execute(
            """
            INSERT INTO tally VALUES (?, 1, ?)
            ON CONFLICT (stage) DO UPDATE SET done = done + 1, seconds = seconds + excluded.seconds
            """, [stage.rawValue, seconds], database)
    }

    private static func execute(_ sql: String, _ arguments: StatementArguments, _ database: Database) throws {
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    // MARK: Access

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await database.read(body) } catch { throw failure(error) }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await database.write(body) } catch { throw failure(error) }
    }

    /// Reads on the caller's thread.
    func readNow<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try Self.guarded(url) { try database.read(body) }
    }

    private func failure(_ error: any Error) -> any Error {
        error is CancellationError ? error : Self.stateError(error, url)
    }

    private static func stateError(_ error: any Error, _ url: URL) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        if error.resultCode == .SQLITE_INTERRUPT || error.resultCode == .SQLITE_ABORT { return CancellationError() }
        return EngineError.state(path: url.path, reason: error.message ?? "\(error.resultCode)")
    }

    private static func guarded<Value>(_ url: URL, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw stateError(error, url) }
    }
}
