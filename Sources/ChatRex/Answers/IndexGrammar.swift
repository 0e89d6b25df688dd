import LanguageModels

/// Lets a model write well-formed answers only: tags closed and in order, no index without a box, none twice in a
/// group or in a row, no tag spelled by ordinary tokens, and everything closed before the budget is spent.
///
/// A grammar is a stack of parts still to be written, the current one on top. Each part knows how few tokens can end
/// it; when no more than the sum of these is left of the budget, only tokens that lead to the end are allowed. The end
/// token counts, so an answer always ends with it.
///
/// "There is no such thing" is an empty group: after `<objects>` the model says `</objects>` at once.
public struct IndexGrammar: TokenGrammar {
    /// The fewest tokens in which the answer can be written; a smaller budget is refused.
    public let minimumBudget: Int

    /// A stretch of the answer.
    private enum Part {
        /// These tokens and no others.
        case run([Int])
        /// Indices up to `</objects>`.
        case indices
        /// The number of indices before it, and the end token.
        case total
        /// Free text up to `</ground>`.
        case phrase
        /// Free text up to the end token.
        case text(allowsGroups: Bool, allowsMentions: Bool)
    }

    private let vocabulary: ChatRexVocabulary
    private let boxCount: Int
    private let objectsPerGroup: ClosedRange<Int>
    private let phraseLimit: Int
    /// For each box those that show what it shows; they are not offered in a group that has it.
    private let copies: [[Int]]
    /// The most tokens of a number and the end token.
    private let costOfTotal: Int

    private var parts: [Part]
    private var remaining: Int
    public private(set) var isCutShort = false
    /// The fewest tokens for all parts below the current one.
    private var costBelow = 0
    private var textHasContent = false

    // The state of the current part.
    private var runPosition = 0
    private var usedObjects: [Bool]
    private var coveredObjects: [Bool]
    private var usedCount = 0
    /// How many indices the last group has.
    private var total = 0
    private var phraseLength = 0
    private var phraseHasContent = false
    private var tagState = TagScanner.start
    /// The last bytes of text in which nothing was visible so far: a character may span tokens.
    private var unseenBytes: [UInt8] = []

    private init(
        _ parts: [Part], boxCount: Int, objectsPerGroup: ClosedRange<Int>, phraseLimit: Int = .max,
        copies: [[Int]] = [], budget: Int, vocabulary: ChatRexVocabulary
    ) throws(TaskError) {
        if boxCount > vocabulary.objects.count {
            throw .tooManyBoxes(count: boxCount, limit: vocabulary.objects.count)
        }
        let boxCount = max(0, boxCount)
        self.vocabulary = vocabulary
        self.boxCount = boxCount
        self.objectsPerGroup = objectsPerGroup
        self.phraseLimit = max(1, phraseLimit)
        self.copies = copies
        self.parts = parts.reversed()
        self.remaining = budget
        self.usedObjects = [Bool](repeating: false, count: boxCount)
        self.coveredObjects = usedObjects
        self.costOfTotal = 1 + vocabulary.encode(AnswerText.total(min(boxCount, objectsPerGroup.upperBound))).count
        self.minimumBudget = parts.reduce(0) { [costOfTotal] in
            $0 + Self.cost(of: $1, minimumObjects: objectsPerGroup.lowerBound, total: costOfTotal)
        }
        if budget < minimumBudget { throw .budgetTooSmall(budget: budget, minimum: minimumBudget) }
        enterPart()
    }
}

// MARK: - Kinds of answers

extension IndexGrammar {
    /// The answer to ``VisionTask/detect(_:)``: one group for each phrase, in order, with any boxes that fit.
    ///
    /// The phrases are given, not generated: the model chooses nothing but indices and where to stop.
    ///
    /// - Parameters:
    ///   - objectsPerGroup: bounds on the boxes of each phrase; the lower one is 0 when absence is a possible answer.
    ///   - copies: for each box those that are not offered beside it; empty for none
    ///   - budget: the number of tokens that may be generated, forced ones and the end token included.
    /// - Throws: ``TaskError/noPhrase``, ``TaskError/reservedText(_:)``, ``TaskError/budgetTooSmall(budget:minimum:)``,
    ///   ``TaskError/impossibleObjectCount(minimum:maximum:boxCount:)``, ``TaskError/tooManyBoxes(count:limit:)``.
    public static func detection(
        of phrases: [String], boxCount: Int, objectsPerGroup: ClosedRange<Int> = 0...100, copies: [[Int]] = [],
        budget: Int, vocabulary: ChatRexVocabulary
    ) throws(TaskError) -> IndexGrammar {
        if phrases.isEmpty { throw .noPhrase }
        if objectsPerGroup.lowerBound > max(0, boxCount) || objectsPerGroup.lowerBound < 0 {
            throw .impossibleObjectCount(
                minimum: objectsPerGroup.lowerBound, maximum: objectsPerGroup.upperBound, boxCount: boxCount)
        }
        let separator = vocabulary.encode(AnswerText.separator)
        var parts: [Part] = []
        for phrase in phrases {
            let opening = try groupOpening(phrase, vocabulary: vocabulary)
            parts += [.run((parts.isEmpty ? [] : separator) + opening), .indices]
        }
        parts.append(.run([vocabulary.end]))
        return try IndexGrammar(
            parts, boxCount: boxCount, objectsPerGroup: objectsPerGroup, copies: copies, budget: budget,
            vocabulary: vocabulary)
    }

