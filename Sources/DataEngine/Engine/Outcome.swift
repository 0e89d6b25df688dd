/// Why a picture leaves the engine without an annotation, though nothing went wrong.
///
/// Stages throw it; the engine counts drops by `reason`.
public struct Drop: Error, Codable, Sendable, Hashable, CustomStringConvertible {
    /// A short fixed name, such as `too small`: the key of the statistics.
    public var reason: String
    /// What was seen: `120x80 pixels`.
    public var detail: String

    public init(_ reason: String, detail: String = "") {
        (self.reason, self.detail) = (reason, detail)
    }

    public var description: String { detail.isEmpty ? reason : "\(reason): \(detail)" }
}
