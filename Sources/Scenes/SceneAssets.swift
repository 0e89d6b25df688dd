import CSVG
import Foundation
import Imaging

/// Where the packages put their files.
public struct AssetLocations: Sendable, Hashable {
    /// Folder of `tuxpaint-stamps-default`.
    public var stamps: String
    /// File of `fonts-noto-color-emoji`.
    public var emojiFont: String
    /// Folders of `gnome-backgrounds`, `plasma-workspace-wallpapers` and `mate-backgrounds`.
    public var gnomeBackgrounds: String, plasmaWallpapers: String, mateBackgrounds: String

    public init(
        stamps: String = "/usr/share/tuxpaint/stamps",
        emojiFont: String = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
        gnomeBackgrounds: String = "/usr/share/backgrounds/gnome",
        plasmaWallpapers: String = "/usr/share/wallpapers",
        mateBackgrounds: String = "/usr/share/backgrounds/mate"
    ) {
        self.stamps = stamps
        self.emojiFont = emojiFont
        self.gnomeBackgrounds = gnomeBackgrounds
        self.plasmaWallpapers = plasmaWallpapers
        self.mateBackgrounds = mateBackgrounds
    }

    /// The Debian packages whose files are not where they should be.
    public var missingPackages: [String] {
        [
            (stamps, "tuxpaint-stamps-default"), (emojiFont, "fonts-noto-color-emoji"),
            (gnomeBackgrounds, "gnome-backgrounds"),
            (plasmaWallpapers, "plasma-workspace-wallpapers"), (mateBackgrounds, "mate-backgrounds"),
        ].filter { !FileManager.default.fileExists(atPath: $0.0) }.map(\.1)
    }

    /// As Debian and Ubuntu install them.
    public static let debian = AssetLocations()
}

/// A photograph or pattern to put behind objects.
public struct BackgroundPhoto: Sendable {
    /// Path within its package.
    public let name: String
    public let isHeldOut: Bool
    let image: Image
}

/// Everything that scenes are made from, decoded once. Copies share the pixels.
public struct SceneAssets: Sendable {
    public let catalogue: Catalogue
    public let sprites: [Sprite]
    /// Empty where they were left out: then no scene has a background of kind `.photo`.
    public let photos: [BackgroundPhoto]
    /// Sprites of the catalogue that this version of the packages does not have, or only tiny or empty.
    public let skippedSprites: [String]
    /// Indices into `sprites` for every category.
    let spritesOfCategory: [[Int]]

    /// Loads sprites and backgrounds; takes some seconds and a few hundred megabytes.
    ///
    /// - Throws: `ScenesError.missingAssets` naming the Debian packages to install, `.unusableAsset`.
    public init(
        locations: AssetLocations = .debian, catalogue: Catalogue = Catalogue(), withPhotos: Bool = true
    ) throws(ScenesError) {
        let loader = try SpriteLoader(locations: locations)
        let wanted = catalogue.categories.flatMap { category in category.sources.map { (category.id, $0) } }
        let decoded = try concurrentMap(wanted) { category, source throws(ScenesError) in
            try loader.image(of: source).flatMap { Sprite(categoryID: category, source: source, image: $0) }
        }
        sprites = decoded.compactMap(\.self).enumerated().map { $1.numbered($0) }
        skippedSprites = zip(wanted, decoded).filter { $1 == nil }.map { $0.0.1.name }
        var ofCategory = [[Int]](repeating: [], count: catalogue.categories.count)
        for sprite in sprites { ofCategory[sprite.categoryID].append(sprite.id) }
        self.catalogue = catalogue
        spritesOfCategory = ofCategory
        photos = withPhotos ? try Self.photos(locations) : []
    }

    /// Categories of a split that have a sprite.
    public func categories(for split: SceneSplit) -> [SceneCategory] {
        catalogue.categories(for: split).filter { !spritesOfCategory[$0.id].isEmpty }
    }

    /// Photographs of a split: one in six is kept from training.
    func photos(for split: SceneSplit) -> [BackgroundPhoto] {
        photos.filter { $0.isHeldOut == (split != .training) }
    }

    private static func photos(_ locations: AssetLocations) throws(ScenesError) -> [BackgroundPhoto] {
        let roots: [Substring: (folder: String, package: String)] = [
            "gnome": (locations.gnomeBackgrounds, "gnome-backgrounds"),
            "plasma": (locations.plasmaWallpapers, "plasma-workspace-wallpapers"),
            "mate": (locations.mateBackgrounds, "mate-backgrounds"),
        ]
        let names = CatalogueTable.backgrounds.split(whereSeparator: \.isWhitespace)
        return try concurrentMap(Array(names.enumerated())) { index, name throws(ScenesError) in
            let parts = name.split(separator: "/", maxSplits: 1)
            guard parts.count == 2, let root = roots[parts[0]] else {
                throw .unusableAsset(path: String(name), reason: "it is in none of the packages of backgrounds")
            }
            let path = root.folder + "/" + parts[1]
            guard FileManager.default.fileExists(atPath: path) else {
                throw .missingAssets(what: "Background pictures are", path: path, packages: [root.package])
            }
            let image = try decode(path) { try Image(contentsOf: path, channels: .rgb) }
            return BackgroundPhoto(
                name: String(name), isHeldOut: index % 6 == 4, image: reduced(image, longSide: 768))
        }
    }

