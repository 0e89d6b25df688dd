/// Reads an answer as it is generated, tolerates what is malformed and reports it.
///
/// Feed it the decoded text in pieces of any size; tags may be cut anywhere. It differs from ``ReferenceParsers`` in
/// that it loses nothing: a broken group is kept as far as it makes sense, and an ``AnswerIssue`` says what is wrong
/// with it.
///
/// Leading white space is not part of the plain text, nor is trailing white space once the answer is finished.
public struct AnswerParser: Sendable {
    private struct Phrase {
        var text: String
        var range: Range<Int>
    }

    private enum Mode {
        case text
        case phrase(startByte: Int, start: Int, position: Int)
        case afterPhrase(Phrase, position: Int, gap: [UInt8])
        case objects(Phrase?, [ParsedAnswer.Object], position: Int, hasText: Bool)
        case ended(hasText: Bool)
    }

    /// How many boxes the prompt had; nil accepts any index.
    public let boxCount: Int?
    /// What has been read; complete after ``finish()``.
    public private(set) var answer = ParsedAnswer()

    private var mode = Mode.text
    private var position = 0
    private var plain: [UInt8] = []
    private var plainLength = 0
    private var tagState = TagScanner.start
    private var tagBytes: [UInt8] = []
    private var tagPosition = 0
    private var run: [UInt8] = []
    private var runPosition = 0
    private var unsentText: [UInt8] = []
    private var events: [AnswerEvent] = []

    /// - Parameter boxCount: the number of boxes in the prompt, to tell unknown indices; nil accepts any index.
    public init(boxCount: Int?) {
        self.boxCount = boxCount
    }

    /// Reads a whole answer at once.
    public static func parse(_ text: String, boxCount: Int?) -> ParsedAnswer {
        var parser = AnswerParser(boxCount: boxCount)
        _ = parser.feed(text)
        _ = parser.finish()
        return parser.answer
    }

    /// Reads more text and returns what has become certain with it.
    public mutating func feed(_ chunk: String) -> [AnswerEvent] {
        for byte in chunk.utf8 { consume(byte) }
        readRun()
        return takeEvents()
    }

    /// Declares the end of the text and returns what was still open.
    public mutating func finish() -> [AnswerEvent] {
        closeTagCandidate()
        readRun()
        closeOpenGroup()
        while let last = plain.last, last.isASCIIWhitespace {
            plain.removeLast()
            plainLength -= 1
        }
        answer.plainText = String(decoding: plain, as: UTF8.self)
        return takeEvents()
    }
}

// MARK: - From bytes to tags

extension AnswerParser {
    private mutating func consume(_ byte: UInt8) {
        if byte == UInt8(ascii: "<") { closeTagCandidate() }
        switch TagScanner.shared.step(tagState, byte) {
        case .next(let state):
            if tagBytes.isEmpty { tagPosition = position }
            tagBytes.append(byte)
            tagState = state
            if state == TagScanner.start { closeTagCandidate() }
        case .found(let tag):
            tagBytes.append(byte)
            readRun()
            read(tag: tag, spelled: String(decoding: tagBytes, as: UTF8.self))
            tagBytes.removeAll(keepingCapacity: true)
            tagState = TagScanner.start
        }
        if !byte.isUTF8Continuation { position += 1 }
    }

    /// Gives up the tag that was under way: it is text.
    private mutating func closeTagCandidate() {
        if run.isEmpty { runPosition = tagPosition }
        run.append(contentsOf: tagBytes)
        tagBytes.removeAll(keepingCapacity: true)
        tagState = TagScanner.start
    }

    private mutating func readRun() {
        if !run.isEmpty { read(text: run, at: runPosition) }
        run.removeAll(keepingCapacity: true)
    }

    private mutating func takeEvents() -> [AnswerEvent] {
        sendText()
        defer { events = [] }
        return events
    }

    private mutating func sendText() {
        if !unsentText.isEmpty { events.append(.text(String(decoding: unsentText, as: UTF8.self))) }
        unsentText = []
    }

    private mutating func send(_ event: AnswerEvent) {
        sendText()
        events.append(event)
    }

    private mutating func report(_ kind: AnswerIssue.Kind, _ text: String, at position: Int) {
        let issue = AnswerIssue(kind, text: text, position: position)
        answer.issues.append(issue)
        send(.issue(issue))
    }
}

// MARK: - From tags to groups

extension AnswerParser {
    private mutating func read(text: [UInt8], at start: Int) {
        switch mode {
        case .text, .phrase:
            append(text)
        case .afterPhrase(let phrase, let begin, let gap):
            if text.allSatisfy(\.isASCIIWhitespace) {
                mode = .afterPhrase(phrase, position: begin, gap: gap + text)
            } else {
                abandonPhrase(phrase, at: begin, gap: gap)
                append(text)
            }
        case .objects(let phrase, let objects, let begin, let hasText):
            if !hasText { report(.textInObjects, String(decoding: text, as: UTF8.self), at: start) }
            mode = .objects(phrase, objects, position: begin, hasText: true)
        case .ended(let hasText):
            guard !hasText, let first = text.firstIndex(where: { !$0.isASCIIWhitespace }) else { return }
            report(.textAfterEnd, String(decoding: text[first...], as: UTF8.self), at: start + first)
            mode = .ended(hasText: true)
        }
    }

