import Annotations
import Boxes
import ChatRex
import Foundation

import struct Annotations.Annotation

/// LLaVA's conversations. Grounded texts are written as the model writes them, `<ground>a dog</ground><objects><obj0></objects>`, with
/// the boxes beside them; what is known of regions is asked for with the tasks' own questions.
enum LLaVAExchange {
    private static let list = "data.json", pictures = "images", image = "<image>"

    struct Record: Codable {
        struct Turn: Codable {
            var from: String, value: String
        }

        var id: String?
        var image: String?
        var width: Int?, height: Int?
        /// Corners in pixels; `<objK>` is the one at K.
        var boxes: [[Double]]?
        var conversations: [Turn]
        /// Pictures that are named; one is kept.
        var pictureCount = 1

        private enum CodingKeys: String, CodingKey { case id, image, width, height, boxes, conversations }

        init(id: String, image: String, width: Int, height: Int, boxes: [[Double]], conversations: [Turn]) {
            (self.id, self.image, self.width, self.height) = (id, image, width, height)
            (self.boxes, self.conversations) = (boxes, conversations)
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            // Ids are numbers in some sets.
            id =
                (try? values.decodeIfPresent(String.self, forKey: .id))
                ?? (try? values.decodeIfPresent(Int.self, forKey: .id)).map(String.init)
            // Sets with several pictures a record have lists.
            let images = try? values.decodeIfPresent([String].self, forKey: .image)
            image = try images?.first ?? values.decodeIfPresent(String.self, forKey: .image)
            pictureCount = images?.count ?? (image == nil ? 0 : 1)
            width = try values.decodeIfPresent(Int.self, forKey: .width)
            height = try values.decodeIfPresent(Int.self, forKey: .height)
            boxes = try values.decodeIfPresent([[Double]].self, forKey: .boxes)
            conversations = try values.decode([Turn].self, forKey: .conversations)
        }
    }

    /// What is asked about a region, and where the answer is kept.
    private static var levels: [(level: VisionTask.RegionLevel, text: WritableKeyPath<Region, String?>)] {
        [
            (.category, \.category), (.phrase, \.phrase), (.brief, \.referringExpression),
            (.sentence, \.description),
        ]
    }

    // MARK: Out

    static func write(_ set: any AnnotationSet, to output: ExportFolder) throws -> ExchangeReport {
        var report = ExchangeReport()
        try output.writeElements(to: list) { (write: (Record) throws -> Void) in
            try output.forEachSample(of: set, pictures: pictures, losing: [.absent], &report) { annotation, report in
                try write(record(annotation, &report))
                report.regions += annotation.regions.count
            }
        }
        return report
    }

    private static func record(_ annotation: Annotation, _ report: inout ExchangeReport) throws -> Record {
        let indices = Dictionary(
            annotation.regions.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        var turns: [Record.Turn] = []
        func add(_ question: String, _ answer: String) {
            turns.append(.init(from: "human", value: (turns.isEmpty ? image + "\n" : "") + question))
            turns.append(.init(from: "gpt", value: answer))
        }
        func write(_ text: GroundedCaption) -> String? {
            let written = TaggedText.write(text, indices: indices)
            if written == nil {
                report.records.note(annotation.key, Self.tags("a text", text.text))
            }
            return written
        }
        if let caption = annotation.caption.flatMap(write) {
            add(PromptTemplates.canonical(for: .briefGroundedCaption).text, caption)
        }
        for (level, text) in levels {
            let known = annotation.regions.enumerated().compactMap { index, region in
                region[keyPath: text].flatMap { text -> (index: Int, text: String)? in
                    if TaggedText.isPlain(text) { return (index, text) }
                    report.records.note(annotation.key, Self.tags("a text", text))
                    return nil
                }
            }
            guard !known.isEmpty else { continue }
            let task = VisionTask.describeRegions(known.map(\.index), level: level)
            guard let prompt = try task.prompts(boxCount: annotation.regions.count).first else { continue }
            add(prompt.question, AnswerText.detection(known.map { ($0.text, [$0.index]) }))
        }
        for turn in annotation.conversation ?? [] {
            guard TaggedText.isPlain(turn.question) else {
                report.records.note(annotation.key, Self.tags("a question", turn.question))
                continue
            }
            if let answer = write(turn.answer) { add(turn.question, answer) }
        }
        return Record(
            id: annotation.key, image: "\(pictures)/\(annotation.fileName)", width: annotation.width,
            height: annotation.height, boxes: annotation.regions.map { $0.box.values(.xyxy) }, conversations: turns)
    }

    private static func tags(_ what: String, _ text: String) -> RecordProblem {
        RecordProblem(.text, "\(what) holds tags of its own: \(text.prefix(60))")
    }

    // MARK: In

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let file = place.isFolder ? place.appendingPathComponent(list) : place
        try JSONElements.forEach(in: file) { element in
            let place = "\(file.path), record \(element.number)"
            try importer.record(place) {
                let record = try JSONDecoder().decode(Record.self, from: Data(element.bytes))
                guard let name = record.image, record.pictureCount == 1 else {
                    importer.leaveOut(
                        record.image == nil ? "records without a picture" : "records with several pictures")
                    return
                }
                let declared = record.width.flatMap { width in record.height.map { (width, $0) } }
                let picture = try importer.picture(named: name, declared: declared)
                // A box keeps its number even where another one is bad.
                var regions: [Region?] = []
                for (index, corners) in (record.boxes ?? []).enumerated() {
                    regions.append(nil)
                    try importer.part("\(place), box \(index)") {
                        let box = try importer.checked(try? Box(corners, format: .xyxy), in: picture)
                        regions[index] = Region(id: index, box: box)
                    }
                }
                let read = try dialogue(record, &regions, place, importer)
                try importer.add(
                    picture, key: record.id, caption: read.caption, regions: regions.compactMap { $0 },
                    conversation: read.turns)
            }
        }
    }

