import Boxes
import Evaluation
import Foundation
import Testing

/// Annotations that nothing can be measured by.
@Suite struct AnnotationFileTests {
    private static func document(
        box: String = "[0, 0, 5, 5]", image: Int = 1, category: Int = 1,
        images: String = #"{"id": 1, "file_name": "a", "width": 9, "height": 9}"#
    ) -> String {
        """
        {"images": [\(images)], "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "dog"}],
         "annotations": [{"id": 1, "image_id": \(image), "category_id": \(category), "bbox": \(box)}]}
        """
    }

    private func read(_ text: String) throws -> COCODataset {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gt-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        return try COCODataset(forEvaluationAt: file)
    }

    @Test(arguments: [
        ("", "is empty"), ("[]", "is not a COCO file"), ("{\"images\": [", "is not a COCO file"),
        ("PK\u{3}\u{4}", "is not a COCO file"), ("{\"images\": []}", "has no list 'annotations'"),
        (document(box: "[0, 0, 5]"), "the box has 3 numbers"), (document(box: "\"0 0 5 5\""), "annotations/0: bbox"),
        (document(box: "[5, 5, -3, 2]"), "the box is inverted"), (document(box: "[NaN, 0, 1, 1]"), "not finite"),
        (document(box: "[0, 0, 1e999, 1]"), "is not a COCO file"), (document(image: 7), "there is no image with id 7"),
        (document(category: 9), "there is no category with id 9"),
        (document(images: #"{"id": 1, "width": 9, "height": 9}, {"id": 1, "width": 9, "height": 9}"#), "same id"),
    ])
    func `a file that cannot be used is named, with the record at fault`(text: String, words: String) throws {
        let error = try #require(throws: (any Error).self) { try read(text) }
        let message = "\(error)"
        #expect(error is BoxesError || error is EvaluationError)
        #expect(message.contains("gt-") && message.contains(words), "\(message)")
    }

    @Test func `masks are left out, the rest is as it is read whole`() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gt-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        let mask = (0..<40_000).map { "\($0)" }.joined(separator: ",")
        try Data(
            """
            {"info": {"x": [1]}, "annotations": [
              {"id": 7, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "area": 9.5, "iscrowd": 1, "score": 0.25,
               "segmentation": {"counts": [\(mask)], "size": [200, 200]}},
              {"segmentation": [[\(mask)]], "id": 8, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4]}],
             "images": [{"id": 1, "width": 9, "height": 9, "file_name": "a.jpg", "neg_category_ids": [2]}],
             "categories": [{"id": 2, "name": "dog", "frequency": "r"}]}
            """.utf8
        ).write(to: file)
        var whole = try COCODataset(contentsOf: file)
        #expect(whole.annotations.allSatisfy { $0.segmentation != nil })
        for index in whole.annotations.indices { whole.annotations[index].segmentation = nil }
        #expect(try COCODataset(forEvaluationAt: file) == whole)
    }

    @Test func `odd but harmless records stay`() throws {
        for box in ["[0, 0, 0, 5]", "[50, 50, 5, 5]", "[0, 0, 5, 5]"] {
            #expect(try read(Self.document(box: box)).annotations.count == 1)
        }
        // A second category of one name is odd too, and its annotations count.
        #expect(try read(Self.document(category: 2)).annotations.count == 1)
        let sizeless = #"{"id": 1, "file_name": "a", "width": 0, "height": 0}"#
        #expect(try read(Self.document(images: sizeless)).images.count == 1)
    }

    @Test func `missing pictures are told together, and before any work`() throws {
        let images = (1...5).map { COCOImage(id: $0, fileName: "\($0).jpg", width: 9, height: 9) }
        let folder = URL(fileURLWithPath: "/nowhere")
        #expect(
            throws: EvaluationError.missingPictures(
                folder: "/nowhere", names: ["1.jpg", "2.jpg", "3.jpg"], count: 5, total: 5)
        ) { try DatasetBenchmark(COCODataset(images: images), images: folder).checkPictures() }
        let unnamed = COCODataset(images: [COCOImage(id: 3, fileName: nil, width: 9, height: 9)])
        #expect(throws: EvaluationError.unnamedPicture(image: 3)) {
            try DatasetBenchmark(unnamed, images: folder).checkPictures()
        }
    }

    @Test func `a fingerprint tells contents apart, also where only parts are read`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("print-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("upn"), withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("upn/weights")
        var bytes = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        func prints() throws -> [String] {
            [try Fingerprint.of(folder), try Fingerprint.of(file), try Fingerprint.of(file, readingAtMost: 6400)]
        }
        try bytes.write(to: file)
        let first = try prints()
        #expect(try prints() == first && Set(first).count == 3 && first.allSatisfy { $0.count == 16 })
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: file)
        #expect(try zip(prints(), first).allSatisfy { $0 != $1 })
    }
}
