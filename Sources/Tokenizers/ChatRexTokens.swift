/// The tokens that ChatRex adds to its language model's vocabulary: an index token for each of up to 100 boxes, and
/// the tags of a grounded phrase and of the boxes it names. Upstream appends them in the order of `all`.
public enum ChatRexTokens {
    /// How many boxes an image can have.
    public static let objectCount = 100
    /// Opens a grounded phrase.
    public static let ground = "<ground>"
    /// Closes a grounded phrase.
    public static let groundEnd = "</ground>"
    /// Opens the list of a phrase's boxes.
    public static let objects = "<objects>"
    /// Closes the list of a phrase's boxes.
    public static let objectsEnd = "</objects>"

    /// The index token of a box, `<obj0>` for the first; a token of the vocabulary for 0..<`objectCount`.
    public static func object(_ index: Int) -> String { "<obj\(index)>" }

    /// All 104 tokens in vocabulary order.
    public static let all: [String] =
        (0..<objectCount).map(object) + [ground, groundEnd, objects, objectsEnd]
}
