import Annotations
import Boxes
import DataEngine
import Foundation
import Imaging
import Testing

import struct Annotations.Annotation

/// A folder in a form with one good picture `a.jpg` of 100 x 80 and several faults, and how many there are.
private let faulty: [(ImportFormat, file: String, text: String, faults: [String])] = [
    (
        .coco, "annotations.json",
        """
        {"images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80},
          {"id": 2, "file_name": "missing.jpg", "width": 100, "height": 80},
          {"id": 3, "file_name": "../../a.jpg", "width": 100, "height": 80},
          {"id": 4, "file_name": "a.jpg", "width": 80, "height": 100},
          {"id": 5, "file_name": "broken.jpg", "width": 100, "height": 80}],
         "categories": [{"id": 1, "name": "dog"}],
         "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20]},
          {"id": 2, "image_id": 1, "category_id": 1, "bbox": [90, 10, 20, 20]},
          {"id": 3, "image_id": 1, "category_id": 7, "bbox": [1, 1, 2, 2]},
          {"id": 1, "image_id": 1, "category_id": 1, "bbox": [3, 3, 2, 2]},
          {"id": 6, "image_id": 1, "category_id": 1, "bbox": [3, 3, -2, 2]}]}
        """,
        [
            "annotation 2: the box", "no category with id 7", "same id", "inverted",
            "there is no picture 'missing.jpg'",
            "no name of a picture", "the record says 80 x 100", "broken.jpg",
        ]
    ),
    (
        .yolo, "data.yaml", "names: [dog]\n",
        [
            "line 2: there is no class 3", "line 3: it holds", "line 4: it has 3", "line 5: the box",
            "line 6: it does not begin", "broken.jpg",
        ]
    ),
    (
        .llava, "data.json",
        """
        [{"id": "a", "image": "a.jpg", "boxes": [[10, 10, 30, 30], [5, 5, 1, 1]], "conversations": [
           {"from": "human", "value": "<image>\\nWhere?"}, {"from": "gpt", "value": "<ground>a dog</ground><objects><obj0><obj1><obj8></objects>"}]},
         {"id": 2, "image": "missing.jpg", "conversations": []},
         {"id": "b", "image": "a.jpg", "conversations": [{"from": "gpt", "value": "x"}]},
         {"id": "c", "image": "a.jpg", "conversations": [{"from": "cat", "value": "x"}]},
         {"image": "a.jpg"}]
        """,
        [
            "record 0, box 1", "malformed", "missing.jpg", "record 2: an answer has no question",
            "'cat' is neither", "record 4: 'conversations' is missing",
        ]
    ),
    (
        .labelStudio, "tasks.json",
        """
        [{"data": {"image": "/data/upload/1/a.jpg"}, "predictions": [{"result": [
           {"id": "x", "type": "rectanglelabels", "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rectanglelabels": ["dog"]}},
           {"id": "y", "type": "rectanglelabels", "value": {"x": 95, "y": 10, "width": 20, "height": 20}},
           {"id": "z", "type": "rectanglelabels", "value": {"x": 5, "y": 10, "width": 20, "height": 20, "rotation": 9}},
           {"id": "w", "type": "rectanglelabels", "value": {"x": 5}}]}]},
         {"data": {}}, {"data": {"image": "https://host/missing.jpg?a=1"}}, 7]
        """,
        ["result y", "result z: a turned box", "result w: a box lacks", "shows no image", "missing.jpg", "task 3"]
    ),
    (
        .fiftyOne, "samples.json",
        """
        {"name": {"samples": 1}, "samples": [{"filepath": "a.jpg", "ground_truth": {"_cls": "Detections", "detections": [
           {"label": "dog", "bounding_box": [0.1, 0.1, 0.2, 0.2], "_id": {"$oid": "0"}}, {"label": "dog", "bounding_box": [0.9, 0.9, 0.2, 0.2]},
           {"label": "dog", "bounding_box": [0.9]}]}}, {"filepath": "missing.jpg"}, {"tags": []}]}
        """,
        ["detection 1", "detection 2", "missing.jpg", "sample 2: 'filepath' is missing"]
    ),
]

