/// Cleans what a user typed before it becomes part of a prompt.
enum UserText {
    /// The phrases of a list: split at `;`, white space collapsed, empty ones dropped, repeats (case ignored) dropped,
    /// order kept.
    static func phrases(_ texts: [String], limits: TaskLimits) throws(TaskError) -> [String] {
        var seen: Set<String> = []
        var phrases: [String] = []
        for part in texts.flatMap({ $0.unicodeScalars.split(separator: ";") }) {
            let phrase = collapsed(part)
            let length = phrase.unicodeScalars.count
            if length > limits.phraseLength {
                throw .phraseTooLong(beginning: String(phrase.prefix(30)), length: length, limit: limits.phraseLength)
            }
            try rejectReserved(phrase)
            if let tag = TagScanner.shared.firstTag(in: phrase, where: { $0 == .object }) {
                throw .objectInPhrase(tag.text)
            }
            if !phrase.isEmpty, seen.insert(phrase.lowercased()).inserted { phrases.append(phrase) }
        }
        if phrases.isEmpty { throw .noPhrase }
        if phrases.count > limits.phraseCount {
            throw .tooManyPhrases(count: phrases.count, limit: limits.phraseCount)
        }
        return phrases
    }

    /// A question without white space around it; line breaks within it stay, other control characters do not.
    static func question(_ text: String, boxCount: Int, limits: TaskLimits) throws(TaskError) -> String {
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars
        where scalar.properties.generalCategory != .control || scalar == "\n" || scalar == "\t" {
            kept.append(scalar)
        }
        let isText = { (scalar: Unicode.Scalar) in !scalar.properties.isWhitespace }
        guard let first = kept.firstIndex(where: isText), let last = kept.lastIndex(where: isText) else {
            throw .emptyQuestion
        }
        let question = String(kept[first...last])
        let length = question.unicodeScalars.count
        if length > limits.questionLength { throw .questionTooLong(length: length, limit: limits.questionLength) }
        try rejectReserved(question)
        for tag in TagScanner.shared.allTags(in: question) where tag.tag == .object {
            try check(object: tag.text, boxCount: boxCount)
        }
        return question
    }

    /// Distinct region indices in the order given.
    static func regions(_ indices: [Int], boxCount: Int) throws(TaskError) -> [Int] {
        if indices.isEmpty { throw .noRegion }
        var seen: Set<Int> = []
        for index in indices where !(0..<max(0, boxCount)).contains(index) {
            throw .unknownObject("<obj\(index)>", boxCount: max(0, boxCount))
        }
        return indices.filter { seen.insert($0).inserted }
    }

    private static func check(object tag: String, boxCount: Int) throws(TaskError) {
        let digits = tag.dropFirst("<obj".count).dropLast()
        guard let index = Int(digits), index < boxCount else {
            throw .unknownObject(tag, boxCount: max(0, boxCount))
        }
        if String(index) != digits { throw .malformedObject(tag) }
    }

    /// Tags and control tokens are rejected, not escaped: no escape exists that the model was trained on.
    private static func rejectReserved(_ text: String) throws(TaskError) {
        if let tag = TagScanner.shared.firstTag(in: text, where: { $0 != .object }) { throw .reservedText(tag.text) }
        if let token = controlToken(in: text) { throw .reservedText(token) }
    }

    /// The first `<|name|>` with a name of letters, digits and underscores: how Qwen spells its control tokens.
    private static func controlToken(in text: String) -> String? {
        let scalars = Array(text.unicodeScalars)
        var start = 0
        while start + 1 < scalars.count {
            defer { start += 1 }
            guard scalars[start] == "<", scalars[start + 1] == "|" else { continue }
            var end = start + 2
            while end < scalars.count, scalars[end].isASCII,
                scalars[end].properties.isAlphabetic
                    || scalars[end] == "_" || ("0"..."9").contains(scalars[end])
            { end += 1 }
            guard end > start + 2, end + 1 < scalars.count, scalars[end] == "|", scalars[end + 1] == ">" else {
                continue
            }
            var token = String.UnicodeScalarView()
            token.append(contentsOf: scalars[start...(end + 1)])
            return String(token)
        }
        return nil
    }

    private static func collapsed(_ text: String.UnicodeScalarView.SubSequence) -> String {
        text.split { $0.properties.isWhitespace || $0.properties.generalCategory == .control }
            .map { String($0) }.joined(separator: " ")
    }
}
