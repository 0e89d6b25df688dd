import Annotations
import Boxes
import Foundation
import Testing

private func sample(_ number: Int) -> AnnotatedSample {
    let picture = [UInt8](repeating: UInt8(number), count: 700 + number)
    let annotation = Annotation(
        key: "picture-\(number)", source: "test", format: "jpg", sha256: Annotation.digest(of: picture), width: 100,
        height: 80,
        caption: GroundedCaption(
            text: "Été: a 🐕 barks.", phrases: [.init(text: "a 🐕", start: 5, end: 8, regions: [7])]),
        regions: [Region(id: 7, box: Box(x1: 1.5, y1: 2, x2: 50, y2: 60), score: 0.5, category: "dog")],
        conversation: [GroundedTurn(question: "Who?", answer: GroundedCaption(text: "A dog."))])
    return AnnotatedSample(annotation: annotation, picture: picture)
}

private func shard(_ numbers: Range<Int>) throws -> TestShard {
    var shard = TestShard()
    for number in numbers {
        let sample = sample(number)
        shard.add(sample.annotation.fileName, sample.picture)
        shard.add(sample.annotation.key + ".json", [UInt8](try JSONEncoder.lines.encode(sample.annotation)))
    }
    return shard
}

@Suite struct AnnotationSetTests {
    @Test func shardsGiveEverySampleBackByNumber() throws {
        try withFolder { folder in
            let shards = folder.appendingPathComponent("shards")
            try FileManager.default.createDirectory(at: shards, withIntermediateDirectories: true)
            try shard(0..<3).write(to: shards.appendingPathComponent("000000.tar"))
            try shard(3..<5).write(to: shards.appendingPathComponent("000001.tar"))
            try Data("half".utf8).write(to: shards.appendingPathComponent(".000002.tar.tmp"))
            let set = try AnnotationSets.open(folder)
            #expect(set.count == 5)
            for number in [4, 0, 3, 2, 1] {
                #expect(try set.sample(at: number) == sample(number))
                #expect(try set.annotation(at: number) == sample(number).annotation)
            }
            #expect(set.place(of: 4).contains("000001.tar"))
        }
    }

    @Test func aPictureThatIsNotTheAnnotatedOneIsNamed() throws {
        try withFolder { folder in
            var other = sample(1)
            other.picture[3] ^= 1
            var shard = try shard(0..<1)
            shard.add(other.annotation.fileName, other.picture)
            shard.add(other.annotation.key + ".json", [UInt8](try JSONEncoder.lines.encode(other.annotation)))
            try shard.write(to: folder.appendingPathComponent("a.tar"))
            let set = try AnnotationShards(folder)
            #expect(try set.sample(at: 0) == sample(0))
            #expect(try set.annotation(at: 1) == other.annotation)
            let error = #expect(throws: AnnotationsError.self) { try set.sample(at: 1) }
            #expect(error.map { "\($0)".contains("a.tar, byte") && "\($0)".contains("SHA-256") } == true)
        }
    }

    @Test func aShardThatIsListedAndNotThereIsMissed() throws {
        try withFolder { folder in
            let shards = folder.appendingPathComponent("shards")
            try FileManager.default.createDirectory(at: shards, withIntermediateDirectories: true)
            try shard(0..<2).write(to: shards.appendingPathComponent("0.tar"))
            let bytes = try Data(contentsOf: shards.appendingPathComponent("0.tar")).count
            for (list, words) in [
                (#"[{"name": "0.tar", "bytes": \#(bytes)}]"#, nil),
                (
                    #"[{"name": "0.tar", "bytes": \#(bytes)}, {"name": "1.tar", "bytes": 9}]"#,
                    "1.tar, which is not there"
                ),
                (#"[{"name": "0.tar", "bytes": 7}]"#, "has \(bytes) bytes, but shards.json says 7"),
            ] {
                try Data(list.utf8).write(to: folder.appendingPathComponent("shards.json"))
                if let words {
                    let error = #expect(throws: AnnotationsError.self) { try AnnotationShards(folder) }
                    #expect(error.map { "\($0)".contains(words) } == true)
                } else {
                    #expect(try AnnotationShards(folder).count == 2)
                }
            }
        }
    }

    @Test func blankTextsAreFaults() {
        var annotation = sample(0).annotation
        #expect(annotation.problems.isEmpty)
        annotation.regions[0].category = " "
        annotation.regions[0].phrase = ""
        annotation.conversation = [GroundedTurn(question: "\n", answer: GroundedCaption(text: "A dog."))]
        #expect(annotation.problems.map(\.kind) == [.text, .text, .text])
        #expect(annotation.problems[0].reason.contains("category is blank"))
        let (region, count) = annotation.regions[0].withoutBlankTexts
        #expect(count == 2 && region.category == nil && region.phrase == nil)
    }

    @Test(arguments: ["cut", "open", "checksum", "orphan", "stranger", "link"])
    func aDamagedShardIsNamed(_ damage: String) throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("000000.tar")
            var shard = try shard(0..<2)
            switch damage {
            case "orphan": shard.add("alone.jpg", [1])
            case "stranger":
                shard.add("one.jpg", [1])
                shard.add("two.json", [2])
            case "link": shard.add("link", [], kind: "2")
            default: break
            }
            try shard.write(to: url, isClosed: damage != "open")
            var bytes = try Data(contentsOf: url)
            if damage == "cut" { bytes = bytes.prefix(3000) }
            if damage == "checksum" { bytes[3] ^= 1 }
            try bytes.write(to: url)
            let error = #expect(throws: AnnotationsError.self) { try AnnotationShards(folder) }
            #expect(error.map { "\($0)".contains("000000.tar") } == true)
        }
    }