@Suite struct ExchangeTests {
    @Test(arguments: ExportFormat.allCases) func whatAFormCanSayComesBack(_ format: ExportFormat) throws {
        try withFolder { folder in
            let samples = try ExchangeFixtures.samples()
            let out = folder.appendingPathComponent("out")
            let written = try AnnotationExchange.exportRecords(SampleList(samples: samples), as: format, to: out)
            #expect(written.pictures == 3 && written.records.issueCount == 0, "\(written)")
            let (back, report) = try imported(#require(ImportFormat(rawValue: format.rawValue)), out)
            #expect(report.records.issueCount == 0, "\(report)")
            #expect(back.count == 3)
            for sample in samples {
                let found = try #require(back.first { $0.annotation.key == sample.annotation.key })
                let expected = ExchangeFixtures.kept(sample, by: format.rawValue)
                #expect(found.picture == expected.picture)
                var (ours, theirs) = (expected.annotation, found.annotation)
                #expect(ours.regions.count == theirs.regions.count)
                for (a, b) in zip(ours.regions, theirs.regions) {
                    #expect(isClose(a.box, b.box, within: format == .yolo ? 2e-4 : 1e-9), "\(a.box) \(b.box)")
                }
                for index in ours.regions.indices where theirs.regions.indices.contains(index) {
                    ours.regions[index].box = theirs.regions[index].box
                }
                #expect(ours == theirs, "\(format)")
                theirs.key = ""
            }
            #expect(report.regions == back.reduce(0) { $0 + $1.annotation.regions.count })
        }
    }

    @Test func theSameSetIsWrittenWithTheSameBytesAndNeverOverAnother() throws {
        try withFolder { folder in
            let set = SampleList(samples: try ExchangeFixtures.samples())
            for format in ExportFormat.allCases {
                let places = ["a", "b"].map { folder.appendingPathComponent("\(format.rawValue)-\($0)") }
                for place in places { _ = try AnnotationExchange.exportRecords(set, as: format, to: place) }
                let names = try FileManager.default.subpathsOfDirectory(atPath: places[0].path).sorted()
                #expect(try names == FileManager.default.subpathsOfDirectory(atPath: places[1].path).sorted())
                for name in names {
                    #expect(
                        FileManager.default.contents(atPath: places[0].appendingPathComponent(name).path)
                            == FileManager.default.contents(atPath: places[1].appendingPathComponent(name).path))
                }
                #expect(throws: ExchangeError.self) {
                    try AnnotationExchange.exportRecords(set, as: format, to: places[0])
                }
            }
        }
    }

    @Test func whatAFormHasNoPlaceForIsCounted() throws {
        try withFolder { folder in
            let set = SampleList(samples: try ExchangeFixtures.samples())
            let report = try AnnotationExchange.exportRecords(set, as: .coco, to: folder.appendingPathComponent("out"))
            #expect(
                report.leftOut == [
                    "regions without a category": 1, "conversations": 1, "short phrases": 3, "descriptions": 1,
                    "referring expressions": 1, "located phrases of captions": 2,
                ] && report.regions == 3)
            #expect("\(report)".contains("1 regions without a category, 3 short phrases"))
            // Whoever cannot have captions has no place for their phrases either; one count is enough.
            let labels = try AnnotationExchange.exportRecords(set, as: .yolo, to: folder.appendingPathComponent("yolo"))
            #expect(labels.leftOut["captions"] == 2 && labels.leftOut["located phrases of captions"] == nil)
        }
    }

    // MARK: Bad input

    @Test(arguments: faulty.indices) func faultyRecordsAreNamedAndTheGoodOnesKept(_ number: Int) throws {
        let (format, file, text, faults) = faulty[number]
        try withFolder { folder in
            try folder.write(text, file)
            try folder.write(try ExchangeFixtures.picture(), "images/a.jpg")
            if format == .coco || format == .yolo { try folder.write([1, 2, 3], "images/broken.jpg") }
            try folder.write(
                "0 .2 .2 .2 .2\n3 .5 .5 .1 .1\n0 .5 x .1 .1\n0 1 2 3\n0 .9 .5 .9 .1\ndog\n\n", "labels/a.txt")
            let (samples, report) = try imported(format, folder)
            #expect(samples.map(\.annotation.key).filter { $0.hasPrefix("a") } == ["a"])
            #expect(samples.first?.annotation.regions.count == 1 && report.regions == 1)
            let said = report.records.issues.map(\.description)
            #expect(said.count == faults.count, "\(said)")
            for fault in faults { #expect(said.contains { $0.contains(fault) }, "\(fault): \(said)") }
            // Where faults are refused, nothing is finished.
            var strict = ImportSettings()
            strict.refusesBadRecords = true
            let sink = SampleSink()
            #expect(throws: ExchangeError.self) {
                try AnnotationExchange.importRecords(format, from: folder, into: sink, settings: strict)
            }
            #expect(!sink.isFinished)
        }
    }

    @Test(arguments: [
        "", "[", "[{}", "[{},]", "[{} {}]", "{", "{\"samples\"", "{\"samples\": 3}", "{\"other\": []}", "nonsense}",
    ]) func aFileThatIsNoListIsRefusedOrItsPartsAreNamed(_ text: String) throws {
        try withFolder { folder in
            try folder.write(text, "samples.json")
            let sink = SampleSink()
            let report = try? AnnotationExchange.importRecords(.fiftyOne, from: folder, into: sink)
            #expect(sink.samples.isEmpty && (report == nil || report?.records.issueCount != 0 || text.isEmpty))
        }
    }

    @Test(arguments: ImportFormat.allCases) func aFolderWithoutItsFileIsAnError(_ format: ImportFormat) throws {
        try withFolder { folder in
            _ = #expect(throws: (any Error).self) {
                try AnnotationExchange.importRecords(format, from: folder, into: SampleSink())
            }
        }
    }

    // MARK: Other people's files

    @Test func yoloFoldersOfRoboflowAndOutlinesAreRead() throws {
        try withFolder { folder in
            try folder.write(
                "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: {1: cat, 0: dog}\n", "data.yaml")
            try folder.write(try ExchangeFixtures.picture(), "train/images/one.jpg")
            try folder.write("1 0.1 0.1 0.5 0.1 0.5 0.5 0.2 0.5\n0 0.5 0.5 0.2 0.2 0.9\n", "train/labels/one.txt")
            try folder.write(try ExchangeFixtures.picture(), "valid/images/one.jpg")
            let (samples, report) = try imported(.yolo, folder.appendingPathComponent("data.yaml"))
            #expect(report.records.issueCount == 0 && samples.map(\.annotation.key) == ["one", "one-2"])
            let regions = try #require(samples.first).annotation.regions
            #expect(regions.map(\.category) == ["cat", "dog"] && regions[1].score == 0.9)
            #expect(isClose(regions[0].box, Box(x1: 10, y1: 8, x2: 50, y2: 40), within: 1e-9))
        }
    }

    @Test func cocoCrowdsAndFurtherCaptionsAreLeftOutAndCounted() throws {
        try withFolder { folder in
            try folder.write(
                """
                {"images": [{"id": 9, "coco_url": "http://x/val/a.jpg", "width": 100, "height": 80}], "categories": [{"id": 3, "name": "dog"}],
                 "annotations": [{"id": 1, "image_id": 9, "category_id": 3, "bbox": [0, 0, 100.5, 80], "iscrowd": 0, "segmentation": [[1, 1, 2, 2, 3, 3]]},
                  {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 10, 10], "iscrowd": 1, "segmentation": {"counts": "x", "size": [80, 100]}}]}
                """, "instances_val.json")
            try folder.write(
                #"{"images": [], "annotations": [{"id": 1, "image_id": 9, "caption": "One."}, {"id": 2, "image_id": 9, "caption": "Two."}]}"#,
                "captions_val.json")
            try folder.write(try ExchangeFixtures.picture(), "elsewhere/a.jpg")
            var settings = ImportSettings()
            settings.pictures = folder.appendingPathComponent("elsewhere").path
            let (samples, report) = try imported(.coco, folder.appendingPathComponent("instances_val.json"), settings)
            let annotation = try #require(samples.first).annotation
            #expect(annotation.caption?.text == "One." && annotation.regions.count == 1)
            // Half a pixel over the edge is rounding.
            #expect(annotation.regions[0].box == Box(x1: 0, y1: 0, x2: 100, y2: 80))
            #expect(report.leftOut == ["crowd regions": 1, "further captions of a picture": 1])
        }
    }

    @Test func plainLLaVARecordsBecomeConversations() throws {
        try withFolder { folder in
            try folder.write(
                """
                [{"id": 12, "image": "coco/train/a.jpg", "conversations": [{"from": "human", "value": "What is it?\\n<image>"},
                  {"from": "gpt", "value": "It is a dog. "}, {"from": "human", "value": "Sure?"}, {"from": "gpt", "value": "Yes."}]},
                 {"id": "text", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}]
                """, "llava.json")
            try folder.write(try ExchangeFixtures.picture(), "images/a.jpg")
            let (samples, report) = try imported(.llava, folder.appendingPathComponent("llava.json"))
            let annotation = try #require(samples.first).annotation
            #expect(annotation.key == "12" && annotation.regions.isEmpty && annotation.caption == nil)
            #expect(annotation.conversation?.map(\.question) == ["What is it?", "Sure?"])
            #expect(annotation.conversation?.map(\.answer.text) == ["It is a dog.", "Yes."])
            #expect(report.leftOut == ["records without a picture": 1] && report.records.issueCount == 0)
        }
    }

    @Test func textsWithTagsOfTheirOwnAreNotWrittenAsAnswers() throws {
        try withFolder { folder in
            let region = Region(
                id: 0, box: Box(x1: 1, y1: 1, x2: 9, y2: 9), category: "<obj3>", description: "A <ground>dog</ground>.")
            let sample = ExchangeFixtures.sample(
                "a", picture: try ExchangeFixtures.picture(),
                caption: GroundedCaption(text: "Ends here<|im_end|> now."),
                regions: [region])
            let out = folder.appendingPathComponent("out")
            let report = try AnnotationExchange.exportRecords(SampleList(samples: [sample]), as: .llava, to: out)
            #expect(report.records.issueCount == 3)
            let annotation = try #require(imported(.llava, out).samples.first).annotation
            #expect(annotation.caption == nil && annotation.regions.map(\.category) == [nil])
        }
    }

    @Test func peoplesAnnotationsCountMoreThanPredictions() throws {
        try withFolder { folder in
            func result(_ label: String, _ x: Int) -> String {
                #"{"id": "r", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "value": {"x": \#(x), "y": 0, "width": 10, "height": 10, "rectanglelabels": ["\#(label)"]}}"#
            }
            try folder.write(
                """
                [{"data": {"image": "s3://bucket/images/a.jpg"}, "predictions": [{"result": [\(result("cat", 0))]}],
                  "annotations": [{"was_cancelled": true, "result": [\(result("cow", 1))]}, {"result": [\(result("dog", 2)),
                    {"id": "r", "type": "textarea", "from_name": "phrase", "value": {"text": "a dog"}},
                    {"id": "q", "type": "textarea", "from_name": "phrase", "value": {"text": ["lost"]}}]}]}]
                """, "tasks.json")
            try folder.write(try ExchangeFixtures.picture(), "images/a.jpg")
            let (samples, report) = try imported(.labelStudio, folder)
            let regions = try #require(samples.first).annotation.regions
            #expect(regions.count == 1 && regions[0].category == "dog" && regions[0].phrase == "a dog")
            #expect(isClose(regions[0].box, Box(x1: 2, y1: 0, x2: 12, y2: 8), within: 1e-9))
            #expect(report.leftOut == ["texts that belong to no region": 1])
        }
    }

    @Test func rexverseFilesInPartsAndWithPythonsBytesAreRead() throws {
        try withFolder { folder in
            let first = Data(try ExchangeFixtures.picture()).base64EncodedString()
            let second = Data(try ExchangeFixtures.picture(60, 90, .png)).base64EncodedString()
            let text = "0001.jpg\tb'\(first)'\n0002.png\t\(second)\n3\tnonsense\n"
            let offset = "0001.jpg\tb'\(first)'\n".utf8.count, bad = text.utf8.count - "3\tnonsense\n".utf8.count
            // Cut in the middle of a line, as one file that was split.
            try folder.write(Array(text.utf8.prefix(offset + 20)), "0_2_image_part_0.tsv")
            try folder.write(Array(text.utf8.dropFirst(offset + 20)), "0_2_image_part_1.tsv")
            try folder.write(
                """
                \(offset)\t{"boxes": [{"bbox": [0, 0, 30, 30], "phrase": "a red thing", "caption": "A red thing stands here."}]}
                0\t{"boxes": [{"bbox": [10, 10, 30, 30], "phrase": "a wall", "caption": "A wall."}, {"bbox": [90, 10, 30, 30], "phrase": "x"}]}
                \(bad)\t{"boxes": []}
                what\t{}
                """, "0_2_one_sentence.annotation.tsv")
            try folder.write(
                "0\t{\"boxes\": [{\"bbox\": [10, 10, 30, 30], \"phrase\": \"the only wall\"}]}\n",
                "0_2_referring.annotations.tsv")
            let (samples, report) = try imported(.rexverse, folder)
            #expect(samples.map(\.annotation.key) == ["0001", "0002"])
            let wall = try #require(samples[0].annotation.regions.first)
            #expect(samples[0].annotation.regions.count == 1)
            #expect(wall.box == Box(x1: 10, y1: 10, x2: 40, y2: 40) && wall.phrase == "a wall")
            #expect(wall.description == "A wall." && wall.referringExpression == "the only wall")
            #expect(samples[1].annotation.regions.first?.phrase == "a red thing")
            #expect(report.records.issueCount == 3, "\(report)")
        }
    }

    @Test func picturesOfOtherFormatsBecomePNG() throws {
        try withFolder { folder in
            let gif: [UInt8] =
                Array("GIF89a".utf8) + [
                    1, 0, 1, 0, 0x80, 0, 0, 255, 0, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B,
                ]
            try folder.write(#"[{"image": "dot.gif", "conversations": []}]"#, "data.json")
            try folder.write(gif, "images/dot.gif")
            let sample = try #require(imported(.llava, folder).samples.first)
            #expect(sample.annotation.format == "png" && ImageFormat(sniffing: sample.picture) == .png)
            #expect(sample.annotation.sha256 == Annotation.digest(of: sample.picture))
        }
    }
}
