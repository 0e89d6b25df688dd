/// An answer taken apart, before its indices are bound to boxes.
public struct ParsedAnswer: Sendable, Hashable {
    /// One `<objK>` tag.
    public struct Object: Sendable, Hashable {
        /// K: the position of the box in the prompt.
        public var index: Int
        /// Which `<objK>` tag of the raw text this is, counted from 0 over all of them. It leads from an object back to
        /// the step of the generation that chose it.
        public var ordinal: Int

        public init(index: Int, ordinal: Int) {
            (self.index, self.ordinal) = (index, ordinal)
        }
    }

    /// A phrase with the objects that it names.
    public struct Group: Sendable, Hashable {
        /// The phrase without white space around it.
        public var phrase: String
        /// Where the phrase stands in the plain text, in Unicode scalars.
        public var range: Range<Int>
        /// Distinct indices in the order given; empty when the answer says that there is no such thing.
        public var objects: [Object]

        public init(phrase: String, range: Range<Int>, objects: [Object]) {
            (self.phrase, self.range, self.objects) = (phrase, range, objects)
        }
    }

    /// An `<objK>` in running text, as in "`<obj0>` shows a brown dog".
    public struct Mention: Sendable, Hashable {
        /// The index that is mentioned.
        public var object: Object
        /// Where the tag stood in the plain text, in Unicode scalars.
        public var position: Int

        public init(object: Object, position: Int) {
            (self.object, self.position) = (object, position)
        }
    }

    /// The text without tags.
    public internal(set) var plainText = ""
    /// The groups in the order of the text.
    public internal(set) var groups: [Group] = []
    /// The indices outside groups, in the order of the text.
    public internal(set) var mentions: [Mention] = []
    /// What is malformed, in the order in which it was noticed.
    public internal(set) var issues: [AnswerIssue] = []
    /// How many `<objK>` tags the text has, wherever they stand.
    public internal(set) var objectTagCount = 0
    /// Whether the text holds an end token.
    public internal(set) var isEnded = false
}

/// What an ``AnswerParser`` has understood since it was last fed.
public enum AnswerEvent: Sendable, Hashable {
    /// More plain text, phrases included.
    case text(String)
    /// A group is complete.
    case group(ParsedAnswer.Group)
    /// An index in running text.
    case mention(ParsedAnswer.Mention)
    /// Something is malformed.
    case issue(AnswerIssue)
    /// The end token.
    case end
}
