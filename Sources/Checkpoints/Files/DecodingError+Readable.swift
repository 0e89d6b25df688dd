extension DecodingError {
    /// The problem and its place in one line.
    package var readable: String {
        let (text, context) =
            switch self {
            case .keyNotFound(let key, let context): ("'\(key.stringValue)' is missing", context)
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.debugDescription, context)
            @unknown default: ("unreadable", Context(codingPath: [], debugDescription: ""))
            }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? text : "\(path): \(text)"
    }
}
