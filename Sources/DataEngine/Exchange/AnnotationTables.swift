import Annotations
import Boxes
import Checkpoints
import Foundation

/// Annotated pictures as Parquet tables, without the pictures: for queries, and for programs that read tables.
///
/// `annotations.parquet` has a row for each picture with everything that its annotation says; `index.parquet`, where the set has shards with
/// an index, tells in which shard and at which bytes picture and annotation are, with checksums.
public enum AnnotationTables {
    private static let annotations = "annotations.parquet", index = "index.parquet"

    /// - Parameters:
    ///   - source: the folder of the set
    ///   - folder: where the tables are written
    ///   - python: one that has pyarrow; by default that of `.deps/engine-venv`, else `python3`
    /// - Throws: `WorkerError` where pyarrow is not installed, `AnnotationsError` for a set that cannot be read, `ExchangeError.unwritable`.
    public static func write(_ source: URL, to folder: URL, python: String? = nil) async throws -> ExchangeReport {
        let output = try ExportFolder(folder)
        let set = try AnnotationSets.open(source)
        let tables = try ParquetTables(python: python)
        do {
            let report = try await write(set, source, to: output, tables)
            await tables.close()
            return report
        } catch {
            await tables.close()
            throw error
        }
    }

    private static func write(
        _ set: any AnnotationSet, _ source: URL, to output: ExportFolder, _ tables: ParquetTables
    ) async throws -> ExchangeReport {
        var report = ExchangeReport()
        let lines = output.url.appendingPathComponent(".annotations.jsonl")
        defer { try? FileManager.default.removeItem(at: lines) }
        try AtomicFile.write(to: lines) { file in
            for number in 0..<set.count {
                let annotation = try set.annotation(at: number)
                try file.write(JSONEncoder.lines.encode(annotation) + Data("\n".utf8))
                report.pictures += 1
                report.regions += annotation.regions.count
            }
        }
        try await tables.write(linesOf: lines, to: output.url.appendingPathComponent(annotations))
        let known = OutputFolder(source).index
        if FileManager.default.fileExists(atPath: known.path) {
            try await tables.write(linesOf: known, to: output.url.appendingPathComponent(index))
        }
        return report
    }
}
