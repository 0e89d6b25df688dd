import Foundation

extension SafetensorsWriter {
    /// A tensor to be written: its description, and its bytes when they are asked for.
    public struct Entry {
        /// Takes the next piece of a tensor's bytes.
        public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

        /// Name in the checkpoint.
        public let name: String
        /// Type of one element.
        public let elementType: ElementType
        /// Sizes, outermost first.
        public let shape: [Int]

        let produce: (Sink) throws -> Void

        /// A tensor whose bytes, row-major and little-endian, `produce` hands to the sink in one or more pieces.
        public init(
            name: String, elementType: ElementType, shape: [Int], produce: @escaping (_ sink: Sink) throws -> Void
        ) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
            self.produce = produce
        }

        /// A tensor in memory.
        public init(name: String, elementType: ElementType, shape: [Int], bytes: some ContiguousBytes) {
            self.init(name: name, elementType: elementType, shape: shape) { sink in
                try bytes.withUnsafeBytes { try sink($0) }
            }
        }

        /// A tensor of another checkpoint, under its own name or a new one.
        public init(_ record: TensorRecord, name: String? = nil) {
            self.init(name: name ?? record.name, elementType: record.elementType, shape: record.shape) { sink in
                if record.isContiguous {
                    try record.withBytes { try sink($0) }
                } else {
                    try record.packedBytes().withUnsafeBytes { try sink($0) }
                }
            }
        }
    }
}
