import Annotations
import Boxes
import ChatRex
import Foundation
import Imaging
import Scenes

import struct Annotations.Annotation

/// An annotated picture of a data set as training sees it.
///
/// Boxes that are nearly the same are one thing: a caption that names a dog twice does not make two dogs. Texts that a prompt or an answer
/// cannot hold, such as those with tags of their own, are left out.
public struct AnnotationTruth: PictureTruth {
    public let image: Image
    public let seed: UInt64
    public let things: [PictureThing]
    public let names: [(name: String, objectIDs: [Int])]
    public let dialogue: [PictureQuestion]
    private let absent: [String]
    private let texts: [Int: [VisionTask.RegionLevel: String]]
    private let expressionsOfThing: [Int: [String]]
    private let captionText: [TextSegment]?

    /// Boxes that overlap by more are the same thing.
    static let sameThing = 0.9
    /// Captions with more words are detailed ones.
    static let briefWords = 30

    /// - Parameters:
    ///   - image: the decoded picture
    ///   - vocabulary: names that other pictures have, of which some are asked for in vain
    ///   - seed: decides which, and all else that is drawn about the picture
    public init(_ annotation: Annotation, image: Image, vocabulary: [String], seed: UInt64) {
        (self.image, self.seed) = (image, seed)
        let merged = Self.things(of: annotation.regions)
        things = merged.things
        func thingIDs(_ regions: [Int]) -> [Int] {
            var seen: Set<Int> = []
            return regions.compactMap { merged.thingOfRegion[$0] }.filter { seen.insert($0).inserted }
        }
        var texts: [Int: [VisionTask.RegionLevel: String]] = [:], expressions: [Int: [String]] = [:]
        var named = NameList()
        for region in annotation.regions {
            guard let thing = merged.thingOfRegion[region.id] else { continue }
            func keep(_ level: VisionTask.RegionLevel, _ text: String?) {
                if let text, texts[thing]?[level] == nil { texts[thing, default: [:]][level] = text }
            }
            let category = Self.phrase(region.category), phrase = Self.phrase(region.phrase)
            keep(.category, category)
            keep(.phrase, phrase)
            keep(.brief, Self.phrase(region.referringExpression))
            keep(.sentence, Self.plain(region.description))
            if let category { named.add(category, [thing]) }
            if let phrase { named.add(phrase, [thing]) }
            if let text = Self.phrase(region.referringExpression) { expressions[thing, default: []].append(text) }
        }
        for phrase in annotation.caption?.phrases ?? [] {
            if let text = Self.phrase(phrase.text) { named.add(text, thingIDs(phrase.regions)) }
        }
        (self.texts, expressionsOfThing, names) = (texts, expressions, named.entries)
        captionText = annotation.caption.flatMap { Self.segments($0, thingIDs) }
        dialogue = (annotation.conversation ?? []).compactMap { turn in
            guard let question = Self.plain(turn.question), let answer = Self.segments(turn.answer, thingIDs) else {
                return nil
            }
            return PictureQuestion(question: question, shortAnswer: turn.answer.text, answer: answer)
        }
        absent = Self.absent(in: annotation, vocabulary, seed)
    }

    public var furtherBoxes: [Box] { [] }

    public func absentNames(_ count: Int) -> [String] { Array(absent.prefix(max(0, count))) }

    public func things(with level: VisionTask.RegionLevel) -> [PictureThing] {
        things.filter { texts[$0.id]?[level] != nil }
    }

    public func text(_ level: VisionTask.RegionLevel, of id: Int) -> String? { texts[id]?[level] }

    public func expressions(for id: Int) -> [String] { expressionsOfThing[id] ?? [] }

    public func caption(_ style: VisionTask.CaptionStyle) -> [TextSegment]? {
        guard let captionText else { return nil }
        let words = captionText.map(\.text).joined().split(whereSeparator: \.isWhitespace).count
        return (words <= Self.briefWords) == (style == .brief) ? captionText : nil
    }
}

