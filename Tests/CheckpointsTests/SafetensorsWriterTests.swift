import Checkpoints
import Foundation
import Testing

@Suite struct SafetensorsWriterTests {
    @Test func `what is written reads back, in the given order and aligned`() throws {
        let folder = try TemporaryFolder()
        var random = SplitMix(state: 3)
        let sources = ElementType.allCases.enumerated().map { index, type in
            SafetensorsWriter.Entry(
                name: "weird \"name\"\\\n\u{1F600} \(type.rawValue)", elementType: type, shape: [3, index],
                bytes: Data((0..<(3 * index * type.byteCount)).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
        }
        let metadata = ["format": "pt", "note": "line\nline \u{7} é"]
        try SafetensorsWriter.write(sources, metadata: metadata, to: folder("a"))

        let file = try SafetensorsFile(url: folder("a"))
        #expect(file.metadata == metadata)
        #expect(file.names == sources.map(\.name))
        for source in sources {
            let record = try #require(file.record(named: source.name))
            #expect(record.elementType == source.elementType && record.shape == source.shape)
            #expect(record.isAligned)
        }
        #expect(try folder.fileNames == ["a"])

        // A copy of the read tensors is the same file to the byte.
        try SafetensorsWriter.write(
            file.names.compactMap { file.record(named: $0) }.map { SafetensorsWriter.Entry($0) }, metadata: metadata,
            to: folder("b"))
        #expect(try Data(contentsOf: folder("a")) == Data(contentsOf: folder("b")))
    }

    @Test func `a tensor's bytes may come in pieces`() throws {
        let folder = try TemporaryFolder()
        let source = SafetensorsWriter.Entry(name: "x", elementType: .u8, shape: [6]) { sink in
            for piece: [UInt8] in [[1, 2], [], [3, 4, 5], [6]] { try piece.withUnsafeBytes { try sink($0) } }
        }
        try SafetensorsWriter.write([source], to: folder("a"))
        #expect(try SafetensorsFile(url: folder("a")).record(named: "x")?.packedBytes() == Data([1, 2, 3, 4, 5, 6]))
    }

    @Test func `no tensors give a file that opens`() throws {
        let folder = try TemporaryFolder()
        try SafetensorsWriter.write([SafetensorsWriter.Entry](), metadata: [:], to: folder("a"))
        #expect(try SafetensorsFile(url: folder("a")).names == [])
    }

    @Test func `tensors that cannot be stored are refused and nothing is left`() throws {
        let folder = try TemporaryFolder()
        func source(_ name: String, _ shape: [Int], _ count: Int) -> SafetensorsWriter.Entry {
            SafetensorsWriter.Entry(name: name, elementType: .u8, shape: shape, bytes: Data(count: count))
        }
        for sources in [
            [source("a", [1], 1), source("a", [1], 1)], [source("__metadata__", [1], 1)], [source("a", [-1], 1)],
            [source("a", [.max, 2], 1)], [source("a", [2], 1)], [source("a", [2], 3)],
            [source("a", [.max], 1), source("b", [.max], 1)],
        ] {
            #expect(checkpointError { try SafetensorsWriter.write(sources, to: folder("a")) }?.kind == .invalidTensor)
            #expect(try folder.fileNames == [])
        }
    }
}

@Suite struct ShardedSafetensorsTests {
    private let folder: TemporaryFolder
    private let sources: [SafetensorsWriter.Entry]

    init() throws {
        folder = try TemporaryFolder()
        sources = (0..<7).map { index in
            SafetensorsWriter.Entry(
                name: "t\(index)", elementType: .u8, shape: [10 * index],
                bytes: Data(repeating: UInt8(index), count: 10 * index))
        }
    }

    private func expectComplete(_ archive: any TensorArchive) {
        #expect(archive.names == sources.map(\.name))
        for index in 0..<7 {
            #expect(
                archive.record(named: "t\(index)")?.packedBytes() == Data(repeating: UInt8(index), count: 10 * index))
        }
    }

    @Test func `a folder of shards opens as one archive`() throws {
        let urls = try SafetensorsWriter.write(sources, toFolder: folder.url, maximumShardBytes: 60)
        #expect(urls.map(\.lastPathComponent) == (1...4).map { "model-0000\($0)-of-00004.safetensors" })
        expectComplete(try TensorArchives.open(at: folder.url))
        expectComplete(try TensorArchives.open(at: folder("model.safetensors.index.json")))
        let index = try JSONSerialization.jsonObject(with: Data(contentsOf: folder("model.safetensors.index.json")))
        let metadata = (index as? [String: Any])?["metadata"] as? [String: Int]
        #expect(metadata == ["total_size": 210])
    }

    @Test func `writing again replaces the model, whether whole or in shards`() throws {
        for limit in [60, 1000, 60, 100, 60] {
            let urls = try SafetensorsWriter.write(sources, toFolder: folder.url, maximumShardBytes: limit)
            expectComplete(try TensorArchives.open(at: folder.url))
            let index = urls.count > 1 ? ["model.safetensors.index.json"] : []
            #expect(try folder.fileNames == (urls.map(\.lastPathComponent) + index).sorted())
        }
    }

    @Test func `a failing source leaves the old model as it was`() throws {
        try SafetensorsWriter.write(sources, toFolder: folder.url, maximumShardBytes: 60)
        let before = try folder.fileNames
        let bad = SafetensorsWriter.Entry(name: "t9", elementType: .u8, shape: [3], bytes: Data())
        #expect(throws: CheckpointError.self) {
            try SafetensorsWriter.write(sources + [bad], toFolder: folder.url, maximumShardBytes: 50)
        }
        #expect(try folder.fileNames == before)
        expectComplete(try TensorArchives.open(at: folder.url))
    }

