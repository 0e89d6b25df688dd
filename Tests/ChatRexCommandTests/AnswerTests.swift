import Foundation
import Imaging
import Testing

extension ProcessTests {
    /// Commands that answer, with a tiny random model.
    @Suite struct AnswerTests {
        private func model() throws -> [String] { ["--model", try TinyModel.folder.get().path, "--threads", "1"] }

        @Test("Detections are printed in a table and drawn into the default folder")
        func detection() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let outcome = try Tool.run(["detect", "a.png", "dog; red car"] + model(), in: folder)
                #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
                #expect(outcome.output.hasPrefix("a.png  96 x 64\n"), "\(outcome)")
                #expect(outcome.output.contains("drawn: chatrex-out/a.png"), "\(outcome)")
                let drawn = try Image(contentsOf: folder.appendingPathComponent("chatrex-out/a.png").path)
                #expect(drawn.width == 96 && drawn.height == 64)
                #expect(try names(in: folder.appendingPathComponent("chatrex-out")) == ["a.png"])
            }
        }

        @Test("JSON has a line for each picture, with every phrase that was asked for, and draws nothing by itself")
        func json() throws {
            try withTemporaryFolder { folder in
                for name in ["a.png", "b.jpg"] { try Image.writePattern(to: folder.appendingPathComponent(name)) }
                let outcome = try Tool.run(["detect", ".", "dog; red car", "--json"] + model(), in: folder)
                #expect(outcome.status == 0, "\(outcome)")
                #expect(outcome.errors == "1/2 a.png\n2/2 b.jpg\n")
                let records = try outcome.records()
                #expect(records.map { $0["source"] as? String } == ["a.png", "b.jpg"])
                for record in records {
                    let answer = try #require(record["answer"] as? [String: Any])
                    let groups = try #require(answer["groups"] as? [[String: Any]])
                    #expect(groups.map { $0["phrase"] as? String } == ["dog", "red car"])
                    #expect((answer["issues"] as? [Any])?.isEmpty == true)
                }
                #expect(try names(in: folder) == ["a.png", "b.jpg"])
            }
        }

        @Test("A document named by --out is written there; the formats hold the same boxes")
        func formats() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let common = ["detect", "a.png", "dog; red car"] + (try model())
                let plain = try Tool.run(common + ["--json"], in: folder)
                let answer = try #require(try plain.records().first?["answer"] as? [String: Any])
                let groups = try #require(answer["groups"] as? [[String: Any]])
                let count = groups.reduce(0) { $0 + (($1["objects"] as? [Any])?.count ?? 0) }

                let coco = try Tool.run(common + ["--format", "coco", "--out", "sub/labels.json"], in: folder)
                #expect(coco.status == 0 && coco.output.isEmpty, "\(coco)")
                let text = try Data(contentsOf: folder.appendingPathComponent("sub/labels.json"))
                let dataset = try #require(try JSONSerialization.jsonObject(with: text) as? [String: [[String: Any]]])
                #expect(dataset["categories"]?.compactMap { $0["name"] as? String } == ["dog", "red car"])
                #expect(dataset["annotations"]?.count == count && dataset["images"]?.count == 1)
                #expect(dataset["annotations"]?.allSatisfy { $0["score"] is Double } == true)

                let studio = try Tool.run(
                    common + ["--format", "label-studio", "--image-root", "https://pictures/"], in: folder)
                let tasks = try #require(
                    try JSONSerialization.jsonObject(with: Data(studio.output.utf8)) as? [[String: Any]])
                #expect((tasks.first?["data"] as? [String: Any])?["image"] as? String == "https://pictures/a.png")

                let yolo = try Tool.run(common + ["--format", "yolo", "--out", "yolo"], in: folder)
                #expect(yolo.status == 0, "\(yolo)")
                let labels = try String(contentsOf: folder.appendingPathComponent("yolo/labels/a.txt"), encoding: .utf8)
                #expect(labels.split(separator: "\n").count <= count)
                let classes = try String(contentsOf: folder.appendingPathComponent("yolo/classes.txt"), encoding: .utf8)
                #expect(classes == "dog\nred car\n")
            }
        }

        @Test("Scores, counts and boxes are limited as asked")
        func limits() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let three = try Tool.run(
                    ["propose", "a.png", "--conf", "0", "--max-det", "3", "--json"] + model(), in: folder)
                #expect((try three.records().first?["proposals"] as? [Any])?.count == 3, "\(three)")
                let none = try Tool.run(["propose", "a.png", "--conf", "1"] + model(), in: folder)
                #expect(none.status == 0 && none.output.contains("nothing proposed"), "\(none)")
                let detected = try Tool.run(
                    ["detect", "a.png", "dog", "--proposal-conf", "1", "--no-pictures"] + model(), in: folder)
                #expect(detected.status == 0 && detected.output.contains("not found: dog"), "\(detected)")
                #expect(try names(in: folder) == ["a.png"])
                let one = try Tool.run(
                    ["detect", "a.png", "dog;cat;car", "--json", "--max-det", "1"] + model(), in: folder)
                let groups = try #require(
                    try (one.records().first?["answer"] as? [String: Any])?["groups"] as? [[String: Any]])
                #expect(groups.count == 3 && groups.reduce(0) { $0 + (($1["objects"] as? [Any])?.count ?? 0) } <= 1)
            }
        }

        @Test("Batches of pictures of different sizes give the proposals of single ones")
        func batches() throws {
            try withTemporaryFolder { folder in
                for (name, size) in [("a.png", (96, 64)), ("b.png", (64, 96)), ("c.png", (80, 80))] {
                    try Image.writePattern(width: size.0, height: size.1, to: folder.appendingPathComponent(name))
                }
                let arguments =
                    ["propose", ".", "--granularity", "both", "--conf", "0", "--max-det", "5", "--json"] + (try model())
                let single = try Tool.run(arguments, in: folder),
                    together = try Tool.run(arguments + ["--batch", "2"], in: folder)
                #expect(single.status == 0 && together.status == 0, "\(together)")
                #expect(try together.records().map { $0["source"] as? String } == ["a.png", "b.png", "c.png"])
                #expect(try single.records().count == 3)
            }
        }

        @Test(
            "Every other question is answered",
            arguments: [
                ["ask", "a.png", "What is this?"],
                ["ask", "a.png", "What is <obj0>?", "--box", "-5,-5,40,40"],
                ["ask", "a.png", "What is near <obj0>?", "--box", "10,10,40,40", "--grounded"],
                ["caption", "a.png"],
                ["caption", "a.png", "--style", "detailed", "--out", "drawn.png"],
                ["caption", "a.png", "--regions", "--level", "phrase", "--proposal-conf", "0"],
                ["caption", "a.png", "--regions", "--box", "1,1,30,30", "--json"],
                ["count", "a.png", "dog"],
                ["count", "a.png", "dog", "--json", "--temperature", "1", "--seed", "4"],
            ])
        func others(arguments: [String]) throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let outcome = try Tool.run(arguments + ["--max-tokens", "24"] + model(), in: folder)
                #expect(outcome.status == 0, "\(outcome)")
                #expect(outcome.errors.isEmpty || outcome.errors.contains("--max-tokens"), "\(outcome)")
                if arguments.contains("--json") { #expect(try outcome.records().count == 1) }
                if arguments.contains("--out") {
                    _ = try Image(contentsOf: folder.appendingPathComponent("drawn.png").path)
                }
                if arguments.contains("--regions"), arguments.contains("--json") {
                    let regions = try #require(try outcome.records().first?["regions"] as? [[String: Any]])
                    let mention = try #require((regions.first?["mentions"] as? [[String: Any]])?.first)
                    #expect((mention["object"] as? [String: Any])?["box"] as? [Double] == [1, 1, 30, 30])
                }
            }
        }

        @Test("Ctrl-C ends an answer with 130 and leaves no half of a file")
        func interruption() throws {
            try withTemporaryFolder { folder in
                for name in ["a.png", "b.png"] { try Image.writePattern(to: folder.appendingPathComponent(name)) }
                let phrases = (1...1000).map { "thing \($0)" }.joined(separator: "; ")
                let run = try Tool.Run(
                    ["detect", ".", phrases, "--format", "coco", "--out", "x.json"] + model(), in: folder)
                let deadline = Date().addingTimeInterval(120)
                while run.process.isRunning, Date() < deadline, run.errorText.isEmpty {
                    Thread.sleep(forTimeInterval: 0.02)
                }
                run.process.interrupt()
                let outcome = try run.wait()
                #expect(outcome.status == 130 && outcome.output.isEmpty, "\(outcome)")
                #expect(try names(in: folder) == ["a.png", "b.png"])
            }
        }

        @Test("A thousand categories are answered")
        func manyCategories() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let phrases = (1...1000).map { "thing \($0)" }.joined(separator: "; ")
                let outcome = try Tool.run(
                    ["detect", "a.png", phrases, "--json", "--proposal-conf", "1"] + model(), in: folder)
                let groups = try (outcome.records().first?["answer"] as? [String: Any])?["groups"] as? [Any]
                #expect(outcome.status == 0 && groups?.count == 1000)
            }
        }
    }
}
