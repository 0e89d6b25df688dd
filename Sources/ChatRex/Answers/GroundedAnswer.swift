import Boxes

/// An answer of the model: text, the phrases in it that name objects, and the objects' boxes.
///
/// It is the one answer type of the package: command line, server, evaluation and exporters all use it. As JSON, a box
/// is `[x1, y1, x2, y2]` and a range is `[start, end]`.
public struct GroundedAnswer: Sendable, Hashable, Codable {
    /// A box that the answer names.
    public struct Object: Sendable, Hashable, Codable {
        /// K of `<objK>`: the position of the box in the prompt.
        public var index: Int
        /// In pixels of the original image.
        public var box: Box
        /// How sure the model is, 0…1; see ``DetectionScore``.
        public var score: Double
        /// How sure the proposal network is of the box, 0…1; nil for a box that was given by hand.
        public var proposalScore: Double?

        public init(index: Int, box: Box, score: Double, proposalScore: Double? = nil) {
            (self.index, self.box, self.score, self.proposalScore) = (index, box, score, proposalScore)
        }
    }

    /// A phrase and the objects that it names.
    public struct Group: Sendable, Hashable, Codable {
        /// The phrase as it stands in the plain text.
        public var phrase: String
        /// Where it stands there, in Unicode scalars.
        public var range: Range<Int>
        /// Empty when the answer says that the image has no such thing.
        public var objects: [Object]

        public init(phrase: String, range: Range<Int>, objects: [Object]) {
            (self.phrase, self.range, self.objects) = (phrase, range, objects)
        }
    }

    /// An `<objK>` outside any group, as in "`<obj0>` shows a brown dog".
    public struct Mention: Sendable, Hashable, Codable {
        /// Where the tag stood in the plain text, in Unicode scalars.
        public var position: Int
        /// The box that is mentioned.
        public var object: Object

        public init(position: Int, object: Object) {
            (self.position, self.object) = (position, object)
        }
    }

    /// The text as the model wrote it, with tags.
    public var rawText: String
    /// The text without tags.
    public var text: String
    /// The groups in the order of the text.
    public var groups: [Group]
    /// The boxes mentioned outside groups, in the order of the text.
    public var mentions: [Mention]
    /// What was malformed; empty when the answer was generated under an ``IndexGrammar``.
    public var issues: [AnswerIssue]
    /// Whether the generation was cut off before the model ended the answer.
    public var isTruncated: Bool
    /// The tokens of ``rawText`` with their probabilities, where `AnswerOptions.alternatives` asked for them.
    public var tokens: [TokenChoice]?

    public init(
        rawText: String, text: String, groups: [Group], mentions: [Mention] = [], issues: [AnswerIssue] = [],
        isTruncated: Bool = false
    ) {
        (self.rawText, self.text, self.groups, self.mentions) = (rawText, text, groups, mentions)
        (self.issues, self.isTruncated) = (issues, isTruncated)
    }

    /// All objects of all groups with their phrases.
    public var detections: [(phrase: String, object: Object)] {
        groups.flatMap { group in group.objects.map { (group.phrase, $0) } }
    }
}

// MARK: - From text

extension GroundedAnswer {
    /// Binds the indices of a parsed answer to boxes.
    ///
    /// - Parameters:
    ///   - rawText: the text that was parsed.
    ///   - parsed: the result of an ``AnswerParser`` with `boxCount` = `boxes.count`; an index without a box is
    ///     reported and dropped.
    ///   - boxes: the boxes of the prompt, in pixels of the original image.
    ///   - proposalScores: one for each box, nil for a box that was given by hand; or none at all.
    ///   - indexConfidences: one for each `<objK>` tag of the raw text, in order (see
    ///     ``DetectionScore/confidence(index:close:)``). Any other number of them is ignored, since it could not be
    ///     told which tag each belongs to.
    public init(
        rawText: String, parsed: ParsedAnswer, boxes: [Box], proposalScores: [Double?] = [],
        indexConfidences: [Double] = [],
        scoring: DetectionScore = DetectionScore(), isTruncated: Bool = false
    ) {
        var issues = parsed.issues
        let confidences = indexConfidences.count == parsed.objectTagCount ? indexConfidences : []
        func bind(_ object: ParsedAnswer.Object) -> Object? {
            guard boxes.indices.contains(object.index) else {
                issues.append(AnswerIssue(.unknownIndex, text: "<obj\(object.index)>", position: 0))
                return nil
            }
            let proposal = proposalScores.indices.contains(object.index) ? proposalScores[object.index] : nil
            let confidence = confidences.indices.contains(object.ordinal) ? confidences[object.ordinal] : nil
            return Object(
                index: object.index, box: boxes[object.index],
                score: scoring(confidence: confidence, proposal: proposal), proposalScore: proposal)
        }
        let groups = parsed.groups.map {
            Group(phrase: $0.phrase, range: $0.range, objects: $0.objects.compactMap(bind))
        }
        let mentions = parsed.mentions.compactMap { mention in
            bind(mention.object).map { Mention(position: mention.position, object: $0) }
        }
        self.init(
            rawText: rawText, text: parsed.plainText, groups: groups, mentions: mentions, issues: issues,
            isTruncated: isTruncated)
    }

