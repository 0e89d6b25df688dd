/// What scenes look like.
public struct SceneConfiguration: Sendable, Hashable {
    /// Which names, backgrounds and seeds are used.
    public var split = SceneSplit.training
    /// Pixels, 32...4096. With `variesAspect` the larger side.
    public var width = 384, height = 384
    /// Whether every scene has an aspect of its own between 3:4 and 4:3, with its larger side as given.
    public var variesAspect = false
    /// How many objects to place, 0...100; crowded scenes may end with fewer.
    public var objectCount = 3...12
    /// The larger side of an object as a share of the image's mean side, before its size class; small sizes are more
    /// frequent than large ones.
    public var objectSize = 0.13...0.5
    /// The largest share of an object that others or the image's edge may hide, 0..<1.
    public var occlusionLimit = 0.35
    /// Kinds to draw from; a kind listed twice is drawn twice as often.
    public var backgrounds: [BackgroundKind] = Self.defaultBackgrounds
    /// Strength of the changes of light on objects and on the whole, 0 for none.
    public var jitter = 1.0
    /// How often objects throw shadows, as a share of the scenes.
    public var shadowRate = 0.6
    public var mirrorsObjects = true
    /// Degrees to either side, 0...180; tools, food and the like lie at up to three times as much.
    public var maximumRotation = 12.0
    /// How often a scene is about counting: one category has most of the objects.
    public var countingRate = 0.25
    /// How often a scene has a group: objects of one category close together.
    public var groupRate = 0.3
    /// How often most objects come from one supercategory.
    public var themeRate = 0.35
    /// Names of categories to use; nil for all of the split.
    public var categoryNames: Set<String>?

    public init(split: SceneSplit = .training) {
        self.split = split
    }

    private static let defaultBackgrounds: [BackgroundKind] = [
        .photo, .photo, .photo, .photo, .landscape, .landscape, .clouds, .clouds, .gradient, .plain, .paper, .stripes,
        .checker,
    ]

    /// Names the first setting that no scene can be made with.
    func validate() throws(ScenesError) {
        func check(_ holds: Bool, _ setting: String, _ reason: String) throws(ScenesError) {
            if !holds { throw .invalidConfiguration(setting: setting, reason: reason) }
        }
        try check((32...4096).contains(width), "width", "\(width) is not within 32...4096 pixels")
        try check((32...4096).contains(height), "height", "\(height) is not within 32...4096 pixels")
        try check(
            objectCount.lowerBound >= 0 && objectCount.upperBound <= 100, "objectCount",
            "\(objectCount) is not within 0...100")
        try check(
            objectSize.lowerBound >= 0.01 && objectSize.upperBound <= 1, "objectSize",
            "\(objectSize) is not within 0.01...1")
        try check(
            occlusionLimit >= 0 && occlusionLimit < 1, "occlusionLimit", "\(occlusionLimit) is not within 0..<1")
        try check(!backgrounds.isEmpty, "backgrounds", "no kind is given")
        try check(jitter >= 0 && jitter <= 3, "jitter", "\(jitter) is not within 0...3")
        try check(
            maximumRotation >= 0 && maximumRotation <= 180, "maximumRotation",
            "\(maximumRotation) is not within 0...180 degrees")
        for (name, rate) in [
            ("shadowRate", shadowRate), ("countingRate", countingRate), ("groupRate", groupRate),
            ("themeRate", themeRate),
        ] {
            try check(rate >= 0 && rate <= 1, name, "\(rate) is not within 0...1")
        }
    }
}
