/// What a ChatRex model cannot do with what it was given.
public enum ChatRexError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A prompt whose placeholders and rows do not match.
    case prompt(String)
    /// A box that is no box.
    case box(String)
    /// A model folder that lacks something.
    case model(String)

    public var description: String {
        switch self {
        case .prompt(let text): "prompt: \(text)"
        case .box(let text): "box: \(text)"
        case .model(let text): "model: \(text)"
        }
    }
}
