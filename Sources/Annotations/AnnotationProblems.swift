import Boxes

extension Annotation {
    /// Whether key and format can be parts of a file name without leading anywhere else.
    package var hasPlainNames: Bool {
        func isPlain(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.count <= 200
                && text.utf8.allSatisfy {
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
                        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "-")
                        || $0 == UInt8(ascii: "_")
                }
        }
        return isPlain(key) && isPlain(format)
    }

    /// What is wrong with the record by itself; empty for a good one.
    public var problems: [RecordProblem] {
        var found: [RecordProblem] = []
        func note(_ kind: RecordProblem.Kind, _ reason: String) { found.append(RecordProblem(kind, reason)) }
        if !hasPlainNames { note(.name, "the key '\(key)' or format '\(format)' is no plain name") }
        if width <= 0 || height <= 0 { note(.pictureSize, "the picture is \(width) wide and \(height) high") }
        let ids = Set(regions.map(\.id))
        if ids.count < regions.count { note(.repetition, "two regions have the same id") }
        for region in regions { found += region.problems(width: width, height: height) }
        if let caption { found += caption.problems("the caption", regions: ids) }
        for (number, turn) in (conversation ?? []).enumerated() {
            if turn.question.isBlank { note(.text, "question \(number + 1) is blank") }
            found += turn.answer.problems("answer \(number + 1)", regions: ids)
        }
        return found
    }
}

extension Region {
    /// How far a box may reach over the picture's edge, in pixels: what rounding does.
    package static let overhang = 1.0

    fileprivate func problems(width: Int, height: Int) -> [RecordProblem] {
        var found: [RecordProblem] = []
        func note(_ kind: RecordProblem.Kind, _ reason: String) {
            found.append(RecordProblem(kind, "region \(id): \(reason)"))
        }
        let inner = box.clipped(toWidth: Double(width), height: Double(height))
        if !box.isValid || box.area == 0 {
            note(.boxArea, "the box \(box) has no area")
        } else if zip(box.values(.xyxy), inner.values(.xyxy)).contains(where: { abs($0 - $1) > Self.overhang }) {
            note(.boxRange, "the box \(box) reaches out of the picture of \(width) x \(height)")
        }
        for (name, text) in texts where text.isBlank { note(.text, "the \(name) is blank") }
        if let score, !(0...1).contains(score) { note(.score, "the score \(score) is not within 0...1") }
        return found
    }
}

extension Region {
    /// What is said about the region, by name.
    private var texts: [(name: String, text: String)] {
        [
            ("category", category), ("phrase", phrase), ("description", description),
            ("referring expression", referringExpression),
        ].compactMap { name, text in text.map { (name, $0) } }
    }

    /// The same without blank texts, and how many there were.
    package var withoutBlankTexts: (region: Region, count: Int) {
        var region = self
        func shown(_ text: String?) -> String? { text.flatMap { $0.isBlank ? nil : $0 } }
        (region.category, region.phrase) = (shown(category), shown(phrase))
        (region.description, region.referringExpression) = (shown(description), shown(referringExpression))
        return (region, texts.count - region.texts.count)
    }
}

extension String {
    /// Whether there is nothing but white space.
    fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}

extension GroundedCaption {
    fileprivate func problems(_ name: String, regions ids: Set<Int>) -> [RecordProblem] {
        var found: [RecordProblem] = []
        func note(_ kind: RecordProblem.Kind, _ reason: String) {
            found.append(RecordProblem(kind, "\(name)\(reason)"))
        }
        let scalars = Array(text.unicodeScalars)
        if scalars.isEmpty { note(.text, " is empty") }
        for phrase in phrases {
            let isWithin = phrase.start >= 0 && phrase.start < phrase.end && phrase.end <= scalars.count
            if !isWithin || !scalars[phrase.start..<phrase.end].elementsEqual(phrase.text.unicodeScalars) {
                note(.text, ": the phrase '\(phrase.text)' does not stand at \(phrase.start)..<\(phrase.end)")
            }
            if let missing = phrase.regions.first(where: { !ids.contains($0) }) {
                note(.reference, ": the phrase '\(phrase.text)' names region \(missing), which does not exist")
            }
        }
        return found
    }
}