    /// The answer to ``VisionTask/count(_:)`` for one phrase: its group and the number of boxes in it.
    ///
    /// The model chooses nothing but indices and where to stop, so that the number is that of the boxes. Room is kept for the longest
    /// number.
    ///
    /// - Parameters:
    ///   - copies: for each box those that are not offered beside it; empty for none
    ///   - budget: the number of tokens that may be generated, forced ones and the end token included.
    /// - Throws: as ``detection(of:boxCount:objectsPerGroup:copies:budget:vocabulary:)``.
    public static func count(
        of phrase: String, boxCount: Int, copies: [[Int]] = [], budget: Int, vocabulary: ChatRexVocabulary
    ) throws(TaskError) -> IndexGrammar {
        try IndexGrammar(
            [.run(groupOpening(phrase, vocabulary: vocabulary)), .indices, .total], boxCount: boxCount,
            objectsPerGroup: 0...100, copies: copies, budget: budget, vocabulary: vocabulary)
    }

    /// Free text with groups in it: grounded captions and conversations.
    ///
    /// - Parameters:
    ///   - objectsPerGroup: bounds on the boxes of a group. With a lower bound of 0 a group may be empty; with fewer
    ///     boxes than the lower bound no group is allowed.
    ///   - phraseLimit: the most tokens that a phrase may have.
    ///   - allowsMentions: whether `<objK>` may stand outside groups.
    ///   - copies: for each box those that are not offered beside it; empty for none
    ///   - budget: the number of tokens that may be generated, the end token included; at least 2.
    public static func grounded(
        boxCount: Int, objectsPerGroup: ClosedRange<Int> = 1...100, phraseLimit: Int = 64, allowsMentions: Bool = false,
        copies: [[Int]] = [], budget: Int, vocabulary: ChatRexVocabulary
    ) throws(TaskError) -> IndexGrammar {
        let lower = max(0, objectsPerGroup.lowerBound)
        let allowsGroups = lower <= boxCount
        return try IndexGrammar(
            [.text(allowsGroups: allowsGroups, allowsMentions: allowsMentions)], boxCount: boxCount,
            objectsPerGroup: lower...max(lower, objectsPerGroup.upperBound), phraseLimit: phraseLimit, copies: copies,
            budget: budget, vocabulary: vocabulary)
    }

    /// Text without groups: captions, plain answers, and the description of one region.
    ///
    /// - Parameters:
    ///   - boxCount: boxes that `<objK>` may mention; 0 allows no mention.
    ///   - opening: words that the text begins with
    ///   - budget: the number of tokens that may be generated, those of the opening and the end token included; at least 2.
    public static func text(
        boxCount: Int, opening: String = "", budget: Int, vocabulary: ChatRexVocabulary
    ) throws(TaskError) -> IndexGrammar {
        let ids = vocabulary.encode(opening)
        if !vocabulary.isPlain(ids[...], spelling: opening) { throw .reservedText(opening) }
        let text = Part.text(allowsGroups: false, allowsMentions: true)
        var grammar = try IndexGrammar(
            ids.isEmpty ? [text] : [.run(ids), text], boxCount: boxCount, objectsPerGroup: 0...0, budget: budget,
            vocabulary: vocabulary)
        grammar.textHasContent = ChatRexVocabulary.isVisible(opening.utf8)
        return grammar
    }