extension AnnotationTruth {
    private static func things(of regions: [Region]) -> (things: [PictureThing], thingOfRegion: [Int: Int]) {
        var things: [PictureThing] = [], thingOfRegion: [Int: Int] = [:]
        for region in regions {
            if let same = things.first(where: { $0.box.iou(with: region.box) > sameThing }) {
                thingOfRegion[region.id] = same.id
            } else {
                thingOfRegion[region.id] = things.count
                things.append(PictureThing(id: things.count, box: region.box))
            }
        }
        return (things, thingOfRegion)
    }

    /// Names with what they mean, in the order of their first use. Two things with the same name are both meant by it.
    private struct NameList {
        var entries: [(name: String, objectIDs: [Int])] = []
        private var places: [String: Int] = [:]

        mutating func add(_ name: String, _ ids: [Int]) {
            guard !ids.isEmpty else { return }
            let key = name.lowercased(), place = places[key] ?? entries.count
            if place == entries.count {
                places[key] = place
                entries.append((name, []))
            }
            entries[place].objectIDs += ids.filter { !entries[place].objectIDs.contains($0) }
        }
    }

    /// A text that goes through prompts and answers unchanged; nil for one that does not.
    private static func plain(_ text: String?) -> String? {
        guard let text = text?.trimmingCharacters(in: .whitespacesAndNewlines), !text.isEmpty else { return nil }
        guard (try? VisionTask.question(text).prompts(boxCount: 0).first?.task) == .question(text) else { return nil }
        let parsed = AnswerParser.parse(text, boxCount: 0)
        return parsed.objectTagCount == 0 && parsed.plainText == text && !text.contains("<|") ? text : nil
    }

    /// A text that can be looked for, and be one of a list.
    private static func phrase(_ text: String?) -> String? {
        guard let text = plain(text),
            case .detect(let phrases)? = try? VisionTask.detect([text]).prompts(boxCount: 0).first?.task
        else { return nil }
        return phrases == [text] ? text : nil
    }

    /// A text cut at its phrases; nil where it, or the order of its phrases, is of no use.
    private static func segments(_ caption: GroundedCaption, _ things: ([Int]) -> [Int]) -> [TextSegment]? {
        guard plain(caption.text) == caption.text else { return nil }
        let scalars = Array(caption.text.unicodeScalars)
        func text(_ range: Range<Int>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[range])
            return String(view)
        }
        var segments: [TextSegment] = [], position = 0
        for phrase in caption.phrases.sorted(by: { $0.start < $1.start })
        where phrase.start >= position && phrase.start < phrase.end && phrase.end <= scalars.count {
            if phrase.start > position { segments.append(TextSegment(text: text(position..<phrase.start))) }
            segments.append(TextSegment(text: text(phrase.start..<phrase.end), objectIDs: things(phrase.regions)))
            position = phrase.end
        }
        if position < scalars.count { segments.append(TextSegment(text: text(position..<scalars.count))) }
        return segments
    }

    /// Names that no text of the picture uses, of those that were looked for in vain where that is known. Whatever is spoken of may be
    /// there, even where it has no box.
    private static func absent(in annotation: Annotation, _ vocabulary: [String], _ seed: UInt64) -> [String] {
        var said = annotation.regions.flatMap { region in
            [region.category, region.phrase, region.description, region.referringExpression].compactMap { $0 }
        }
        said += [annotation.caption?.text].compactMap { $0 }
        said += (annotation.conversation ?? []).flatMap { [$0.question, $0.answer.text] }
        let spoken = Set(said.flatMap(words)), candidates = annotation.absent ?? vocabulary
        var random = SceneRandom(seed: seed, stream: "absent"), names: [String] = []
        // More draws than names are needed: some are there, some come twice.
        for _ in 0..<64 where names.count < 16 {
            guard let candidate = random.pick(candidates) else { break }
            guard let name = phrase(candidate) else { continue }
            let isSpoken = words(name).contains { spoken.contains($0) }
            if !isSpoken && !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// Words that mean something, without the endings of plurals.
    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.compactMap { word in
            if word.count <= 2 || ["the", "and", "with"].contains(word) { return nil }
            var stem = word
            if stem.count > 3 && stem.hasSuffix("s") { stem.removeLast() }
            if stem.count > 3 && stem.hasSuffix("e") { stem.removeLast() }
            return String(stem)
        }
    }
}
