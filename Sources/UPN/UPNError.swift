/// What the proposal network cannot do.
public enum UPNError: Error, CustomStringConvertible, Sendable, Equatable {
    /// Fewer tokens than queries.
    case pictureTooSmall(tokens: Int, queries: Int)

    public var description: String {
        switch self {
        case .pictureTooSmall(let tokens, let queries):
            "the picture gives \(tokens) tokens, fewer than the \(queries) queries; enlarge it"
        }
    }
}
