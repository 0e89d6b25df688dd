import Annotations
import Boxes
import DataEngine
import Foundation
import Imaging
import Testing

import struct Annotations.Annotation

/// Samples in memory.
struct SampleList: AnnotationSet {
    var samples: [AnnotatedSample]

    var count: Int { samples.count }
    func annotation(at index: Int) -> Annotation { samples[index].annotation }
    func sample(at index: Int) -> AnnotatedSample { samples[index] }
    func place(of index: Int) -> String { "sample \(index)" }
}

/// Gathers what is imported.
final class SampleSink: AnnotationSink {
    private(set) var samples: [AnnotatedSample] = []
    private(set) var isFinished = false

    func add(_ annotation: Annotation, picture: [UInt8]) {
        samples.append(AnnotatedSample(annotation: annotation, picture: picture))
    }

    func finish() { isFinished = true }
}

enum ExchangeFixtures {
    /// A picture of one colour as a file.
    static func picture(
        _ width: Int = 100, _ height: Int = 80, red: UInt8 = 200, _ encoding: ImageEncoding = .jpeg()
    ) throws -> [UInt8] {
        try Image(width: width, height: height, filledWith: Color(red: red, green: 40, blue: 90)).encoded(as: encoding)
    }

    static func sample(
        _ key: String, picture: [UInt8], format: String = "jpg", width: Int = 100, height: Int = 80,
        caption: GroundedCaption? = nil, regions: [Region] = [], conversation: [GroundedTurn]? = nil
    ) -> AnnotatedSample {
        AnnotatedSample(
            annotation: Annotation(
                key: key, source: "import", format: format, sha256: Annotation.digest(of: picture), width: width,
                height: height, caption: caption, regions: regions, conversation: conversation), picture: picture)
    }

    /// Everything that an annotation can say, and pictures about which little is known.
    static func samples() throws -> [AnnotatedSample] {
        let dog = Region(
            id: 4, box: Box(x1: 10, y1: 12.5, x2: 50, y2: 60), score: 0.75, category: "dog",
            phrase: "a brown dog", description: "A brown dog lies on the grass; it is \"asleep\".\nIt wears a collar.",
            referringExpression: "the brown dog left of the bench")
        let bench = Region(
            id: 9, box: Box(x1: 40, y1: 20, x2: 100, y2: 80), category: "park bench", phrase: "a bench & a <table>")
        let nameless = Region(id: 11, box: Box(x1: 0, y1: 0, x2: 5, y2: 5), score: 0.5, phrase: "something small")
        let caption = GroundedCaption(
            text: "Zwei Hünde 🐕: a brown dog lies by two benches.",
            phrases: [
                .init(text: "a brown dog", start: 14, end: 25, regions: [4]),
                .init(text: "two benches", start: 34, end: 45, regions: [9]),
            ])
        let turns = [
            GroundedTurn(question: "What lies there?", answer: GroundedCaption(text: "A cat.")),
            GroundedTurn(
                question: "Where is it?",
                answer: GroundedCaption(
                    text: "Left of a bench.", phrases: [.init(text: "a bench", start: 8, end: 15, regions: [9])])),
        ]
        return [
            sample(
                "full", picture: try picture(), caption: caption, regions: [dog, bench, nameless], conversation: turns),
            sample("bare", picture: try picture(60, 90, red: 10, .png), format: "png", width: 60, height: 90),
            sample(
                "web-p_1", picture: try picture(64, 64, .webp()), format: "webp", width: 64, height: 64,
                caption: GroundedCaption(text: "A street."),
                regions: [Region(id: 0, box: Box(x1: 0, y1: 0, x2: 64, y2: 64), score: 1, category: "street")]),
        ]
    }

    /// What is left of a sample after it went through a form and back.
    static func kept(_ sample: AnnotatedSample, by name: String) -> AnnotatedSample {
        var sample = sample
        func change(_ body: (inout Annotation) -> Void) { body(&sample.annotation) }
        func renumber(_ annotation: inout Annotation) {
            let numbers = Dictionary(uniqueKeysWithValues: annotation.regions.enumerated().map { ($1.id, $0) })
            func renamed(_ caption: inout GroundedCaption) {
                for index in caption.phrases.indices {
                    caption.phrases[index].regions = caption.phrases[index].regions.compactMap { numbers[$0] }
                }
            }
            if var caption = annotation.caption {
                renamed(&caption)
                annotation.caption = caption
            }
            annotation.conversation = annotation.conversation?.map { turn in
                var turn = turn
                renamed(&turn.answer)
                return turn
            }
            for index in annotation.regions.indices { annotation.regions[index].id = index }
        }
        func withoutText(_ region: inout Region) {
            (region.phrase, region.description, region.referringExpression) = (nil, nil, nil)
        }
        switch name {
        case "coco", "yolo":
            change { annotation in
                annotation.regions.removeAll { $0.category == nil }
                for index in annotation.regions.indices { withoutText(&annotation.regions[index]) }
                if name == "yolo" {
                    annotation.caption = nil
                    for index in annotation.regions.indices { annotation.regions[index].score = nil }
                }
                annotation.caption?.phrases = []
                annotation.conversation = nil
                renumber(&annotation)
            }
        case "llava":
            change { annotation in
                renumber(&annotation)
                for index in annotation.regions.indices { annotation.regions[index].score = nil }
            }
        case "label-studio", "fiftyone", "rexverse":
            change { annotation in
                annotation.caption?.phrases = []
                annotation.conversation = nil
                if name != "fiftyone" { renumber(&annotation) }
            }
        default: break
        }
        return sample
    }
}

/// A new folder that is gone when `body` returns.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("exchange-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

extension URL {
    func write(_ text: String, _ name: String) throws { try write(Array(text.utf8), name) }

    func write(_ bytes: [UInt8], _ name: String) throws {
        let place = appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: place)
    }
}

/// Imports into memory.
func imported(_ format: ImportFormat, _ place: URL, _ settings: ImportSettings = ImportSettings()) throws
    -> (samples: [AnnotatedSample], report: ExchangeReport)
{
    let sink = SampleSink()
    let report = try AnnotationExchange.importRecords(format, from: place, into: sink, settings: settings)
    #expect(sink.isFinished && report.pictures == sink.samples.count)
    return (sink.samples, report)
}

/// Boxes that went through decimal digits or shares of sides.
func isClose(_ a: Box, _ b: Box, within tolerance: Double) -> Bool {
    zip(a.values(.xyxy), b.values(.xyxy)).allSatisfy { abs($0 - $1) <= tolerance }
}
