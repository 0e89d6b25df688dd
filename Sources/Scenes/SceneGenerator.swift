import Boxes
import Imaging

/// Makes scenes. A scene depends on the configuration, the assets and its seed alone: scenes can be made on any thread
/// and in any order, and the same seed gives the same scene again.
public struct SceneGenerator: Sendable {
    public let configuration: SceneConfiguration
    public let assets: SceneAssets
    /// What scenes are drawn from, in catalogue order.
    public let vocabulary: [SceneCategory]
    let photos: [BackgroundPhoto]

    /// - Throws: `ScenesError.invalidConfiguration`.
    public init(configuration: SceneConfiguration = SceneConfiguration(), assets: SceneAssets) throws(ScenesError) {
        try configuration.validate()
        self.configuration = configuration
        self.assets = assets
        vocabulary = assets.categories(for: configuration.split).filter { category in
            configuration.categoryNames?.contains(category.name) ?? true
        }
        guard !vocabulary.isEmpty else {
            throw .invalidConfiguration(
                setting: "categoryNames",
                reason: "none of the names is a category of the \(configuration.split.rawValue) split")
        }
        photos = assets.photos(for: configuration.split)
    }

    /// The scene of a seed.
    public func scene(seed: UInt64) -> Scene {
        var random = SceneRandom(seed: seed, stream: "scene/\(configuration.split.rawValue)")
        let size = imageSize(&random)
        var canvas = Canvas(width: size.width, height: size.height)
        let background = random.pick(configuration.backgrounds) ?? .plain
        canvas.fill(background, photo: random.pick(photos)?.image, random: &random)

        let plan = ScenePlan(generator: self, meanSide: Double(size.width + size.height) / 2, random: &random)
        var arrangement = Arrangement(
            canvas: canvas, occlusionLimit: configuration.occlusionLimit,
            shadow: random.chance(configuration.shadowRate) ? Shadow.random(&random) : nil)
        for item in plan.items {
            guard let sprite = assets.sprites.indices.contains(item.spriteID) ? assets.sprites[item.spriteID] : nil,
                let patch = Patch(sprite: sprite, pose: item.pose)
            else { continue }
            arrangement.place(patch, of: sprite, group: item.group, random: &random)
        }
        let (objects, groups) = arrangement.annotations(categories: assets.catalogue.categories)
        arrangement.canvas.grade(.random(&random, strength: configuration.jitter), seed: random.next())
        return Scene(
            seed: seed, split: configuration.split, image: arrangement.canvas.image, background: background,
            objects: objects, groups: groups, vocabulary: vocabulary)
    }

    private func imageSize(_ random: inout SceneRandom) -> (width: Int, height: Int) {
        let (width, height) = (configuration.width, configuration.height)
        guard configuration.variesAspect else { return (width, height) }
        let long = Double(max(width, height)), aspect = random.double(0.75...4 / 3)
        return aspect > 1
            ? (Int(long), max(32, Int((long / aspect).rounded())))
            : (max(32, Int((long * aspect).rounded())), Int(long))
    }
}

extension Canvas {
    /// The picture; a canvas always has three bytes for each pixel, so this does not fail.
    var image: Image {
        do {
            return try Image(width: width, height: height, channels: 3, pixels: pixels)
        } catch {
            preconditionFailure("a canvas of \(width) x \(height) is not a picture: \(error)")
        }
    }
}
