/// A tag of the answer grammar, or a literal that has a meaning of its own in a prompt or an answer.
///
/// Source: released code, section 11 of the specification (`<g>`, `<o>`, `<roi>` of the paper are not used by it).
enum AnswerTag: Sendable, Hashable {
    /// `<ground>`
    case ground
    /// `</ground>`
    case groundEnd
    /// `<objects>`
    case objects
    /// `</objects>`
    case objectsEnd
    /// `<objK>` with ASCII digits.
    case object
    /// `<image>` or `<objfeat>`: placeholders of the prompt, never part of an answer.
    case placeholder
    /// `<|im_end|>` or `<|endoftext|>`: the end of the answer.
    case end

    /// Whether it belongs to a phrase and its objects.
    var isOfGroup: Bool {
        switch self {
        case .ground, .groundEnd, .objects, .objectsEnd: true
        case .object, .placeholder, .end: false
        }
    }

    /// The tags with a fixed spelling.
    static let spellings: [(tag: AnswerTag, text: String)] = [
        (.ground, "<ground>"), (.groundEnd, "</ground>"),
        (.objects, "<objects>"), (.objectsEnd, "</objects>"),
        (.placeholder, "<image>"), (.placeholder, "<objfeat>"),
        (.end, "<|im_end|>"), (.end, "<|endoftext|>"),
    ]
}

/// A finite automaton over UTF-8 bytes that finds tags, however the text is cut into pieces.
///
/// Every tag begins with `<` and has no other `<`, so a state is the text since the last `<`, as long as that may still
/// become a tag; the digits of `<objK>` share one state. The parser reads text with it, and the grammar keeps ordinary
/// tokens from spelling a tag with it.
struct TagScanner: Sendable {
    /// A state; `start` when no tag is under way.
    typealias State = UInt8

    enum Step: Equatable {
        /// Not within a tag, or still within one: the next state.
        case next(State)
        /// The byte completes this tag.
        case found(AnswerTag)
    }

    static let shared = TagScanner()
    static let start: State = 0

    /// Number of states.
    let stateCount: Int
    private let steps: [UInt8]
    private let tags: [AnswerTag]
    private static let accept: UInt8 = 128

    private init() {
        var prefixes: [[UInt8]: State] = [[]: Self.start]
        var transitions: [(from: State, byte: UInt8, to: UInt8)] = []
        var tags: [AnswerTag] = []

        func state(of prefix: [UInt8]) -> State {
            if let known = prefixes[prefix] { return known }
            let new = State(prefixes.count)
            prefixes[prefix] = new
            return new
        }
        func accept(_ tag: AnswerTag) -> UInt8 {
            tags.append(tag)
            return Self.accept + UInt8(tags.count - 1)
        }
        for (tag, text) in AnswerTag.spellings {
            let bytes = Array(text.utf8)
            for end in 0..<bytes.count {
                let from = state(of: Array(bytes[..<end]))
                let to = end == bytes.count - 1 ? accept(tag) : state(of: Array(bytes[...end]))
                transitions.append((from, bytes[end], to))
            }
        }
        let digits = state(of: Array("<obj0".utf8))
        for digit in UInt8(ascii: "0")...UInt8(ascii: "9") {
            transitions.append((state(of: Array("<obj".utf8)), digit, digits))
            transitions.append((digits, digit, digits))
        }
        transitions.append((digits, UInt8(ascii: ">"), accept(.object)))

        let opened = state(of: Array("<".utf8))
        var steps = [UInt8](repeating: Self.start, count: prefixes.count * 256)
        for state in 0..<prefixes.count { steps[state * 256 + Int(UInt8(ascii: "<"))] = opened }
        for (from, byte, to) in transitions { steps[Int(from) * 256 + Int(byte)] = to }
        (self.stateCount, self.steps, self.tags) = (prefixes.count, steps, tags)
    }

    /// Reads one byte.
    func step(_ state: State, _ byte: UInt8) -> Step {
        let target = steps[Int(state) * 256 + Int(byte)]
        return target < Self.accept ? .next(target) : .found(tags[Int(target - Self.accept)])
    }

    /// The state after `bytes`, or nil when they complete a tag on the way.
    func state(after bytes: some Sequence<UInt8>, from state: State) -> State? {
        var state = state
        for byte in bytes {
            guard case .next(let next) = step(state, byte) else { return nil }
            state = next
        }
        return state
    }

    /// The first tag in `text` that satisfies `condition`, as it is spelled.
    func firstTag(in text: String, where condition: (AnswerTag) -> Bool) -> (tag: AnswerTag, text: String)? {
        allTags(in: text).first { condition($0.tag) }
    }

    /// Every tag in `text`, in order, as it is spelled.
    func allTags(in text: String) -> [(tag: AnswerTag, text: String)] {
        var found: [(AnswerTag, String)] = []
        var state = Self.start
        var pending: [UInt8] = []
        for byte in text.utf8 {
            if byte == UInt8(ascii: "<") { pending.removeAll(keepingCapacity: true) }
            pending.append(byte)
            switch step(state, byte) {
            case .next(let next):
                state = next
                if next == Self.start { pending.removeAll(keepingCapacity: true) }
            case .found(let tag):
                found.append((tag, String(decoding: pending, as: UTF8.self)))
                state = Self.start
            }
        }
        return found
    }
}
