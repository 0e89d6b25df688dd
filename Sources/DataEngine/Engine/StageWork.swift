// What the stages do with one picture.

import Annotations
import Boxes
import Foundation
import Imaging

/// Runs stages for single pictures; knows neither the order of pictures nor the state's database.
struct StageWork: Sendable {
    let modules: EngineModules
    let rules: EngineRules

    /// Module 2. A conversation that came with the picture stands for its caption (section 4.2).
    func caption(_ item: SourceItem, _ image: @autoclosure () throws -> EngineImage) async throws -> CaptionRecord {
        if let conversation = item.conversation, !conversation.isEmpty {
            return CaptionRecord(conversation: conversation)
        }
        if let captioner = modules.captioner {
            return CaptionRecord(caption: try await captioner.caption(try image()))
        }
        let text = (item.text ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        if text.isEmpty { throw Drop("no caption", detail: "the source gives no text") }
        return CaptionRecord(caption: text)
    }

    /// Module 3.
    func ground(_ captions: CaptionRecord, _ image: EngineImage) async throws -> GroundingRecord {
        var record = GroundingRecord(texts: [], regions: []), phraseCount = 0
        for text in captions.texts {
            let length = text.unicodeScalars.count
            let phrases = try await modules.extractor.phrases(in: text).filter {
                $0.start >= 0 && $0.start < $0.end && $0.end <= length
            }
            phraseCount += phrases.count
            let boxes = phrases.isEmpty ? [] : try await modules.grounder.ground(phrases, of: text, in: image)
            var located: [GroundingRecord.GroundedText.Phrase] = []
            for (phrase, boxes) in zip(phrases, boxes) {
                let regions = wanted(boxes, in: image.image).map { add($0, phrase, to: &record.regions) }
                if regions.isEmpty { continue }
                // Two boxes of a phrase may have become one region.
                var seen: Set<Int> = []
                located.append(
                    .init(start: phrase.start, end: phrase.end, regions: regions.filter { seen.insert($0).inserted }))
            }
            record.texts.append(.init(text: text, phrases: located))
        }
        if phraseCount == 0 {
            throw Drop("no phrase", detail: String(captions.texts.joined(separator: " ").prefix(200)))
        }
        if record.regions.isEmpty { throw Drop("nothing grounded", detail: "\(phraseCount) phrases") }
        return rules.grounding.exclusiveOverlap < 1 ? exclusive(record) : record
    }

    /// Without regions that lie on a more confident one of another category.
    private func exclusive(_ record: GroundingRecord) -> GroundingRecord {
        var kept: [Int] = []
        for index in record.ranking {
            let region = record.regions[index]
            let isTaken = kept.contains { other in
                record.regions[other].phrase.category != region.phrase.category
                    && record.regions[other].box.box.iou(with: region.box.box) > rules.grounding.exclusiveOverlap
            }
            if !isTaken { kept.append(index) }
        }
        kept.sort()
        let place = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
        let texts = record.texts.map { text in
            var text = text
            text.phrases = text.phrases.compactMap { phrase in
                var phrase = phrase
                phrase.regions = phrase.regions.compactMap { place[$0] }
                return phrase.regions.isEmpty ? nil : phrase
            }
            return text
        }
        return GroundingRecord(texts: texts, regions: kept.map { record.regions[$0] })
    }

    /// The boxes of a phrase that are kept, inside the picture, best first.
    private func wanted(_ boxes: [ScoredBox], in image: Image) -> [ScoredBox] {
        let kept = boxes.filter { $0.box.isValid && $0.score >= rules.grounding.minimumScore }.map {
            ScoredBox(
                box: $0.box.clipped(toWidth: Double(image.width), height: Double(image.height)), score: $0.score)
        }
        .filter { min($0.box.width, $0.box.height) >= max(rules.grounding.minimumSide, 1) }
        return Array(kept.sorted { $0.score > $1.score }.prefix(rules.grounding.boxesPerPhrase))
    }

    /// The number of the region of a box: one that is there already, or a new one.
    private func add(_ box: ScoredBox, _ phrase: NounPhrase, to regions: inout [GroundingRecord.Region]) -> Int {
        let twin = regions.firstIndex {
            $0.phrase.category == phrase.category
                && $0.box.box.iou(with: box.box) >= rules.grounding.mergeOverlap
        }
        guard let twin else {
            regions.append(.init(box: box, phrase: phrase))
            return regions.count - 1
        }
        // The phrase that says more names the region.
        if regions[twin].phrase.kind == .category && phrase.kind == .descriptive { regions[twin].phrase = phrase }
        regions[twin].box.score = max(regions[twin].box.score, box.score)
        return twin
    }

    /// Module 4.
    func describe(_ grounding: GroundingRecord, _ image: @autoclosure () throws -> EngineImage) async throws
        -> DescriptionRecord
    {
        var descriptions = [RegionText](repeating: RegionText(), count: grounding.regions.count)
        guard let describer = modules.describer else { return DescriptionRecord(descriptions: descriptions) }
        let chosen = grounding.ranking.filter {
            rules.description.regions == .all || grounding.regions[$0].phrase.kind == .descriptive
        }
        .prefix(rules.description.perPicture)
        if chosen.isEmpty { return DescriptionRecord(descriptions: descriptions) }
        let image = try image()
        let subjects = chosen.map { index in
            let region = grounding.regions[index]
            return RegionSubject(region.box.box, as: rules.description.isConditioned ? region.phrase.text : nil)
        }
        for (index, result) in zip(chosen, try await describer.describe(subjects, in: image)) {
            switch result {
            case .success(let description): descriptions[index] = .text(description)
            case .failure(let drop): descriptions[index] = .dropped(drop)
            }
        }
        return DescriptionRecord(descriptions: descriptions)
    }

    /// Module 5.
    func refine(
        _ grounding: GroundingRecord, _ descriptions: DescriptionRecord, _ image: @autoclosure () throws -> EngineImage
    ) async throws -> RefinementRecord {
        var regions = descriptions.descriptions.map {
            RefinementRecord.Region(description: $0, expression: RegionText())
        }
        guard let refiner = modules.refiner, regions.contains(where: { $0.description.text != nil }) else {
            return RefinementRecord(regions: regions)
        }
        let image = rules.refinement.isRegrounded ? try image() : nil
        for index in regions.indices {
            guard let description = regions[index].description.text else { continue }
            let phrase = grounding.regions[index].phrase
            if try await !refiner.agrees(description, with: phrase.text) {
                regions[index].description = .dropped(Drop("misaligned", detail: description))
                continue
            }
            regions[index].expression = try await text {
                guard
                    let expression = try await refiner.referringExpression(from: description, phrase: phrase.text)
                else { throw Drop("no expression") }
                if let image, try await !finds(expression, index, grounding, image) {
                    throw Drop("ambiguous", detail: expression)
                }
                return expression
            }
        }
        return RefinementRecord(regions: regions)
    }

    /// Whether an expression, grounded again, leads to its own region before all others.
    private func finds(
        _ expression: String, _ index: Int, _ grounding: GroundingRecord, _ image: EngineImage
    ) async throws -> Bool {
        let phrase = NounPhrase(
            text: expression, start: 0, end: expression.unicodeScalars.count, kind: .descriptive,
            category: grounding.regions[index].phrase.category)
        let boxes = try await modules.grounder.ground([phrase], of: expression, in: image).first ?? []
        guard let best = boxes.max(by: { $0.score < $1.score }) else { return false }
        let overlaps = grounding.regions.map { $0.box.box.iou(with: best.box) }
        return overlaps[index] >= rules.refinement.minimumOverlap && overlaps[index] >= overlaps.max() ?? 0
    }

    /// A text, or why there is none; what concerns more than this region is thrown on.
    private func text(_ make: () async throws -> String) async throws -> RegionText {
        do { return .text(try await make()) } catch let drop as Drop { return .dropped(drop) }
    }

    // MARK: The result

    /// All that is known about a picture.
    static func annotation(
        _ item: SourceItem, _ collected: CollectedRecord, _ captions: CaptionRecord, _ grounding: GroundingRecord,
        _ refinement: RefinementRecord
    ) -> Annotations.Annotation {
        let regions = zip(grounding.regions, refinement.regions).enumerated().map { index, pair in
            let (region, texts) = pair
            return Region(
                id: index, box: region.box.box, score: region.box.score, category: region.phrase.category,
                phrase: region.phrase.kind == .descriptive ? region.phrase.text : nil,
                description: texts.description.text, referringExpression: texts.expression.text)
        }
        let texts = grounding.texts.map { grounded in
            let scalars = Array(grounded.text.unicodeScalars)
            return GroundedCaption(
                text: grounded.text,
                phrases: grounded.phrases.map { phrase in
                    var text = String.UnicodeScalarView()
                    text.append(contentsOf: scalars[phrase.start..<phrase.end])
                    return .init(text: String(text), start: phrase.start, end: phrase.end, regions: phrase.regions)
                })
        }
        let turns = texts.dropFirst(captions.caption == nil ? 0 : 1)
        return Annotations.Annotation(
            key: item.key, source: item.location.description, format: collected.format, sha256: collected.sha256,
            width: collected.width, height: collected.height, caption: captions.caption == nil ? nil : texts.first,
            regions: regions,
            conversation: captions.conversation.map { conversation in
                zip(conversation, turns).map { GroundedTurn(question: $0.question, answer: $1) }
            })
    }
}

extension SourceItem.Location: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file(let path): path
        case .url(let url): url
        case .member(let archive, let name, _, _): "\(archive)#\(name)"
        }
    }
}
