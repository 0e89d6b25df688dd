/// The words that the rules of noun phrases know by themselves.
enum PhraseVocabulary {
    /// Nouns that name no thing with a place in a picture, after the paper's filter of abstract nouns. Basic forms.
    static let abstractNouns: Set<String> = words(
        """
        image picture photo photograph pic snapshot shot footage frame illustration depiction caption
        background foreground backdrop scene scenery view sight setting surroundings environment atmosphere ambience
        ambiance mood appearance look
        front back rear side left right top bottom middle center centre edge end corner part portion section half rest
        area region spot space place location position direction distance angle perspective close-up closeup
        group variety number series range array assortment mix mixture combination
        kind type sort form style way manner method order
        day daytime night nighttime time moment morning noon afternoon evening dusk dawn season year date today
        color colour shade hue tone shape size length height width pattern texture design detail feature aspect
        material surface theme element effect
        focus attention contrast composition arrangement addition presence
        activity action motion movement event occasion situation condition state example idea concept story
        sense feeling impression beauty fun joy love life nature use work help thing
        """)

    /// Nouns that name a thing only where no `of` follows: `a couple`, but of `a couple of dogs` the dogs. Basic forms.
    static let measureNouns: Set<String> = words(
        "bunch collection couple display line lot pair piece row selection set slice")

    /// Nouns before a noun that describe the thing, as an adjective does, and are no part of its name: `leather` of
    /// `a leather couch`.
    static let describingNouns: Set<String> = words(
        """
        leather metal wood stone brick plastic steel iron copper brass concrete marble ceramic porcelain clay cardboard
        cotton denim velvet wool silk linen straw bamboo wicker gold silver bronze crystal
        red orange yellow green blue purple violet pink brown black white gray grey beige turquoise
        vintage antique
        """)

    /// Names of things that are more than an adjective and a noun.
    static let names: Set<String> = Set(
        [
            "hot dog", "hot air balloon", "orange juice", "orange tree", "polar bear", "grizzly bear", "black bear",
            "brown bear", "killer whale", "bald eagle",
            "wild boar",
            "stuffed animal", "remote control", "dining table", "dining room", "living room", "washing machine",
            "sewing machine",
            "vending machine", "swimming pool", "swimming trunks", "shopping cart", "shopping bag", "sleeping bag",
            "cutting board",
            "frying pan", "rolling pin", "rocking chair", "rocking horse", "wishing well", "running shoe",
            "fishing rod",
            "sailing boat", "high chair", "high heel", "bell pepper", "sweet potato", "french fries", "hard hat",
            "solar panel",
            "electric guitar", "electric fan", "acoustic guitar", "grand piano", "mobile phone", "smart phone",
            "digital camera",
            "double bass", "french horn", "ferris wheel", "potted plant", "light bulb", "traffic light",
        ])

    /// Words whose basic form is that with an s.
    static let pluralNouns: Set<String> = words(
        """
        sunglasses glasses goggles scissors pants trousers jeans shorts tights leggings pajamas pyjamas overalls clothes
        binoculars headphones fries tongs pliers tweezers trunks stairs ruins
        """)

    /// Basic forms by which a kind of thing is not known.
    static let singulars = ["people": "person", "folk": "person", "kid": "child", "men": "man", "women": "woman"]

    /// Words that say how many or which, and nothing about the thing.
    static let quantities: Set<String> = words(
        """
        several many few various multiple numerous countless other another more most different same single
        dozen hundred thousand additional
        """)

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