    @Test func aRecordThatIsNoAnnotationIsNamedByShardAndPlace() throws {
        try withFolder { folder in
            var shard = try shard(0..<1)
            shard.add("bad.json", [UInt8]("{\"key\":\"bad\",\"regions\":[{\"id\":1,\"bbox\":[5,5,1,1]}]}".utf8))
            shard.add("bad.jpg", [1])
            try shard.write(to: folder.appendingPathComponent("a.tar"))
            let set = try AnnotationShards(folder)
            #expect(set.count == 2)
            let error = #expect(throws: AnnotationsError.self) { try set.annotation(at: 1) }
            #expect(error.map { "\($0)".contains("a.tar, byte") } == true)
        }
    }

    @Test func aFolderThatWasWrittenIsReadAgain() throws {
        try withFolder { folder in
            var sink: any AnnotationSink = try AnnotationFolderSink(folder)
            for number in 0..<3 { try sink.add(sample(number).annotation, picture: sample(number).picture) }
            // Half-written, it is none.
            #expect(throws: AnnotationsError.self) { try AnnotationSets.open(folder) }
            try sink.finish()
            let set = try AnnotationSets.open(folder)
            #expect(set.count == 3)
            for number in 0..<3 { #expect(try set.sample(at: number) == sample(number)) }
            #expect(throws: AnnotationsError.self) { try AnnotationFolderSink(folder) }
        }
    }

    @Test(arguments: ["../secret", "a/b", "", "a b", "é"]) func aKeyThatLeadsElsewhereIsRefused(_ key: String) throws {
        try withFolder { folder in
            var sample = sample(0)
            sample.annotation.key = key
            var sink = try AnnotationFolderSink(folder)
            #expect(throws: AnnotationsError.self) { try sink.add(sample.annotation, picture: sample.picture) }
            #expect(!sample.annotation.problems.isEmpty)
        }
    }

    @Test func aGoodRecordHasNoProblemsAndEachFaultIsNamed() {
        #expect(sample(1).annotation.problems == [])
        let faults: [(String, (inout Annotation) -> Void)] = [
            ("same id", { $0.regions.append($0.regions[0]) }),
            ("no area", { $0.regions[0].box = Box(x1: 5, y1: 5, x2: 5, y2: 9) }),
            ("no area", { $0.regions[0].box.x1 = .nan }),
            ("reaches out", { $0.regions[0].box.x2 = 102 }),
            ("score", { $0.regions[0].score = 1.5 }),
            ("does not stand", { $0.caption?.phrases[0].end = 9 }),
            ("does not stand", { $0.caption?.phrases[0].end = 900 }),
            ("does not stand", { $0.caption?.phrases[0].start = -1 }),
            ("does not exist", { $0.caption?.phrases[0].regions = [8] }),
            ("empty", { $0.caption = GroundedCaption(text: "") }),
            ("answer 1 is empty", { $0.conversation?[0].answer.text = "" }),
            ("question 1 is blank", { $0.conversation?[0].question = "" }),
            ("wide", { $0.width = 0 }),
        ]
        for (name, change) in faults {
            var annotation = sample(1).annotation
            change(&annotation)
            #expect(annotation.problems.contains { $0.reason.contains(name) }, "\(name): \(annotation.problems)")
        }
    }

    @Test func aReportCountsWhatItDoesNotKeepAndShowsSomeOfEveryKind() {
        var report = RecordReport(), other = RecordReport()
        for number in 0..<RecordReport.keptIssues + 5 { report.note("line \(number)", .init(.boxRange, "bad")) }
        #expect(report.issueCount == RecordReport.keptIssues + 5 && report.issues.count == RecordReport.keptIssues)
        for number in 0..<3 { other.note("late \(number)", .init(.boxRange, "bad")) }
        other.note("odd", .init(.missingPicture, "gone"))
        report.add(other)
        #expect(report.counts == [.boxRange: RecordReport.keptIssues + 8, .missingPicture: 1])
        #expect(report.issues.count == RecordReport.keptIssues + 1)
        let text = "\(report)"
        #expect(text.hasPrefix("208 boxes that reach out of the picture, 1 missing pictures\nline 0: bad\n"))
        #expect(text.contains("odd: gone") && text.hasSuffix("and \(report.issueCount - 4) more"))
    }

    @Test func aBoxThatIsNoneIsCountedAsSuch() throws {
        try withFolder { folder in
            let text =
                #"{"format":"jpg","height":9,"key":"a","regions":[{"bbox":[5,5,1,1],"id":1}],"sha256":"","source":"","width":9}"#
            try Data((text + "\n").utf8).write(to: folder.appendingPathComponent("annotations.jsonl"))
            let set = try AnnotationSets.open(folder)
            let error = #expect(throws: AnnotationsError.self) { try set.annotation(at: 0) }
            guard case .badRecord(let place, let problem)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(place.hasSuffix("annotations.jsonl, line 1") && problem.kind == .boxForm)
        }
    }
}
