/// A model configuration whose numbers cannot work together.
public struct ConfigurationError: Error, CustomStringConvertible, Sendable {
    public let message: String

    public init(_ message: String) {
        self.message = message
    }

    /// Throws unless the condition holds.
    public static func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw ConfigurationError(message()) }
    }

    public var description: String { "model configuration: " + message }
}
