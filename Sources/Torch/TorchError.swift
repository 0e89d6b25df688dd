import CTorch

/// What libtorch could not do: a shape that does not fit, memory that ran out, a device that is missing.
public struct TorchError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        case outOfMemory
        case index
        case value
        case type
        case shape
        case device
        case notImplemented
        case notFound
        case `internal`
    }

    public let kind: Kind
    /// The operator or call that failed.
    public let operation: String
    /// libtorch's own words, without its backtrace.
    public let message: String

    public init(kind: Kind, operation: String, message: String) {
        self.kind = kind
        self.operation = operation
        self.message = message
    }

    public var description: String { "\(operation): \(message)" }

    /// Turns a status of the C layer into an error.
    static func check(_ status: CTStatus, _ operation: @autoclosure () -> String) throws(TorchError) {
        if status != CT_OK { throw TorchError(status: status, operation: operation()) }
    }

    init(status: CTStatus, operation: String) {
        let kind: Kind =
            switch status {
            case CT_ERROR_OUT_OF_MEMORY: .outOfMemory
            case CT_ERROR_INDEX: .index
            case CT_ERROR_VALUE: .value
            case CT_ERROR_TYPE: .type
            case CT_ERROR_NOT_IMPLEMENTED: .notImplemented
            case CT_ERROR_NOT_FOUND: .notFound
            default: .internal
            }
        self.init(kind: kind, operation: operation, message: String(cString: ct_last_error()))
    }
}
