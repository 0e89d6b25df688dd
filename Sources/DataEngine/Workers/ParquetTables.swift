import Foundation

/// Parquet tables, read and written by pyarrow in a process of its own.
public final class ParquetTables: Sendable {
    private let worker: PythonWorker

    /// - Parameter python: one that has pyarrow; by default that of `.deps/engine-venv`, else `python3`
    public init(python: String? = nil) throws {
        var options = PythonWorker.Options()
        options.batchSize = 1
        options.gatherTime = .zero
        worker = try PythonWorker(
            name: "Parquet", script: PackageResources.parquet_rows_py, settings: [String: String](), python: python,
            options: options)
    }

    public func close() async { await worker.stop() }

    /// Makes a table of a file of JSON objects, one a line. The table appears when it is complete.
    ///
    /// - Returns: the number of its rows
    /// - Throws: `WorkerError` where pyarrow is not installed, `WorkerRequestError` for lines that make no table.
    @discardableResult
    public func write(linesOf source: URL, to destination: URL) async throws -> Int {
        let request = Request(
            command: "write", source: source.path(percentEncoded: false),
            destination: destination.path(percentEncoded: false), lines: 20_000)
        return try await worker.ask(request)
    }

    struct Table: Decodable {
        var columns: [String]
        /// The column of addresses, and one that holds pictures.
        var url: String?, picture: String?
        /// Rows of each row group.
        var groups: [Int]
    }

    struct Row: Decodable {
        var id: String?, url: String?, text: String?
        var width: Int?, height: Int?
        var unsafeScore: Double?, watermarkScore: Double?

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            id = try values.decode(String?.self)
            url = try values.decode(String?.self)
            text = try values.decode(String?.self)
            width = try values.decode(Int?.self)
            height = try values.decode(Int?.self)
            unsafeScore = try values.decode(Double?.self)
            watermarkScore = try values.decode(Double?.self)
        }
    }

    func open(_ path: String) async throws -> Table {
        try await worker.ask(Request(command: "open", path: path))
    }

    /// - Returns: at most `limit` rows; none at the row group's end
    func rows(of path: String, group: Int, offset: Int, limit: Int) async throws -> [Row] {
        try await worker.ask(Request(command: "rows", path: path, group: group, offset: offset, limit: limit))
    }

    /// What `parquet_rows.py` understands.
    private struct Request: Encodable {
        var command: String
        var path: String?
        var group: Int?, offset: Int?, limit: Int?
        var source: String?, destination: String?
        var lines: Int?
    }
}
