import Checkpoints
import Foundation
import Testing

/// Valid files with bytes changed or cut off: opening one gives an archive whose every tensor can be read, or a
/// `CheckpointError`. Deterministic.
@Suite struct DamageTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Opens the damaged file and touches every byte of every tensor. Gives whether it opened.
    private func survives(_ bytes: [UInt8]) throws -> Bool {
        let url = try folder.file("damaged", bytes)
        // Some file systems wait for the disk when a file is overwritten; a new one each time is fast.
        defer { unlink(url.path) }
        do {
            let archive = try TensorArchives.open(at: url)
            for name in archive.names {
                let record = try #require(archive.record(named: name))
                #expect(record.byteRange.upperBound <= bytes.count)
                #expect(record.packedBytes().count == record.byteCount)
            }
            return true
        } catch is CheckpointError {
            return false
        }
    }

    private static func pytorch(zip64: Bool = false) -> [UInt8] {
        let views = [
            ("a", Pickle.tensor(Pickle.storage("0", count: 6), shape: [2, 3], strides: [1, 2])),
            (
                "b",
                Pickle.tensor(Pickle.storage("1", count: 2, type: "LongStorage"), offset: 1, shape: [1], strides: [1])
            ),
        ]
        let root = Pickle.dictionary([
            ("args", Pickle.call("argparse", "Namespace", [])), ("model", Pickle.dictionary(views)),
        ])
        return torchFile(
            root: root, storages: ["0": bytes([1, 2, 3, 4, 5, 6]), "1": [UInt8](repeating: 3, count: 16)]
        ) {
            $0.usesZip64 = zip64
        }
    }

    private func safetensors() throws -> [UInt8] {
        let sources = [
            SafetensorsWriter.Entry(
                name: "a", elementType: .f32, shape: [2, 3], bytes: Data(bytes([1, 2, 3, 4, 5, 6]))),
            SafetensorsWriter.Entry(name: "b", elementType: .i64, shape: [], bytes: Data(count: 8)),
            SafetensorsWriter.Entry(name: "c", elementType: .u8, shape: [0, 5], bytes: Data()),
        ]
        try SafetensorsWriter.write(sources, to: folder("valid"))
        return Array(try Data(contentsOf: folder("valid")))
    }

    @Test func `a cut file never opens`() throws {
        for file in [Self.pytorch(), try safetensors()] {
            #expect(try survives(file))
            for count in 0..<file.count { #expect(try !survives(Array(file.prefix(count)))) }
        }
    }

    @Test func `a changed byte never crashes the reader`() throws {
        for file in [Self.pytorch(), Self.pytorch(zip64: true), try safetensors()] {
            var opened = 0
            for index in file.indices {
                for value in [0, 0xFF, file[index] ^ 1, file[index] ^ 0x80, file[index] &+ 1] {
                    var damaged = file
                    damaged[index] = value
                    opened += try survives(damaged) ? 1 : 0
                }
            }
            #expect(opened > 0)
        }
    }

    @Test func `several changed bytes at once never crash the reader`() throws {
        var random = SplitMix(state: 20)
        for file in [Self.pytorch(), try safetensors()] {
            for _ in 0..<3000 {
                var damaged = file
                for _ in 0..<Int.random(in: 2...8, using: &random) {
                    damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(
                        in: .min ... .max, using: &random)
                }
                _ = try survives(damaged)
            }
        }
    }

    @Test func `random opcodes never crash the pickle machine`() throws {
        var random = SplitMix(state: 21)
        let pieces: [[UInt8]] = [
            Pickle.none, Pickle.yes, Pickle.mark, Pickle.emptyTuple, Pickle.emptyList, Pickle.emptyDictionary,
            Pickle.reduce,
            Pickle.build, Pickle.tupleFromMark, Pickle.text("model"), Pickle.text("x"), Pickle.integer(1),
            Pickle.storage("0", count: 2),
            Pickle.global("os", "system"), Pickle.global("collections", "OrderedDict"), [0x71, 0], [0x68, 0],
            [0x71, 1], [0x68, 1],
            [0x73], [0x75], [0x61], [0x65], [0x85], [0x86], [0x87], [0x30], [0x31], [0x32], [0x81], [0x51], [0x93],
            [0x94], [0x8F], [0x90],
            Pickle.tensor(Pickle.storage("0", count: 2), shape: [2], strides: [1]),
        ]
        for _ in 0..<5000 {
            let root = (0..<Int.random(in: 1...40, using: &random)).flatMap { _ in
                pieces.randomElement(using: &random) ?? []
            }
            _ = try survives(torchFile(root: Pickle.emptyDictionary + root, storages: ["0": bytes([1, 2])]))
        }
    }
}
