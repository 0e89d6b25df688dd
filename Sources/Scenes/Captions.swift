extension Scene {
    /// One line about the whole: what there is, and how often.
    public var briefCaption: GroundedText {
        var random = texts("brief")
        guard !objects.isEmpty else { return GroundedText("An image without objects.") }
        var caption = GroundedText(random.word("", "", "An image of ", "A picture with "))
        caption.append(contents(limit: 5, &random))
        if let phrase = background.phrase, random.chance(0.6) { caption.append(" on \(phrase)") }
        caption.append(".")
        return caption.inSentenceCase
    }

    /// What there is, followed by a sentence for each of the most prominent things: how they look and where they are.
    public var detailedCaption: GroundedText {
        var random = texts("detailed")
        guard !objects.isEmpty else { return briefCaption }
        var caption = GroundedText(random.word("The image shows ", "This picture shows ", "This image contains "))
        caption.append(contents(limit: 8, &random))
        caption.append(background.phrase.map { " on \($0)." } ?? ".")
        for group in groups {
            let noun = "group of \(English.number(group.memberIDs.count)) \(group.category.plural)"
            caption.append(" ")
            caption.append("The \(noun)", group.memberIDs)
            caption.append(" is \(region(of: group.box).phrase).")
        }
        var told: Set<Int> = []
        for object in prominent().filter({ $0.groupID == nil }).prefix(6) {
            guard let name = shortestReference(to: object) else { continue }
            caption.append(" ")
            caption.append(describe(object, called: name, told: told, &random))
            told.insert(object.id)
        }
        return caption
    }

    /// "The dog is large and brown and stands …".
    private func describe(
        _ object: SceneObject, called name: String, told: Set<Int>, _ random: inout SceneRandom
    ) -> GroundedText {
        var sentence = GroundedText()
        sentence.append(English.sentenceCase(name), [object.id])
        let look = looks(of: object).filter { !name.contains($0) }
        let relation = relations(of: object).first { told.contains($0.objectID) && $0.predicate != .behind }
        sentence.append(look.isEmpty || random.chance(0.3) ? " is " : " is \(look.joined(separator: " and ")), ")
        if let relation, let anchor = shortestReference(to: objects[relation.objectID]) {
            sentence.append("\(relation.predicate.phrase) ")
            sentence.append(anchor, [relation.objectID])
            sentence.append(".")
        } else {
            sentence.append("\(region(of: object).phrase) of the image.")
        }
        return sentence
    }

    /// "large" and "red"; two colours say enough.
    private func looks(of object: SceneObject) -> [String] {
        let color = object.colorPhrase
        let size = color?.contains(" ") == true ? nil : sizeWord(of: object)?.rawValue
        return [size, color].compactMap(\.self)
    }

    /// "two dogs, a red car and a group of five apples".
    private func contents(limit: Int, _ random: inout SceneRandom) -> GroundedText {
        let entries = inventory
        var items = entries.prefix(limit).map { category, ids in
            GroundedText.phrase(phrase(for: category, ids, &random), ids)
        }
        if entries.count > limit { items.append(GroundedText(random.word("other things", "more"))) }
        return .list(items)
    }

    private func phrase(for category: SceneCategory, _ ids: [Int], _ random: inout SceneRandom) -> String {
        if ids.count == 1 {
            return English.withArticle(random.chance(0.5) ? nounPhrase(objects[ids[0]]) : category.counted)
        }
        let number = English.number(ids.count)
        let isGroup = groups.contains { $0.memberIDs == ids }
        return isGroup ? "a group of \(number) \(category.plural)" : "\(number) \(category.plural)"
    }

    /// The plainest unique name: "the dog", "the red car", "the leftmost cup".
    private func shortestReference(to object: SceneObject) -> String? {
        let all = referringExpressions(for: object).filter {
            if case .relation = $0.selector { false } else { true }
        }
        return all.map(\.text).min { ($0.count, $0) < ($1.count, $1) }
    }

    /// Objects by visible area, largest first.
    private func prominent() -> [SceneObject] {
        objects.sorted { ($1.visibleArea, $0.id) < ($0.visibleArea, $1.id) }
    }
}
