import Annotations
import Boxes
import DataEngine
import Foundation
import Synchronization
import Testing

@Suite(.enabled(if: EngineVenv.has("pyarrow"), EngineVenv.hint))
struct ParquetTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "parquet-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Writes tables by statements in Python, where `write(name, columns, rows of a group)` does it.
    private func make(_ statements: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: EngineVenv.python)
        process.currentDirectoryURL = folder
        process.arguments = [
            "-c",
            """
            import pyarrow as pa, pyarrow.parquet as pq
            def write(name, columns, group=1000):
                pq.write_table(pa.table(columns), name, row_group_size=group)
            \(statements)
            """,
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private func walk(
        _ names: [String], rowsAtATime: Int = 2000
    ) async throws -> (items: [SourceItem], damage: [SourceDamage]) {
        let files = names.map { folder.appending(path: $0).path(percentEncoded: false) }
        let source = ParquetSource(files: files, python: EngineVenv.python, rowsAtATime: rowsAtATime)
        let items = Mutex<[SourceItem]>([]), damage = Mutex<[SourceDamage]>([])
        do {
            try await source.forEachItem(onDamage: { found in damage.withLock { $0.append(found) } }) { item in
                items.withLock { $0.append(item) }
            }
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
        try? FileManager.default.removeItem(at: folder)
        return (items.withLock(\.self), damage.withLock(\.self))
    }

    @Test func `columns of COYO, LAION and others`() async throws {
        try make(
            """
            write("coyo.parquet", {
                "id": [4785074604081, 2**62], "url": ["https://a.example/1.jpg", "http://b.example/2"], "text": ["A dog ", None],
                "width": [640, 0], "height": [480, None], "nsfw_score_opennsfw2": [0.1, None], "nsfw_score_gantman": [0.3, 0.2],
                "watermark_score": [0.25, None]})
            write("laion.parquet", {
                "SAMPLE_ID": pa.array([12.0, None]), "URL": ["https://c.example/3", "https://c.example/\u{65E5}\u{672C}?a=b"],
                "TEXT": ["\u{1F600}", ""], "WIDTH": [100.0, float("nan")], "HEIGHT": [50.0, 1e300], "NSFW": ["UNLIKELY", "NSFW"],
                "pwatermark": [float("nan"), 2.0]})
            write("datacomp.parquet", {
                "uid": ["ab/c", "0f-A_9"], "url": ["https://d.example/x", "https://d.example/y"], "original_width": [7, 8],
                "width": [1, 1], "original_height": [9, 10]})
            """)
        let (items, damage) = try await walk(["coyo.parquet", "laion.parquet", "datacomp.parquet"])
        #expect(damage.isEmpty)
        try #require(items.count == 6)
        #expect(
            items[0]
                == SourceItem(
                    key: "4785074604081", location: .url("https://a.example/1.jpg"), width: 640, height: 480,
                    unsafeScore: 0.3,
                    watermarkScore: 0.25, text: "A dog"))
        #expect(
            items[1] == SourceItem(key: "4611686018427387904", location: .url("http://b.example/2"), unsafeScore: 0.2))
        #expect(
            items[2]
                == SourceItem(
                    key: "12", location: .url("https://c.example/3"), width: 100, height: 50, unsafeScore: 0,
                    text: "\u{1F600}"))
        #expect(items[3].location == .url("https://c.example/\u{65E5}\u{672C}?a=b"))
        #expect(items[3].width == nil && items[3].height == nil && items[3].text == nil)
        #expect(items[3].unsafeScore == 1 && items[3].watermarkScore == 1)
        // Without an id that is a good key, as a list of addresses makes it.
        #expect(items[3].key.wholeMatch(of: /-+-[0-9a-f]{20}/) != nil)
        #expect(items[4].key.wholeMatch(of: /x-[0-9a-f]{20}/) != nil)
        #expect(items[4].width == 7 && items[4].height == 9)
        #expect(items[5].key == "0f-A_9")
    }

    @Test func `rows come in their order, some at a time, over row groups and files`() async throws {
        try make(
            """
            for file in range(2):
                write(f"{file}.parquet", {"url": [f"https://e.example/{file}/{row}" for row in range(1001)]}, group=250)
            """)
        let (items, damage) = try await walk(["0.parquet", "1.parquet"], rowsAtATime: 100)
        #expect(damage.isEmpty)
        let expected = (0..<2).flatMap { file in (0..<1001).map { "https://e.example/\(file)/\($0)" } }
        #expect(items.map(\.location) == expected.map { .url($0) })
        #expect(Set(items.map(\.key)).count == 2002)
    }

    @Test func `damage is reported and passed over`() async throws {
        try make(
            """
            rows = [f"https://f.example/{row}" for row in range(900)]
            for name in ("first", "cut", "groups", "last"):
                pq.write_table(pa.table({"url": rows}), name + ".parquet", row_group_size=300, compression="zstd", use_dictionary=False)
            data = open("cut.parquet", "rb").read()
            open("cut.parquet", "wb").write(data[:len(data) // 2])
            metadata = pq.ParquetFile("groups.parquet").metadata
            data = bytearray(open("groups.parquet", "rb").read())
            column = metadata.row_group(1).column(0)
            middle = column.data_page_offset + column.total_compressed_size // 2
            data[middle:middle + 20] = b"\\xff" * 20
            open("groups.parquet", "wb").write(data)
            open("text.parquet", "w").write("no table at all")
            write("gaps.parquet", {"url": ["https://f.example/ok", None, "ftp://f.example/x", "https://f.example/a b", ""]})
            """)
        let (items, damage) = try await walk(
            [
                "first.parquet", "cut.parquet", "text.parquet", "groups.parquet", "missing.parquet", "gaps.parquet",
                "last.parquet",
            ])
        #expect(items.count == 2401)
        let places = damage.map { ($0.place as NSString).lastPathComponent }
        #expect(
            places == ["cut.parquet", "text.parquet", "groups.parquet, row group 2", "missing.parquet", "gaps.parquet"])
        #expect(damage.last?.reason == "4 of its 5 rows have no http(s) address")
    }

    @Test func `tables that are no list of addresses are refused`() async throws {
        try make(
            """
            write("plain.parquet", {"name": ["a"], "count": [1]})
            """)
        let error = await #expect(throws: ParquetSource.Unsuitable.self) { _ = try await walk(["plain.parquet"]) }
        #expect("\(try #require(error))".contains("has no column 'url'; its columns are name, count"))
    }

    @Test(arguments: [#"{"image": [{"bytes": b"x", "path": "a.jpg"}]}"#, #"{"jpg": [b"x"], "txt": ["a"]}"#])
    func `pictures inside a table are refused with advice`(columns: String) async throws {
        try make("write('pictures.parquet', \(columns))")
        let error = await #expect(throws: ParquetSource.Unsuitable.self) { _ = try await walk(["pictures.parquet"]) }
        #expect("\(try #require(error))".contains("WebDataset"))
    }

    @Test func `a Python without pyarrow is an error of the run`() async throws {
        let source = ParquetSource(files: ["any.parquet"], python: "/nowhere/python")
        await #expect(throws: WorkerError.self) { try await source.forEachItem(onDamage: { _ in }) { _ in } }
    }

    // MARK: Writing

    @Test func `lines become a table and its rows come back`() async throws {
        let lines = folder.appending(path: "index.jsonl"), table = folder.appending(path: "index.parquet")
        var text = ""
        for row in 0..<30_000 {
            // Columns that begin late, are null for long, or change from whole numbers to fractions.
            let late = row > 25_000 ? #","late":{"a":[{"b":1}]},"score":0.5"# : #","score":1,"late":null"#
            text +=
                #"{"id":"k\#(row)","url":"https://g.example/\#(row)","caption":"\u2028 \#(row) 😀","regions":[]\#(late)}"#
                + "\n"
        }
        try text.write(to: lines, atomically: true, encoding: .utf8)
        let tables = try ParquetTables(python: EngineVenv.python)
        #expect(try await tables.write(linesOf: lines, to: table) == 30_000)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "index.jsonl", "index.parquet",
            ])
        let (items, damage) = try await walk(["index.parquet"])
        #expect(damage.isEmpty)
        #expect(items.count == 30_000)
        #expect(items.last?.key == "k29999" && items.last?.text == "29999 \u{1F600}")
    }

    @Test func `annotations and their index become tables`() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let set = folder.appending(path: "set"), out = folder.appending(path: "tables")
        let sink = try ShardSink(OutputFolder(set))
        let samples = try ExchangeFixtures.samples()
        for sample in samples { try sink.add(sample.annotation, picture: sample.picture) }
        try sink.finish()
        let report = try await AnnotationTables.write(set, to: out, python: EngineVenv.python)
        #expect(report.pictures == 3 && report.regions == samples.reduce(0) { $0 + $1.annotation.regions.count })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out.path).sorted() == [
                "annotations.parquet", "index.parquet",
            ])
        try make(
            """
            import json
            rows = pq.read_table("tables/annotations.parquet").to_pylist()
            index = pq.read_table("tables/index.parquet").to_pylist()
            json.dump({"keys": [row["key"] for row in rows], "boxes": [region["bbox"] for row in rows for region in row["regions"] or []],
                       "digests": [row["sha256"] for row in index]}, open("read.json", "w"))
            """)
        struct Found: Decodable, Equatable {
            var keys: [String], boxes: [[Double]], digests: [String]
        }
        let found = try JSONDecoder().decode(Found.self, from: Data(contentsOf: folder.appending(path: "read.json")))
        let annotations = samples.map(\.annotation)
        #expect(
            found
                == Found(
                    keys: annotations.map(\.key), boxes: annotations.flatMap(\.regions).map { $0.box.values(.xyxy) },
                    digests: annotations.map(\.sha256)))
        await #expect(throws: ExchangeError.self) {
            try await AnnotationTables.write(set, to: out, python: EngineVenv.python)
        }
    }

    @Test(arguments: [
        ("{\"a\":1}\n{\"a\":", "line 2"), ("{\"a\":1}\n\n[1]\n", "line 3"), ("{\"a\":1}\n{\"a\":\"x\"}\n", "'a'"),
    ])
    func `lines that make no table leave none behind`(text: String, message: String) async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let lines = folder.appending(path: "index.jsonl"), table = folder.appending(path: "index.parquet")
        try text.write(to: lines, atomically: true, encoding: .utf8)
        let tables = try ParquetTables(python: EngineVenv.python)
        let error = await #expect(throws: WorkerRequestError.self) { try await tables.write(linesOf: lines, to: table) }
        #expect("\(try #require(error))".contains(message))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["index.jsonl"])
    }
}
