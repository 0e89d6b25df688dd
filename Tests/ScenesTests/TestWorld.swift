import Foundation
import Scenes

/// A small world that loads fast, for tests that need pictures.
enum TestWorld {
    static let names: Set<String> = [
        "apple", "dog", "cat", "car", "bus", "book", "heart", "flag", "jeans", "sunglasses", "pizza", "mouse", "bird",
        "penguin", "hat", "crown", "flower", "rose", "tree", "bikini", "cherries", "guitar", "hammer", "key", "koala",
        "otter", "police car", "helicopter", "snowman", "truck", "fire truck", "balloon", "camera", "spoon",
    ]

    /// Whether the Debian packages of the sprites are installed.
    static let isAvailable =
        FileManager.default.fileExists(atPath: AssetLocations.debian.stamps)
        && FileManager.default.fileExists(atPath: AssetLocations.debian.emojiFont)

    private static let loaded = Result {
        try SceneAssets(catalogue: Catalogue(names: names), withPhotos: false)
    }

    static func assets() throws -> SceneAssets {
        try loaded.get()
    }

    static func generator(_ change: (inout SceneConfiguration) -> Void = { _ in }) throws -> SceneGenerator {
        var configuration = SceneConfiguration()
        change(&configuration)
        return try SceneGenerator(configuration: configuration, assets: assets())
    }

    /// Scenes with repeats and groups, which descriptions find hardest.
    static func busyScenes(_ count: Int) throws -> [Scene] {
        let generator = try generator { $0.objectCount = 2...14 }
        return (0..<count).map { generator.scene(seed: UInt64($0)) }
    }
}
