import LanguageModels
import Testing

@Suite struct TokenSamplerTests {
    /// Tokens 0, 1 and 2 are boxes, 3 ends the list.
    private func choice(
        _ logits: [Float], allowed: AllowedTokens = .only([0, 1, 2, 3]), closing: Int? = 3
    ) -> Int? {
        var sampler = TokenSampler(.greedy, sequence: 0, closing: closing)
        return logits.withUnsafeBufferPointer { sampler.next($0, allowed: allowed) }
    }

    @Test func aListGoesOnWhileFurtherBoxesAreLikelierTogetherThanItsEnd() {
        // Two near copies with 0.36 each against 0.27 for the end, then with 0.27 each against 0.45: the sum decides.
        #expect(choice([1, 1, -3, 0.7]) == 0)
        #expect(choice([1, 1.01, -3, 1.5]) == 1)
        // Less likely than the end even together.
        #expect(choice([1, 1, -3, 2]) == 3)
    }

    @Test func aListThatIsRightAsAWholeEndsWhereTheEndIsTheLikeliestToken() {
        var sampler = TokenSampler(.greedy, sequence: 0, closing: 3, listEnd: .whenLikeliest)
        func next(_ logits: [Float]) -> Int? {
            let token = logits.withUnsafeBufferPointer { sampler.next($0, allowed: .only([0, 1, 2, 3])) }
            if let token { sampler.record(token) }
            return token
        }
        // Nothing at all is said only where it is likelier than everything, in every list anew.
        for _ in 0..<2 {
            #expect(next([1, 1, -3, 1.5]) == 0)
            #expect(next([-3, 2, -3, 1.5]) == 1)
            #expect(next([1, 1, -3, 1.5]) == 3)
        }
        #expect(next([1, 1, -3, 2]) == 3)
    }

    @Test func nothingElseIsWeighedLikeThat() {
        let logits: [Float] = [1, 1, -3, 1.5]
        #expect(choice(logits, closing: nil) == 3)
        #expect(choice(logits, allowed: .any(except: [])) == 3)
        #expect(choice([1, 1, -3, 1.5], allowed: .only([0, 3])) == 3)
        #expect(choice([1, 1, -3, 1.5], allowed: .only([0, 1])) == 0)
    }

    @Test func numbersThatAreNoneAreNeverChosenBeforeOthers() {
        #expect(choice([.nan, -5, .infinity, -9]) == 1)
        #expect(choice([.nan, .nan, .nan, .nan]) != nil)
    }
}
