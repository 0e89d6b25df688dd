import Boxes
import ChatRex
import Foundation
import Testing

@Suite struct ExportTests {
    let answer = GroundedAnswerTests.answer

    private func object(_ value: some Encodable) throws -> NSDictionary {
        let encoder = JSONEncoder()
        let decoded = try JSONSerialization.jsonObject(with: encoder.encode(value))
        return try #require(decoded as? NSDictionary)
    }

    @Test func `COCO results have the dataset's ids and boxes as x, y, width, height`() throws {
        let categories = [
            COCOCategory(id: 17, name: "cat"), COCOCategory(id: 18, name: "Dog"), COCOCategory(id: 3, name: "red  cat"),
        ]
        let answer = GroundedAnswer(
            rawText: GroundedAnswerTests.text, boxes: GroundedAnswerTests.boxes, proposalScores: [0.81, 0.5, 0.04])
        let results = answer.cocoResults(imageID: 42, categories: categories)
        #expect(results.map(\.categoryID) == [18, 18, 3])
        #expect(results.map(\.score) == [0.04, 0.81, 0.5])
        let expected: NSDictionary = [
            "image_id": 42, "category_id": 3, "bbox": [5.5, 6, 44.5, 54], "score": 0.5,
        ]
        #expect(try object(results[2]) == expected)
        #expect(answer.cocoResults(imageID: 1, categories: []).isEmpty)
    }

    @Test func `YOLO lines hold the class and the clipped box in parts of the image`() {
        let labels = answer.yoloLabels(names: ["red cat", "dog"], width: 100, height: 100)
        #expect(
            labels == """
                1 0.150000 0.950000 0.300000 0.100000
                1 0.050000 0.100000 0.100000 0.200000
                0 0.277500 0.330000 0.445000 0.540000

                """)
        let scored = answer.yoloLabels(names: ["red cat"], width: 100, height: 100, includesScores: true)
        #expect(scored == "0 0.277500 0.330000 0.445000 0.540000 0.500000\n")
        #expect(answer.yoloLabels(names: ["dog"], width: 0, height: 100).isEmpty)
        #expect(answer.yoloLabels(names: ["dog"], width: 100, height: 80).split(separator: "\n").count == 1)
    }

    @Test func `a Label Studio task has the members that its import asks for`() throws {
        let one = GroundedAnswer(
            rawText: "<ground>dog</ground><objects><obj1></objects>", boxes: GroundedAnswerTests.boxes,
            proposalScores: [0, 0.5, 0])
        let task = one.labelStudioTask(
            image: "https://example.org/a.jpg", width: 200, height: 100, modelVersion: "nano-1")
        let expected: NSDictionary = [
            "data": ["image": "https://example.org/a.jpg"],
            "predictions": [
                [
                    "model_version": "nano-1", "score": 0.5,
                    "result": [
                        [
                            "id": "region-0", "type": "rectanglelabels", "from_name": "label", "to_name": "image",
                            "original_width": 200, "original_height": 100, "image_rotation": 0, "score": 0.5,
                            "value": [
                                "rotation": 0, "x": 2.75, "y": 6, "width": 22.25, "height": 54,
                                "rectanglelabels": ["dog"],
                            ] as [String: Any],
                        ] as [String: Any]
                    ],
                ] as [String: Any]
            ],
        ]
        #expect(try object(task) == expected)
        #expect(
            answer.labelStudioTask(image: "a", width: 0, height: 9, modelVersion: "m").predictions[0].result.isEmpty)
        let all = answer.labelStudioTask(image: "a", width: 100, height: 100, modelVersion: "m").predictions[0]
        #expect(all.result.map(\.value.rectanglelabels) == [["dog"], ["dog"], ["Red Cat"]])
        #expect(all.result.allSatisfy { $0.value.x >= 0 && $0.value.y + $0.value.height <= 100 })
        #expect(Set(all.result.map(\.id)).count == 3)
    }
}
