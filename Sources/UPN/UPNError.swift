/// What the proposal network cannot do.
public enum UPNError: Error, CustomStringConvertible, Sendable, Equatable {
    /// Fewer tokens than queries.
    case pictureTooSmall(tokens: Int, queries: Int)
    /// A picture so narrow that it stays huge when its short side fits.
    case pictureTooNarrow(width: Int, height: Int)

    public var description: String {
        switch self {
        case .pictureTooSmall(let tokens, let queries):
            "the picture gives \(tokens) tokens, fewer than the \(queries) queries; enlarge it"
        case .pictureTooNarrow(let width, let height):
            "a picture of \(width) x \(height) pixels is too narrow; cut it into pieces"
        }
    }
}
