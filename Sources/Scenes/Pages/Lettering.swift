import Imaging

/// Words as pixels, set once: pages take their text from here, since setting a word takes far longer than copying it.
struct Lettering: Sendable {
    /// A font in one size.
    struct Face: Sendable {
        /// Pixels.
        let size: Int
        let words: [RenderedText], numbers: [RenderedText]

        /// The space between two words.
        var gap: Int { max(2, size * 3 / 10) }
        /// From one baseline to the next.
        var leading: Int { max(size + 1, size * 13 / 10) }
    }

    /// A font in all its sizes, smallest first.
    struct Font: Sendable {
        let faces: [Face]

        /// The face whose size is nearest.
        func face(_ size: Int) -> Face? { faces.min { abs($0.size - size) < abs($1.size - size) } }
    }

    /// Proportional fonts, and those whose letters are all equally wide.
    let proportional: [Font], monospaced: [Font]

    /// Pixels; pages are about 400 pixels high.
    private static let sizes = [5, 6, 8, 10, 13, 18, 26, 42]

    /// - Throws: `ScenesError.missingAssets` where the machine has no font.
    init(split: SceneSplit) throws(ScenesError) {
        let isHeldOut = split == .heldOut
        proportional = (isHeldOut ? ["DejaVu Serif", "DejaVu Serif Bold"] : ["DejaVu Sans", "DejaVu Sans Bold"])
            .compactMap(Self.font)
        monospaced = [isHeldOut ? "DejaVu Sans Mono Bold" : "DejaVu Sans Mono"].compactMap(Self.font)
        guard ImagingSupport.hasFont, !proportional.isEmpty, !monospaced.isEmpty else {
            throw .missingAssets(
                what: "Fonts are", path: "the places that fontconfig knows", packages: ["fonts-dejavu-core"])
        }
    }

    private static func font(_ name: String) -> Font? {
        let faces = sizes.compactMap { size -> Face? in
            func set(_ texts: String) -> [RenderedText] {
                texts.split(separator: " ").compactMap { RenderedText(String($0), font: name, size: size) }
            }
            let face = Face(size: size, words: set(words), numbers: set(numbers))
            return face.words.isEmpty || face.numbers.isEmpty ? nil : face
        }
        return faces.isEmpty ? nil : Font(faces: faces)
    }

    private static let words = """
        the of and to a in is that for it as was with be by on not he this are or from at one had which would there \
        picture receipt between measurement Summary Contents Results, however government information understanding \
        Total Price Figure Chapter Introduction internationally Monday (see if) new. Sales, SERVICE OPEN über señor \
        и не что страница значение γὰρ λόγος Δεκέμβριος
        """
    private static let numbers = "0 1 7 12 25 48 100 2019 3.5 0.75 99.90 1,250 $14.00 40% 2024-05-11 12:30"
}
