extension TaskPrompt {
    /// The rule that keeps the answer to this prompt well formed.
    ///
    /// - Parameters:
    ///   - boxCount: how many boxes the prompt has.
    ///   - copies: for each box those that are not listed beside it under one phrase; empty for none
    ///   - budget: the number of tokens that may be generated, the end token included.
    /// - Throws: ``TaskError``, above all ``TaskError/budgetTooSmall(budget:minimum:)``.
    public func grammar(
        boxCount: Int, copies: [[Int]] = [], budget: Int, vocabulary: ChatRexVocabulary
    ) throws(TaskError) -> IndexGrammar {
        switch task {
        case .detect(let phrases):
            try .detection(
                of: phrases, boxCount: boxCount, copies: copies, budget: budget, vocabulary: vocabulary)
        case .count(let phrases):
            try .count(
                of: phrases.first ?? "", boxCount: boxCount, copies: copies, budget: budget, vocabulary: vocabulary)
        case .groundedCaption:
            try .grounded(boxCount: boxCount, copies: copies, budget: budget, vocabulary: vocabulary)
        case .groundedQuestion:
            try .grounded(
                boxCount: boxCount, allowsMentions: true, copies: copies, budget: budget, vocabulary: vocabulary)
        case .describeRegions(let indices, _) where indices.count > 1:
            try .regions(indices, boxCount: boxCount, budget: budget, vocabulary: vocabulary)
        case .describeRegions, .question:
            try .text(boxCount: boxCount, opening: opening, budget: budget, vocabulary: vocabulary)
        case .caption:
            try .text(boxCount: 0, opening: opening, budget: budget, vocabulary: vocabulary)
        }
    }
}