    @Test func `every missing shard is named`() throws {
        let urls = try SafetensorsWriter.write(sources, toFolder: folder.url, maximumShardBytes: 60)
        for url in [urls[0], urls[2]] { try FileManager.default.removeItem(at: url) }
        let error = checkpointError { _ = try TensorArchives.open(at: folder.url) }
        #expect(error?.kind == .missingShards([urls[0].lastPathComponent, urls[2].lastPathComponent]))
    }

    @Test func `an index that disagrees with its shards names the tensors`() throws {
        func shard(_ name: String, _ tensors: [String]) throws {
            let sources = tensors.map {
                SafetensorsWriter.Entry(name: $0, elementType: .u8, shape: [1], bytes: Data([1]))
            }
            try SafetensorsWriter.write(sources, to: folder(name))
        }
        try shard("one.safetensors", ["a", "b"])
        try shard("two.safetensors", ["c"])
        let cases: [(String, [String])] = [
            (#"{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"}"#, []),
            (#"{"a":"one.safetensors","b":"two.safetensors","c":"two.safetensors"}"#, ["b", "b"]),
            (#"{"a":"one.safetensors","c":"two.safetensors"}"#, ["b"]),
            (#"{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors","d":"two.safetensors"}"#, ["d"]),
        ]
        for (map, wrong) in cases {
            let url = try folder.file(
                "x.index.json", Array(#"{"metadata":{"total_size":3.0},"weight_map":\#(map)}"#.utf8))
            if wrong.isEmpty {
                #expect(try ShardedSafetensors(index: url).names == ["a", "b", "c"])
            } else {
                #expect(checkpointError { _ = try ShardedSafetensors(index: url) }?.kind == .indexMismatch(wrong))
            }
        }
    }

    @Test(arguments: [
        "../a", "/etc/passwd", "a/../../b", "", "a//b", "./a", "..", #"..\\a"#, #"a\u0000"#,
    ])
    func `a shard outside the folder is refused`(shard: String) throws {
        let url = try folder.file("x.index.json", Array(#"{"weight_map":{"a":"\#(shard)"}}"#.utf8))
        #expect(checkpointError { _ = try ShardedSafetensors(index: url) }?.kind == .malformed)
    }

    @Test(arguments: [
        "{}", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":{"a":"b","a":"b"}}"#, "x",
    ])
    func `an index without a proper weight map is refused`(text: String) throws {
        let url = try folder.file("x.index.json", Array(text.utf8))
        #expect(checkpointError { _ = try ShardedSafetensors(index: url) }?.kind == .malformed)
    }

    @Test func `a folder or path without a model is an error`() throws {
        #expect(checkpointError { _ = try TensorArchives.open(at: folder.url) }?.kind == .missingFile)
        #expect(checkpointError { _ = try TensorArchives.open(at: folder("absent")) }?.kind == .missingFile)
    }
}
