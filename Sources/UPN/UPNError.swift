/// What the proposal network cannot do.
public enum UPNError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A picture so narrow that it stays huge when its short side fits.
    case pictureTooNarrow(width: Int, height: Int)

    public var description: String {
        switch self {
        case .pictureTooNarrow(let width, let height):
            "a picture of \(width) x \(height) pixels is too narrow; cut it into pieces"
        }
    }
}
