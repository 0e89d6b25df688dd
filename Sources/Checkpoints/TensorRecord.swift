import Foundation

/// One tensor of a checkpoint: where its bytes lie and how to read them. Nothing is copied until asked for.
public struct TensorRecord: Sendable {
    /// Name in the checkpoint.
    public let name: String
    /// Type of one element.
    public let elementType: ElementType
    /// Sizes, outermost first; empty for a scalar.
    public let shape: [Int]
    /// Steps between neighbours along each dimension, in elements, none negative. Row-major for safetensors.
    public let strides: [Int]
    /// The file that holds the bytes. Keep it as long as a pointer into it is in use.
    public let file: MappedFile
    /// Bytes of `file` from the first element to the end of the last one. Two names of one tensor have the same range.
    public let byteRange: Range<Int>
    /// Number of elements, the product of `shape`.
    public let elementCount: Int

    /// Bytes of the tensor when laid out row-major without gaps.
    public var byteCount: Int { elementCount * elementType.byteCount }

    /// Whether the elements already lie row-major without gaps.
    public var isContiguous: Bool { packedSuffixRank == shape.count }

    /// Whether the first byte is aligned for the element type.
    public var isAligned: Bool {
        withBytes { bytes in UInt(bitPattern: bytes.baseAddress) % UInt(elementType.byteCount) == 0 }
    }

    /// Calls `body` with the bytes of `byteRange` in place. They are in the order of `strides`.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try file.withBytes { bytes throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[byteRange]))
        }
    }
}

extension TensorRecord {
    /// A view of a storage, checked to lie inside it.
    ///
    /// - Parameters:
    ///   - strides: in elements; nil means row-major.
    ///   - storage: bytes of `file` that belong to the tensor's storage, itself inside the file.
    ///   - offset: first element, counted from the start of the storage.
    /// - Throws: `CheckpointError` with kind `malformed` or `limitExceeded`.
    init(
        name: String, elementType: ElementType, shape: [Int], strides: [Int]? = nil, file: MappedFile,
        storage: Range<Int>, offset: Int = 0
    ) throws {
        func fail(_ kind: CheckpointError.Kind, _ reason: String) -> CheckpointError {
            CheckpointError(kind, path: file.url.path, "tensor '\(name)' of shape \(shape): \(reason)")
        }
        guard shape.count <= Self.maximumRank else {
            throw CheckpointError(
                .limitExceeded, path: file.url.path,
                "tensor '\(name)' has \(shape.count) dimensions, more than \(Self.maximumRank).")
        }
        guard let layout = RowMajorLayout(shape: shape, elementType: elementType) else {
            throw fail(.malformed, "a size is negative or the sizes multiply past the range of integers.")
        }
        let strides = strides ?? layout.strides
        guard strides.count == shape.count, strides.allSatisfy({ $0 >= 0 }), offset >= 0 else {
            throw fail(.malformed, "strides \(strides) and offset \(offset) do not fit the shape or are negative.")
        }
        let size = elementType.byteCount
        let available = storage.count / size
        let extent = Self.extent(shape: shape, strides: strides, elementCount: layout.elementCount)
        guard let extent, offset <= available, extent <= available - offset else {
            throw fail(
                .malformed,
                """
                strides \(strides) and offset \(offset) reach past its storage of \(available) elements; \
                the file may be cut short.
                """
            )
        }
        // Stride 0 repeats elements, so a view can be larger than the file; a hostile one would fill the memory.
        guard layout.elementCount * size <= max(storage.count, Self.maximumRepeatedBytes) else {
            throw fail(
                .limitExceeded, "its view repeats \(storage.count) stored bytes up to \(layout.elementCount * size).")
        }
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.strides = strides
        self.file = file
        self.elementCount = layout.elementCount
        let start = storage.lowerBound + offset * size
        self.byteRange = start..<(start + extent * size)
    }

    private static let maximumRank = 64
    private static let maximumRepeatedBytes = 1 << 30

    /// Elements from the first to the end of the last one; nil when that overflows.
    private static func extent(shape: [Int], strides: [Int], elementCount: Int) -> Int? {
        guard elementCount > 0 else { return 0 }
        var last = 0
        for (size, stride) in zip(shape, strides) {
            let (step, overflowed) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflowed) = last.addingReportingOverflow(step)
            guard !overflowed, !sumOverflowed else { return nil }
            last = sum
        }
        let (extent, overflowed) = last.addingReportingOverflow(1)
        return overflowed ? nil : extent
    }
}

/// Element count and strides of a row-major shape.
struct RowMajorLayout {
    let elementCount: Int
    let strides: [Int]

    /// Nil when a size is negative, or when the sizes times the element's bytes pass the range of `Int`. Sizes of 0
    /// count as 1 there, so that strides are defined for empty tensors too.
    init?(shape: [Int], elementType: ElementType) {
        var strides = [Int](repeating: 1, count: shape.count)
        var span = 1
        for index in shape.indices.reversed() {
            guard shape[index] >= 0 else { return nil }
            strides[index] = span
            let (product, overflowed) = span.multipliedReportingOverflow(by: max(shape[index], 1))
            guard !overflowed else { return nil }
            span = product
        }
        guard !span.multipliedReportingOverflow(by: elementType.byteCount).overflow else { return nil }
        self.strides = strides
        self.elementCount = shape.contains(0) ? 0 : span
    }
}
