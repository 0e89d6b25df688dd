import Checkpoints
import Foundation
import Testing

@Suite struct MappedFileTests {
    @Test func `a mapped file shows the file's bytes`() throws {
        let folder = try TemporaryFolder()
        let file = try MappedFile(url: try folder.file("a", [1, 2, 3]))
        #expect(file.count == 3)
        #expect(file.withBytes { Array($0) } == [1, 2, 3])
    }

    @Test func `a mapping keeps the old bytes when another file is renamed over it`() throws {
        let folder = try TemporaryFolder()
        let url = try folder.file("a", [1, 2, 3])
        let file = try MappedFile(url: url)
        try AtomicFile.write(Data([9]), to: url)
        #expect(file.withBytes { Array($0) } == [1, 2, 3])
        #expect(try Data(contentsOf: url) == Data([9]))
    }

    @Test func `what is no readable file is refused by kind`() throws {
        let folder = try TemporaryFolder()
        let empty = try folder.file("empty", [])
        mkfifo(folder("pipe").path, 0o600)
        let cases: [(URL, CheckpointError.Kind)] = [
            (folder("absent"), .missingFile), (folder.url, .notAFile), (empty, .emptyFile), (folder("pipe"), .notAFile),
            (empty.appendingPathComponent("below"), .unreadable),
        ]
        for (url, kind) in cases {
            let error = checkpointError { _ = try MappedFile(url: url) }
            #expect(error?.kind == kind)
            #expect(error?.path == url.path)
        }
    }
}

@Suite struct AtomicFileTests {
    @Test func `a file appears when it is committed, not before`() throws {
        let folder = try TemporaryFolder()
        let url = try folder.file("a", [0])
        let file = try AtomicFile(replacing: url)
        try file.write("text")
        #expect(try Data(contentsOf: url) == Data([0]))
        try file.commit()
        #expect(try String(contentsOf: url, encoding: .utf8) == "text")
        #expect(try folder.fileNames == ["a"])
        #expect(checkpointError { try file.write([UInt8](repeating: 0, count: 1 << 21)) }?.kind == .writeFailed)
    }

    @Test func `a failed body leaves the old file and nothing else`() throws {
        struct Stop: Error {}
        let folder = try TemporaryFolder()
        let url = try folder.file("a", [7])
        #expect(throws: Stop.self) {
            try AtomicFile.write(to: url) {
                try $0.write("partial")
                throw Stop()
            }
        }
        #expect(try Data(contentsOf: url) == Data([7]))
        #expect(try folder.fileNames == ["a"])
    }

    @Test func `small and large pieces keep their order`() throws {
        let folder = try TemporaryFolder()
        var random = SplitMix(state: 1)
        var expected = Data()
        try AtomicFile.write(to: folder("a")) { file in
            for size in [1, 1000, (1 << 20) - 5, 10, 3 << 20, 0, 17, 1 << 20] {
                let piece = Data((0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                try file.write(piece)
                expected += piece
            }
            #expect(file.count == expected.count)
        }
        #expect(try Data(contentsOf: folder("a")) == expected)
    }

    @Test func `a missing folder is an error that names the file`() throws {
        let folder = try TemporaryFolder()
        let error = checkpointError { _ = try AtomicFile(replacing: folder("no/such")) }
        #expect(error?.kind == .writeFailed)
        #expect(error?.path == folder("no/such").path)
    }
}
