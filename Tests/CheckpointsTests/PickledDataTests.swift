import Checkpoints
import Foundation
import Testing

@Suite struct PickledDataTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ bytes: [UInt8]) throws -> PickledData {
        try PickledData(contentsOf: folder.file("data.p", bytes))
    }

    /// What `refs(unc).p` looks like, with everything that plain data can be.
    private static let expected = PickledData.list([
        .dictionary([
            "ann_id": .integer(1_719_310), "split": .string("train"), "score": .real(0.25), "yes": .bool(true),
            "no": .bool(false), "nothing": .none, "large": .integer(1 << 40), "less": .integer(-7),
            "sentences": .list([
                .dictionary([
                    "raw": .string("THE \"LADY'S\" \\ CAFÉ €😀\n"), "tokens": .list([.string("the"), .string("lady")]),
                ])
            ]), "5": .list([.integer(1), .string("the")]),
        ]), .dictionary([:]),
    ])

    @Test(arguments: 0...5) func `every protocol of Python gives the same data`(version: Int) throws {
        let script = """
            import pickle, sys
            the = "the"
            data = [{"ann_id": 1719310, "split": "train", "score": 0.25, "yes": True, "no": False, "nothing": None, "large": 1 << 40,
                     "less": -7, "sentences": [{"raw": "THE \\"LADY'S\\" \\\\ CAF\\u00c9 \\u20ac\\U0001F600\\n", "tokens": [the, "lady"]}],
                     5: (1, the)}, {}]
            pickle.dump(data, open(sys.argv[1], "wb"), protocol=int(sys.argv[2]))
            """
        let place = folder("python.p"), process = Process()
        process.executableURL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".deps/venv/bin/python3")
        process.arguments = ["-c", script, place.path, "\(version)"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        #expect(try PickledData(contentsOf: place) == Self.expected)
    }

    @Test func `texts of Python 2 are texts, in UTF-8 or not`() throws {
        let lines = #"""
            (lp0
            (dp1
            S'split'
            p2
            S"it's \"caf\xc3\xa9\"\n"
            p3
            sS'latin'
            p4
            S'caf\xe9'
            p5
            sVcaf\u20ac
            p6
            L581857L
            sS'yes'
            p7
            I01
            sS'half'
            p8
            F0.5
            sS'again'
            p9
            g3
            sa.
            """#
        let text = PickledData.string("it's \"café\"\n")
        #expect(
            try read(Array(lines.utf8))
                == .list([
                    .dictionary([
                        "split": text, "latin": .string("café"), "caf€": .integer(581_857), "yes": .bool(true),
                        "half": .real(0.5), "again": text,
                    ])
                ]))
    }

    @Test func `whatever names a function is refused and nothing is run`() throws {
        let marker = folder("ran")
        let command = "cos\nsystem\n(S'touch \(marker.path)'\ntR."
        for bytes in [
            Array(command.utf8), Array("(l\(command.dropLast())a.".utf8),
            [0x80, 2] + Pickle.call("os", "system", [Pickle.text("touch \(marker.path)")]) + [0x2E],
        ] {
            #expect(checkpointError { _ = try read(bytes) }?.kind == .unknownGlobal("os.system"))
        }
        #expect(!FileManager.default.fileExists(atPath: marker.path))
    }

    @Test func `a file that is cut off or no pickle is an error`() throws {
        let whole = Array("(lp0\n(dp1\nS'a'\np2\nI1\nsVb\np3\nF2.5\nsS'c'\n(lp4\nL3L\naI01\nasa.".utf8)
        #expect(
            try read(whole)
                == .list([
                    .dictionary(["a": .integer(1), "b": .real(2.5), "c": .list([.integer(3), .bool(true)])])
                ]))
        for length in 1..<whole.count { #expect(throws: CheckpointError.self) { try read(Array(whole[..<length])) } }
        for text in [
            "", "[{\"a\": 1}]", "S'a\n.", "Sa\n.", "S'\\x4'\n.", "I1x\n.", "Ix\n.", "L\n.", "Fx\n.", "g0\n.", "g-1\n.",
            "px\n.",
            "V\\u12\n.", "V\\ud800\n.", "(i__main__\nA\n.",
        ] {
            #expect(throws: CheckpointError.self, "\(text)") { try read(Array(text.utf8)) }
        }
    }

    @Test func `lists that contain themselves, and deep ones, end`() throws {
        #expect(checkpointError { _ = try read(Array("(lp0\ng0\na.".utf8)) }?.kind == .limitExceeded)
        let deep =
            [UInt8](repeating: UInt8(ascii: "("), count: 100_000)
            + [UInt8](repeating: UInt8(ascii: "l"), count: 100_000)
        #expect(checkpointError { _ = try read(deep + Array(".".utf8)) }?.kind == .limitExceeded)
        #expect(checkpointError { _ = try read([0x80, 4, 0x8F, 0x2E]) }?.kind == .unsupported)
    }
}
