import Boxes
import Foundation
import Imaging
import Scenes
import Testing

@Suite(.enabled(if: TestWorld.isAvailable))
struct ExportTests {
    @Test(arguments: SceneExporter.PictureFormat.allCases)
    func aDataSetReadsBack(format: SceneExporter.PictureFormat) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("scenes-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let generator = try TestWorld.generator { ($0.width, $0.height) = (160, 120) }
        var written: [Int] = []
        try SceneExporter(generator: generator, pictureFormat: format)
            .write(count: 3, firstSeed: 7, to: folder) { written.append($0) }
        #expect(written == [1, 2, 3])

        let dataset = try COCODataset(contentsOf: folder.appendingPathComponent("annotations.json"))
        let text = try String(contentsOf: folder.appendingPathComponent("scenes.jsonl"), encoding: .utf8)
        let records = try text.split(separator: "\n").map {
            try JSONDecoder().decode(SceneRecord.self, from: Data($0.utf8))
        }
        #expect(dataset.images.count == 3 && records.map(\.seed) == [7, 8, 9])
        for (image, record) in zip(dataset.images, records) {
            let scene = generator.scene(seed: record.seed)
            #expect(record == SceneRecord(scene, file: record.file))
            let picture = try Image(contentsOf: folder.appendingPathComponent(record.file).path)
            #expect((picture.width, picture.height) == (160, 120))
            if format == .png { #expect(picture == scene.image) }
            let annotations = dataset.annotations.filter { $0.imageID == image.id }
            #expect(annotations.compactMap(\.box) == scene.objects.map(\.box))
            let names = annotations.map { annotation in
                dataset.categories.first { $0.id == annotation.categoryID }?.name
            }
            #expect(names == scene.objects.map(\.category.name))
            #expect(Set(image.negativeCategoryIDs ?? []).isDisjoint(with: annotations.map(\.categoryID)))
        }
    }

    @Test func aFolderThatCannotBeMadeIsReported() throws {
        let exporter = SceneExporter(generator: try TestWorld.generator())
        #expect {
            try exporter.write(count: 1, firstSeed: 0, to: URL(fileURLWithPath: #filePath))
        } throws: { error in
            if case ScenesError.unwritable = error { true } else { false }
        }
        #expect(throws: ScenesError.self) {
            try exporter.write(count: -1, firstSeed: 0, to: FileManager.default.temporaryDirectory)
        }
    }

    @Test func aContactSheetHasACellForEveryScene() throws {
        let generator = try TestWorld.generator { $0.variesAspect = true }
        let scenes = (0..<5).map { generator.scene(seed: $0) }
        let sheet = try ContactSheet.image(of: scenes, columns: 3, cell: 100)
        #expect(sheet.width == 308 && sheet.height == 204)
        #expect(throws: ScenesError.self) { try ContactSheet.image(of: []) }
    }
}
