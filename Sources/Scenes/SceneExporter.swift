import Annotations
import Boxes
import Foundation
import Imaging

/// Writes scenes as a data set that other tools can read.
///
/// A folder gets `pictures/` and `annotations.jsonl` (to train with, `AnnotationFolder`), `annotations.json` (COCO instances, with the
/// absent categories of each image as LVIS has them) and `scenes.jsonl` (a ``SceneRecord`` on each line: phrases, captions, relations,
/// questions). The same generator and seeds write the same files again.
public struct SceneExporter: Sendable {
    /// How pictures are stored.
    public enum PictureFormat: String, Sendable, CaseIterable {
        case png, jpeg

        var fileExtension: String { self == .png ? "png" : "jpg" }
        var encoding: ImageEncoding { self == .png ? .png : .jpeg(quality: 92) }
    }

    public let generator: SceneGenerator
    public let pictureFormat: PictureFormat

    public init(generator: SceneGenerator, pictureFormat: PictureFormat = .jpeg) {
        self.generator = generator
        self.pictureFormat = pictureFormat
    }

    /// Writes scenes of consecutive seeds into a folder, which is made where it is missing.
    ///
    /// - Parameter progress: called with the number of scenes written so far.
    /// - Throws: `ScenesError.unwritable`, `.invalidConfiguration` for a negative count.
    public func write(
        count: Int, firstSeed: UInt64, to folder: URL, progress: (Int) throws -> Void = { _ in }
    ) throws {
        guard count >= 0 else {
            throw ScenesError.invalidConfiguration(setting: "count", reason: "\(count) is negative")
        }
        var sink = try writing(folder) { try AnnotationFolderSink(folder) }
        var dataset = COCODataset(categories: cocoCategories)
        var lines = Data()
        let encoder = JSONEncoder.lines
        for index in 0..<count {
            let scene = generator.scene(seed: firstSeed &+ UInt64(index))
            let name = Self.name(seed: scene.seed)
            let file = name + "." + pictureFormat.fileExtension
            add(scene, file: file, to: &dataset)
            try writing(folder) {
                let sample = try scene.sample(key: name, encoding: pictureFormat.encoding)
                try sink.add(sample.annotation, picture: sample.picture)
                lines += try encoder.encode(SceneRecord(scene, file: "pictures/" + file)) + [0x0A]
            }
            try progress(index + 1)
        }
        try writing(folder) { try sink.finish() }
        let records = folder.appendingPathComponent("scenes.jsonl")
        try writing(records) { try lines.write(to: records, options: .atomic) }
        let annotations = folder.appendingPathComponent("annotations.json")
        try writing(annotations) { try dataset.write(to: annotations) }
    }

    /// COCO ids start at 1.
    private var cocoCategories: [COCOCategory] {
        generator.vocabulary.map { COCOCategory(id: $0.id + 1, name: $0.name, supercategory: $0.supercategory) }
    }

    private func add(_ scene: Scene, file: String, to dataset: inout COCODataset) {
        let imageID = dataset.images.count + 1
        dataset.images.append(
            COCOImage(
                id: imageID, fileName: file, width: scene.image.width, height: scene.image.height,
                negativeCategoryIDs: scene.negatives(10).map { $0.id + 1 }.sorted()))
        for object in scene.objects {
            dataset.annotations.append(
                COCOAnnotation(
                    id: dataset.annotations.count + 1, imageID: imageID, categoryID: object.category.id + 1,
                    bbox: object.box.values(.xywh), area: Double(object.visibleArea), iscrowd: 0))
        }
    }

    /// The seed with leading zeros, so that names sort as seeds do.
    private static func name(seed: UInt64) -> String {
        let digits = String(seed)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    private func writing<Result>(_ place: URL, _ body: () throws -> Result) throws(ScenesError) -> Result {
        do {
            return try body()
        } catch {
            throw .unwritable(path: place.path, reason: "\(error)")
        }
    }
}
