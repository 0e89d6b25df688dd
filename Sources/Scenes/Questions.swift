import Boxes

/// A question about a scene with its answer.
public struct SceneQuestion: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        case count, presence, color, place, neighbour, comparison, extreme
    }

    public let kind: Kind
    public let question: String
    /// One or a few words, as scorers compare them: "3", "yes", "red", "car".
    public let shortAnswer: String
    /// A full sentence, with the objects that it speaks of.
    public let answer: GroundedText
}

extension Scene {
    /// Questions whose answers nobody would dispute, in random order.
    public var questions: [SceneQuestion] {
        var random = texts("questions")
        var all = countQuestions(&random) + presenceQuestions(&random) + comparisonQuestions(&random)
        all += extremeQuestions()
        for object in objects { all += questions(about: object, &random) }
        random.shuffle(&all)
        return all
    }

    private func question(
        _ kind: SceneQuestion.Kind, _ question: String, _ shortAnswer: String, _ answer: [(String, [Int])]
    ) -> SceneQuestion {
        var text = GroundedText()
        for (words, ids) in answer { text.append(words, ids) }
        return SceneQuestion(kind: kind, question: question, shortAnswer: shortAnswer, answer: text.inSentenceCase)
    }

    private func countQuestions(_ random: inout SceneRandom) -> [SceneQuestion] {
        var all = inventory.map { category, ids in
            let ask = random.word(
                "How many \(category.plural) are there?", "How many \(category.plural) are in the image?",
                "What is the number of \(category.plural)?")
            let amount = ids.count == 1 ? "one \(category.counted)" : "\(English.number(ids.count)) \(category.plural)"
            return question(
                .count, ask, String(ids.count),
                [(ids.count == 1 ? "there is " : "there are ", []), (amount, ids), (".", [])])
        }
        for category in negatives(1) {
            all.append(
                question(
                    .count, "How many \(category.plural) are there?", "0", [("there are no \(category.plural).", [])]))
        }
        return all
    }

    private func presenceQuestions(_ random: inout SceneRandom) -> [SceneQuestion] {
        let present = inventory
        let yes = present.map { category, ids in
            let noun = ids.count == 1 ? English.withArticle(category.counted) : category.plural
            let answer = ids.count == 1 ? noun : "\(English.number(ids.count)) \(category.plural)"
            return question(
                .presence, presenceQuestion(category, &random), "yes",
                [(ids.count == 1 ? "yes, there is " : "yes, there are ", []), (answer, ids), (".", [])])
        }
        let no = negatives(present.count).map { category in
            question(
                .presence, presenceQuestion(category, &random), "no",
                [("no, there is no \(category.counted) in the image.", [])])
        }
        return yes + no
    }

    private func presenceQuestion(_ category: SceneCategory, _ random: inout SceneRandom) -> String {
        let noun = English.withArticle(category.counted)
        return random.word(
            "Is there \(noun) in the image?", "Is there \(noun)?", "Can you see \(noun) in this picture?")
    }

    private func comparisonQuestions(_ random: inout SceneRandom) -> [SceneQuestion] {
        var entries = inventory
        random.shuffle(&entries)
        return zip(entries, entries.dropFirst()).prefix(2).map { first, second in
            let (a, b) = (first.objectIDs.count, second.objectIDs.count)
            let answer: [(String, [Int])] = [
                (a > b ? "yes, there " : "no, there ", []), (a == 1 ? "is " : "are ", []),
                (
                    a == 1 ? "one \(first.category.counted)" : "\(English.number(a)) \(first.category.plural)",
                    first.objectIDs
                ),
                (" and ", []),
                (
                    b == 1 ? "one \(second.category.counted)" : "\(English.number(b)) \(second.category.plural)",
                    second.objectIDs
                ),
                (".", []),
            ]
            return question(
                .comparison, "Are there more \(first.category.plural) than \(second.category.plural)?",
                a > b ? "yes" : "no",
                answer)
        }
    }

    private func extremeQuestions() -> [SceneQuestion] {
        ReferringExpression.Extreme.allCases.compactMap { extreme in
            guard objects.count > 1, let first = objects.max(by: { extreme.rank($0) < extreme.rank($1) }),
                extreme.isClear(first, among: objects.filter { $0.id != first.id }, meanSide: meanSide)
            else { return nil }
            return question(
                .extreme, "What is the \(extreme.rawValue) object?", first.category.name,
                [
                    ("the \(extreme.rawValue) object is ", []), (English.withArticle(nounPhrase(first)), [first.id]),
                    (".", []),
                ])
        }
    }

    /// Colour, place and neighbours of an object that can be named.
    private func questions(about object: SceneObject, _ random: inout SceneRandom) -> [SceneQuestion] {
        guard let name = referringExpression(for: object) else { return [] }
        var all: [SceneQuestion] = []
        if name.color == nil, let color = object.color {
            all.append(
                question(
                    .color, "What color is \(name.text)?", color.rawValue,
                    [(name.text, [object.id]), (" is \(color.rawValue).", [])]))
        }
        let place = region(of: object)
        all.append(
            question(
                .place, "Where is \(name.text)?", place.rawValue,
                [(name.text, [object.id]), (" is \(place.phrase).", [])]))
        for predicate in SpatialPredicate.directions {
            // The answer has to be the only thing that could be meant.
            let there = objects.filter { $0.id != object.id && couldHold(predicate, $0, object) }
            guard there.count == 1, holds(predicate, there[0], object) else { continue }
            all.append(
                question(
                    .neighbour, "What is \(predicate.phrase) \(name.text)?", there[0].category.name,
                    [
                        (English.withArticle(there[0].category.counted), [there[0].id]),
                        (" is \(predicate.phrase) ", []),
                        (name.text, [object.id]), (".", []),
                    ]))
        }
        return all
    }
}
