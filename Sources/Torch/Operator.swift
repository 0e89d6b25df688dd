import CTorch

/// A libtorch operator, found once by its schema name and called through the dispatcher.
///
/// Keep one in a `static let`: the first use looks it up, every later call costs about 0.1 µs on top of the operator itself.
/// An operator that this libtorch lacks fails when it is called, by name.
public struct Operator: Sendable {
    /// Schema name with its namespace, e.g. `aten::add.Tensor`.
    public let name: String
    private let handle: Handle?

    /// The dispatcher's entry: immutable and alive as long as the process, hence safe to share.
    private struct Handle: @unchecked Sendable {
        let pointer: CTOperatorRef
    }

    /// - Parameter name: name and overload; `aten::` is assumed where no namespace is given.
    public init(_ name: String) {
        let full = name.contains("::") ? name : "aten::" + name
        let dot = full.lastIndex(of: ".")
        var pointer: CTOperatorRef?
        let status = ct_operator_find(
            String(full[..<(dot ?? full.endIndex)]), dot.map { String(full[full.index(after: $0)...]) } ?? "", &pointer)
        self.name = full
        self.handle = status == CT_OK ? pointer.map(Handle.init) : nil
    }

    /// The operator's schema as libtorch prints it, or nil where this libtorch has no such operator.
    public var schema: String? { handle.map { String(cString: ct_operator_schema($0.pointer)) } }

    /// An argument; Swift gives them in schema order, keyword-only ones included. Missing ones take the schema's default.
    public enum Argument {
        case none
        case `default`
        case tensor(Tensor)
        case optional(Tensor?)
        case int(Int)
        case double(Double)
        case bool(Bool)
        case string(String)
        case ints([Int])
        case doubles([Double])
        case bools([Bool])
        case tensors([Tensor])
        case optionalTensors([Tensor?])
        case dtype(DType?)
        case device(Device?)
    }

    /// Calls an operator that returns one tensor.
    public func callAsFunction(_ arguments: Argument...) throws(TorchError) -> Tensor {
        var result = CTValue()
        try call(arguments, results: &result, capacity: 1)
        guard result.tag == CT_TENSOR, let ref = result.tensor else {
            throw TorchError(kind: .type, operation: name, message: "the result is no tensor")
        }
        return Tensor(owning: ref)
    }

    /// Calls an operator whose result nobody needs (in-place operators).
    public func run(_ arguments: Argument...) throws(TorchError) {
        // Results are owned, also an in-place operator's reference to the tensor that it changed.
        for value in try results(arguments) where value.tag == CT_TENSOR {
            if let ref = value.tensor { ct_tensor_release(ref) }
        }
    }

    /// Calls an operator that returns several tensors.
    public func tuple(_ arguments: Argument...) throws(TorchError) -> [Tensor] {
        try results(arguments).map { (value) throws(TorchError) in
            guard value.tag == CT_TENSOR, let ref = value.tensor else {
                throw TorchError(kind: .type, operation: name, message: "a result is no tensor")
            }
            return Tensor(owning: ref)
        }
    }

    /// Calls an operator that returns a list of tensors.
    public func list(_ arguments: Argument...) throws(TorchError) -> [Tensor] {
        var result = CTValue()
        try call(arguments, results: &result, capacity: 1)
        guard result.tag == CT_TENSORS, let refs = result.tensors else {
            throw TorchError(kind: .type, operation: name, message: "the result is no list of tensors")
        }
        defer { ct_tensors_free(refs) }
        return (0..<Int(result.count)).compactMap { refs[$0].map(Tensor.init(owning:)) }
    }

    /// The most results that any operator used here returns.
    private static let resultCapacity = 8

    private func results(_ arguments: [Argument]) throws(TorchError) -> [CTValue] {
        var results = [CTValue](repeating: CTValue(), count: Operator.resultCapacity)
        let count = try call(arguments, results: &results, capacity: Operator.resultCapacity)
        return Array(results.prefix(count))
    }

    @discardableResult
    private func call(
        _ arguments: [Argument], results: UnsafeMutablePointer<CTValue>, capacity: Int
    ) throws(TorchError) -> Int {
        guard let handle else {
            throw TorchError(
                kind: .notFound, operation: name,
                message: "libtorch \(String(cString: ct_version())) has no such operator; use version 2.11 to 2.15")
        }
        var count: Int32 = 0
        let status = ArgumentEncoder.encode(arguments) { values in
            ct_operator_call(handle.pointer, values.baseAddress, Int32(values.count), results, Int32(capacity), &count)
        }
        if status != CT_OK {
            throw TorchError(status: status, operation: name + Self.shapes(of: arguments))
        }
        withExtendedLifetime(arguments) {}
        return Int(count)
    }

    /// The shapes of tensor arguments, for error messages: `([2, 3], [4])`.
    private static func shapes(of arguments: [Argument]) -> String {
        let shapes = arguments.compactMap { argument -> String? in
            switch argument {
            case .tensor(let tensor): "\(tensor.shape)"
            case .optional(let tensor): tensor.map { "\($0.shape)" }
            case .tensors(let tensors): "[" + tensors.prefix(4).map { "\($0.shape)" }.joined(separator: ", ") + "]"
            default: nil
            }
        }
        return shapes.isEmpty ? "" : "(" + shapes.joined(separator: ", ") + ")"
    }
}
