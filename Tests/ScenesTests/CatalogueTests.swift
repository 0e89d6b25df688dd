import Scenes
import Testing

@Suite struct CatalogueTests {
    @Test(arguments: [
        ("dog", "dogs", "dog"), ("mouse", "mice", "mouse"), ("cherries", "bunches of cherries", "bunch of cherries"),
        ("jeans", "pairs of jeans", "pair of jeans"), ("pizza", "slices of pizza", "slice of pizza"),
        ("bread", "loaves of bread", "loaf of bread"), ("box", "boxes", "box"), ("bus", "buses", "bus"),
    ])
    func nounsInflectAsInEnglish(name: String, plural: String, counted: String) throws {
        let category = try #require(Catalogue(minimumSprites: 1).category(named: name))
        #expect(category.plural == plural)
        #expect(category.counted == counted)
    }

    @Test func namesAreUniqueAndNoSpriteShowsTwoOfThem() {
        let categories = Catalogue(minimumSprites: 1).categories
        #expect(Set(categories.map(\.name)).count == categories.count)
        let sources = categories.flatMap(\.sources)
        #expect(Set(sources).count == sources.count)
        #expect(categories.map(\.id) == Array(categories.indices))
    }

    @Test func aboutNineInTenOfSomeThreeHundredNamesAreForTraining() {
        let catalogue = Catalogue()
        let training = catalogue.categories(for: .training).map(\.name)
        let heldOut = catalogue.categories(for: .heldOut).map(\.name)
        #expect((250...320).contains(training.count + heldOut.count))
        #expect((0.07...0.13).contains(Double(heldOut.count) / Double(training.count + heldOut.count)))
        #expect(Set(training).isDisjoint(with: heldOut))
        #expect(catalogue.categories(for: .validation).map(\.name) == training)
        #expect(catalogue.categories.allSatisfy { $0.sources.count >= 2 })
    }

    @Test func theRandomSequenceIsTheSameEverywhere() {
        var random = SceneRandom(seed: 1, stream: "scene/training")
        var other = SceneRandom(seed: 1, stream: "scene/heldOut")
        let first = (0..<3).map { _ in random.next() }
        #expect(first == [0x2b85_bb72_81e9_e6b4, 0x5f39_88d8_a8a5_0a86, 0x064e_2f42_3731_6412])
        #expect(!first.contains(other.next()))
    }
}