    private static func dialogue(
        _ record: Record, _ regions: inout [Region?], _ place: String, _ importer: RecordImporter
    ) throws -> (caption: GroundedCaption?, turns: [GroundedTurn]) {
        var caption: GroundedCaption?, turns: [GroundedTurn] = [], question: String?
        for turn in record.conversations {
            switch turn.from {
            case "human", "user":
                question = turn.value.replacingOccurrences(of: image, with: "").trimmingCharacters(
                    in: .whitespacesAndNewlines)
            case "gpt", "assistant":
                guard let asked = question, !asked.isEmpty else {
                    throw RecordProblem(.other, "an answer has no question")
                }
                question = nil
                let answer = AnswerParser.parse(turn.value, boxCount: record.boxes?.count ?? 0)
                // A description may have several lines.
                let issues = answer.issues.filter { $0.kind != .lineBreakInPhrase }
                if let issue = issues.first {
                    try importer.note(place, RecordProblem(.text, "an answer is malformed: \(issue)"))
                }
                if take(answer, to: asked, &regions) { continue }
                let text = TaggedText.read(answer, isKnown: { regions.indices.contains($0) && regions[$0] != nil })
                if text.text.isEmpty { continue }
                if caption == nil, isCaptionQuestion(asked) {
                    caption = text
                } else {
                    turns.append(GroundedTurn(question: asked, answer: text))
                }
            case "system": continue
            default: throw RecordProblem(.other, "'\(turn.from)' is neither human nor gpt")
            }
        }
        return (caption, turns)
    }

    private static func isCaptionQuestion(_ question: String) -> Bool {
        [VisionTask.Kind.briefGroundedCaption, .detailedGroundedCaption].contains { kind in
            PromptTemplates.all(for: kind).contains { $0.text == question }
        }
    }

    /// Puts the answer to a question about regions where it belongs.
    /// - Returns: false where the question is none of these
    private static func take(_ answer: ParsedAnswer, to question: String, _ regions: inout [Region?]) -> Bool {
        for (level, text) in levels {
            let kind = VisionTask.describeRegions([], level: level).kind
            guard let subject = PromptTemplates.canonical(for: kind).subject(of: question) else { continue }
            let asked = subject.split(separator: ";").compactMap { TaggedText.index(of: $0) }
            if asked.count == 1, answer.groups.isEmpty, regions.indices.contains(asked[0]) {
                regions[asked[0]]?[keyPath: text] = answer.plainText
            }
            for group in answer.groups {
                for object in group.objects where regions.indices.contains(object.index) {
                    regions[object.index]?[keyPath: text] = group.phrase
                }
            }
            return true
        }
        return false
    }
}

/// Grounded texts with their tags.
enum TaggedText {
    /// Whether a text is the same after it went through a model's answer.
    static func isPlain(_ text: String) -> Bool {
        let parsed = AnswerParser.parse(text, boxCount: nil)
        return parsed.groups.isEmpty && parsed.mentions.isEmpty && parsed.issues.isEmpty && !parsed.isEnded
            && parsed.plainText == text && !text.contains("<image>") && !text.contains("<|") && !text.isEmpty
    }

    /// - Parameter indices: of the regions' boxes, by region
    /// - Returns: nil where the text has tags of its own or phrases that overlap
    static func write(_ caption: GroundedCaption, indices: [Int: Int]) -> String? {
        guard isPlain(caption.text) else { return nil }
        let scalars = Array(caption.text.unicodeScalars)
        func text(_ range: Range<Int>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[range])
            return String(view)
        }
        var written = "", position = 0
        for phrase in caption.phrases.sorted(by: { $0.start < $1.start }) {
            guard phrase.start >= position, phrase.start < phrase.end, phrase.end <= scalars.count else { return nil }
            written += text(position..<phrase.start)
            written += AnswerText.group(text(phrase.start..<phrase.end), phrase.regions.compactMap { indices[$0] })
            position = phrase.end
        }
        return written + text(position..<scalars.count)
    }

    static func read(_ answer: ParsedAnswer, isKnown: (Int) -> Bool) -> GroundedCaption {
        let scalars = Array(answer.plainText.unicodeScalars)
        let phrases = answer.groups.compactMap { group -> GroundedCaption.Phrase? in
            guard group.range.upperBound <= scalars.count, !group.range.isEmpty else { return nil }
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[group.range])
            return GroundedCaption.Phrase(
                text: String(view), start: group.range.lowerBound, end: group.range.upperBound,
                regions: group.objects.map(\.index).filter(isKnown))
        }
        return GroundedCaption(text: answer.plainText, phrases: phrases)
    }

    /// K of `<objK>`.
    static func index(of tag: Substring) -> Int? {
        let tag = tag.trimmingCharacters(in: .whitespaces)
        guard tag.hasPrefix("<obj"), tag.hasSuffix(">") else { return nil }
        return Int(tag.dropFirst("<obj".count).dropLast())
    }
}

extension PromptTemplate {
    /// What fills the gap in a question that was made from this wording; nil for any other question.
    func subject(of question: String) -> String? {
        let parts = text.components(separatedBy: Self.gap)
        guard parts.count == 2, question.count >= parts[0].count + parts[1].count, question.hasPrefix(parts[0]),
            question.hasSuffix(parts[1])
        else { return nil }
        return String(question.dropFirst(parts[0].count).dropLast(parts[1].count))
    }
}
