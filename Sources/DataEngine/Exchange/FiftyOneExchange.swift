import Annotations
import Boxes
import Foundation

import struct Annotations.Annotation

/// FiftyOne's JSON form: `samples.json` and `metadata.json`, as `fiftyone.types.LegacyFiftyOneDataset` reads them. The newer
/// `FiftyOneDataset`, which is a dump of its database, is read as well; it differs in fields that are of no matter here.
enum FiftyOneExchange {
    private static let list = "samples.json", description = "metadata.json", pictures = "data"
    /// The field that holds our regions.
    private static let field = "regions"

    struct Sample: Encodable {
        struct Metadata: Encodable {
            var _cls = "ImageMetadata"
            var size_bytes: Int, mime_type: String
            var width: Int, height: Int, num_channels = 3
        }

        var filepath: String
        var _media_type = "image"
        var tags: [String] = []
        var metadata: Metadata
        var caption: String?
        var regions: Detections
    }

    struct Detections: Codable {
        var _cls: String? = "Detections"
        var detections: [Detection]
    }

    struct Detection: Codable {
        var _cls: String? = "Detection"
        var tags: [String]? = []
        var label: String?
        /// Left, top, width, height in 0...1 of the sides.
        var bounding_box: [Double]
        var confidence: Double?
        var index: Int?
        var phrase: String?, description: String?, referring_expression: String?
    }

    // MARK: Out

    static func write(_ set: any AnnotationSet, to output: ExportFolder, settings: ExportSettings) throws
        -> ExchangeReport
    {
        var report = ExchangeReport()
        try output.writeElements(to: list, opening: "{\"samples\": [\n", closing: "\n]}\n") {
            (write: (Sample) throws -> Void) in
            try output.forEachSample(
                of: set, pictures: pictures,
                losing: [.captionPhrases, .conversations, .absent], &report
            ) { annotation, report in
                let path = "\(pictures)/\(annotation.fileName)"
                let size = try? output.url.appendingPathComponent(path).resourceValues(forKeys: [.fileSizeKey]).fileSize
                let metadata = Sample.Metadata(
                    size_bytes: size ?? 0,
                    mime_type: "image/" + (annotation.format == "jpg" ? "jpeg" : annotation.format),
                    width: annotation.width, height: annotation.height)
                try write(
                    Sample(
                        filepath: path, metadata: metadata, caption: annotation.caption?.text,
                        regions: Detections(detections: annotation.regions.map { detection($0, in: annotation) })))
                report.regions += annotation.regions.count
            }
        }
        struct Description: Encodable {
            var name: String
            var media_type = "image"
            var default_classes: [String]
            var info: [String: String] = [:]
        }
        let categories = try CategoryNames.sorted(of: set)
        try output.write(
            JSONEncoder.lines.encode(Description(name: settings.name, default_classes: categories)), to: description)
        return report
    }

    private static func detection(_ region: Region, in annotation: Annotation) -> Detection {
        let box = region.box.scaled(x: 1 / Double(annotation.width), y: 1 / Double(annotation.height))
        return Detection(
            label: region.category, bounding_box: box.values(.xywh), confidence: region.score, index: region.id,
            phrase: region.phrase, description: region.description, referring_expression: region.referringExpression)
    }

    // MARK: In

    /// A sample of anyone: fields of any name, of which those with detections matter.
    private struct Found: Decodable {
        var filepath: String
        var caption: String?
        /// By the field's name.
        var detections: [String: Detections] = [:]

        private struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        /// What tells one field from another.
        private struct Kind: Decodable {
            var _cls: String?
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Name.self)
            filepath = try values.decode(String.self, forKey: Name(stringValue: "filepath"))
            caption = try? values.decodeIfPresent(String.self, forKey: Name(stringValue: "caption"))
            for key in values.allKeys {
                guard (try? values.decode(Kind.self, forKey: key))?._cls == "Detections" else { continue }
                detections[key.stringValue] = try values.decode(Detections.self, forKey: key)
            }
        }
    }

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let file = place.isFolder ? place.appendingPathComponent(list) : place
        try JSONElements.forEach(in: file, members: ["samples"]) { element in
            let place = "\(file.path), sample \(element.number)"
            try importer.record(place) {
                let sample = try JSONDecoder().decode(Found.self, from: Data(element.bytes))
                let picture = try importer.picture(named: sample.filepath)
                // Our own field, the usual name of the truth, or whatever there is.
                let names = [field, "ground_truth"] + sample.detections.keys.sorted()
                let name = names.first { sample.detections[$0] != nil }
                importer.leaveOut("further fields of detections", max(0, sample.detections.count - 1))
                let found = name.flatMap { sample.detections[$0]?.detections } ?? []
                try importer.add(
                    picture, caption: sample.caption.flatMap { $0.isEmpty ? nil : GroundedCaption(text: $0) },
                    regions: regions(found, picture, place, importer))
            }
        }
    }

    private static func regions(
        _ found: [Detection], _ picture: ImportedPicture, _ place: String, _ importer: RecordImporter
    ) throws -> [Region] {
        // Indices are ids where every detection has one of its own; FiftyOne uses them for tracks as well.
        let own = found.compactMap(\.index)
        let hasIDs = Set(own).count == found.count
        var regions: [Region] = []
        for (number, detection) in found.enumerated() {
            try importer.part("\(place), detection \(number)") {
                let box = try? Box(detection.bounding_box, format: .xywh).scaled(
                    x: Double(picture.width), y: Double(picture.height))
                regions.append(
                    Region(
                        id: hasIDs ? detection.index ?? number : number, box: try importer.checked(box, in: picture),
                        score: importer.score(detection.confidence), category: detection.label,
                        phrase: detection.phrase, description: detection.description,
                        referringExpression: detection.referring_expression))
            }
        }
        return regions
    }
}