    /// Parses an answer and binds its indices to boxes; see
    /// ``init(rawText:parsed:boxes:proposalScores:indexConfidences:scoring:isTruncated:)``.
    public init(
        rawText: String, boxes: [Box], proposalScores: [Double?] = [], indexConfidences: [Double] = [],
        scoring: DetectionScore = DetectionScore(), isTruncated: Bool = false
    ) {
        self.init(
            rawText: rawText, parsed: AnswerParser.parse(rawText, boxCount: boxes.count), boxes: boxes,
            proposalScores: proposalScores, indexConfidences: indexConfidences, scoring: scoring,
            isTruncated: isTruncated)
    }

    /// The answers to several prompts about one image as a single answer, one below the other.
    ///
    /// All must have been given the same boxes. End tokens are dropped from all raw texts but the last.
    public static func joined(_ answers: [GroundedAnswer]) -> GroundedAnswer {
        guard var joined = answers.first else { return GroundedAnswer(rawText: "", text: "", groups: []) }
        for answer in answers.dropFirst() {
            let separator = joined.text.isEmpty || answer.text.isEmpty ? "" : AnswerText.separator
            joined.rawText = AnswerText.withoutEnd(joined.rawText) + separator
            joined.text += separator
            let textOffset = joined.text.unicodeScalars.count
            let rawOffset = joined.rawText.unicodeScalars.count
            joined.groups += answer.groups.map {
                let range = $0.range.lowerBound + textOffset..<$0.range.upperBound + textOffset
                return Group(phrase: $0.phrase, range: range, objects: $0.objects)
            }
            joined.mentions += answer.mentions.map { Mention(position: $0.position + textOffset, object: $0.object) }
            joined.issues += answer.issues.map {
                AnswerIssue($0.kind, text: $0.text, position: $0.position + rawOffset)
            }
            joined.text += answer.text
            joined.rawText += answer.rawText
            joined.isTruncated = joined.isTruncated || answer.isTruncated
            if let tokens = answer.tokens { joined.tokens?.append(contentsOf: tokens) }
        }
        return joined
    }

    /// The answer with only its best detections: those with the highest scores, earlier ones first among equals.
    public func keepingBest(_ count: Int) -> GroundedAnswer {
        let scores = groups.enumerated().flatMap { group, value in
            value.objects.enumerated().map { (group: group, object: $0, score: $1.score) }
        }
        if scores.count <= count { return self }
        let order = scores.indices.sorted { (scores[$1].score, $0) < (scores[$0].score, $1) }
        let kept = Set(order.prefix(max(0, count)))
        var answer = self
        for group in answer.groups.indices { answer.groups[group].objects = [] }
        for (index, entry) in scores.enumerated() where kept.contains(index) {
            answer.groups[entry.group].objects.append(groups[entry.group].objects[entry.object])
        }
        return answer
    }

    /// The answer with each box under one phrase only, the one that it has the highest score for; the earlier one among equals.
    public func withOnePhrasePerBox() -> GroundedAnswer {
        var best: [Int: (group: Int, score: Double)] = [:]
        for (group, value) in groups.enumerated() {
            for object in value.objects where object.score > best[object.index]?.score ?? -.infinity {
                best[object.index] = (group, object.score)
            }
        }
        var answer = self
        for group in groups.indices { answer.groups[group].objects.removeAll { best[$0.index]?.group != group } }
        return answer
    }

    /// A range in Unicode scalars as a range of ``text``; nil when it does not fit.
    public func textRange(_ range: Range<Int>) -> Range<String.Index>? {
        let scalars = text.unicodeScalars
        guard range.lowerBound >= 0,
            let start = scalars.index(scalars.startIndex, offsetBy: range.lowerBound, limitedBy: scalars.endIndex),
            let end = scalars.index(start, offsetBy: range.count, limitedBy: scalars.endIndex)
        else { return nil }
        return start..<end
    }
}
