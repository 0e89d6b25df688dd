import CTorch

// Ways between Swift memory and tensors.

extension Tensor {
    /// A CPU tensor holding a copy of `values` in row-major order.
    /// - Throws: `TorchError` when the shape does not have as many elements as there are values.
    public convenience init<Element: TensorElement>(_ values: [Element], shape: [Int]? = nil) throws(TorchError) {
        var out: CTTensorRef?
        let sizes = (shape ?? [values.count]).map(Int64.init)
        let status = values.withUnsafeBytes {
            ct_tensor_from_copy($0.baseAddress, $0.count, sizes, Int32(sizes.count), Element.dtype.rawValue, &out)
        }
        try self.init(status, out, "tensor from values")
    }

    /// A tensor with one value and no dimensions.
    public convenience init<Element: TensorElement>(scalar: Element) throws(TorchError) {
        try self.init([scalar], shape: [])
    }

    /// A CPU tensor over memory that `owner` keeps alive; nothing is copied.
    ///
    /// - Parameters:
    ///   - bytes: the elements. Do not write to the tensor when the memory is a read-only mapping.
    ///   - strides: steps in elements; row-major when nil.
    ///   - owner: released when the last view of the memory is gone.
    public convenience init(
        viewing bytes: UnsafeRawBufferPointer, shape: [Int], strides: [Int]? = nil, dtype: DType, owner: AnyObject
    ) throws(TorchError) {
        let steps = strides ?? Tensor.rowMajorStrides(shape)
        guard let reach = Tensor.reach(shape: shape, strides: steps),
            reach.multipliedReportingOverflow(by: dtype.byteCount).overflow == false,
            reach * dtype.byteCount <= bytes.count
        else {
            throw TorchError(
                kind: .shape, operation: "tensor over memory",
                message: "shape \(shape) of \(dtype) needs more than the \(bytes.count) bytes given")
        }
        var out: CTTensorRef?
        let sizes = shape.map(Int64.init)
        let context = Unmanaged.passRetained(owner).toOpaque()
        let status = ct_tensor_from_memory(
            UnsafeMutableRawPointer(mutating: bytes.baseAddress), sizes, steps.map(Int64.init), Int32(sizes.count),
            dtype.rawValue, { context in if let context { Unmanaged<AnyObject>.fromOpaque(context).release() } },
            context, &out)
        try self.init(status, out, "tensor over memory")
    }

    private convenience init(_ status: CTStatus, _ ref: CTTensorRef?, _ operation: String) throws(TorchError) {
        guard status == CT_OK, let ref else { throw TorchError(status: status, operation: operation) }
        self.init(owning: ref)
    }

    private static func rowMajorStrides(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for index in shape.indices.dropLast().reversed() {
            strides[index] = strides[index + 1] &* Swift.max(shape[index + 1], 1)
        }
        return strides
    }

    /// Elements from the first to the last that a shape and its strides touch; nil on overflow or negative numbers.
    private static func reach(shape: [Int], strides: [Int]) -> Int? {
        guard shape.count == strides.count, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
            return nil
        }
        if shape.contains(0) { return 0 }
        var last = 0
        for (size, stride) in zip(shape, strides) {
            let (step, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflow2) = last.addingReportingOverflow(step)
            if overflow || overflow2 { return nil }
            last = sum
        }
        return last == Int.max ? nil : last + 1
    }

    /// The elements in row-major order, converted to `Element`, from any device.
    public func array<Element: TensorElement>(of type: Element.Type = Element.self) throws(TorchError) -> [Element] {
        let source = dtype == Element.dtype ? self : try converted(to: Element.dtype)
        var status = CT_OK
        let total = source.count
        let values = [Element](unsafeUninitializedCapacity: total) { buffer, initialized in
            status = ct_tensor_copy_out(source.ref, buffer.baseAddress, total * Element.dtype.byteCount)
            initialized = status == CT_OK ? total : 0
        }
        try TorchError.check(status, "array")
        return values
    }

    /// The value of a tensor with one element.
    public func item<Element: TensorElement>(_ type: Element.Type = Element.self) throws(TorchError) -> Element {
        guard count == 1 else {
            throw TorchError(kind: .shape, operation: "item", message: "expected one element, got shape \(shape)")
        }
        return try array(of: type)[0]
    }

    /// Reads the elements in row-major order in place (on the CPU and contiguous) or in a copy that is.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let source = try detached().to(device: .cpu).contiguous()
        guard let data = ct_tensor_data(source.ref) else {
            return try body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        defer { withExtendedLifetime(source) {} }
        return try body(UnsafeRawBufferPointer(start: data, count: source.count * source.dtype.byteCount))
    }
}
