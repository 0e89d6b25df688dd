/// What a language model cannot do.
public enum LanguageModelError: Error, CustomStringConvertible, Sendable, Equatable {
    /// Sizes that cannot work together.
    case configuration(String)
    /// A prompt with more positions than the model has.
    case tooLong(positions: Int, limit: Int)

    public var description: String {
        switch self {
        case .configuration(let text): "language model configuration: \(text)"
        case .tooLong(let positions, let limit):
            "the prompt and its answer need \(positions) positions, the model has \(limit); ask for less at once"
        }
    }
}
