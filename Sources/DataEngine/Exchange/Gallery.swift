import Annotations
import Boxes
import Checkpoints
import Foundation
import Imaging

import struct Annotations.Annotation

/// What a gallery shows.
public struct GallerySettings: Codable, Sendable, Equatable {
    /// Samples at most; where a set has more, evenly spread ones are taken.
    public var samples = 200
    /// Longer side of the small pictures, pixels.
    public var pictureSide = 640
    /// JPEG quality, 1...100.
    public var quality = 80

    public init() {}

    public func validate() throws(ExchangeError) {
        for (name, value, range) in [
            ("samples", samples, 1...10_000), ("pictureSide", pictureSide, 32...4096), ("quality", quality, 1...100),
        ] where !range.contains(value) {
            throw .invalidSetting(name: "gallery.\(name)", reason: "\(value) is not within \(range)")
        }
    }
}

/// A page that shows samples with their boxes: `index.html` and small pictures, nothing else, for any browser and without a server.
public enum Gallery {
    /// Writes `index.html` and `pictures/` into a folder, which is made where it is missing. The same set gives the same page.
    ///
    /// - Parameters:
    ///   - title: stands above the page
    ///   - folder: such as `OUT/gallery`
    /// - Returns: how many samples are shown; those whose picture cannot be decoded are not.
    @discardableResult
    public static func write(
        _ set: any AnnotationSet, title: String, to folder: URL, settings: GallerySettings = GallerySettings()
    ) throws -> Int {
        try settings.validate()
        let pictures = folder.appendingPathComponent("pictures")
        try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        var cards: [String] = [], categories: [String: Int] = [:], regions = 0
        for index in choice(of: set.count, settings.samples) {
            let sample = try set.sample(at: index), annotation = sample.annotation
            guard annotation.problems.isEmpty, let image = try? Image(decoding: sample.picture) else { continue }
            let name = annotation.key + ".jpg"
            try image.reduced(toLongSide: settings.pictureSide).write(
                to: pictures.appendingPathComponent(name).path, encoding: .jpeg(quality: settings.quality))
            cards.append(GalleryPage.card(annotation, picture: "pictures/" + name, number: cards.count))
            regions += annotation.regions.count
            for name in Set(annotation.regions.compactMap(\.category)) { categories[name, default: 0] += 1 }
        }
        let page = GalleryPage.page(
            title: title, shown: cards.count, total: set.count, regions: regions,
            categories: categories.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) },
            cards: cards)
        try AtomicFile.write(Data(page.utf8), to: folder.appendingPathComponent("index.html"))
        return cards.count
    }

    /// Evenly spread numbers below `count`, at most `limit`, ascending.
    static func choice(of count: Int, _ limit: Int) -> [Int] {
        if count <= limit { return Array(0..<count) }
        return (0..<limit).map { (2 * $0 + 1) * count / (2 * limit) }
    }
}
