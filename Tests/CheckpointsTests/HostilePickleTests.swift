import Checkpoints
import Foundation
import Testing

/// Pickles that attack the reader: none may run anything, crash, hang or fill the memory.
@Suite struct HostilePickleTests {
    private let folder: TemporaryFolder
    private let vector = Pickle.tensor(Pickle.storage("0", count: 2), shape: [2], strides: [1])

    init() throws { folder = try TemporaryFolder() }

    private func open(_ root: [UInt8]) throws -> PyTorchArchive {
        let file = torchFile(root: root, storages: ["0": bytes([1, 2])])
        return try PyTorchArchive(url: try folder.file("a.pth", file))
    }

    @Test func `a command in a pickle is never run`() throws {
        let marker = folder("ran")
        let command = Pickle.call("os", "system", [Pickle.text("touch \(marker.path)")])
        let beside = Pickle.dictionary([("extra", command), ("model", Pickle.dictionary([("x", vector)]))])
        #expect(try open(beside).names == ["x"])

        for root in [
            command, Pickle.dictionary([("model", command)]),
            Pickle.dictionary([("model", Pickle.dictionary([("x", command)]))]),
            Pickle.call("torch._utils", "_rebuild_parameter", [command, Pickle.yes, Pickle.none]),
            Pickle.call(
                "torch._utils", "_rebuild_tensor_v2",
                [command] + [Pickle.integer(0)] + [Pickle.emptyTuple, Pickle.emptyTuple, Pickle.no, Pickle.none]),
            command + Pickle.emptyTuple + Pickle.reduce, command + Pickle.emptyDictionary + Pickle.build,
            command + Pickle.mark + Pickle.text("a") + vector + [0x75],
        ] {
            #expect(checkpointError { _ = try open(root) }?.kind == .unknownGlobal("os.system"))
        }
        #expect(!FileManager.default.fileExists(atPath: marker.path))
    }

    @Test func `globals that only resemble the known ones are opaque`() throws {
        for (module, name) in [
            ("torch", "_utils._rebuild_tensor"), ("collections", "OrderedDict2"),
            ("torch._utils", "_rebuild_tensor_v3"),
            ("builtins", "eval"),
        ] {
            let root = Pickle.dictionary([("model", Pickle.call(module, name, []))])
            #expect(checkpointError { _ = try open(root) }?.kind == .unknownGlobal("\(module).\(name)"))
        }
        let complex = Pickle.tensor(
            Pickle.storage("0", count: 1, type: "ComplexFloatStorage"), shape: [1], strides: [1])
        let error = checkpointError { _ = try open(Pickle.dictionary([("x", complex)])) }
        #expect(error?.kind == .unknownGlobal("torch.ComplexFloatStorage"))
    }

    @Test func `structures that contain themselves end`() throws {
        let memoise: [UInt8] = [0x71, 0], recall: [UInt8] = [0x68, 0]
        let list = Pickle.emptyList + memoise + recall + [0x61]
        #expect(checkpointError { _ = try open(list) }?.kind == .malformed)
        let dictionary = Pickle.emptyDictionary + memoise + Pickle.text("model") + recall + [0x73]
        #expect(try open(dictionary).names == [])
    }

