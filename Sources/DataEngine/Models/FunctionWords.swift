/// Tells languages by their most frequent words: cheap, and enough to notice an answer in the wrong one.
enum FunctionWords {
    static let languages = words.keys.sorted()
    static let english = words["en"] ?? []

    private static let words: [String: Set<Substring>] = [
        "en":
            "a an the of in on with and is are at to by its it their his her from that this there next for while has into over under near as",
        "de":
            "der die das ein eine einem einen einer und ist sind mit auf im in am an dem den des von zu neben auf vor sich es für unter über",
        "es":
            "el la los las un una unos unas y es son con en de del al por para que su sus se junto sobre está están lleva muy",
        "fr":
            "le la les un une des et est sont avec dans de du au aux par pour que qui sur sous se son sa ses il elle à près",
        "it":
            "il lo la i gli le un uno una e è sono con in di del della al alla per che su sul sulla si suo sua accanto sopra nel nella",
        "nl":
            "de het een en is zijn met op in van aan te naast voor onder die dat zich er bij uit naar over door tegen",
        "pt":
            "o a os as um uma uns umas e é são com em de do da dos das no na ao por para que se seu sua sobre está perto",
    ].mapValues { Set($0.split(separator: " ")) }

    /// Whether a text reads as one in a language. A text of few words is judged by its script alone.
    static func isText(_ text: String, in language: String) -> Bool {
        guard let own = words[language] else { return true }
        let letters = text.unicodeScalars.filter(\.properties.isAlphabetic)
        let latin = letters.count { $0.value < 0x250 || (0x1E00...0x1EFF).contains($0.value) }
        if Double(latin) < 0.9 * Double(letters.count) { return false }
        let tokens = text.lowercased().split { !$0.isLetter }
        if tokens.count < 5 { return true }
        let count = tokens.count(where: own.contains)
        let most = words.values.map { other in tokens.count(where: other.contains) }.max() ?? 0
        return count > 0 && count >= most
    }
}
