/// What a noun phrase names, by simple rules of English.
enum EnglishPhrase {
    /// Words that end the core of a noun phrase: what follows says more about it.
    static let stoppers: Set<String> = [
        "of", "with", "without", "in", "on", "at", "by", "near", "beside", "behind", "under", "over", "above", "below",
        "from",
        "for", "to", "into", "onto", "inside", "next", "between", "against", "along", "across", "around", "through",
        "wearing", "holding", "carrying", "standing", "sitting", "lying", "facing", "that", "which", "who", "whose",
        "where",
    ]

    /// Nouns after whose "of" the thing itself is named: "a group of people".
    private static let measures: Set<String> = [
        "pair", "group", "couple", "bunch", "set", "piece", "slice", "row", "stack", "pile", "number", "variety",
        "collection", "herd", "flock", "crowd", "kind", "type", "part", "lot", "cup", "glass", "bowl", "plate",
        "bottle",
    ]

    /// Nouns that are plural in a way of their own.
    private static let irregular: [String: String] = [
        "people": "person", "men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth",
        "mice": "mouse", "geese": "goose", "knives": "knife", "leaves": "leaf", "loaves": "loaf", "shelves": "shelf",
        "wolves": "wolf", "calves": "calf", "halves": "half", "scarves": "scarf",
        "buses": "bus", "gases": "gas", "shoes": "shoe", "toes": "toe", "canoes": "canoe", "cookies": "cookie",
        "brownies": "brownie", "movies": "movie",
    ]

    /// "a dog", "an eye"; what has an article or a number already stays as it is.
    static func withArticle(_ phrase: String) -> String {
        let first = words(phrase).first ?? ""
        if determiners.contains(first) { return phrase }
        return ("aeiou".contains(first.prefix(1)) ? "an " : "a ") + phrase
    }

    static func withoutArticle(_ phrase: String) -> String {
        let article = ["a ", "an ", "the "].first { phrase.lowercased().hasPrefix($0) }
        return String(phrase.dropFirst(article?.count ?? 0))
    }

    private static let determiners = RulePhraseExtractor.determiners.union(RulePhraseExtractor.numbers)
        .union(["many", "several", "few", "both", "all"])

    /// Lower case, without punctuation.
    static func words(_ text: String) -> [String] {
        text.lowercased().replacing("\u{2019}", with: "'").split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map(
            String.init)
    }

    /// Equal for singular and plural.
    static func stem(_ word: String) -> String {
        let word = word.hasSuffix("'s") ? String(word.dropLast(2)) : word
        if let singular = irregular[word] { return singular }
        if word.count > 4, word.hasSuffix("ies") { return word.dropLast(3) + "y" }
        for ending in ["sses", "shes", "ches", "xes", "zes", "oes"] where word.hasSuffix(ending) {
            return String(word.dropLast(2))
        }
        let staysSingular = ["ss", "us", "is"].contains { word.hasSuffix($0) }
        return word.count > 3 && word.hasSuffix("s") && !staysSingular ? String(word.dropLast()) : word
    }

    /// The noun that a phrase is about: `dog` for "a brown dog with a collar"; two for "a group of dogs".
    static func heads(of phrase: String) -> [String] {
        let words = words(phrase)
        let first = words.firstIndex { !stoppers.contains($0) } ?? words.endIndex
        let core = words[first...].prefix { !stoppers.contains($0) }
        guard let head = core.last else { return [] }
        var heads = [stem(head)]
        let rest = words[core.endIndex...]
        if measures.contains(heads[0]), rest.first == "of",
            let named = rest.dropFirst().prefix(while: { !stoppers.contains($0) }).last
        {
            heads.append(stem(named))
        }
        return heads
    }

    /// The stems of the words that carry a phrase's meaning.
    static func contentStems(of phrase: String) -> Set<String> {
        Set(words(phrase).filter { !FunctionWords.english.contains($0[...]) && $0.count > 1 }.map(stem))
    }

    /// Whether a text has one of some stems.
    static func mentions(_ text: String, anyOf stems: some Sequence<String>) -> Bool {
        let stems = Set(stems)
        return words(text).contains { stems.contains(stem($0)) }
    }
}
