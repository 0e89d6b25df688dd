import Foundation

extension TensorRecord {
    /// The elements row-major without gaps, copied.
    public func packedBytes() -> Data {
        if isContiguous { return withBytes { Data($0) } }
        var data = Data(count: byteCount)
        data.withUnsafeMutableBytes { copyPacked(into: $0) }
        return data
    }

    /// Copies the elements row-major without gaps.
    ///
    /// - Parameter destination: exactly `byteCount` bytes.
    public func copyPacked(into destination: UnsafeMutableRawBufferPointer) {
        precondition(destination.count == byteCount, "the destination must have exactly byteCount bytes")
        guard elementCount > 0 else { return }
        withBytes { source in
            if isContiguous { return destination.copyMemory(from: source) }
            // The innermost dimensions that already lie packed are copied as one run; an odometer walks the others.
            let outerRank = shape.count - packedSuffixRank
            let runBytes = shape[outerRank...].reduce(elementType.byteCount, *)
            var counters = [Int](repeating: 0, count: outerRank)
            var sourceElement = 0
            for run in 0..<(byteCount / runBytes) {
                let from = sourceElement * elementType.byteCount
                UnsafeMutableRawBufferPointer(rebasing: destination[(run * runBytes)...].prefix(runBytes))
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<(from + runBytes)]))
                for dimension in (0..<outerRank).reversed() {
                    counters[dimension] += 1
                    sourceElement += strides[dimension]
                    guard counters[dimension] == shape[dimension] else { break }
                    sourceElement -= counters[dimension] * strides[dimension]
                    counters[dimension] = 0
                }
            }
        }
    }

    /// How many innermost dimensions lie row-major without gaps.
    var packedSuffixRank: Int {
        guard elementCount > 0 else { return shape.count }
        var span = 1
        for index in shape.indices.reversed() {
            guard shape[index] == 1 || strides[index] == span else { return shape.count - 1 - index }
            span *= shape[index]
        }
        return shape.count
    }
}
