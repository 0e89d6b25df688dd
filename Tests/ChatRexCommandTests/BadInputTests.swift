import Foundation
import Imaging
import Testing

extension ProcessTests {
    /// What careful and careless users hand in: each gets a message and an exit code, never a crash.
    @Suite struct BadInputTests {
        private func model() throws -> [String] { ["--model", try TinyModel.folder.get().path, "--threads", "1"] }

        /// 20,000 x 20,000 pixels in 150 bytes.
        private static let bomb = """
            iVBORw0KGgoAAAANSUhEUgAATiAAAE4gCAAAAADGGxnlAAAAZElEQVR4nO3BgQAAAADDoPlTX+AIVQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
            AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwDc4kwABwgFHdwAAAABJRU5ErkJggg==
            """

        /// A PyTorch archive that calls `os.system("touch chatrex-was-here")` when it is unpickled.
        private static let hostilePickle = """
            UEsDBBQAAAAAAAAAIQAmzkSfaAAAAGgAAAAKAAAAbS9kYXRhLnBrbIACfXEAWAUAAABtb2RlbHEBfXECWBcAAAB0cmFuc2Zvcm1lci5sZXZlbF9lbWJlZHEDY3Bv\
            c2l4CnN5c3RlbQpxBFgWAAAAdG91Y2ggY2hhdHJleC13YXMtaGVyZXEFhXEGUnEHc3MuUEsBAhQDFAAAAAAAAAAhACbORJ9oAAAAaAAAAAoAAAAAAAAAAAAAAIAB\
            AAAAAG0vZGF0YS5wa2xQSwUGAAAAAAEAAQA4AAAAkAAAAAAA
            """

        private static func decoded(_ text: String) throws -> Data { try #require(Data(base64Encoded: text)) }

        @Test("A picture that cannot be read ends with 2 and names the file")
        func unreadablePictures() throws {
            try withTemporaryFolder { folder in
                func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
                try FileManager.default.createDirectory(at: file("empty-folder"), withIntermediateDirectories: true)
                try Data().write(to: file("empty.png"))
                try Data("Hello".utf8).write(to: file("text.jpg"))
                try Image.writePattern(width: 200, height: 200, to: file("whole.jpg"))
                try Data(contentsOf: file("whole.jpg")).prefix(3000).write(to: file("cut.jpg"))
                try Self.decoded(Self.bomb).write(to: file("bomb.png"))
                for (source, expected) in [
                    ("missing.png", "No such file"), ("empty-folder", "no picture"), ("*.tiff", "no file matches"),
                    ("empty.png", "is empty"),
                    ("text.jpg", "text"), ("cut.jpg", "truncated"), ("bomb.png", "20000 x 20000"),
                ] {
                    // The model does not exist either: a bad picture is found before a model is looked for.
                    let outcome = try Tool.run(
                        ["detect", source, "dog", "--model", "/no/model", "--no-pictures"], in: folder)
                    #expect(outcome.status == 2 && outcome.output.isEmpty, "\(source): \(outcome)")
                    #expect(
                        outcome.errors.hasPrefix("chatrex: ") && outcome.errors.contains(source),
                        "\(source): \(outcome)")
                    #expect(outcome.errors.contains(expected), "\(source): \(outcome)")
                }
            }
        }

        @Test("A bad picture among good ones is reported, and the others are answered")
        func mixture() throws {
            try withTemporaryFolder { folder in
                for name in ["a.png", "c.png"] { try Image.writePattern(to: folder.appendingPathComponent(name)) }
                try Data("no picture".utf8).write(to: folder.appendingPathComponent("b.png"))
                for batch in ["1", "3"] {
                    let outcome = try Tool.run(
                        ["propose", ".", "missing/*.jpg", "--conf", "0", "--batch", batch, "--json"] + model(),
                        in: folder)
                    #expect(outcome.status == 2, "\(outcome)")
                    #expect(try outcome.records().map { $0["source"] as? String } == ["a.png", "c.png"])
                    #expect(outcome.errors.contains("b.png is not a picture"), "\(outcome)")
                    #expect(outcome.errors.contains("no file matches missing/*.jpg"), "\(outcome)")
                }
            }
        }

