import Checkpoints
import Foundation
import Testing

@Suite struct PyTorchArchiveTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Opens a file of `torch.save` made of these bytes.
    private func open(_ bytes: [UInt8], rootKey: String = "model") throws -> PyTorchArchive {
        try PyTorchArchive(url: try folder.file("a.pth", bytes), rootKey: rootKey)
    }

    private let floats = bytes([0, 1, 2, 3, 4, 5])
    private var vector: [UInt8] { Pickle.tensor(Pickle.storage("0", count: 6), shape: [6], strides: [1]) }

    @Test func `the golden checkpoint equals its tensors laid out plainly`() throws {
        let archive = try PyTorchArchive(url: golden("upn-tiny/checkpoint-sample.pth"))
        let expected = try SafetensorsFile(url: golden("upn-tiny/checkpoint-sample.expected.safetensors"))
        #expect(Set(archive.names) == Set(expected.names))
        #expect(archive.names.count == expected.names.count)
        #expect(archive.ignoredNames == [])
        var strided = 0
        for name in expected.names {
            let found = try #require(archive.record(named: name))
            let wanted = try #require(expected.record(named: name))
            #expect(found.elementType == wanted.elementType, "\(name)")
            #expect(found.shape == wanted.shape, "\(name)")
            #expect(found.packedBytes() == wanted.packedBytes(), "\(name)")
            strided += found.isContiguous ? 0 : 1
        }
        #expect(strided > 0)
        // Written anew, it is the expected file's equal.
        try SafetensorsWriter.write(
            archive.names.compactMap { archive.record(named: $0) }.map { SafetensorsWriter.Entry($0) }, to: folder("b"))
        let copy = try SafetensorsFile(url: folder("b"))
        for name in expected.names {
            #expect(copy.record(named: name)?.packedBytes() == expected.record(named: name)?.packedBytes())
        }
    }

    @Test func `names of one tensor share its bytes`() throws {
        let archive = try PyTorchArchive(url: golden("upn-tiny/checkpoint-sample.pth"))
        let ranges = archive.names.compactMap { archive.record(named: $0)?.byteRange }.filter { !$0.isEmpty }
        #expect(Set(ranges).count < ranges.count)
    }

    static let views: [(offset: Int, shape: [Int], strides: [Int], values: [Float])] = [
        (0, [2, 3], [3, 1], [0, 1, 2, 3, 4, 5]), (0, [3, 2], [1, 3], [0, 3, 1, 4, 2, 5]),
        (1, [2, 2], [3, 1], [1, 2, 4, 5]), (4, [], [], [4]), (5, [1, 1], [77, 99], [5]),
        (2, [3], [0], [2, 2, 2]), (0, [2, 2, 2], [1, 0, 3], [0, 3, 0, 3, 1, 4, 1, 4]), (0, [0, 4], [4, 1], []),
        (6, [0], [1], []), (1, [3], [2], [1, 3, 5]),
    ]

    @Test(arguments: views)
    func `offsets and strides are honoured`(offset: Int, shape: [Int], strides: [Int], values: [Float]) throws {
        let tensor = Pickle.tensor(Pickle.storage("0", count: 6), offset: offset, shape: shape, strides: strides)
        let archive = try open(torchFile(root: Pickle.dictionary([("x", tensor)]), storages: ["0": floats]))
        let record = try #require(archive.record(named: "x"))
        #expect(record.packedBytes() == Data(bytes(values)))
        #expect(record.strides == strides && record.elementCount == values.count)
    }

    static let badViews: [(offset: Int, shape: [Int], strides: [Int])] = [
        (0, [7], [1]), (1, [6], [1]), (-1, [2], [1]), (0, [2], [-1]), (0, [-1], [1]), (0, [2], []), (0, [2], [1, 1]),
        (7, [0], [1]), (0, [2], [.max]), (0, [.max], [.max]), (.max, [2], [1]), (0, [.max, 2], [0, 0]),
        (0, [3, 3], [.max / 2, .max / 2]), (0, [Int](repeating: 1, count: 65), [Int](repeating: 1, count: 65)),
        (0, [1 << 40], [0]),
    ]

    @Test(arguments: badViews)
    func `a view that leaves its storage is refused`(offset: Int, shape: [Int], strides: [Int]) throws {
        let tensor = Pickle.tensor(Pickle.storage("0", count: 6), offset: offset, shape: shape, strides: strides)
        let file = torchFile(root: Pickle.dictionary([("x", tensor)]), storages: ["0": floats])
        let error = checkpointError { _ = try open(file) }
        #expect(error?.kind == .malformed || error?.kind == .limitExceeded)
        #expect(error?.message.contains("'x'") == true)
    }

    @Test func `every storage class has its element type`() throws {
        let types: [(String, ElementType)] = [
            ("FloatStorage", .f32), ("DoubleStorage", .f64), ("HalfStorage", .f16), ("BFloat16Storage", .bf16),
            ("LongStorage", .i64), ("IntStorage", .i32), ("ShortStorage", .i16), ("CharStorage", .i8),
            ("ByteStorage", .u8), ("BoolStorage", .bool),
        ]
        let members = types.map { name, _ in
            (name, Pickle.tensor(Pickle.storage(name, count: 1, type: name), shape: [1], strides: [1]))
        }
        let storages = Dictionary(
            uniqueKeysWithValues: types.map { ($0.0, [UInt8](repeating: 1, count: $0.1.byteCount)) })
        let archive = try open(torchFile(root: Pickle.dictionary(members), storages: storages))
        #expect(archive.names == types.map(\.0))
        for (name, type) in types { #expect(archive.record(named: name)?.elementType == type) }
    }

    @Test func `the state dictionary is found under its key, at the root, and without its wrapper's prefix`() throws {
        let state = Pickle.dictionary([("module.a", vector), ("module.b", vector)])
        let mixed = Pickle.dictionary([
            ("module.a", vector), ("b", vector), ("steps", Pickle.integer(3)), ("n", Pickle.none),
        ])
        let nested = Pickle.dictionary([("args", Pickle.call("argparse", "Namespace", [])), ("model", state)])
        let other = Pickle.dictionary([("ema", mixed)])
        let named = Pickle.dictionary([("model", vector)])
        let storages = ["0": floats]
        #expect(try open(torchFile(root: state, storages: storages)).names == ["a", "b"])
        #expect(try open(torchFile(root: nested, storages: storages)).names == ["a", "b"])
        #expect(try open(torchFile(root: named, storages: storages)).names == ["model"])
        let archive = try open(torchFile(root: other, storages: storages), rootKey: "ema")
        #expect(archive.names == ["module.a", "b"])
        #expect(archive.ignoredNames == ["steps", "n"])
        #expect(checkpointError { _ = try open(torchFile(root: other, storages: storages)) }?.kind == .unsupported)
    }

    @Test func `parameters, attribute state and newer protocols are understood`() throws {
        let parameter = Pickle.call("torch._utils", "_rebuild_parameter", [vector, Pickle.yes, Pickle.emptyTuple])
        let withState =
            Pickle.call("collections", "OrderedDict", []) + [0x94] + Pickle.mark + Pickle.text("p") + parameter + [0x75]
            + Pickle.dictionary([("_metadata", Pickle.emptyDictionary)]) + Pickle.build
        #expect(try open(torchFile(root: withState, storages: ["0": floats])).names == ["p"])

        // Protocol 4 names globals by two strings from the stack.
        let stackGlobal = Pickle.text("collections") + [0x8C, 11] + Array("OrderedDict".utf8) + [0x93]
        let root = [0x80, 4, 0x95] + littleEndian(0 as UInt64) + stackGlobal + Pickle.emptyTuple + Pickle.reduce
        let filled = root + Pickle.mark + Pickle.text("q") + vector + [0x75]
        #expect(try open(torchFile(root: filled, storages: ["0": floats])).names == ["q"])
    }

    @Test func `archives with Zip64 records, a comment or no byte order are read`() throws {
        let root = Pickle.dictionary([("x", vector)])
        let files = [
            torchFile(root: root, storages: ["0": floats]) { $0.usesZip64 = true },
            torchFile(root: root, storages: ["0": floats]) { $0.comment = Array("PK\u{5}\u{6} comment".utf8) },
            torchFile(root: root, storages: ["0": floats], byteOrder: nil),
        ]
        for file in files { #expect(try open(file).record(named: "x")?.packedBytes() == Data(floats)) }
    }

    @Test func `archives that cannot be read safely are refused`() throws {
        let root = Pickle.dictionary([("x", vector)])
        func file(_ change: @escaping (inout ZipBuilder) -> Void) -> [UInt8] {
            torchFile(root: root, storages: ["0": floats], change: change)
        }
        let cases: [(String, [UInt8], CheckpointError.Kind)] = [
            ("compressed", file { $0.entries[2].method = 8 }, .unsupported),
            ("compressed pickle", file { $0.entries[0].method = 8 }, .unsupported),
            ("encrypted", file { $0.entries[2].flags = 1 }, .unsupported),
            ("big-endian", torchFile(root: root, storages: ["0": floats], byteOrder: "big"), .unsupported),
            ("storage missing", torchFile(root: root), .malformed),
            ("storage short", torchFile(root: root, storages: ["0": Array(floats.dropLast())]), .malformed),
            ("names differ", file { $0.entries[2].localName = "archive/data/1" }, .malformed),
            ("same name twice", file { $0.entries.append($0.entries[2]) }, .malformed),
            ("offset outside", file { $0.entries[2].claimedOffset = 1 << 30 }, .malformed),
            ("offset elsewhere", file { $0.entries[2].claimedOffset = 7 }, .malformed),
            ("size outside", file { $0.entries[2].claimedSize = 1 << 30 }, .malformed),
            ("no pickle", file { $0.entries[0].name = "archive/other" }, .malformed),
            ("two pickles", file { $0.entries[1].name = "b/data.pkl" }, .malformed),
            ("old format", [0x80, 2, 0x8A, 10] + [UInt8](repeating: 0, count: 40), .unsupported),
            ("no zip", Array("hello, this is text".utf8), .malformed),
            ("only a magic number", [0x50, 0x4B], .malformed),
        ]
        for (name, bytes, kind) in cases {
            #expect(checkpointError { _ = try open(bytes) }?.kind == kind, "\(name)")
        }
    }

    @Test func `a file's content decides how it is opened`() throws {
        let url = try folder.file(
            "model.bin", torchFile(root: Pickle.dictionary([("x", vector)]), storages: ["0": floats]))
        #expect(try TensorArchives.open(at: url) is PyTorchArchive)
        #expect(try TensorArchives.open(at: golden("upn-tiny/weights.safetensors")) is SafetensorsFile)
    }
}
