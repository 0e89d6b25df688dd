import ChatRex
import Foundation
import Testing
import Tokenizers
import Torch
import Training

/// What counts as right at each place of an answer, and what a model loses by anything else.
@Suite struct AnswerTokenTests {
    private let vocabulary: ChatRexVocabulary
    /// Of a row of logits.
    private let width: Int

    init() throws {
        let tokenizer = try BytePairTokenizer(contentsOf: ModelFolder.find().tokenizer)
        (vocabulary, width) = (try ChatRexVocabulary(tokenizer), tokenizer.vocabularySize)
    }

    private func tokens(_ answer: String, copies: [[Int]] = []) -> [AnswerToken] {
        AnswerToken.tokens(vocabulary.encode(answer), copies: copies, vocabulary)
    }

    @Test func aThingOfAListMayBeShownByAnyOfItsBoxes() throws {
        let answer = tokens("<ground>cat</ground><objects><obj5><obj2></objects> 2", copies: [[2, 3], [8, 9]])
        let start = try #require(answer.firstIndex { $0.id == vocabulary.objectsStart })
        func indices(_ ids: [Int]) -> Set<Int?> { Set(ids.map { vocabulary.objectIndex(of: $0) }) }
        #expect(indices(answer[start + 1].right) == [5] && answer[start + 1].excluded == [])
        #expect(indices(answer[start + 2].right) == [2, 3] && indices(answer[start + 2].excluded) == [5])
        #expect(answer[start + 3].right == [vocabulary.objectsEnd])
        #expect(indices(answer[start + 3].excluded) == [5, 2])
        // Outside of lists only the word itself is right.
        for token in answer[...start] + answer[(start + 4)...] {
            #expect(token.right == [token.id] && token.excluded.isEmpty)
        }
    }

    @Test func anEmptyListEndsAndANewOneStartsAfresh() throws {
        let answer = tokens(
            "<ground>cat</ground><objects></objects>\n<ground>dog</ground><objects><obj1></objects>\n"
                + "<ground>cow</ground><objects><obj1></objects>")
        let ends = answer.filter { $0.id == vocabulary.objectsEnd }
        #expect(ends.map { $0.excluded.count } == [0, 1, 1] && ends.allSatisfy { $0.right == [vocabulary.objectsEnd] })
        let objects = answer.filter { vocabulary.objectIndex(of: $0.id) != nil }
        #expect(objects.count == 2 && objects.allSatisfy { $0.right == [$0.id] && $0.excluded.isEmpty })
    }

    @Test func withoutAlternativesTheLossIsCrossEntropy() throws {
        let answer = tokens("a cat and a dog")
        let logits = try Tensor.normal([answer.count, width]) * 3
        let loss = try ConversationTask.surprise(logits, answer).mean().item(Double.self)
        let expected = try logits.crossEntropy(Tensor(answer.map(\.id))).item(Double.self)
        #expect(abs(loss - expected) < 1e-5)
    }

    @Test func theLossIsTheProbabilityOfAllThatIsRightAmongWhatIsOffered() throws {
        let answer = tokens("<objects><obj0><obj1></objects>")
        let logits = try Tensor.normal([answer.count, width]).requiringGradient()
        let values = try logits.array(of: Float.self).map { exp(Double($0)) }
        func share(_ number: Int) -> Double {
            let row = Array(values[number * width..<(number + 1) * width]), token = answer[number]
            let offered = row.indices.filter { !token.excluded.contains($0) }.reduce(0) { $0 + row[$1] }
            return token.right.reduce(0) { $0 + row[$1] } / offered
        }
        let losses = try ConversationTask.surprise(logits, answer)
        for (row, loss) in try losses.array(of: Float.self).enumerated() {
            #expect(abs(Double(loss) + log(share(row))) < 1e-4)
        }
        try losses.mean().backward()
        let gradient = try #require(logits.gradient)
        // What the grammar does not offer is not pushed down.
        let last = answer.count - 1
        for id in answer[last].excluded { #expect(try gradient[.at(last), .at(id)].item(Float.self) == 0) }
        #expect(try gradient.isFinite().all().item(Bool.self))
    }
}
