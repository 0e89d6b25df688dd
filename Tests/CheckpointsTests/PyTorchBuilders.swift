import Foundation

/// Writes zip archives by bytes: stored entries, and on request what a reader must refuse or understand.
struct ZipBuilder {
    struct Entry {
        var name: String
        var content: [UInt8]
        var flags: UInt16 = 0
        var method: UInt16 = 0
        /// Name in the local header, when it is to differ.
        var localName: String?
        /// Offset in the central directory, when it is to be wrong.
        var claimedOffset: UInt32?
        /// Size in the central directory, when it is to be wrong.
        var claimedSize: UInt32?
    }

    var entries: [Entry] = []
    var usesZip64 = false
    var comment: [UInt8] = []

    func build() -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = file.count
            let size = UInt32(entry.content.count)
            let localName = Array((entry.localName ?? entry.name).utf8)
            file += littleEndian(0x0403_4b50 as UInt32) + littleEndian(20 as UInt16) + littleEndian(entry.flags)
            file += littleEndian(entry.method) + [UInt8](repeating: 0, count: 8)
            file += littleEndian(size) + littleEndian(size) + littleEndian(UInt16(localName.count))
            file += littleEndian(0 as UInt16) + localName + entry.content

            let extra =
                usesZip64
                ? littleEndian(1 as UInt16) + littleEndian(24 as UInt16) + littleEndian(UInt64(size))
                    + littleEndian(UInt64(size)) + littleEndian(UInt64(offset)) : []
            let shownSize = usesZip64 ? .max : entry.claimedSize ?? size
            let shownOffset = usesZip64 ? .max : entry.claimedOffset ?? UInt32(offset)
            directory += littleEndian(0x0201_4b50 as UInt32) + littleEndian(20 as UInt16) + littleEndian(20 as UInt16)
            directory += littleEndian(entry.flags) + littleEndian(entry.method) + [UInt8](repeating: 0, count: 8)
            directory += littleEndian(shownSize) + littleEndian(shownSize)
            directory += littleEndian(UInt16(entry.name.utf8.count)) + littleEndian(UInt16(extra.count))
            directory += [UInt8](repeating: 0, count: 10) + littleEndian(shownOffset) + Array(entry.name.utf8) + extra
        }
        let start = file.count
        file += directory
        if usesZip64 {
            let record = file.count
            file += littleEndian(0x0606_4b50 as UInt32) + littleEndian(44 as UInt64)
            file += [UInt8](repeating: 0, count: 12) + littleEndian(UInt64(entries.count))
            file +=
                littleEndian(UInt64(entries.count)) + littleEndian(UInt64(directory.count))
                + littleEndian(UInt64(start))
            file += littleEndian(0x0706_4b50 as UInt32) + littleEndian(0 as UInt32) + littleEndian(UInt64(record))
            file += littleEndian(1 as UInt32)
        }
        let count: UInt16 = usesZip64 ? .max : UInt16(entries.count)
        file +=
            littleEndian(0x0605_4b50 as UInt32) + littleEndian(0 as UInt32) + littleEndian(count) + littleEndian(count)
        file += littleEndian(usesZip64 ? UInt32.max : UInt32(directory.count))
        file += littleEndian(usesZip64 ? UInt32.max : UInt32(start))
        return file + littleEndian(UInt16(comment.count)) + comment
    }
}

/// Pieces of pickles, as Python writes them.
enum Pickle {
    static let none: [UInt8] = [0x4E], yes: [UInt8] = [0x88], no: [UInt8] = [0x89], mark: [UInt8] = [0x28]
    static let emptyTuple: [UInt8] = [0x29], emptyList: [UInt8] = [0x5D], emptyDictionary: [UInt8] = [0x7D]
    static let reduce: [UInt8] = [0x52], build: [UInt8] = [0x62], stop: [UInt8] = [0x2E],
        tupleFromMark: [UInt8] = [0x74]
    static let start: [UInt8] = [0x80, 0x02]

    static func text(_ text: String) -> [UInt8] {
        [0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    static func global(_ module: String, _ name: String) -> [UInt8] { [0x63] + Array("\(module)\n\(name)\n".utf8) }

    static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + littleEndian(Int64(value)) }

    static func tuple(_ items: [[UInt8]]) -> [UInt8] { mark + items.joined() + tupleFromMark }

    static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
        global(module, name) + tuple(arguments) + reduce
    }

    static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
        emptyDictionary + mark + members.flatMap { text($0.0) + $0.1 } + [0x75]
    }

    static func storage(_ key: String, count: Int, type: String = "FloatStorage") -> [UInt8] {
        tuple([text("storage"), global("torch", type), text(key), text("cuda:0"), integer(count)]) + [0x51]
    }

    static func tensor(_ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
        call(
            "torch._utils", "_rebuild_tensor_v2",
            [
                storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)), no,
                call("collections", "OrderedDict", []),
            ])
    }

    static func document(_ root: [UInt8]) -> [UInt8] { start + root + stop }
}

/// A file of `torch.save` around a pickle's root value; each storage is named by its key.
func torchFile(
    root: [UInt8], storages: [String: [UInt8]] = [:], byteOrder: String? = "little",
    change: (inout ZipBuilder) -> Void = { _ in }
) -> [UInt8] {
    var zip = ZipBuilder()
    zip.entries.append(.init(name: "archive/data.pkl", content: Pickle.document(root)))
    if let byteOrder { zip.entries.append(.init(name: "archive/byteorder", content: Array(byteOrder.utf8))) }
    for (key, content) in storages.sorted(by: { $0.key < $1.key }) {
        zip.entries.append(.init(name: "archive/data/\(key)", content: content))
    }
    change(&zip)
    return zip.build()
}
