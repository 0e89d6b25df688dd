import Annotations
import GRDB

/// Finds pictures that equal an earlier one, or look the same, among any number of them.
///
/// **The rule.** Pictures are judged in the order of their ordinals. One stays unless a picture with a smaller ordinal that *stayed* has the same
/// file or a perceptual hash within the distance; it is then dropped in favour of that one. So the outcome follows from the pictures and
/// their ordinals alone, whatever order they were fetched in, as long as `judge` is asked in the order of the ordinals, each in the
/// transaction that records its answer. Asked again for a picture, after a kill, it answers the same.
///
/// **Conversations.** What is said about a picture is as much of the item as the picture: instruction data ask about the same picture again
/// and again. Such an item is a duplicate only of one with the same file and the same words.
///
/// Hashes are found by 4 bands of 16 bits (multi-index hashing): of two hashes that differ in at most *d* bits, one band differs in at most
/// *d*/4, so that each band is looked up with the few values that near. Only pictures that stayed are stored.
public struct DuplicateIndex: Sendable {
    /// Beyond it the values of a band that would have to be looked up are too many.
    public static let longestDistance = 11

    /// Whether a picture stays.
    public enum Judgement: Sendable, Hashable {
        case stays
        /// The same file as that of the picture `of`.
        case equal(of: Int64)
        /// Its hash differs in `distance` bits from that of the picture `of`: the nearest, of equally near ones the first.
        case near(of: Int64, distance: Int)

        /// As the reason for a drop; nil for a picture that stays.
        public var drop: Drop? {
            switch self {
            case .stays: nil
            case .equal(let ordinal): Drop(DropReason.duplicate, detail: "of item \(ordinal)")
            case .near(let ordinal, let distance):
                Drop(DropReason.nearDuplicate, detail: "of item \(ordinal), \(distance) bits apart")
            }
        }
    }

    /// Bits in which hashes of pictures that look the same differ at most; nil where only equal files count.
    public let distance: Int?
    /// What a band is combined with to get all values in reach.
    private let masks: [UInt16]
    private let candidatesSQL: String

    /// - Parameter distance: at most `longestDistance`; larger ones are cut
    public init(distance: Int?) {
        self.distance = distance.map { min(max($0, 0), Self.longestDistance) }
        let reach = (self.distance ?? 0) / 4
        masks = (0...UInt16.max).filter { $0.nonzeroBitCount <= reach }
        // A band that is near in itself is one of a few values, which the index finds one by one.
        let values = Array(repeating: "?", count: masks.count).joined(separator: ",")
        candidatesSQL = (0..<4).map {
            "SELECT ordinal, hash FROM duplicate_hash WHERE band\($0) IN (\(values)) AND ordinal < ?"
        }.joined(separator: " UNION ALL ")
    }

    public init(_ settings: CollectionSettings) {
        self.init(distance: settings.dropsNearDuplicates ? settings.nearDuplicateBits : nil)
    }

    /// Makes the table, for a migration of the engine's data base.
    public static func createTable(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE duplicate_hash (
                    ordinal INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, hash INTEGER NOT NULL,
                    band0 INTEGER NOT NULL, band1 INTEGER NOT NULL, band2 INTEGER NOT NULL, band3 INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX duplicate_hash_sha256 ON duplicate_hash(sha256);
                CREATE INDEX duplicate_hash_band0 ON duplicate_hash(band0);
                CREATE INDEX duplicate_hash_band1 ON duplicate_hash(band1);
                CREATE INDEX duplicate_hash_band2 ON duplicate_hash(band2);
                CREATE INDEX duplicate_hash_band3 ON duplicate_hash(band3);
                """)
    }

    /// Whether a picture stays; all with smaller ordinals must have been judged before. Remembers it if it stays.
    ///
    /// - Parameter conversation: what is said about the picture
    public func judge(
        ordinal: Int64, sha256: String, perceptualHash: UInt64, conversation: [ConversationTurn]? = nil,
        in database: Database
    ) throws -> Judgement {
        let said = (conversation ?? []).flatMap { [$0.question, $0.answer] }.joined(separator: "\u{0}")
        let identity = said.isEmpty ? sha256 : sha256 + "/" + Annotation.digest(of: Array(said.utf8))
        let judgement = try find(ordinal, identity, perceptualHash, said.isEmpty ? distance : nil, database)
        guard judgement == .stays else {
            // Where another file was fetched the first time.
            try database.cachedStatement(sql: "DELETE FROM duplicate_hash WHERE ordinal = ?").execute(arguments: [
                ordinal
            ])
            return judgement
        }
        let bands = Self.bands(perceptualHash)
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO duplicate_hash VALUES (?, ?, ?, ?, ?, ?, ?)"
        ).execute(
            arguments: StatementArguments(
                [ordinal, identity, Int64(bitPattern: perceptualHash)] + bands.map { Int($0) }
                    as [any DatabaseValueConvertible]))
        return .stays
    }

    private func find(
        _ ordinal: Int64, _ identity: String, _ hash: UInt64, _ distance: Int?, _ database: Database
    ) throws -> Judgement {
        let equal = try Int64.fetchOne(
            database.cachedStatement(
                sql: "SELECT ordinal FROM duplicate_hash WHERE sha256 = ? AND ordinal < ? ORDER BY ordinal LIMIT 1"),
            arguments: [identity, ordinal])
        if let equal { return .equal(of: equal) }
        guard let distance else { return .stays }
        var arguments: [any DatabaseValueConvertible] = []
        arguments.reserveCapacity(4 * (masks.count + 1))
        for band in Self.bands(hash) {
            for mask in masks { arguments.append(Int(band ^ mask)) }
            arguments.append(ordinal)
        }
        var best: (distance: Int, ordinal: Int64)?
        let rows = try Row.fetchCursor(
            database.cachedStatement(sql: candidatesSQL), arguments: StatementArguments(arguments))
        while let row = try rows.next() {
            let (other, stored): (Int64, Int64) = (row[0], row[1])
            let apart = (hash ^ UInt64(bitPattern: stored)).nonzeroBitCount
            if apart <= distance, best.map({ (apart, other) < ($0.distance, $0.ordinal) }) ?? true {
                best = (apart, other)
            }
        }
        return best.map { .near(of: $0.ordinal, distance: $0.distance) } ?? .stays
    }

    private static func bands(_ hash: UInt64) -> [UInt16] {
        (0..<4).map { UInt16(truncatingIfNeeded: hash >> (16 * $0)) }
    }
}
