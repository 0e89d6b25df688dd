import Foundation
import Torch

extension SafetensorsWriter.Entry {
    /// A libtorch tensor, from any device; it is brought to the CPU, row-major, when its turn comes.
    public init(name: String, _ tensor: Tensor) {
        self.init(name: name, elementType: ElementType(tensor.dtype), shape: tensor.shape) { sink in
            try tensor.withUnsafeBytes { try sink($0) }
        }
    }
}

extension SafetensorsWriter {
    /// Writes one file with the tensors in the order given; see `write(_:metadata:to:)` for entries.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = defaultMetadata, to url: URL
    ) throws {
        try write(tensors.map { Entry(name: $0.name, $0.tensor) }, metadata: metadata, to: url)
    }

    /// Writes a model folder; see `write(_:metadata:toFolder:maximumShardBytes:)` for entries.
    @discardableResult
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = defaultMetadata, toFolder folder: URL,
        maximumShardBytes: Int = defaultMaximumShardBytes
    ) throws -> [URL] {
        try write(
            tensors.map { Entry(name: $0.name, $0.tensor) }, metadata: metadata, toFolder: folder,
            maximumShardBytes: maximumShardBytes)
    }
}
