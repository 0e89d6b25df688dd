import Boxes
import Foundation
import Testing

@Suite struct COCODatasetTests {
    @Test func `a written dataset reads back the same`() throws {
        let dataset = COCODataset(
            images: [
                COCOImage(id: 7, fileName: "a.jpg", width: 640, height: 480),
                COCOImage(
                    id: 8, fileName: nil, width: 10, height: 20, cocoURL: "http://x/b.jpg",
                    negativeCategoryIDs: [2], notExhaustiveCategoryIDs: []),
            ],
            annotations: [
                COCOAnnotation(id: 1, imageID: 7, categoryID: 2, box: Box(x1: 1, y1: 2, x2: 4.5, y2: 8)),
                COCOAnnotation(
                    id: 2, imageID: 7, categoryID: 2, bbox: [0, 0, 9, 9], area: 3.25, iscrowd: 1,
                    segmentation: .runs(counts: [1, 2], size: [9, 9])),
                COCOAnnotation(
                    id: 3, imageID: 8, categoryID: 2, bbox: [1, 1, 2, 2], segmentation: .polygons([[1, 1, 2, 2, 3, 1]])),
                COCOAnnotation(
                    id: 4, imageID: 8, categoryID: 2, bbox: [1, 1, 2, 3],
                    segmentation: .packedRuns(counts: "a`1", size: [10, 20])),
            ],
            categories: [COCOCategory(id: 2, name: "cat", supercategory: "animal", frequency: "r")])
        try withTemporaryFile { file in
            try dataset.write(to: file)
            #expect(try COCODataset(contentsOf: file) == dataset)
        }
        #expect(dataset.validate().isEmpty)
        #expect(dataset.annotations[1].isCrowd && !dataset.annotations[0].isCrowd)
        #expect(dataset.annotations[0].box == Box(x1: 1, y1: 2, x2: 4.5, y2: 8))
    }

    @Test func `a file from elsewhere reads, unknown members and Python's NaN included`() throws {
        let text = """
            {"info": {"year": 2017}, "licenses": [],
             "images": [{"id": 1, "file_name": "a.jpg", "width": 4, "height": 4, "flickr_url": "x"}],
             "annotations": [{"id": 5, "image_id": 1, "category_id": 3, "bbox": [NaN, 1, Infinity, 1],
                              "area": 1, "iscrowd": 0, "segmentation": []}],
             "categories": [{"id": 3, "name": "dog"}]}
            """
        try withTemporaryFile { file in
            try Data(text.utf8).write(to: file)
            let dataset = try COCODataset(contentsOf: file)
            #expect(dataset.annotations[0].box == nil)
            let issue = try #require(dataset.validate().issues.first)
            #expect(issue.record == .annotation(index: 0, id: 5) && issue.problem == .notFinite)
        }
    }

    @Test func `every bad record is named, and can be removed`() {
        let dataset = COCODataset(
            images: [
                COCOImage(id: 1, fileName: "a", width: 100, height: 100),
                COCOImage(id: 1, fileName: "b", width: 100, height: 100),
                COCOImage(id: 2, fileName: "c", width: 0, height: 100),
            ],
            annotations: [
                COCOAnnotation(id: 1, imageID: 1, categoryID: 1, bbox: [0, 0, 5, 5]),
                COCOAnnotation(id: 2, imageID: 9, categoryID: 1, bbox: [0, 0, 5, 5]),
                COCOAnnotation(id: 3, imageID: 1, categoryID: 9, bbox: [0, 0, 5, 5]),
                COCOAnnotation(id: 4, imageID: 1, categoryID: 1, bbox: [0, 0, 5]),
                COCOAnnotation(id: 5, imageID: 1, categoryID: 1, bbox: [0, 0, .nan, 5]),
                COCOAnnotation(id: 6, imageID: 1, categoryID: 1, bbox: [9, 9, -5, 5]),
                COCOAnnotation(id: 7, imageID: 1, categoryID: 1, bbox: [9, 9, 0, 5]),
                COCOAnnotation(id: 8, imageID: 1, categoryID: 1, bbox: [200, 9, 5, 5]),
                COCOAnnotation(id: 9, imageID: 1, categoryID: 1, bbox: [0, 0, 5, 5]),
                COCOAnnotation(id: 1, imageID: 1, categoryID: 1, bbox: [0, 0, 6, 6]),
                COCOAnnotation(id: 10, imageID: 1, categoryID: 1, bbox: [0, 0, 7, 7], area: -1),
            ],
            categories: [
                COCOCategory(id: 1, name: "cat"), COCOCategory(id: 1, name: "dog"), COCOCategory(id: 3, name: "cat"),
            ])
        let report = dataset.validate()
        #expect(
            report.issues.map(\.problem) == [
                .duplicateID, .badImageSize(width: 0, height: 100), .duplicateID, .duplicateName("cat"),
                .unknownImage(9), .unknownCategory(9), .wrongBoxLength(3), .notFinite,
                .invertedBox(width: -5, height: 5), .emptyBox, .outsideImage, .duplicateBox, .duplicateID,
                .negativeArea(-1),
            ])
        #expect(report.issues[4].record == .annotation(index: 1, id: 2))
        #expect(report.description.contains("annotations[5] (id 6): the box is inverted: -5.0 wide, 5.0 high"))
        let clean = dataset.removingRecords(namedIn: report)
        #expect(clean.validate().isEmpty)
        #expect((clean.images.count, clean.annotations.count, clean.categories.count) == (1, 1, 1))
    }

    @Test(arguments: [
        ("{", "the file"), ("[]", "the file"), (#"{"images": [], "categories": []}"#, "annotations"),
        (#"{"images": [{"id": "x"}], "annotations": [], "categories": []}"#, "images/0/id"),
    ])
    func `a file that is not COCO says where`(text: String, place: String) throws {
        try withTemporaryFile { file in
            try Data(text.utf8).write(to: file)
            let error = #expect(throws: BoxesError.self) { try COCODataset(contentsOf: file) }
            guard case .malformedCOCO(_, let reason) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reason.contains(place))
        }
    }

    @Test func `a missing file and an unwritable number are errors that name the file`() throws {
        let missing = URL(filePath: "/nonexistent/coco.json")
        let error = #expect(throws: BoxesError.self) { try COCODataset(contentsOf: missing) }
        #expect("\(String(describing: error))".contains("/nonexistent/coco.json"))
        #expect(throws: BoxesError.self) { try COCODataset().write(to: missing) }
        try withTemporaryFile { file in
            let bad = COCOResult(imageID: 1, categoryID: 1, box: Box(x1: 0, y1: 0, x2: 1, y2: 1), score: .nan)
            #expect(throws: BoxesError.self) { try COCOResult.write([bad], to: file) }
            #expect(!FileManager.default.fileExists(atPath: file.path))
        }
    }

    @Test func `results go both ways`() throws {
        let results = [COCOResult(imageID: 4, categoryID: 2, box: Box(x1: 1, y1: 2, x2: 3, y2: 5), score: 0.25)]
        try withTemporaryFile { file in
            try COCOResult.write(results, to: file)
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(text == #"[{"bbox":[1,2,2,3],"category_id":2,"image_id":4,"score":0.25}]"#)
            #expect(try COCOResult.read(from: file) == results)
        }
    }

    private func withTemporaryFile(_ body: (URL) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "coco-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try body(file)
    }
}