    /// The description of several regions: one group for each, whose phrase is free and whose index is given.
    ///
    /// - Parameters:
    ///   - indices: the regions, in the order of the prompt.
    ///   - phraseLimit: the most tokens that a description may have.
    ///   - budget: the number of tokens that may be generated, forced ones and the end token included.
    public static func regions(
        _ indices: [Int], boxCount: Int, phraseLimit: Int = 128, budget: Int, vocabulary: ChatRexVocabulary
    ) throws(TaskError) -> IndexGrammar {
        let indices = try UserText.regions(indices, boxCount: min(boxCount, vocabulary.objects.count))
        let separator = vocabulary.encode(AnswerText.separator)
        var parts: [Part] = [.run([vocabulary.ground])]
        for (position, index) in indices.enumerated() {
            let closing = [vocabulary.objectsStart, vocabulary.objects[index], vocabulary.objectsEnd]
            let isLast = position == indices.count - 1
            parts += [.phrase, .run(closing + (isLast ? [vocabulary.end] : separator + [vocabulary.ground]))]
        }
        return try IndexGrammar(
            parts, boxCount: boxCount, objectsPerGroup: 0...0, phraseLimit: phraseLimit, budget: budget,
            vocabulary: vocabulary)
    }

    /// `<ground>phrase</ground><objects>` as the tokenizer cuts it in this place.
    private static func groupOpening(
        _ phrase: String, vocabulary: ChatRexVocabulary
    ) throws(TaskError) -> [Int] {
        if !ChatRexVocabulary.isVisible(phrase.utf8) { throw .noPhrase }
        let ids = vocabulary.encode("<ground>\(phrase)</ground><objects>")
        guard ids.first == vocabulary.ground, ids.suffix(2) == [vocabulary.groundEnd, vocabulary.objectsStart],
            vocabulary.isPlain(ids.dropFirst().dropLast(2), spelling: phrase)
        else { throw .reservedText(phrase) }
        return ids
    }
}

// MARK: - What may come next

extension IndexGrammar {
    public mutating func allowed() -> AllowedTokens {
        switch parts.last {
        case nil: .end
        case .run(let run): .forced(Array(run[runPosition...]))
        case .total: .forced(totalRun)
        case .indices: allowedIndices()
        case .phrase: allowedInPhrase()
        case .text(let allowsGroups, let allowsMentions):
            allowedInText(allowsGroups: allowsGroups, allowsMentions: allowsMentions)
        }
    }

    /// How many tokens may be spent that bring the answer no nearer to its end.
    private var slack: Int { remaining - currentCost - costBelow }

    /// Whether only the budget keeps the current part from going on.
    private var mustEnd: Bool {
        if slack > 0 { return false }
        return switch parts.last {
        case .indices:
            usedCount >= objectsPerGroup.lowerBound && usedCount < objectsPerGroup.upperBound && !freeObjects.isEmpty
        case .phrase: phraseHasContent && phraseLength < phraseLimit
        case .text: textHasContent
        case .run, .total, nil: false
        }
    }

    private func allowedIndices() -> AllowedTokens {
        let mayClose = usedCount >= objectsPerGroup.lowerBound
        let free = freeObjects.map { vocabulary.objects[$0] }
        if free.isEmpty || usedCount >= objectsPerGroup.upperBound || mustEnd { return forced(vocabulary.objectsEnd) }
        return .only(mayClose ? free + [vocabulary.objectsEnd] : free)
    }

    /// What a list may go on with.
    private var freeObjects: [Int] {
        // Where more must come, copies are better than nothing.
        let takesCopies = usedCount < objectsPerGroup.lowerBound
        return usedObjects.indices.filter { !usedObjects[$0] && (takesCopies || !coveredObjects[$0]) }
    }

    private func allowedInPhrase() -> AllowedTokens {
        let left = phraseLimit - phraseLength
        if mustEnd || phraseHasContent && left <= 0 { return forced(vocabulary.groundEnd) }
        var excluded = [
            vocabulary.reserved, vocabulary.notInPhrase, vocabulary.objectsFrom[0], vocabulary.lineBreaks,
            vocabulary.tagCompletions[Int(tagState)],
        ]
        if !phraseHasContent {
            excluded.append(vocabulary.groundEndOnly)
            if slack == 0 || left <= 1 { excluded.append(vocabulary.blank) }
        }
        return .any(except: excluded)
    }

    private func allowedInText(allowsGroups: Bool, allowsMentions: Bool) -> AllowedTokens {
        if mustEnd { return .forced([vocabulary.end]) }
        var excluded = [
            vocabulary.reserved, vocabulary.groupTags, vocabulary.objectsFrom[allowsMentions ? boxCount : 0],
            vocabulary.tagCompletions[Int(tagState)],
        ]
        if !textHasContent {
            excluded.append(vocabulary.endOnly)
            if slack == 0 { excluded.append(vocabulary.blank) }
        }
        if usedCount > 0 {
            excluded += usedObjects.indices.filter { usedObjects[$0] }.map { vocabulary.objectOnly[$0] }
        }
        if !allowsGroups || remaining < costOfGroup + costBelow + 1 { excluded.append(vocabulary.groundOnly) }
        return .any(except: excluded)
    }