    /// A smaller copy by averaging whole pixels.
    private static func reduced(_ image: Image, longSide: Int) -> Image {
        let factor = (max(image.width, image.height) + longSide - 1) / longSide
        guard factor > 1 else { return image }
        let width = image.width / factor, height = image.height / factor, channels = image.channels
        guard width > 0, height > 0 else { return image }
        let pixels = image.pixels.withUnsafeBufferPointer { input in
            [UInt8](unsafeUninitializedCapacity: width * height * channels) { output, count in
                for y in 0..<height {
                    for x in 0..<width {
                        for channel in 0..<channels {
                            var sum = 0
                            for row in y * factor..<(y + 1) * factor {
                                var place = (row * image.width + x * factor) * channels + channel
                                for _ in 0..<factor {
                                    sum += Int(input[place])
                                    place += channels
                                }
                            }
                            output[(y * width + x) * channels + channel] = UInt8(sum / (factor * factor))
                        }
                    }
                }
                count = width * height * channels
            }
        }
        return (try? Image(width: width, height: height, channels: channels, pixels: pixels)) ?? image
    }
}

/// `map` on all cores, in order; the first failure in order is thrown.
private func concurrentMap<Input: Sendable, Output: Sendable>(
    _ inputs: [Input], _ body: @Sendable (Input) throws(ScenesError) -> Output
) throws(ScenesError) -> [Output] {
    var results = [Result<Output, ScenesError>?](repeating: nil, count: inputs.count)
    results.withUnsafeMutableBufferPointer { results in
        // Every iteration writes an element of its own.
        nonisolated(unsafe) let results = results
        DispatchQueue.concurrentPerform(iterations: inputs.count) { index in
            results[index] = Result { () throws(ScenesError) in try body(inputs[index]) }
        }
    }
    var outputs: [Output] = []
    for result in results {
        if let result { outputs.append(try result.get()) }
    }
    return outputs
}

private func decode(_ path: String, _ body: () throws -> Image) throws(ScenesError) -> Image {
    do {
        return try body()
    } catch {
        throw .unusableAsset(path: path, reason: "\(error)")
    }
}

/// Reads stamps and emoji.
private struct SpriteLoader: Sendable {
    private let stamps: String, fontPath: String, font: EmojiFont

    init(locations: AssetLocations) throws(ScenesError) {
        guard FileManager.default.fileExists(atPath: locations.stamps) else {
            throw .missingAssets(
                what: "Stamps are", path: locations.stamps, packages: ["tuxpaint-stamps-default"])
        }
        guard let data = FileManager.default.contents(atPath: locations.emojiFont) else {
            throw .missingAssets(
                what: "The emoji font is", path: locations.emojiFont, packages: ["fonts-noto-color-emoji"])
        }
        stamps = locations.stamps
        fontPath = locations.emojiFont
        font = try EmojiFont(data: [UInt8](data), path: locations.emojiFont)
    }

    /// Nil where this version of the package lacks the sprite.
    func image(of source: SpriteSource) throws(ScenesError) -> Image? {
        switch source {
        case .stamp(let name):
            let path = stamps + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            return name.hasSuffix(".svg")
                ? try drawing(path) : try decode(path) { try Image(contentsOf: path, channels: .rgba) }
        case .emoji(let scalar):
            guard let png = font.png(for: scalar) else { return nil }
            return try decode("\(fontPath), \(source.name),") { try Image(decoding: png, channels: .rgba) }
        }
    }

    private func drawing(_ path: String) throws(ScenesError) -> Image {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unusableAsset(path: path, reason: "it cannot be read")
        }
        var width: Int32 = 0, height: Int32 = 0
        let rendered = [UInt8](data).withUnsafeBufferPointer { bytes in
            csvg_render(bytes.baseAddress, bytes.count, Int32(Sprite.maximumLongSide), &width, &height)
        }
        guard let rendered else { throw .unusableAsset(path: path, reason: "it is not an SVG drawing") }
        defer { csvg_free(rendered) }
        let pixels = [UInt8](UnsafeBufferPointer(start: rendered, count: Int(width) * Int(height) * 4))
        return try decode(path) { try Image(width: Int(width), height: Int(height), channels: 4, pixels: pixels) }
    }
}