    private mutating func read(tag: AnswerTag, spelled text: String) {
        if tag == .object { answer.objectTagCount += 1 }
        if case .ended = mode {
            if tag != .end { read(text: Array(text.utf8), at: tagPosition) }
            return
        }
        switch tag {
        case .ground: openPhrase(text)
        case .groundEnd: closePhrase(text)
        case .objects: openObjects(text)
        case .objectsEnd: closeObjects(text)
        case .object: readObject(text)
        case .placeholder: report(.placeholder, text, at: tagPosition)
        case .end:
            closeOpenGroup()
            mode = .ended(hasText: false)
            answer.isEnded = true
            send(.end)
        }
    }

    private mutating func openPhrase(_ text: String) {
        if case .phrase(_, _, let begin) = mode {
            report(.nestedPhrase, text, at: begin)
            mode = .text
        }
        closeOpenGroup()
        mode = .phrase(startByte: plain.count, start: plainLength, position: tagPosition)
    }

    private mutating func closePhrase(_ text: String) {
        guard case .phrase(let startByte, let start, let begin) = mode else {
            return report(.strayTag, text, at: tagPosition)
        }
        mode = .afterPhrase(phrase(from: startByte, start: start, at: begin), position: begin, gap: [])
    }

    private mutating func openObjects(_ text: String) {
        switch mode {
        case .text:
            report(.objectsWithoutPhrase, text, at: tagPosition)
            mode = .objects(nil, [], position: tagPosition, hasText: false)
        case .phrase(let startByte, let start, let begin):
            report(.unclosedPhrase, AnswerTag.ground.spelling, at: begin)
            let phrase = phrase(from: startByte, start: start, at: begin)
            mode = .objects(phrase, [], position: tagPosition, hasText: false)
        case .afterPhrase(let phrase, _, let gap):
            if !gap.isEmpty {
                report(.spaceBeforeObjects, String(decoding: gap, as: UTF8.self), at: tagPosition - gap.count)
            }
            mode = .objects(phrase, [], position: tagPosition, hasText: false)
        case .objects, .ended:
            report(.strayTag, text, at: tagPosition)
        }
    }

    private mutating func closeObjects(_ text: String) {
        guard case .objects(let phrase, let objects, _, _) = mode else {
            return report(.strayTag, text, at: tagPosition)
        }
        finishGroup(phrase, objects)
    }

    private mutating func readObject(_ text: String) {
        let digits = text.dropFirst("<obj".count).dropLast()
        let ordinal = answer.objectTagCount - 1
        if case .phrase = mode { return report(.indexInPhrase, text, at: tagPosition) }
        guard let index = Int(digits), boxCount.map({ index < $0 }) ?? true else {
            return report(.unknownIndex, text, at: tagPosition)
        }
        if String(index) != digits { report(.nonCanonicalIndex, text, at: tagPosition) }
        let object = ParsedAnswer.Object(index: index, ordinal: ordinal)
        guard case .objects(let phrase, let objects, let begin, let hasText) = mode else {
            closeOpenGroup()
            let mention = ParsedAnswer.Mention(object: object, position: plainLength)
            answer.mentions.append(mention)
            return send(.mention(mention))
        }
        if objects.contains(where: { $0.index == index }) {
            report(.repeatedIndex, text, at: tagPosition)
        } else {
            mode = .objects(phrase, objects + [object], position: begin, hasText: hasText)
        }
    }

    /// Ends what is open although its closing tag is missing.
    private mutating func closeOpenGroup() {
        switch mode {
        case .text, .ended: break
        case .phrase(_, _, let begin):
            report(.unclosedPhrase, AnswerTag.ground.spelling, at: begin)
            mode = .text
        case .afterPhrase(let phrase, let begin, let gap):
            abandonPhrase(phrase, at: begin, gap: gap)
        case .objects(let phrase, let objects, let begin, _):
            report(.unclosedObjects, AnswerTag.objects.spelling, at: begin)
            finishGroup(phrase, objects)
        }
    }

    private mutating func abandonPhrase(_ phrase: Phrase, at begin: Int, gap: [UInt8]) {
        report(.phraseWithoutObjects, phrase.text, at: begin)
        mode = .text
        append(gap)
    }

    private mutating func finishGroup(_ phrase: Phrase?, _ objects: [ParsedAnswer.Object]) {
        mode = .text
        guard let phrase else { return }
        let group = ParsedAnswer.Group(phrase: phrase.text, range: phrase.range, objects: objects)
        answer.groups.append(group)
        send(.group(group))
    }

    private mutating func append(_ text: [UInt8]) {
        for byte in text where !plain.isEmpty || !byte.isASCIIWhitespace {
            plain.append(byte)
            unsentText.append(byte)
            if !byte.isUTF8Continuation { plainLength += 1 }
        }
    }

    /// The plain text since `startByte` without the white space around it.
    private mutating func phrase(from startByte: Int, start: Int, at begin: Int) -> Phrase {
        let scalars = Array(String(decoding: plain[startByte...], as: UTF8.self).unicodeScalars)
        let isText = { (scalar: Unicode.Scalar) in !scalar.properties.isWhitespace }
        guard let first = scalars.firstIndex(where: isText), let last = scalars.lastIndex(where: isText) else {
            report(.emptyPhrase, AnswerTag.ground.spelling, at: begin)
            return Phrase(text: "", range: start..<start)
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[first...last])
        if text.contains("\n") { report(.lineBreakInPhrase, String(text), at: begin) }
        return Phrase(text: String(text), range: start + first..<start + last + 1)
    }
}

extension AnswerTag {
    /// How the tag is written; empty where that varies.
    var spelling: String { Self.spellings.first { $0.tag == self }?.text ?? "" }
}

extension UInt8 {
    var isUTF8Continuation: Bool { self & 0xC0 == 0x80 }
    var isASCIIWhitespace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
