import Boxes
import Foundation
import Scenes
import Testing

@Suite(.enabled(if: TestWorld.isAvailable))
struct LanguageTests {
    @Test func countsAgreeWithObjectsAndAnswers() throws {
        for scene in try TestWorld.busyScenes(40) {
            var tally: [String: Int] = [:]
            for object in scene.objects { tally[object.category.name, default: 0] += 1 }
            #expect(scene.counts == tally)
            for question in scene.questions where question.kind == .count {
                let asked = try #require(
                    scene.objects.map(\.category).first { question.question.contains(" \($0.plural)") }?.name
                        ?? (question.shortAnswer == "0" ? "" : nil))
                #expect(question.shortAnswer == String(tally[asked] ?? 0))
                #expect(question.answer.phrases.flatMap(\.objectIDs).count == tally[asked] ?? 0)
            }
        }
    }

    @Test func negativesAreAbsentByAnyName() throws {
        for scene in try TestWorld.busyScenes(40) {
            let negatives = scene.negatives(8)
            #expect(negatives.count <= 8 && !negatives.isEmpty)
            #expect(Set(negatives.map(\.id)).count == negatives.count)
            #expect(negatives.allSatisfy { scene.counts[$0.name] == nil })
            if scene.counts["penguin"] != nil { #expect(!negatives.contains { $0.name == "bird" }) }
            #expect(scene.negatives(-1).isEmpty)
        }
    }

    @Test func phrasesOfCaptionsStandWhereTheySay() throws {
        for scene in try TestWorld.busyScenes(40) {
            for caption in [scene.briefCaption, scene.detailedCaption] {
                let scalars = Array(caption.text.unicodeScalars)
                #expect(caption.text.first?.isUppercase == true && caption.text.last == ".")
                for phrase in caption.phrases {
                    let cut = String(String.UnicodeScalarView(scalars[phrase.range]))
                    #expect(cut == phrase.text)
                    let names = Set(phrase.objectIDs.map { scene.objects[$0].category })
                    let category = try #require(names.count == 1 ? names.first : nil)
                    let noun = phrase.objectIDs.count == 1 ? category.counted : category.plural
                    #expect(phrase.text.lowercased().contains(noun))
                }
            }
        }
    }

    @Test func descriptionsFitOneObjectAloneByAReaderOfTheWords() throws {
        var read = 0
        for scene in try TestWorld.busyScenes(80) {
            for object in scene.objects {
                for expression in scene.referringExpressions(for: object) {
                    let found = try #require(DescriptionReader(scene).read(expression.text), "\(expression.text)")
                    #expect(found == [object.id], "\(expression.text) in the scene of seed \(scene.seed)")
                    read += 1
                }
            }
        }
        #expect(read > 1000)
    }

    @Test func mostObjectsCanBeTold() throws {
        let scenes = try TestWorld.busyScenes(60)
        let objects = scenes.flatMap { scene in scene.objects.map { scene.referringExpression(for: $0) != nil } }
        #expect(Double(objects.count(where: { $0 })) > 0.8 * Double(objects.count))
    }

    @Test func relationsAgreeWithTheBoxes() throws {
        for scene in try TestWorld.busyScenes(30) {
            for relation in scene.relations {
                let (a, b) = (scene.objects[relation.subjectID].box, scene.objects[relation.objectID].box)
                switch relation.predicate {
                case .leftOf: #expect(a.center.x < b.center.x)
                case .rightOf: #expect(a.center.x > b.center.x)
                case .above: #expect(a.center.y < b.center.y)
                case .below: #expect(a.center.y > b.center.y)
                case .nextTo: #expect(a.intersection(with: b) == nil)
                case .inFrontOf: #expect(relation.subjectID > relation.objectID && a.intersection(with: b) != nil)
                case .behind: #expect(relation.subjectID < relation.objectID && a.intersection(with: b) != nil)
                }
            }
        }
    }

    @Test func everyKindOfQuestionIsAskedAndYesAndNoBothOccur() throws {
        let questions = try TestWorld.busyScenes(30).flatMap(\.questions)
        #expect(Set(questions.map(\.kind)) == Set(SceneQuestion.Kind.allCases))
        let presence = questions.filter { $0.kind == .presence }.map(\.shortAnswer)
        #expect(presence.contains("yes") && presence.contains("no"))
        #expect(questions.allSatisfy { $0.question.hasSuffix("?") && !$0.shortAnswer.isEmpty })
    }
}

/// Evaluates a description from its words alone, knowing nothing of how it was made.
private struct DescriptionReader {
    let scene: Scene

    init(_ scene: Scene) {
        self.scene = scene
    }

    /// Ids of the objects that fit; nil where the words are not understood.
    func read(_ text: String) -> [Int]? {
        guard text.hasPrefix("the ") else { return nil }
        for (words, test) in directions {
            if let range = text.range(of: " \(words) the ") {
                let head = String(text[text.index(text.startIndex, offsetBy: 4)..<range.lowerBound])
                guard let anchors = read("the " + text[range.upperBound...]), anchors.count == 1,
                    let anchor = anchors.first, let candidates = nouns(head)
                else { return nil }
                return candidates.filter { $0 != anchor && test(scene.objects[$0].box, scene.objects[anchor].box) }
            }
        }
        return selected(String(text.dropFirst(4)))
    }

    private let directions: [(String, (Box, Box) -> Bool)] = [
        ("to the left of", { $0.center.x < $1.center.x }), ("to the right of", { $0.center.x > $1.center.x }),
        ("above", { $0.center.y < $1.center.y }), ("below", { $0.center.y > $1.center.y }),
    ]

    private func selected(_ words: String) -> [Int]? {
        let (first, rest) = split(words)
        let keys: [String: (Box) -> Double] = [
            "leftmost": { -$0.center.x }, "rightmost": { $0.center.x }, "topmost": { -$0.center.y },
            "bottommost": { $0.center.y }, "largest": { $0.area }, "smallest": { -$0.area },
        ]
        if let key = keys[first] {
            // "leftmost of the three dogs" or "leftmost dog"
            let noun = rest.hasPrefix("of the ") ? split(String(rest.dropFirst(7))).1 : rest
            guard let candidates = nouns(noun) else { return nil }
            let best = candidates.map { key(scene.objects[$0].box) }.max()
            return candidates.filter { key(scene.objects[$0].box) == best }
        }
        if let index = ["first", "second", "third", "fourth", "fifth", "sixth"].firstIndex(of: first) {
            let fromLeft = rest.hasSuffix(" from the left")
            let noun = rest.dropLast(fromLeft ? 14 : 15)
            guard let candidates = nouns(String(noun)) else { return nil }
            let sorted = candidates.sorted { scene.objects[$0].box.center.x < scene.objects[$1].box.center.x }
            return [fromLeft ? sorted[index] : sorted[sorted.count - 1 - index]]
        }
        return nouns(words)
    }

    /// "red dog" or "dogs".
    private func nouns(_ words: String) -> [Int]? {
        let (first, rest) = split(words)
        if let color = ColorName(rawValue: first) {
            return nouns(rest)?.filter { id in
                scene.objects[id].colors.contains { $0.color == color && $0.share >= 0.15 }
            }
        }
        let found = scene.objects.filter {
            [$0.category.name, $0.category.counted, $0.category.plural].contains(words)
        }
        return found.isEmpty ? nil : found.map(\.id)
    }

    private func split(_ words: String) -> (String, String) {
        guard let space = words.firstIndex(of: " ") else { return (words, "") }
        return (String(words[..<space]), String(words[words.index(after: space)...]))
    }
}
