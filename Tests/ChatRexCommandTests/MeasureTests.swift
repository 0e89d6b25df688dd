import Foundation
import Imaging
import Testing

extension ProcessTests {
    /// Commands that measure, with a tiny random model.
    @Suite struct MeasureTests {
        private func model() throws -> [String] { ["--model", try TinyModel.folder.get().path, "--threads", "1"] }

        /// A picture of two annotated categories, and one of none.
        private func writeDataset(to folder: URL) throws {
            for name in ["a.png", "b.png"] { try Image.writePattern(to: folder.appendingPathComponent(name)) }
            let text = """
                {"images": [{"id": 1, "file_name": "a.png", "width": 96, "height": 64},
                            {"id": 2, "file_name": "b.png", "width": 96, "height": 64}],
                 "categories": [{"id": 5, "name": "dog"}, {"id": 9, "name": "red car"}],
                 "annotations": [{"id": 1, "image_id": 1, "category_id": 5, "bbox": [0, 0, 40, 40], "area": 1600, "iscrowd": 0},
                                 {"id": 2, "image_id": 1, "category_id": 9, "bbox": [50, 10, 20, 30], "area": 600, "iscrowd": 0}]}
                """
            try text.write(to: folder.appendingPathComponent("gt.json"), atomically: true, encoding: .utf8)
        }

        @Test("Results that repeat the truth score 1, and those of the other category 0")
        func resultsFile() throws {
            try withTemporaryFolder { folder in
                try writeDataset(to: folder)
                let results = """
                    [{"image_id": 1, "category_id": 5, "bbox": [0, 0, 40, 40], "score": 0.9},
                     {"image_id": 1, "category_id": 9, "bbox": [0, 0, 40, 40], "score": 0.8}]
                    """
                try results.write(to: folder.appendingPathComponent("r.json"), atomically: true, encoding: .utf8)
                let outcome = try Tool.run(
                    ["eval", "coco", "--gt", "gt.json", "--results", "r.json", "--json"], in: folder)
                let figures = try #require(try outcome.records().first, "\(outcome)")
                for (name, value) in [
                    ("AP", 0.5), ("AP50", 0.5), ("AP75", 0.5), ("APs", 0), ("APm", 1), ("APl", -1), ("AR1", 0.5),
                    ("AR10", 0.5),
                    ("AR100", 0.5), ("ARs", 0), ("ARm", 1), ("ARl", -1), ("precision50", 0.5), ("recall50", 0.5),
                ] {
                    let found = try #require(figures[name] as? Double, "\(name) in \(outcome)")
                    #expect(abs(found - value) < 1e-6, "\(name): \(found)")
                }
            }
        }

        @Test("An evaluation of a model keeps its answers and goes on after them")
        func continuation() throws {
            try withTemporaryFolder { folder in
                try writeDataset(to: folder)
                let command =
                    ["eval", "coco", "--gt", "gt.json", "--images", ".", "--out", "o", "--json"] + (try model())
                let first = try Tool.run(command, in: folder)
                #expect(first.status == 0, "\(first)")
                let journal = folder.appendingPathComponent("o/journal.jsonl")
                let whole = try Data(contentsOf: journal)
                // Cut in the middle of the last line, as a kill may leave it.
                try whole.dropLast(10).write(to: journal)
                let second = try Tool.run(command, in: folder)
                #expect(second.status == 0 && second.output == first.output, "\(second)")
                let again = try Data(contentsOf: journal)
                #expect(again == whole)
                #expect(
                    try JSONSerialization.jsonObject(
                        with: Data(contentsOf: folder.appendingPathComponent("o/results.json"))) is [Any])
            }
        }

        @Test("Proposals are measured against annotations")
        func proposals() throws {
            try withTemporaryFolder { folder in
                try writeDataset(to: folder)
                let outcome = try Tool.run(
                    ["eval", "proposals", "--gt", "gt.json", "--images", ".", "--json"] + model(), in: folder)
                let recall = try #require(try outcome.records().first?["recall50"] as? Double, "\(outcome)")
                #expect((0...1).contains(recall))
            }
        }

        @Test("Wrong uses of evaluation are refused", arguments: [["--results", "r", "--images", "."], []])
        func misuse(arguments: [String]) throws {
            let outcome = try Tool.run(["eval", "coco", "--gt", "gt.json"] + arguments)
            #expect(outcome.status == 64, "\(outcome)")
        }

        @Test("Missing annotations are an error of reading")
        func missing() throws {
            let outcome = try Tool.run(["eval", "coco", "--gt", "/nowhere/gt.json", "--results", "r.json"])
            #expect(outcome.status == 2 && outcome.errors.contains("/nowhere/gt.json"), "\(outcome)")
        }

        @Test("The bench gives every stage, and together they take no more than the whole")
        func bench() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let outcome = try Tool.run(
                    ["bench", "a.png", "dog", "--runs", "1", "--warmup", "0", "--json"] + model(), in: folder)
                let record = try #require(try outcome.records().first, "\(outcome)")
                let stages = try #require(record["stages"] as? [[String: Any]])
                let times = stages.compactMap { $0["median_ms"] as? Double }
                #expect(
                    stages.compactMap { $0["name"] as? String } == [
                        "decode", "propose", "encode", "read", "answer", "total",
                    ])
                #expect(times.dropLast().reduce(0, +) <= (times.last ?? 0) && times.allSatisfy { $0 > 0 }, "\(times)")
                #expect(try #require(record["peak_memory_bytes"] as? Int) > 10_000_000)
            }
        }
    }
}