    @Test func `deep nesting neither overflows the stack when built nor when freed`() throws {
        let depth = 500_000
        let tuples = Pickle.emptyTuple + [UInt8](repeating: 0x85, count: depth)
        #expect(
            try open(Pickle.dictionary([("deep", tuples), ("model", Pickle.dictionary([("x", vector)]))])).names == [
                "x"
            ])
        let marks = [UInt8](repeating: 0x28, count: depth) + [UInt8](repeating: 0x74, count: depth)
        #expect(
            try open(Pickle.dictionary([("deep", marks), ("model", Pickle.dictionary([("x", vector)]))])).names == ["x"]
        )
    }

    @Test func `sharing that doubles at each step costs nothing`() throws {
        var bomb = Pickle.emptyList + [0x71, 0]
        for index: UInt8 in 1...200 { bomb += [0x68, index - 1, 0x68, index - 1, 0x86, 0x71, index] }
        let root = Pickle.dictionary([("model", Pickle.dictionary([("x", vector)]))])
        #expect(try open(bomb + [0x30] + root).names == ["x"])
    }

    @Test func `too many of anything is an error`() throws {
        let bombs: [(String, [UInt8])] = [
            ("stacked values", [UInt8](repeating: 0x4E, count: 1_000_001)),
            ("marks", [UInt8](repeating: 0x28, count: 1_000_001)),
            ("objects", [UInt8]((0..<4_000_004).lazy.map { $0.isMultiple(of: 2) ? 0x5D : 0x30 })),
        ]
        for (name, body) in bombs {
            #expect(checkpointError { _ = try open(body) }?.kind == .limitExceeded, "\(name)")
        }
    }

    @Test func `a pickle past the size limit is not begun`() throws {
        #expect(checkpointError { _ = try open([UInt8](repeating: 0x4E, count: 65 << 20)) }?.kind == .limitExceeded)
    }

    static let malformed: [(String, [UInt8])] = [
        ("a text of 4 GB", [0x58, 0xFF, 0xFF, 0xFF, 0xFF, 0x41]),
        ("a text of 2^63 bytes", [0x8D] + littleEndian(UInt64(1) << 63)),
        ("bytes past the end", [0x8E] + littleEndian(UInt64.max)),
        ("a negative long", [0x8B] + littleEndian(Int32.min)), ("a long past the end", [0x8A, 200, 1]),
        ("a negative byte string", [0x54] + littleEndian(Int32(-1))),
        ("a text that is no UTF-8", [0x58, 1, 0, 0, 0, 0xFF]),
        ("a memo index that was never set", [0x6A, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("memoise of nothing", [0x72, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("a global without an end", [0x63, 0x61, 0x0A, 0x62]), ("pop of nothing", [0x30]),
        ("a tuple without a mark", [0x74]),
        ("a tuple of too few", Pickle.none + [0x87]), ("a pop below a mark", Pickle.none + Pickle.mark + [0x85]),
        ("odd members", Pickle.emptyDictionary + Pickle.mark + Pickle.none + [0x75]),
        ("members of a list", Pickle.emptyList + Pickle.mark + Pickle.none + Pickle.none + [0x75]),
        ("items of a dictionary", Pickle.emptyDictionary + Pickle.none + [0x61]),
        ("items of a number", Pickle.none + Pickle.none + [0x61]),
        ("a call of a text", Pickle.text("os.system") + Pickle.emptyTuple + Pickle.reduce),
        ("a call without a tuple", Pickle.global("os", "system") + Pickle.none + Pickle.reduce),
        ("a state without an object", Pickle.none + Pickle.none + Pickle.build),
        ("a stack global of numbers", Pickle.none + Pickle.none + [0x93]),
        ("a persistent identifier that is a text", Pickle.text("storage") + [0x51]),
        ("a negative storage", Pickle.storage("0", count: -1)),
        ("a tensor of nothing", Pickle.call("torch._utils", "_rebuild_tensor_v2", [])),
        ("a tensor of a text", Pickle.tensor(Pickle.text("0"), shape: [1], strides: [1])),
        (
            "a storage of 2^63 bytes",
            Pickle.dictionary([("x", Pickle.tensor(Pickle.storage("0", count: .max), shape: [1], strides: [1]))])
        ),
        (
            "a storage out of the folder",
            Pickle.dictionary([("x", Pickle.tensor(Pickle.storage("../../x", count: 1), shape: [1], strides: [1]))])
        ),
        (
            "a parameter of a number",
            Pickle.call("torch._utils", "_rebuild_parameter", [Pickle.none, Pickle.yes, Pickle.none])
        ),
        ("a root that is a number", Pickle.integer(1)),
        (
            "a name that is a number",
            Pickle.dictionary([("model", Pickle.emptyDictionary + Pickle.integer(1) + Pickle.integer(2) + [0x73])])
        ),
        ("nothing", []),
    ]

    @Test func `a malformed pickle is an error`() throws {
        for (name, body) in Self.malformed {
            #expect(checkpointError { _ = try open(body) }?.kind == .malformed, "\(name)")
        }
    }

    @Test func `opcodes that torch.save does not write are refused`() throws {
        let known: Set<UInt8> = Set(
            [
                0x80, 0x95, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x96, 0x85, 0x86, 0x87, 0x8f, 0x90, 0x91, 0x94,
                0x93, 0x81, 0x92,
            ]
                + Array("NJKMGXUCTB()tlaed}]su012qrhjcQRb.".utf8))
        for opcode in UInt8.min ... .max where !known.contains(opcode) {
            #expect(checkpointError { _ = try open([opcode]) }?.kind == .unsupported, "opcode \(opcode)")
        }
        for version: UInt8 in [0, 1, 6, 255] {
            #expect(checkpointError { _ = try open([0x80, version]) }?.kind == .unsupported)
        }
    }

    @Test func `integers of every width keep their value`() throws {
        // Read back as the offset of an empty view, which must not pass the storage's 2 elements.
        let widths: [([UInt8], Bool)] = [
            ([0x4A] + littleEndian(Int32(2)), true), ([0x4B, 2], true), ([0x4D, 2, 0], true), ([0x8A, 0], true),
            ([0x8A, 1, 2], true), ([0x8A, 1, 0xFE], false), ([0x8A, 2, 2, 1], false),
            ([0x8B] + littleEndian(Int32(1)) + [2], true),
            ([0x4A] + littleEndian(Int32(-1)), false), ([0x8A, 9] + [UInt8](repeating: 1, count: 9), false),
            ([0x4D, 0, 1], false),
        ]
        for (offset, fits) in widths {
            let tensor = Pickle.call(
                "torch._utils", "_rebuild_tensor_v2",
                [
                    Pickle.storage("0", count: 2), offset, Pickle.tuple([Pickle.integer(0)]),
                    Pickle.tuple([Pickle.integer(1)]), Pickle.no, Pickle.none,
                ])
            let root = Pickle.dictionary([("x", tensor)])
            if fits {
                #expect(try open(root).names == ["x"])
            } else {
                #expect(checkpointError { _ = try open(root) }?.kind == .malformed)
            }
        }
    }
}
