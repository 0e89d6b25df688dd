import Foundation

/// Addresses of pictures in Parquet tables, as COYO, LAION and DataComp publish them.
///
/// Columns are known by name, in upper or lower case: `url`; `text` or `caption`; `width` and `height`, before them
/// `original_width` and `original_height`; `id`, `sample_id` or `uid`; scores for not being safe for work
/// (`nsfw_score_opennsfw2`, `punsafe`, …, the highest counts) and for watermarks. A key is the row's id, or made of
/// the address where there is none, as for a list of addresses: the same id or address has the same key. A table that is damaged is passed over
/// from the damaged row group on to the next.
///
/// pyarrow reads the tables, in a process of its own; some thousand rows are in memory at a time.
public struct ParquetSource: ItemSource {
    /// Why tables cannot be a source at all.
    public enum Unsuitable: Error, Sendable, Hashable, CustomStringConvertible {
        case noAddresses(file: String, columns: [String])
        /// The pictures themselves are in the table.
        case pictures(file: String, column: String)

        public var description: String {
            switch self {
            case .noAddresses(let file, let columns):
                "\(file) has no column 'url'; its columns are \(columns.prefix(30).joined(separator: ", "))"
            case .pictures(let file, let column):
                """
                \(file) holds the pictures themselves in the column '\(column)'. Pictures inside Parquet are not read: \
                write them to a folder or to WebDataset shards (.tar), and give that.
                """
            }
        }
    }

    public let files: [String]
    private let python: String?
    private let rowsAtATime: Int

    /// - Parameters:
    ///   - files: their paths, in the order to go through them
    ///   - python: one that has pyarrow; by default that of `.deps/engine-venv`, else `python3`
    public init(files: [String], python: String? = nil, rowsAtATime: Int = 2000) {
        (self.files, self.python, self.rowsAtATime) = (files, python, max(1, rowsAtATime))
    }

    /// - Throws: `Unsuitable`, `WorkerError` where pyarrow is not installed, and what `body` throws.
    public func forEachItem(
        onDamage: @escaping @Sendable (SourceDamage) -> Void, _ body: @Sendable (SourceItem) async throws -> Void
    ) async throws {
        let tables = try ParquetTables(python: python)
        for file in files {
            let path = URL(fileURLWithPath: file).path(percentEncoded: false)
            guard let table = try await undamaged(file, onDamage, { try await tables.open(path) }) else { continue }
            if table.url == nil {
                if let column = table.picture { throw Unsuitable.pictures(file: file, column: column) }
                throw Unsuitable.noAddresses(file: file, columns: table.columns)
            }
            var withoutAddress = 0
            for (group, count) in table.groups.enumerated() {
                var offset = 0
                while offset < count {
                    try Task.checkCancellation()
                    let place = "\(file), row group \(group + 1)"
                    let rows = try await undamaged(place, onDamage) {
                        try await tables.rows(of: path, group: group, offset: offset, limit: rowsAtATime)
                    }
                    guard let rows else { break }
                    if rows.isEmpty {
                        onDamage(SourceDamage(place: place, reason: "it ends after \(offset) of \(count) rows"))
                        break
                    }
                    for row in rows {
                        if let item = row.item { try await body(item) } else { withoutAddress += 1 }
                    }
                    offset += rows.count
                }
            }
            if withoutAddress > 0 {
                let reason = "\(withoutAddress) of its \(table.groups.reduce(0, +)) rows have no http(s) address"
                onDamage(SourceDamage(place: file, reason: reason))
            }
        }
        await tables.close()
    }

    /// - Returns: nil where the table is at fault, which is reported
    private func undamaged<Value>(
        _ place: String, _ onDamage: (SourceDamage) -> Void, _ read: () async throws -> Value
    ) async throws -> Value? {
        do {
            return try await read()
        } catch let error as WorkerRequestError {
            let reason = if case .refused(_, let reason) = error { reason } else { "\(error)" }
            onDamage(SourceDamage(place: place, reason: reason))
            return nil
        }
    }
}

extension ParquetTables.Row {
    /// - Returns: nil for a row without an address
    fileprivate var item: SourceItem? {
        guard let url, ["http://", "https://"].contains(where: url.lowercased().hasPrefix),
            !url.contains(where: \.isWhitespace)
        else { return nil }
        return SourceItem(
            key: ItemKey.make(url, id: id), location: .url(url), width: width, height: height, unsafeScore: unsafeScore,
            watermarkScore: watermarkScore, text: text)
    }
}
