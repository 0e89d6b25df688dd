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

        /// Starts a command, kills it once its journal has some lines, and gives the journal's whole lines.
        private func killed(_ command: [String], in folder: URL, journal: URL, lines: Int) throws -> Data {
            let run = try Tool.Run(command, in: folder)
            let end = ContinuousClock.now + .seconds(120)
            func content() -> Data { (try? Data(contentsOf: journal)) ?? Data() }
            while content().count(where: { $0 == 10 }) < lines, run.process.isRunning, .now < end {
                usleep(2000)
            }
            kill(run.process.processIdentifier, SIGKILL)
            #expect(try run.wait().status == -SIGKILL)
            let whole = content().split(separator: 10, omittingEmptySubsequences: false).dropLast()
            return whole.reduce(into: Data()) { $0 += $1 + [10] }
        }

        /// Changes a number in the first record of a journal to one that no model would come to.
        private func mark(_ journal: URL, _ name: String, _ number: Int) throws {
            let text = try String(contentsOf: journal, encoding: .utf8)
            let range = try #require(text.range(of: "\"\(name)\":[0-9]+", options: .regularExpression))
            try text.replacingCharacters(in: range, with: "\"\(name)\":\(number)")
                .write(to: journal, atomically: false, encoding: .utf8)
        }

        @Test("An evaluation that was killed goes on with the answers that it has")
        func killedEvaluation() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let (count, categories) = (60, "[{\"id\": 5, \"name\": \"dog\"}]")
                let images = (1...count).map { #"{"id": \#($0), "file_name": "a.png", "width": 96, "height": 64}"# }
                let boxes = (1...count).map {
                    #"{"id": \#($0), "image_id": \#($0), "category_id": 5, "bbox": [0, 0, 40, 40]}"#
                }
                let text =
                    "{\"images\": [\(images.joined(separator: ","))], \"categories\": \(categories), \"annotations\": [\(boxes.joined(separator: ","))]}"
                try text.write(to: folder.appendingPathComponent("gt.json"), atomically: true, encoding: .utf8)
                func command(_ out: String) throws -> [String] {
                    ["eval", "coco", "--gt", "gt.json", "--images", ".", "--out", out, "--json"] + (try model())
                }
                let journal = folder.appendingPathComponent("o/journal.jsonl")
                let before = try killed(command("o"), in: folder, journal: journal, lines: 5)
                let lines = before.count { $0 == 10 }
                #expect((5...count).contains(lines), "killed after \(lines) lines")
                try mark(journal, "malformed", 20)
                let second = try Tool.run(command("o"), in: folder)
                #expect(second.status == 0, "\(second)")
                let whole = try Tool.run(command("p"), in: folder)
                var (ours, theirs) = (try #require(try second.records().first), try #require(try whole.records().first))
                // What was marked was not asked about again; all else is as if nothing had happened.
                let marked = try #require(ours.removeValue(forKey: "malformed_answers") as? Int)
                let unmarked = try #require(theirs.removeValue(forKey: "malformed_answers") as? Int)
                #expect(marked == unmarked + 20)
                #expect(ours as NSDictionary == theirs as NSDictionary)
                #expect(try Data(contentsOf: journal).count { $0 == 10 } == count + 1)
            }
        }

        @Test("A benchmark on scenes that was killed goes on, and more scenes can follow")
        func killedScenes() throws {
            try withTemporaryFolder { folder in
                func command(_ count: Int) throws -> [String] {
                    [
                        "eval", "scenes", "--seed", "3", "--count", "\(count)", "--absent", "0.3", "--report", "r",
                        "--json",
                    ]
                        + (try model())
                }
                let journal = folder.appendingPathComponent("r/journal.jsonl")
                _ = try killed(command(200), in: folder, journal: journal, lines: 3)
                try mark(journal, "absentBoxes", 5000)
                let before = try Data(contentsOf: journal).count { $0 == 10 }
                let outcome = try Tool.run(command(before + 1), in: folder)
                let figures = try #require(try outcome.records().first, "\(outcome)")
                #expect(figures["scenes"] as? Int == before + 1)
                #expect(try #require(figures["boxes_per_absent"] as? Double) > 100, "\(outcome)")
                #expect(try Data(contentsOf: journal).count { $0 == 10 } == before + 2)
                let html = try String(contentsOf: folder.appendingPathComponent("r/index.html"), encoding: .utf8)
                for part in ["Proposals", "Detection", "Referring", "Counting", "Regions"] {
                    #expect(html.contains("<h2 class=\"part\" id=\"part-\(part.lowercased())\">\(part)</h2>"))
                }
                #expect(try !names(in: folder.appendingPathComponent("r/pictures")).isEmpty)
            }
        }

        @Test("Answers of another model, of other settings and of another task are not mixed with new ones")
        func otherJournal() throws {
            try withTemporaryFolder { folder in
                try writeDataset(to: folder)
                let other = folder.appendingPathComponent("other")
                try FileManager.default.copyItem(at: TinyModel.folder.get(), to: other)
                let weights = other.appendingPathComponent("model.safetensors")
                var bytes = try Data(contentsOf: weights)
                bytes[bytes.count - 2] ^= 1
                try bytes.write(to: weights)
                let command = ["eval", "coco", "--gt", "gt.json", "--images", ".", "--out", "o"]
                #expect(try Tool.run(command + model(), in: folder).status == 0)
                let journal = folder.appendingPathComponent("o/journal.jsonl"), before = try Data(contentsOf: journal)
                func expectRefusal(_ arguments: [String], _ words: String) throws {
                    let outcome = try Tool.run(arguments, in: folder)
                    #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome)")
                    #expect(outcome.errors.contains("journal.jsonl"), "\(outcome)")
                }
                try expectRefusal(command + ["--model", "other", "--threads", "1"], "model was ")
                try expectRefusal(command + model() + ["--conf", "0.2"], "conf was 0.0 and is 0.2")
                try expectRefusal(
                    ["eval", "count", "--gt", "gt.json", "--images", ".", "--out", "o"] + model(), "task was detections"
                )
                #expect(try Data(contentsOf: journal) == before)
                // One that another process writes to, and a file that is something else.
                let handle = try FileHandle(forUpdating: journal)
                #expect(flock(handle.fileDescriptor, LOCK_EX) == 0)
                try expectRefusal(command + model(), "Another evaluation")
                try handle.close()
                try Data("my notes\n".utf8).write(to: journal)
                try expectRefusal(command + model(), "is no journal")
                #expect(try Data(contentsOf: journal) == Data("my notes\n".utf8))
            }
        }

        @Test("Every evaluation writes its report", arguments: ["coco", "lvis", "region", "count", "proposals"])
        func reports(task: String) throws {
            try withTemporaryFolder { folder in
                try writeDataset(to: folder)
                let outcome = try Tool.run(
                    ["eval", task, "--gt", "gt.json", "--images", ".", "--report", "r"] + model(), in: folder)
                #expect(outcome.status == 0 && outcome.output.hasPrefix("protocol\n"), "\(outcome)")
                let files = try names(in: folder.appendingPathComponent("r"))
                #expect(
                    Set(["index.html", "journal.jsonl", "report.json", "report.md"]).isSubset(of: files), "\(files)")
                #expect(try names(in: folder.appendingPathComponent("r/pictures")) == ["report-picture-1.jpg"])
                #expect(files.contains("results.json") == (task == "coco" || task == "lvis"))
            }
        }

        @Test("Results of a file are reported without pictures, and with them where they are given")
        func reportOfResults() throws {
            try withTemporaryFolder { folder in
                try writeDataset(to: folder)
                try #"[{"image_id": 1, "category_id": 5, "bbox": [0, 0, 40, 40], "score": 0.9}]"#
                    .write(to: folder.appendingPathComponent("r.json"), atomically: true, encoding: .utf8)
                let command = ["eval", "coco", "--gt", "gt.json", "--results", "r.json", "--report", "o"]
                let bare = try Tool.run(command, in: folder)
                #expect(bare.status == 0, "\(bare)")
                #expect(
                    try names(in: folder.appendingPathComponent("o")) == [
                        "charts", "index.html", "report.json", "report.md",
                    ])
                #expect(try Tool.run(command + ["--images", "."], in: folder).status == 0)
                #expect(try names(in: folder.appendingPathComponent("o/pictures")) == ["report-picture-1.jpg"])
            }
        }

        @Test("The lowest score of a box counts for referring expressions")
        func referring() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let text = """
                    {"images": [{"id": 1, "file_name": "a.png", "width": 96, "height": 64, "caption": "the dog; left"}],
                     "categories": [{"id": 5, "name": "dog"}],
                     "annotations": [{"id": 1, "image_id": 1, "category_id": 5, "bbox": [0, 0, 40, 40]}]}
                    """
                try text.write(to: folder.appendingPathComponent("gt.json"), atomically: true, encoding: .utf8)
                let command = ["eval", "refcoco", "--gt", "gt.json", "--images", ".", "--json"] + (try model())
                let strict = try Tool.run(command + ["--conf", "1", "--report", "r"], in: folder)
                #expect(try strict.records().first?["without_box"] as? Int == 1, "\(strict)")
                #expect(try names(in: folder.appendingPathComponent("r")).contains("index.html"))
                for task in ["refcoco", "count"] {
                    let outcome = try Tool.run(["eval", task, "--gt", "g", "--images", ".", "--max-det", "3"])
                    #expect(outcome.status == 64, "\(outcome)")
                }
            }
        }

        @Test("Pictures that are not there, and annotations that are none, are told before a model is loaded")
        func unusableInput() throws {
            try withTemporaryFolder { folder in
                try writeDataset(to: folder)
                try FileManager.default.removeItem(at: folder.appendingPathComponent("b.png"))
                try Data().write(to: folder.appendingPathComponent("empty.json"))
                for (file, words, status) in [
                    ("gt.json", "1 of 2 pictures are not in", 2), ("empty.json", "is empty", 2),
                ] {
                    for task in ["coco", "count", "region", "proposals"] {
                        let outcome = try Tool.run(
                            ["eval", task, "--gt", file, "--images", ".", "--out", "o"] + model(), in: folder)
                        #expect(Int(outcome.status) == status && outcome.errors.contains(words), "\(outcome)")
                    }
                }
                #expect(try !names(in: folder).contains("o"))
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
