import Annotations
import Boxes
import DataEngine
import Foundation
import Testing

import struct Annotations.Annotation

/// Small sets in the forms in which the large ones are published.
@Suite struct ForeignSetTests {
    /// A picture of 100 x 80 under each name.
    private func pictures(_ names: String..., in folder: URL) throws {
        for (number, name) in names.enumerated() {
            try folder.write(try ExchangeFixtures.picture(red: UInt8(20 * number)), name)
        }
    }

    private func settings(_ pictures: URL? = nil, split: String? = nil) -> ImportSettings {
        var settings = ImportSettings()
        (settings.pictures, settings.split) = (pictures?.path, split)
        return settings
    }

    private func kinds(_ report: ExchangeReport) -> [RecordProblem.Kind: Int] { report.records.counts }

    // MARK: LVIS and Objects365

    @Test func lvisGivesNamesInWordsFoldersByAddressAndWhatWasLookedForInVain() throws {
        try withFolder { folder in
            try folder.write(
                """
                {"info": {"description": "LVIS"}, "licenses": [], "annotations": [
                  {"area": 600, "id": 9, "segmentation": [[1, 1, 2, 2, 3, 3]], "image_id": 7, "bbox": [10, 10, 30, 20], "category_id": 4},
                  {"area": 1, "id": 3, "segmentation": [], "image_id": 5, "bbox": [0, 0, 5, 5], "category_id": 2},
                  {"area": 1, "id": 10, "segmentation": [], "image_id": 7, "bbox": [50.5, 1, 9, 9], "category_id": 2},
                  {"area": 1, "id": 11, "segmentation": [], "image_id": 99, "bbox": [0, 0, 5, 5], "category_id": 2}],
                 "images": [
                  {"id": 7, "coco_url": "http://images.cocodataset.org/train2017/000000000007.jpg", "width": 100, "height": 80,
                   "neg_category_ids": [3], "not_exhaustive_category_ids": [2]},
                  {"id": 5, "coco_url": "http://images.cocodataset.org/val2017/000000000007.jpg", "width": 100, "height": 80,
                   "neg_category_ids": [], "not_exhaustive_category_ids": []}],
                 "categories": [{"id": 2, "name": "alarm_clock", "frequency": "f", "synonyms": ["alarm_clock"], "synset": "alarm_clock.n.01"},
                  {"id": 3, "name": "crab_(animal)", "frequency": "c"}, {"id": 4, "name": "dog", "frequency": "r"}]}
                """, "lvis_v1_train.json")
            try pictures(
                "coco/train2017/000000000007.jpg", "coco/val2017/000000000007.jpg", "coco/000000000007.jpg", in: folder)
            let (samples, report) = try imported(.lvis, folder, settings(folder.appendingPathComponent("coco")))
            #expect(samples.map(\.annotation.key) == ["000000000007", "000000000007-2"])
            #expect(samples[0].picture != samples[1].picture)
            let first = samples[0].annotation
            #expect(first.regions.map(\.category) == ["dog", "alarm clock"])
            #expect(
                first.regions.map(\.box) == [
                    Box(x1: 10, y1: 10, x2: 40, y2: 30), Box(x1: 50.5, y1: 1, x2: 59.5, y2: 10),
                ])
            #expect(first.absent == ["crab (animal)"] && samples[1].annotation.absent == [])
            #expect(kinds(report) == [.reference: 1] && "\(report)".contains("image 99, which does not exist"))
        }
    }

    @Test func objects365IsFoundInItsPatches() throws {
        try withFolder { folder in
            try folder.write(
                """
                {"images": [{"height": 80, "id": 420917, "license": 5, "width": 100, "file_name": "images/v1/patch8/objects365_v1_00420917.jpg", "url": ""},
                  {"height": 80, "id": 908726, "license": 5, "width": 100, "file_name": "images/v2/patch16/objects365_v2_00908726.jpg", "url": ""}],
                 "annotations": [{"id": 1, "iscrowd": 0, "isfake": 0, "area": 100.0, "isreflected": 0, "bbox": [1, 2, 10, 10], "image_id": 420917, "category_id": 365},
                  {"id": 2, "iscrowd": 1, "isfake": 0, "area": 100.0, "isreflected": 0, "bbox": [30, 2, 10, 10], "image_id": 420917, "category_id": 365}],
                 "categories": [{"name": "Table Tennis ", "id": 365}]}
                """, "zhiyuan_objv2_val.json")
            try pictures("val/patch8/objects365_v1_00420917.jpg", in: folder)
            let (samples, report) = try imported(.objects365, folder, settings(folder.appendingPathComponent("val")))
            let annotation = try #require(samples.first).annotation
            #expect(samples.count == 1 && annotation.key == "objects365_v1_00420917" && annotation.absent == nil)
            #expect(annotation.regions.map(\.category) == ["Table Tennis"])
            #expect(report.leftOut == ["crowd regions": 1] && kinds(report) == [.missingPicture: 1])
        }
    }

    @Test func listsInAnyOrderAndLargerThanAPartOfTheFileAreRead() throws {
        try withFolder { folder in
            // Strings with brackets, quotes and escapes lie across the places where parts of the file end.
            let noise = String(repeating: #"]}\\\"[{,:\u00e9 "#, count: 220_000)
            var annotations: [String] = []
            for number in 0..<3000 {
                annotations.append(
                    #"{"id": \#(number), "note": "\#(noise.prefix(1400))", "image_id": \#(number % 3), "category_id": 1, "bbox": [\#(number % 90), 1, 2, 3]}"#
                )
            }
            let images = (0..<3).map { #"{"id": \#($0), "file_name": "a.jpg", "width": 100, "height": 80}"# }
            try folder.write(
                """
                {"annotations": [\(annotations.joined(separator: ",\n"))], "info": {"text": "\(noise)", "list": [[1, [2]], {}]},
                 "categories": [{"id": 1, "name": "dog"}], "images": [\(images.joined(separator: ","))]}
                """, "annotations.json")
            try pictures("a.jpg", in: folder)
            let (samples, report) = try imported(.coco, folder)
            #expect(samples.count == 3 && report.leftOut == [:])
            // Equal boxes of a picture are one: 30 places are left of 1000.
            #expect(samples.allSatisfy { $0.annotation.regions.count == 30 })
            #expect(kinds(report) == [.repetition: 2910])
            #expect(report.records.issues.count == RecordReport.keptIssues && "\(report)".count < 2000)
        }
    }

    // MARK: Open Images

    @Test func openImagesBoxesAreSharesAndOnlyDeniedLabelsAreAbsent() throws {
        try withFolder { folder in
            try folder.write(
                """
                ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside
                000002b66c9c498e,xclick,/m/01g317,1,0.1,0.5,0.25,1.0,0,1,0,0,0
                000002b66c9c498f,xclick,/m/0k4j,1,0.2,0.4,0.2,0.4,0,1,0,0,0
                000002b66c9c498e,xclick,/m/01g317,1,0.0,1.0,0.0,1.0,0,1,1,0,0
                000002b66c9c498e,xclick,/m/0k4j,1,0.5,0.4,0.2,0.4,0,1,0,0,0
                000002b66c9c498e,xclick,/m/0k4j,1,0.5,1.4,0.2,0.4,0,1,0,0,0
                000002b66c9c498e,xclick,/m/none,1,0.5,0.6,0.2,0.4,0,1,0,0,0
                000002b66c9c498e,xclick,/m/0k4j,1,x,0.6,0.2,0.4,0,1,0,0,0
                \r
                """, "oidv6-train-annotations-bbox.csv")
            try folder.write(
                "LabelName,DisplayName\r\n/m/01g317,Person\r\n/m/0k4j,\"Car, \"\"old\"\"\"\r\n/m/0199g,Bicycle\r\n",
                "oidv7-class-descriptions-boxable.csv")
            try folder.write("/m/01g317,Wrong\n", "class-descriptions.csv")
            try folder.write(
                """
                ImageID,Source,LabelName,Confidence
                000002b66c9c498e,verification,/m/01g317,1
                000002b66c9c498e,verification,/m/0199g,0
                """, "train-annotations-human-imagelabels-boxable.csv")
            try pictures("images/000002b66c9c498e.jpg", in: folder)
            let (samples, report) = try imported(.openImages, folder)
            let annotation = try #require(samples.first).annotation
            #expect(samples.count == 1 && annotation.regions.map(\.category) == ["Person"])
            #expect(isClose(annotation.regions[0].box, Box(x1: 10, y1: 20, x2: 50, y2: 80), within: 1e-9))
            #expect(annotation.absent == ["Bicycle"] && report.leftOut == ["groups": 1])
            #expect(kinds(report) == [.boxForm: 2, .boxRange: 1, .reference: 1, .missingPicture: 1], "\(report)")
        }
    }

    @Test func anotherTableIsNoOpenImages() throws {
        try withFolder { folder in
            try folder.write("a,b\n1,2\n", "x-annotations-bbox.csv")
            try folder.write("/m/0k4j,Car\n", "class-descriptions-boxable.csv")
            let error = #expect(throws: ExchangeError.self) { try imported(.openImages, folder) }
            #expect("\(try #require(error))".contains("no column 'ImageID'; its columns are a, b"))
            try folder.write("", "x-annotations-bbox.csv")
            #expect(throws: ExchangeError.self) { try imported(.openImages, folder) }
        }
    }

    // MARK: RefCOCO

    private static let instances = """
        {"info": {}, "images": [{"id": 7, "file_name": "COCO_train2014_000000000007.jpg", "width": 100, "height": 80},
          {"id": 8, "file_name": "COCO_train2014_000000000008.jpg", "width": 100, "height": 80}],
         "annotations": [{"id": 11, "image_id": 7, "category_id": 1, "bbox": [10, 10, 30, 30], "iscrowd": 0, "segmentation": [[1, 1, 2, 2, 3, 3]]},
          {"id": 12, "image_id": 7, "category_id": 2, "bbox": [50, 10, 30, 30], "iscrowd": 0},
          {"id": 13, "image_id": 8, "category_id": 1, "bbox": [1, 1, 30, 30], "iscrowd": 0}],
         "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}]}
        """
    /// As Python 2 writes it; texts are byte strings or Unicode.
    private static let references = """
        (lp0
        (dp1
        S'sent_ids'
        p2
        (lp3
        I0
        aI1
        asS'file_name'
        p4
        S'COCO_train2014_000000000007_0.jpg'
        p5
        sS'ann_id'
        p6
        I11
        sS'image_id'
        p7
        L7L
        sS'split'
        p8
        S'train'
        p9
        sS'sentences'
        p10
        (lp11
        (dp12
        S'sent'
        p13
        S'lady on the left'
        p14
        sS'raw'
        p15
        S'LADY on the left'
        p16
        sa(dp17
        g13
        Vwoman by the caf\\u00e9
        p18
        sasa(dp19
        S'ann_id'
        p20
        I13
        sg7
        I8
        sg8
        S'testA'
        p21
        sg10
        (lp22
        (dp23
        g13
        S'man'
        p24
        sasa.
        """

    private func checkTrainingSplit(_ samples: [AnnotatedSample], _ report: ExchangeReport) throws {
        let annotation = try #require(samples.first).annotation
        #expect(samples.count == 1 && annotation.key == "COCO_train2014_000000000007")
        #expect(annotation.regions.map(\.category) == ["person", "dog", nil])
        #expect(
            annotation.regions.map(\.referringExpression) == ["lady on the left", nil, "woman by the café"])
        #expect(annotation.regions[2].box == annotation.regions[0].box)
        #expect(
            report.leftOut == ["references of other splits": 1, "pictures without expressions of the split": 1])
        #expect(report.records.issueCount == 0, "\(report)")
    }

    @Test func refCOCOIsReadFromItsPickleOneSplitAtATime() throws {
        try withFolder { folder in
            try folder.write(Self.instances, "refcoco/instances.json")
            try folder.write(Self.references, "refcoco/refs(unc).p")
            try pictures(
                "train2014/COCO_train2014_000000000007.jpg", "train2014/COCO_train2014_000000000008.jpg", in: folder)
            let place = folder.appendingPathComponent("refcoco"), images = folder.appendingPathComponent("train2014")
            let (samples, report) = try imported(.refCOCO, place, settings(images, split: "train"))
            try checkTrainingSplit(samples, report)
            #expect(try imported(.refCOCO, place, settings(images, split: "all")).samples.count == 2)
            // Which split is meant must be said.
            for split in [nil, "val"] {
                let error = #expect(throws: ExchangeError.self) {
                    try imported(.refCOCO, place, settings(images, split: split))
                }
                #expect("\(try #require(error))".contains("testA (1), train (1)"))
            }
            try folder.write(Self.references, "refcoco/refs(google).p")
            let error = #expect(throws: ExchangeError.self) { try imported(.refCOCO, place, settings(images)) }
            #expect("\(try #require(error))".contains("refs(google).p, refs(unc).p; name the file"))
            for text in ["", "cos\nsystem\n(S'true'\ntR.", "S'x'\n.", "[]"] {
                try folder.write(text, "refcoco/bad.p")
                #expect(throws: ExchangeError.self, "\(text)") {
                    try imported(.refCOCO, place.appendingPathComponent("bad.p"), settings(images))
                }
            }
        }
    }

    @Test func refCOCOIsReadFromJSON() throws {
        try withFolder { folder in
            try folder.write(Self.instances, "instances.json")
            try folder.write(
                """
                [{"sent_ids": [0, 1], "file_name": "COCO_train2014_000000000007_0.jpg", "ann_id": 11, "ref_id": 0, "image_id": 7, "split": "train",
                  "sentences": [{"tokens": ["lady"], "raw": "x", "sent_id": 0, "sent": "lady on the left"}, {"sent": "woman by the café"}, {"sent": " "}], "category_id": 1},
                 {"ann_id": 13, "image_id": 8, "split": "testA", "sentences": [{"sent": "man"}]}]
                """, "refs.json")
            try pictures("images/COCO_train2014_000000000007.jpg", "images/COCO_train2014_000000000008.jpg", in: folder)
            let (samples, report) = try imported(.refCOCO, folder, settings(split: "train"))
            try checkTrainingSplit(samples, report)
        }
    }

    @Test func expressionsAsCaptionsOfEntriesBecomeOneRecordAPicture() throws {
        try withFolder { folder in
            func image(_ id: Int, _ caption: String) -> String {
                #"{"file_name": "a.jpg", "height": 80, "width": 100, "id": \#(id), "original_id": 1, "caption": "\#(caption)", "dataset_name": "refcoco"}"#
            }
            func box(_ id: Int, _ x: Int) -> String {
                #"{"id": \#(id), "image_id": \#(id), "category_id": 1, "bbox": [\#(x), 5, 10, 10], "area": 100, "iscrowd": 0, "tokens_positive": [[0, 3]]}"#
            }
            try folder.write(
                """
                {"info": [], "licenses": [], "images": [\(image(0, "the dog")), \(image(1, "the brown dog")), \(image(2, "the cat")), \(image(3, ""))],
                 "annotations": [\(box(0, 5)), \(box(1, 5)), \(box(2, 40)), \(box(3, 60))], "categories": [{"supercategory": "object", "id": 1, "name": "object"}]}
                """, "finetune_refcoco_train.json")
            try pictures("a.jpg", in: folder)
            let (samples, report) = try imported(.refCOCO, folder.appendingPathComponent("finetune_refcoco_train.json"))
            let annotation = try #require(samples.first).annotation
            #expect(samples.count == 1 && annotation.absent == [])
            #expect(annotation.regions.map(\.referringExpression) == ["the dog", "the brown dog", "the cat"])
            #expect(
                annotation.regions.map(\.box.x1) == [5, 5, 40] && annotation.regions.allSatisfy { $0.category == nil })
            #expect(kinds(report) == [.text: 1])
        }
    }

    // MARK: Visual Genome

    private func visualGenome(in folder: URL) throws {
        try folder.write(
            """
            [{"image_id": 1, "url": "https://cs.stanford.edu/people/rak248/VG_100K_2/1.jpg", "width": 100, "height": 80, "coco_id": null, "flickr_id": null},
             {"image_id": 2, "url": "https://cs.stanford.edu/people/rak248/VG_100K/2.jpg", "width": 100, "height": 80, "coco_id": null, "flickr_id": null}]
            """, "image_data.json")
        try folder.write(
            """
            [{"image_id": 1, "image_url": "", "objects": [
              {"synsets": ["clock.n.01"], "h": 30, "object_id": 1058498, "merged_object_ids": [], "names": [" clock", "timer"], "w": 20, "y": 10, "x": 5},
              {"synsets": [], "h": 30, "object_id": 2, "names": ["tree"], "w": 20, "y": -4, "x": 85},
              {"object_id": 3, "names": [], "w": 20, "y": 4, "x": 8, "h": 9}, {"object_id": 4, "names": ["sky"], "w": 20, "y": 4, "x": 8}]}]
            """, "objects.json")
        try folder.write(
            """
            [{"regions": [{"region_id": 1382, "width": 20, "height": 30, "image_id": 1, "phrase": "the clock is green in colour ", "y": 10, "x": 5}], "id": 1}]
            """, "region_descriptions.json")
        try pictures("VG_100K_2/1.jpg", "VG_100K/2.jpg", in: folder)
    }

    @Test func visualGenomeGivesObjectsAndRegions() throws {
        try withFolder { folder in
            try visualGenome(in: folder)
            let (samples, report) = try imported(.visualGenome, folder)
            #expect(samples.map(\.annotation.key) == ["1", "2"])
            let annotation = samples[0].annotation
            #expect(annotation.regions.map(\.category) == ["clock", nil] && annotation.absent == [])
            #expect(annotation.regions.map(\.description) == [nil, "the clock is green in colour"])
            #expect(annotation.regions.allSatisfy { $0.box == Box(x1: 5, y1: 10, x2: 25, y2: 40) })
            #expect(samples[1].annotation.regions.isEmpty)
            #expect(kinds(report) == [.boxRange: 1, .text: 1, .unreadable: 1], "\(report)")
        }
    }

    @Test func boxesThatReachOutAreCutWhereThatIsAsked() throws {
        try withFolder { folder in
            try visualGenome(in: folder)
            var settings = settings()
            settings.cutsBoxes = true
            let (samples, report) = try imported(.visualGenome, folder, settings)
            let tree = try #require(samples.first?.annotation.regions.first { $0.category == "tree" })
            #expect(tree.box == Box(x1: 85, y1: 0, x2: 100, y2: 26))
            #expect(report.leftOut == ["parts of boxes beyond the picture": 1] && kinds(report)[.boxRange] == nil)
        }
    }

    // MARK: Shards

    /// Ten records, two of them faulty.
    private func conversations(in folder: URL) throws -> URL {
        let records = (0..<10).map { number in
            let image = number == 3 ? "missing.jpg" : "a.jpg"
            return
                #"{"id": "same", "image": "\#(image)", "conversations": [{"from": "human", "value": "Which?"}, {"from": "gpt", "value": "Number \#(number)."}]}"#
        }
        try folder.write("[" + (records + ["{}"]).joined(separator: ",\n") + "]", "data.json")
        try pictures("images/a.jpg", in: folder)
        return folder.appendingPathComponent("data.json")
    }

    private var smallShards: ShardSink.Limits {
        var limits = ShardSink.Limits()
        limits.pictures = 4
        return limits
    }

    private func contents(of folder: URL) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            found[name] = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path)
        }
        return found
    }

    @Test func anImportThatEndsAnywhereGoesOnToTheSameResult() throws {
        try withFolder { folder in
            let place = try conversations(in: folder), whole = folder.appendingPathComponent("whole")
            let report = try AnnotationExchange.importRecords(.llava, from: place, to: whole, limits: smallShards)
            #expect(report.pictures == 9 && report.records.issueCount == 2)
            let set = try AnnotationSets.open(whole)
            #expect(set.count == 9)
            #expect(try set.annotation(at: 8).key == "same-9" && set.annotation(at: 8).conversation?.count == 1)
            let expected = try contents(of: whole)
            #expect(
                expected.keys.filter { $0.hasSuffix(".tar") }.sorted()
                    == ["shards/000000.tar", "shards/000001.tar", "shards/000002.tar"])
            #expect(expected["index.jsonl"]?.count { $0 == 0x0A } == 9 && expected["shards.json"] != nil)
            for stop in 1...11 {
                let out = folder.appendingPathComponent("out-\(stop)")
                var known = 0
                #expect(throws: CancellationError.self) {
                    _ = try AnnotationExchange.importRecords(.llava, from: place, to: out, limits: smallShards) {
                        records, _ in
                        if records == stop { throw CancellationError() }
                    }
                }
                // Nothing half-made has the name.
                #expect(!FileManager.default.fileExists(atPath: out.path))
                let again = try AnnotationExchange.importRecords(.llava, from: place, to: out, limits: smallShards) {
                    records, _ in
                    if known == 0 { known = records }
                }
                // Shards end behind the fifth record and the ninth.
                #expect(known == (stop >= 9 ? 10 : stop >= 5 ? 6 : 1))
                #expect(again == report)
                #expect(try contents(of: out) == expected)
            }
            // What is there is not written over, and no hidden folders are left.
            #expect(throws: ExchangeError.self) {
                try AnnotationExchange.importRecords(.llava, from: place, to: whole, limits: smallShards)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.hasPrefix(".") })
        }
    }

    @Test func anotherFileOrOtherSettingsBeginAnew() throws {
        try withFolder { folder in
            let place = try conversations(in: folder), out = folder.appendingPathComponent("out")
            func stopped() {
                #expect(throws: CancellationError.self) {
                    _ = try AnnotationExchange.importRecords(.llava, from: place, to: out, limits: smallShards) {
                        records, _ in
                        if records == 9 { throw CancellationError() }
                    }
                }
            }
            stopped()
            try folder.write("[]\n", "data.json")
            #expect(
                try AnnotationExchange.importRecords(.llava, from: place, to: out, limits: smallShards).pictures == 0)
            #expect(throws: AnnotationsError.self) { try AnnotationSets.open(out) }
            try FileManager.default.removeItem(at: out)
            _ = try conversations(in: folder)
            stopped()
            var strict = ImportSettings()
            strict.refusesBadRecords = true
            #expect(throws: ExchangeError.self) {
                try AnnotationExchange.importRecords(
                    .llava, from: place, to: out, settings: strict, limits: smallShards)
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["data.json", "images"])
        }
    }

    @Test(arguments: ImportFormat.allCases) func aPlaceThatIsNotThereIsAnErrorAndLeavesNothing(_ format: ImportFormat)
        throws
    {
        try withFolder { folder in
            #expect(throws: ExchangeError.self) {
                try AnnotationExchange.importRecords(
                    format, from: folder.appendingPathComponent("none"), to: folder.appendingPathComponent("out"))
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left == [])
        }
    }

    @Test(arguments: [
        (ImportFormat.coco, "annotations.json"), (.lvis, "lvis.json"), (.objects365, "zhiyuan.json"),
        (.openImages, "a-annotations-bbox.csv"), (.refCOCO, "refs(unc).p"), (.refCOCO, "refs.json"),
        (.visualGenome, "image_data.json"), (.llava, "data.json"), (.labelStudio, "tasks.json"),
        (.fiftyOne, "samples.json"),
    ]) func anEmptyFileAndOneOfAnotherFormAreErrorsThatNameTheFile(_ format: ImportFormat, _ name: String) throws {
        try withFolder { folder in
            try folder.write("/m/1,dog\n", "class-descriptions.csv")
            try folder.write("[]", "objects.json")
            try folder.write(Self.instances, "instances.json")
            for text in ["", "{\"images\": 3}", "{", "[{\"a\": 1}"] {
                try folder.write(text, name)
                let error = #expect(throws: ExchangeError.self, "\(text)") {
                    try imported(format, folder.appendingPathComponent(name))
                }
                #expect("\(try #require(error))".contains(name))
            }
        }
    }
}
