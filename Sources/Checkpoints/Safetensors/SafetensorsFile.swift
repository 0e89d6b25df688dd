import Foundation

/// One safetensors file, mapped into memory.
///
/// The file is an 8-byte little-endian length, that many bytes of JSON, and the tensors' bytes. Every rule of the
/// format is checked when the file is opened, so a record that exists can be read.
public final class SafetensorsFile: TensorArchive {
    /// The mapped file.
    public let file: MappedFile
    /// The `__metadata__` strings of the header.
    public let metadata: [String: String]
    /// Every tensor's name, in the order of the header.
    public let names: [String]

    /// Where the file was found.
    public var url: URL { file.url }

    private let records: [String: TensorRecord]

    /// Maps and checks the file at `url`.
    ///
    /// - Throws: `CheckpointError`.
    public convenience init(url: URL) throws {
        try self.init(MappedFile(url: url))
    }

    /// Checks a file that is already mapped.
    ///
    /// - Throws: `CheckpointError`.
    public init(_ file: MappedFile) throws {
        let header = try SafetensorsHeader(reading: file)
        self.file = file
        metadata = header.metadata
        names = header.entries.map(\.name)
        records = try Dictionary(
            uniqueKeysWithValues: header.entries.map { entry in
                let record = try TensorRecord(
                    name: entry.name, elementType: entry.elementType, shape: entry.shape, file: file,
                    storage: (header.dataStart + entry.range.lowerBound)..<(header.dataStart + entry.range.upperBound))
                return (entry.name, record)
            })
    }

    /// The tensor called `name`, or nil when there is none.
    public func record(named name: String) -> TensorRecord? { records[name] }
}

/// File names of a safetensors model in a folder.
enum SafetensorsNames {
    static let single = "model.safetensors"
    static let index = "model.safetensors.index.json"
}
