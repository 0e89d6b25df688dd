/// The little English grammar that the texts of a scene need.
enum English {
    /// "a dog", "an apple".
    static func withArticle(_ noun: String) -> String {
        (startsWithVowelSound(noun) ? "an " : "a ") + noun
    }

    private static func startsWithVowelSound(_ phrase: String) -> Bool {
        if phrase.hasPrefix("uni") || phrase.hasPrefix("eu") { return false }
        return phrase.first.map { "aeiou".contains($0) } ?? false
    }

    /// The regular plural: "dogs", "foxes", "berries".
    static func regularPlural(_ noun: String) -> String {
        if noun.hasSuffix("s") || noun.hasSuffix("x") || noun.hasSuffix("ch") || noun.hasSuffix("sh") {
            return noun + "es"
        }
        let letters = Array(noun)
        if letters.count > 1, letters.last == "y", !"aeiou".contains(letters[letters.count - 2]) {
            return noun.dropLast() + "ies"
        }
        return noun + "s"
    }

    /// "slice of pizza" for "slices of pizza": the plurals of the catalogue, of which few are not regular.
    static func singular(_ plural: String) -> String {
        let words = plural.split(separator: " ", maxSplits: plural.contains(" of ") ? 1 : .max).map(String.init)
        let index = plural.contains(" of ") ? 0 : words.count - 1
        guard words.indices.contains(index) else { return plural }
        var result = words
        let word = words[index]
        if word == "loaves" {
            result[index] = "loaf"
        } else if word.hasSuffix("xes") || word.hasSuffix("ches") || word.hasSuffix("sses") {
            result[index] = String(word.dropLast(2))
        } else if word.hasSuffix("s") {
            result[index] = String(word.dropLast())
        }
        return result.joined(separator: " ")
    }

    private static let numberWords = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    ]

    /// "three", or digits above twelve.
    static func number(_ value: Int) -> String {
        numberWords.indices.contains(value) ? numberWords[value] : String(value)
    }

    private static let ordinals = ["first", "second", "third", "fourth", "fifth", "sixth"]

    /// "second" for 1; nil where it becomes hard to count.
    static func ordinal(at index: Int) -> String? {
        ordinals.indices.contains(index) ? ordinals[index] : nil
    }

    /// "a, b and c".
    static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    /// The text with its first letter in upper case.
    static func sentenceCase(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}
