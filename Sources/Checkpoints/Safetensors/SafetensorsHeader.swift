import Foundation

/// The checked header of a safetensors file.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        let elementType: ElementType
        let shape: [Int]
        /// Bytes after the header.
        let range: Range<Int>
    }

    static let metadataKey = "__metadata__"
    static let lengthByteCount = 8
    /// The limit of the format's reference implementation.
    static let maximumByteCount = 100_000_000

    /// Tensors in the order of the header.
    private(set) var entries: [Entry] = []
    private(set) var metadata: [String: String] = [:]
    /// Where the tensors' bytes begin in the file.
    let dataStart: Int

    private let path: String

    init(reading file: MappedFile) throws {
        path = file.url.path
        let length = try Self.headerLength(of: file)
        dataStart = Self.lengthByteCount + length
        let document = try file.withBytes { bytes in
            try StrictJSON(
                parsing: UnsafeRawBufferPointer(rebasing: bytes[Self.lengthByteCount..<dataStart]), path: path)
        }
        guard let members = document.objectMembers else { throw malformed("the header is not a JSON object.") }
        entries.reserveCapacity(members.count)
        for member in members {
            if member.key == Self.metadataKey {
                metadata = try parseMetadata(member.value)
            } else {
                entries.append(try parseEntry(member.key, member.value))
            }
        }
        try checkCoverage(dataCount: file.count - dataStart)
    }

    private static func headerLength(of file: MappedFile) throws -> Int {
        func fail(_ kind: CheckpointError.Kind, _ message: String) -> CheckpointError {
            CheckpointError(kind, path: file.url.path, message)
        }
        guard file.count >= lengthByteCount else {
            throw fail(.malformed, "\(file.count) bytes are too few for a safetensors file.")
        }
        let claimed = file.withBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard claimed <= UInt64(file.count - lengthByteCount) else {
            throw fail(
                .malformed,
                """
                the header claims \(claimed) bytes in a file of \(file.count); it is no safetensors file \
                or was cut short.
                """
            )
        }
        guard claimed <= UInt64(maximumByteCount) else {
            throw fail(.limitExceeded, "the header has \(claimed) bytes, more than the format's \(maximumByteCount).")
        }
        let length = Int(claimed)
        guard length > 0, file.withBytes({ $0[lengthByteCount] }) == UInt8(ascii: "{") else {
            throw fail(.malformed, "the header does not begin with '{'; this is no safetensors file.")
        }
        return length
    }

    private func parseMetadata(_ value: StrictJSON) throws -> [String: String] {
        guard let members = value.objectMembers else { throw malformed("\(Self.metadataKey) is not an object.") }
        var metadata: [String: String] = [:]
        for member in members {
            guard let text = member.value.stringValue else {
                throw malformed("the \(Self.metadataKey) value of '\(member.key)' is not a string.")
            }
            metadata[member.key] = text
        }
        return metadata
    }

    private func parseEntry(_ name: String, _ value: StrictJSON) throws -> Entry {
        guard let members = value.objectMembers else { throw malformed("the entry of '\(name)' is not an object.") }
        var elementType: ElementType?
        var shape: [Int]?
        var offsets: [Int]?
        for member in members {
            switch member.key {
            case "dtype":
                guard let text = member.value.stringValue else {
                    throw malformed("the dtype of '\(name)' is not a string.")
                }
                elementType = ElementType(rawValue: text)
                guard elementType != nil else {
                    throw CheckpointError(.unsupported, path: path, "tensor '\(name)' has the unknown dtype '\(text)'.")
                }
            case "shape": shape = member.value.integers
            case "data_offsets": offsets = member.value.integers
            default: throw malformed("the entry of '\(name)' has the unknown member '\(member.key)'.")
            }
        }
        guard let elementType, let shape, let offsets, offsets.count == 2 else {
            throw malformed("the entry of '\(name)' lacks a dtype, a shape of integers or two integer data_offsets.")
        }
        guard offsets[0] >= 0, offsets[0] <= offsets[1] else {
            throw malformed("the data_offsets \(offsets) of '\(name)' are negative or in the wrong order.")
        }
        guard let layout = RowMajorLayout(shape: shape, elementType: elementType) else {
            throw malformed("the shape \(shape) of '\(name)' has a negative size or is too large.")
        }
        let expected = layout.elementCount * elementType.byteCount
        guard offsets[1] - offsets[0] == expected else {
            throw malformed(
                """
                '\(name)' of shape \(shape) and dtype \(elementType.rawValue) needs \(expected) bytes, \
                not \(offsets[1] - offsets[0]).
                """
            )
        }
        return Entry(name: name, elementType: elementType, shape: shape, range: offsets[0]..<offsets[1])
    }

    /// The tensors must cover the data without a gap, an overlap or a rest.
    private func checkCoverage(dataCount: Int) throws {
        let ordered = entries.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var end = 0
        for entry in ordered {
            guard entry.range.lowerBound == end else {
                throw malformed(
                    """
                    '\(entry.name)' begins at byte \(entry.range.lowerBound) of the data where byte \
                    \(end) is due: a gap or an overlap.
                    """
                )
            }
            end = entry.range.upperBound
        }
        guard end == dataCount else {
            throw malformed("the tensors need \(end) bytes of data, the file has \(dataCount); was it cut short?")
        }
    }

    private func malformed(_ message: String) -> CheckpointError {
        CheckpointError(.malformed, path: path, message)
    }
}