        @Test("Extreme shapes are answered", arguments: [(1, 1), (1, 5000), (5000, 1)])
        func extremeShapes(width: Int, height: Int) throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(width: width, height: height, to: folder.appendingPathComponent("a.png"))
                let outcome = try Tool.run(["detect", "a.png", "dog"] + model(), in: folder)
                #expect(outcome.status == 0, "\(outcome)")
            }
        }

        @Test("A box outside the picture ends with 64")
        func outsideBox() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let outcome = try Tool.run(
                    ["ask", "a.png", "What is <obj0>?", "--box", "900,900,950,950"] + model(), in: folder)
                #expect(outcome.status == 64 && outcome.errors.contains("outside the picture"), "\(outcome)")
            }
        }

        @Test("A model that cannot be loaded ends with 2 and says what is wrong")
        func badModels() throws {
            try withTemporaryFolder { folder in
                func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
                try Image.writePattern(to: file("a.png"))
                let tiny = try TinyModel.folder.get()
                for name in ["cut", "huge", "no-config", "no-tokenizer", "no-upn"] {
                    try FileManager.default.copyItem(at: tiny, to: file(name))
                }
                try FileManager.default.createDirectory(at: file("hollow"), withIntermediateDirectories: true)
                let weights = try Data(contentsOf: tiny.appendingPathComponent("model.safetensors"))
                try weights.prefix(weights.count / 2).write(to: file("cut/model.safetensors"))
                try Data([0, 0, 0, 0, 0, 0, 0, 0x10] + Array("{}".utf8)).write(to: file("huge/model.safetensors"))
                try FileManager.default.removeItem(at: file("no-config/config.json"))
                try FileManager.default.removeItem(at: file("no-tokenizer/tokenizer.json"))
                try FileManager.default.removeItem(at: file("no-upn/upn"))
                for (name, expected) in [
                    ("/no/such/model", "/no/such/model"), ("unheard-of", "unheard-of"), ("a.png", "folder"),
                    ("hollow", "hollow"),
                    ("cut", "model.safetensors"), ("huge", "header"), ("no-config", "config.json"),
                    ("no-tokenizer", "tokenizer.json"),
                    ("no-upn", "upn"),
                ] {
                    let outcome = try Tool.run(
                        ["detect", "a.png", "dog", "--model", name, "--no-pictures"], in: folder)
                    #expect(outcome.status == 2 && outcome.output.isEmpty, "\(name): \(outcome)")
                    #expect(
                        outcome.errors.hasPrefix("chatrex: ") && outcome.errors.contains(expected),
                        "\(name): \(outcome)")
                }
                let swapped = try Tool.run(["propose", "a.png", "--proposals", tiny.path], in: folder)
                #expect(swapped.status == 2 && swapped.errors.contains("backbone"), "\(swapped)")
            }
        }

        @Test("A hostile pickle is refused and not executed")
        func hostilePickle() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                try Self.decoded(Self.hostilePickle).write(to: folder.appendingPathComponent("upn.pth"))
                for arguments in [["propose", "a.png", "--proposals", "upn.pth"], ["model", "inspect", "upn.pth"]] {
                    let outcome = try Tool.run(arguments, in: folder)
                    #expect(outcome.status == 2 && outcome.errors.contains("posix.system"), "\(outcome)")
                }
                #expect(try names(in: folder) == ["a.png", "upn.pth"])
            }
        }

        @Test("A place that cannot be written to ends with 2 before any work")
        func unwritableOutput() throws {
            try withTemporaryFolder { folder in
                try Image.writePattern(to: folder.appendingPathComponent("a.png"))
                let before = try Data(contentsOf: folder.appendingPathComponent("a.png"))
                for out in ["a.png/sub", "/proc/chatrex", "a.png", "./a.png", ".", "x.bmp"] {
                    let outcome = try Tool.run(
                        ["detect", "a.png", "dog", "--model", "/no/model", "--out", out], in: folder)
                    #expect(outcome.status == 2, "\(out): \(outcome)")
                    #expect(!outcome.errors.contains("/no/model"), "\(out): \(outcome)")
                }
                #expect(try Data(contentsOf: folder.appendingPathComponent("a.png")) == before)
                #expect(try names(in: folder) == ["a.png"])
            }
        }

        @Test("Control characters of a file name do not reach the terminal")
        func controlCharacters() throws {
            let outcome = try Tool.run(["caption", "a\u{1B}[31m.png"])
            #expect(outcome.status == 2 && !outcome.errors.contains("\u{1B}"), "\(outcome)")
        }
    }
}
