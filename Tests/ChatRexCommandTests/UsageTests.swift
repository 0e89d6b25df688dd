import ArgumentParser
import ChatRexCommand
import Foundation
import Testing

/// Command lines that are refused.
@Suite struct ParsingTests {
    private static let longPhrase = String(repeating: "x", count: 5000)
    private static let manyPhrases = (0...1000).map { "thing \($0)" }.joined(separator: ";")
    private static let nonsense: [([String], String)] = [
        (["paint"], "paint"),
        (["detect"], "at least one picture"),
        (["detect", "street.jpg"], "what to look for"),
        (["detect", "a.jpg", "dog", "--format", "xml"], "xml"),
        (["detect", "a.jpg", "dog", "--json", "--format", "coco"], "exclude"),
        (["detect", "a.jpg", "dog", "--format", "yolo", "--out", "x.json"], "JSON"),
        (["detect", "a.jpg", "dog", "--conf", "1.5"], "--conf"),
        (["detect", "a.jpg", "dog", "--conf", "nan"], "--conf"),
        (["detect", "a.jpg", "dog", "--iou", "-1"], "--iou"),
        (["detect", "a.jpg", "dog", "--max-det", "0"], "--max-det"),
        (["detect", "a.jpg", "dog", "--threads", "0"], "--threads"),
        (["detect", "a.jpg", "dog", "--device", "tpu"], "tpu"),
        (["detect", "a.jpg", " ; "], "nothing to look for"),
        (["detect", "a.jpg", "<obj3>"], "<obj3>"),
        (["detect", "a.jpg", longPhrase], "5000 characters"),
        (["detect", "a.jpg", manyPhrases], "1001 phrases"),
        (["count", "a.jpg", "dog</ground>"], "</ground>"),
        (["ask", "a.jpg"], "the question"),
        (["ask", "a.jpg", ""], "question is empty"),
        (["ask", "a.jpg", " \n "], "question is empty"),
        (["ask", "a.jpg", "What is <obj7>?"], "<obj7>"),
        (["ask", "a.jpg", "What is <obj7>?", "--box", "0,0,5,5"], "<obj7>"),
        (["ask", "a.jpg", "What?", "--box", "0,0,5"], "four numbers"),
        (["ask", "a.jpg", "What?", "--box", "nan,0,5,5"], "finite"),
        (["ask", "a.jpg", "What?", "--box", "9,0,5,5"], "turned around"),
        (["ask", "a.jpg", "What?", "--box", "1,2,3,4,5"], "four numbers"),
        (["ask", "a.jpg", "What?", "--temperature", "nan"], "--temperature"),
        (["caption"], "at least one picture"),
        (["caption", "a.jpg", "--level", "phrase"], "--regions"),
        (["propose", "a.jpg", "--batch", "0"], "--batch"),
        (["propose", "a.jpg", "--granularity", "coarser"], "coarser"),
        (["scenes"], "--out"),
        (["scenes", "--out", "x", "--count", "0"], "--count"),
        (["scenes", "--out", "x", "--size", "12x"], "12x"),
        (["scenes", "--out", "x", "--min-objects", "9", "--max-objects", "2"], "--min-objects"),
        (["model", "inspect"], "path"),
        (["train", "pages", "r.yaml", "--out", "x", "--init", "y"], "from nothing"),
        (["eval", "pages", "--count", "0"], "nothing to measure"),
        (["eval", "pages", "--threshold", "2"], "--threshold"),
        (["serve", "--host", "0.0.0.0"], "--api-key"),
        (["serve", "--api-key", "short"], "8 or more"),
        (["serve", "--port", "70000"], "port"),
        (["serve", "--deadline", "0"], "--deadline"),
        (["serve", "--rate-limit", "0"], "at least 1"),
    ]

    @Test("A command line that makes no sense is refused, and the message says why", arguments: nonsense)
    func refusals(arguments: [String], expected: String) throws {
        let error = try #require(throws: (any Error).self) { try ChatRexTool.parseAsRoot(arguments) }
        #expect(ChatRexTool.exitCode(for: error) == .validationFailure)
        #expect(ChatRexTool.fullMessage(for: error).contains(expected))
    }

    @Test(
        "A command line that makes sense is taken apart",
        arguments: [
            [
                "detect", "a.jpg", "b.jpg", "dog; cat", "--conf", "0.4", "--iou", "0.7", "--max-det", "5", "--device",
                "cpu",
            ],
            ["detect", "--source", "a.jpg", "--source", "shots", "dog", "-r", "--format", "coco", "-o", "x.json"],
            ["ask", "a.jpg", "What is <obj1>?", "--box", "-1,-2,3,4", "--box", "0,0,1.5,2.5"],
            ["caption", "--source", "a.jpg", "--regions", "--level", "sentence"],
            [
                "serve", "--host", "0.0.0.0", "--port", "0", "--api-key", "long-enough", "--cors-origin",
                "https://a.example",
            ],
            ["scenes", "-o", "x", "--size", "640x480", "--split", "heldOut", "--seed", "18446744073709551000"],
        ])
    func sense(arguments: [String]) throws { _ = try ChatRexTool.parseAsRoot(arguments) }
}

extension ProcessTests {
    /// How the program ends when its command line is all that matters.
    @Suite struct UsageTests {
        @Test(
            "Help is printed on standard output",
            arguments: [[], ["detect", "--help"], ["model", "inspect", "--help"]])
        func help(arguments: [String]) throws {
            let outcome = try Tool.run(arguments)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
            #expect(outcome.output.contains("USAGE: chatrex"), "\(outcome)")
            #expect(!outcome.output.contains("\u{1B}"))
        }

        @Test(
            "A command line that makes no sense ends with 64",
            arguments: [["paint"], ["detect"], ["ask", "a.jpg", ""]])
        func refusals(arguments: [String]) throws {
            let outcome = try Tool.run(arguments)
            #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.errors.hasPrefix("Error: "), "\(outcome)")
        }

        @Test("A picture where the text should be is noticed")
        func forgottenText() throws {
            try withTemporaryFolder { folder in
                for name in ["a.jpg", "b.jpg"] { try Data([1]).write(to: folder.appendingPathComponent(name)) }
                let outcome = try Tool.run(["detect", "a.jpg", "b.jpg"], in: folder)
                #expect(outcome.status == 64 && outcome.errors.contains("'b.jpg' is a file"), "\(outcome)")
            }
        }
    }
}
