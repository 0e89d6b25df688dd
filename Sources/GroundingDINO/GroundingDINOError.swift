/// What Grounding DINO cannot do with what it was given.
public enum GroundingDINOError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A model folder that lacks something or holds another kind of model.
    case model(String)
    /// A setting out of range.
    case setting(name: String, reason: String)

    public var description: String {
        switch self {
        case .model(let text): "Grounding DINO: \(text)"
        case .setting(let name, let reason): "Grounding DINO: '\(name)' \(reason)"
        }
    }
}