    /// A single token, and with it the run that follows.
    private func forced(_ token: Int) -> AllowedTokens {
        if case .run(let run)? = parts.dropLast().last { return .forced([token] + run) }
        return .forced([token])
    }
}

// MARK: - Moving on

extension IndexGrammar {
    public mutating func advance(_ token: Int) {
        guard allowed().contains(token) else {
            parts = []
            return
        }
        if mustEnd { isCutShort = true }
        remaining -= 1
        switch parts.last {
        case nil: break
        case .run(let run):
            runPosition += 1
            if runPosition == run.count { leavePart() }
        case .total:
            // Its tokens are known now.
            parts[parts.count - 1] = .run(totalRun)
            runPosition = 1
        case .indices:
            if let index = vocabulary.objectIndex(of: token) {
                usedObjects[index] = true
                if index < copies.count { for copy in copies[index] { coveredObjects[copy] = true } }
                usedCount += 1
            } else {
                leavePart()
            }
        case .phrase:
            if token == vocabulary.groundEnd {
                leavePart()
            } else {
                phraseLength += 1
                phraseHasContent = read(token, hadContent: phraseHasContent)
            }
        case .text:
            if token == vocabulary.end {
                leavePart()
            } else if token == vocabulary.ground {
                textHasContent = true
                parts += [.indices, .run([vocabulary.objectsStart]), .phrase]
                enterPart()
            } else {
                textHasContent = read(token, hadContent: textHasContent)
                noteMention(token)
            }
        }
    }

    /// Boxes that are mentioned one after the other are not mentioned again before there are words between.
    private mutating func noteMention(_ token: Int) {
        if let index = vocabulary.objectIndex(of: token) {
            usedObjects[index] = true
            usedCount += 1
        } else if usedCount > 0, !vocabulary.blank.contains(token) {
            for index in usedObjects.indices { usedObjects[index] = false }
            usedCount = 0
        }
    }

    /// Follows the tag that ordinary tokens may be spelling, and tells whether anything visible has been written.
    private mutating func read(_ token: Int, hadContent: Bool) -> Bool {
        if vocabulary.objectIndex(of: token) != nil {
            tagState = TagScanner.start
            return true
        }
        let bytes = vocabulary.bytes(of: token)
        tagState = TagScanner.shared.state(after: bytes, from: tagState) ?? TagScanner.start
        if hadContent { return true }
        unseenBytes += bytes
        if ChatRexVocabulary.isVisible(unseenBytes) { return true }
        unseenBytes.removeFirst(max(0, unseenBytes.count - 3))
        return false
    }

    private mutating func leavePart() {
        if case .indices = parts.removeLast() { total = usedCount }
        enterPart()
    }

    private var totalRun: [Int] { vocabulary.encode(AnswerText.total(total)) + [vocabulary.end] }

    private mutating func enterPart() {
        runPosition = 0
        for index in usedObjects.indices { (usedObjects[index], coveredObjects[index]) = (false, false) }
        usedCount = 0
        phraseLength = 0
        phraseHasContent = false
        tagState = TagScanner.start
        unseenBytes = []
        costBelow = parts.dropLast().reduce(0) { $0 + cost(of: $1) }
    }

    /// The fewest tokens that end the current part.
    private var currentCost: Int {
        switch parts.last {
        case nil: 0
        case .run(let run): run.count - runPosition
        case .indices: max(0, objectsPerGroup.lowerBound - usedCount) + 1
        case .total: costOfTotal
        case .phrase: phraseHasContent ? 1 : 2
        case .text: textHasContent ? 1 : 2
        }
    }

    /// The fewest tokens of a group in running text, and of the end after it.
    private var costOfGroup: Int { 1 + 2 + 1 + objectsPerGroup.lowerBound + 1 }

    private func cost(of part: Part) -> Int {
        if case .text = part, textHasContent { return 1 }
        return Self.cost(of: part, minimumObjects: objectsPerGroup.lowerBound, total: costOfTotal)
    }

    private static func cost(of part: Part, minimumObjects: Int, total: Int) -> Int {
        switch part {
        case .run(let run): run.count
        case .total: total
        case .indices: minimumObjects + 1
        case .phrase, .text: 2
        }
    }
}

extension ChatRexVocabulary {
    /// Whether tokens spell one line of ordinary text.
    fileprivate func isPlain(_ ids: ArraySlice<Int>, spelling text: String) -> Bool {
        ids.allSatisfy { !control.contains($0) && objectIndex(of: $0) == nil } && !text.unicodeScalars.contains("\n")
            && TagScanner.shared.allTags(in: text).isEmpty
    }
}
