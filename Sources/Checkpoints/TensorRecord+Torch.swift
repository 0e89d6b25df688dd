import Foundation
import Torch
import TorchNN

extension ElementType {
    /// The same type as libtorch calls it.
    public var dtype: DType {
        switch self {
        case .bool: .bool
        case .u8: .uint8
        case .i8: .int8
        case .u16: .uint16
        case .i16: .int16
        case .u32: .uint32
        case .i32: .int32
        case .u64: .uint64
        case .i64: .int64
        case .f8e4m3: .float8e4m3
        case .f8e5m2: .float8e5m2
        case .f16: .float16
        case .bf16: .bfloat16
        case .f32: .float32
        case .f64: .float64
        }
    }

    /// The type that holds elements of `dtype`.
    public init(_ dtype: DType) {
        self =
            switch dtype {
            case .bool: .bool
            case .uint8: .u8
            case .int8: .i8
            case .uint16: .u16
            case .int16: .i16
            case .uint32: .u32
            case .int32: .i32
            case .uint64: .u64
            case .int64: .i64
            case .float8e4m3: .f8e4m3
            case .float8e5m2: .f8e5m2
            case .float16: .f16
            case .bfloat16: .bf16
            case .float32: .f32
            case .float64: .f64
            }
    }
}

extension TensorRecord {
    /// The tensor, with the record's shape and strides.
    ///
    /// On the CPU and in the stored type nothing is read or copied: the tensor's memory is the file's, and pages that
    /// are written to become copies of its own. It may outlive the archive. Tensors that are not aligned for their type
    /// in the file are copied.
    /// - Parameter dtype: type to convert to; nil keeps the stored one.
    /// - Throws: `TorchError`, such as when the device's memory runs out, or `CheckpointError`.
    public func tensor(device: Device = .cpu, dtype: DType? = nil) throws -> Tensor {
        guard elementCount > 0 else {
            return try Tensor.empty(shape, dtype: dtype ?? elementType.dtype, device: device)
        }
        let mapping = try file.privateCopy(of: byteRange)
        let view = try Tensor(
            viewing: UnsafeRawBufferPointer(mapping.bytes), shape: shape, strides: strides, dtype: elementType.dtype,
            owner: mapping)
        return try (isAligned ? view : view.copied()).to(device: device, dtype: dtype)
    }
}

extension TensorArchive {
    public var tensorNames: [String] { names }

    public func shape(of name: String) -> [Int]? { record(named: name)?.shape }

    /// The tensor called `name` on the CPU, in its stored type; see `TensorRecord.tensor(device:dtype:)`.
    ///
    /// - Throws: `CheckpointError` with kind `missingTensor` when there is none.
    public func tensor(named name: String) throws -> Tensor {
        guard let record = record(named: name) else {
            throw CheckpointError(.missingTensor, path: url.path, "there is no tensor called '\(name)'.")
        }
        return try record.tensor()
    }
}
