import Annotations
import Boxes
import ChatRex
import Foundation
import WebPages

import struct Annotations.Annotation

/// Label Studio: tasks with predictions to correct, or with people's annotations. A region's label is its category; its texts are text areas
/// of the region.
enum LabelStudioExchange {
    private static let list = "tasks.json", configuration = "labeling.xml", pictures = "images"

    struct Task: Codable {
        struct Content: Codable {
            var image: String?
            var caption: String?
        }

        var data: Content
        var annotations: [Work]?, predictions: [Work]?
    }

    /// What one person or model drew.
    struct Work: Codable {
        var modelVersion: String?
        var score: Double?
        var isCancelled: Bool?
        var result: [Result]

        enum CodingKeys: String, CodingKey {
            case score, result
            case modelVersion = "model_version"
            case isCancelled = "was_cancelled"
        }
    }

    /// A box, or a text about the box with the same id.
    struct Result: Codable {
        var id: String?
        var type: String
        var fromName: String?, toName: String?
        var originalWidth: Int?, originalHeight: Int?
        var imageRotation: Double?
        var score: Double?
        var value: Value?

        enum CodingKeys: String, CodingKey {
            case id, type, score, value
            case fromName = "from_name"
            case toName = "to_name"
            case originalWidth = "original_width"
            case originalHeight = "original_height"
            case imageRotation = "image_rotation"
        }
    }

    struct Value: Codable {
        var x: Double?, y: Double?, width: Double?, height: Double?, rotation: Double?
        var rectanglelabels: [String]?
        var text: Texts?
    }

    /// One text or several.
    struct Texts: Codable {
        var all: [String]

        init(_ text: String) { all = [text] }

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            all = try (try? value.decode([String].self)) ?? [value.decode(String.self)]
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            try value.encode(all)
        }
    }

    /// Text areas and what they hold.
    private static var texts: [(name: String, text: WritableKeyPath<Region, String?>)] {
        [
            ("phrase", \.phrase), ("description", \.description), ("referring_expression", \.referringExpression),
        ]
    }

    // MARK: Out

    static func write(_ set: any AnnotationSet, to output: ExportFolder, settings: ExportSettings) throws
        -> ExchangeReport
    {
        var report = ExchangeReport()
        try output.writeElements(to: list) { (write: (Task) throws -> Void) in
            try output.forEachSample(
                of: set, pictures: pictures,
                losing: [.captionPhrases, .conversations, .absent], &report
            ) { annotation, report in
                let results = annotation.regions.enumerated().flatMap {
                    Self.results(for: $1, number: $0, in: annotation)
                }
                let scores = annotation.regions.compactMap(\.score)
                let mean = scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count)
                let content = Task.Content(
                    image: settings.labelStudioPrefix + annotation.fileName, caption: annotation.caption?.text)
                try write(
                    Task(
                        data: content,
                        predictions: [Work(modelVersion: settings.name, score: mean, result: results)]))
                report.regions += annotation.regions.count
            }
        }
        try output.write(Data(labellingConfiguration(try CategoryNames.sorted(of: set)).utf8), to: configuration)
        return report
    }

    private static func results(for region: Region, number: Int, in annotation: Annotation) -> [Result] {
        let labels = region.category.map { [$0] }
        guard
            let place = LabelStudioTask.Value(
                region.box, labels: labels ?? [], width: annotation.width, height: annotation.height)
        else { return [] }
        func result(_ type: String, from name: String, labels: [String]? = nil, text: String? = nil) -> Result {
            Result(
                id: "region-\(number)", type: type, fromName: name, toName: "image", originalWidth: annotation.width,
                originalHeight: annotation.height, imageRotation: 0, score: text == nil ? region.score : nil,
                value: Value(
                    x: place.x, y: place.y, width: place.width, height: place.height, rotation: 0,
                    rectanglelabels: labels, text: text.map { Texts($0) }))
        }
        let box =
            labels == nil ? result("rectangle", from: "box") : result("rectanglelabels", from: "label", labels: labels)
        return [box]
            + texts.compactMap { name, text in
                region[keyPath: text].map { result("textarea", from: name, text: $0) }
            }
    }

    private static func labellingConfiguration(_ names: [String]) -> String {
        let labels = names.map { "    <Label value=\"\(Markup.escaped($0))\"/>\n" }.joined()
        let areas = texts.map { name, _ in
            "  <TextArea name=\"\(name)\" toName=\"image\" perRegion=\"true\" editable=\"true\"/>\n"
        }.joined()
        return """
            <View>
              <Image name="image" value="$image"/>
              <Text name="caption" value="$caption"/>
              <RectangleLabels name="label" toName="image">
            \(labels)  </RectangleLabels>
              <Rectangle name="box" toName="image"/>
            \(areas)</View>

            """
    }

    // MARK: In

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let file = place.isFolder ? place.appendingPathComponent(list) : place
        try JSONElements.forEach(in: file) { element in
            let place = "\(file.path), task \(element.number)"
            try importer.record(place) {
                let task = try JSONDecoder().decode(Task.self, from: Data(element.bytes))
                guard let address = task.data.image else { throw RecordProblem(.other, "it shows no image") }
                let picture = try importer.picture(named: fileName(of: address))
                // People's work counts more than a model's; of several the first.
                let done = (task.annotations ?? []).filter { $0.isCancelled != true }
                importer.leaveOut("further annotations of a task", max(0, done.count - 1))
                let work = done.first ?? task.predictions?.first
                let regions = try regions(work?.result ?? [], picture, place, importer)
                try importer.add(
                    picture, caption: task.data.caption.flatMap { $0.isEmpty ? nil : GroundedCaption(text: $0) },
                    regions: regions)
            }
        }
    }

    /// `images/a.jpg` of `/data/local-files/?d=images/a.jpg` and of `https://host/images/a.jpg?token=1`.
    private static func fileName(of address: String) -> String {
        if let query = address.range(of: "?d=") {
            let value = address[query.upperBound...].prefix { $0 != "&" }
            return value.removingPercentEncoding ?? String(value)
        }
        guard let parts = URLComponents(string: address), parts.scheme != nil else { return address }
        return String(parts.path.drop { $0 == "/" })
    }

    private static func regions(
        _ results: [Result], _ picture: ImportedPicture, _ place: String, _ importer: RecordImporter
    ) throws -> [Region] {
        var regions: [Region] = [], numbers: [String: Int] = [:]
        for (index, result) in results.enumerated() where ["rectanglelabels", "rectangle"].contains(result.type) {
            try importer.part("\(place), result \(result.id ?? "\(index)")") {
                guard let value = result.value, let x = value.x, let y = value.y, let width = value.width,
                    let height = value.height
                else { throw RecordProblem(.boxForm, "a box lacks its place") }
                guard value.rotation ?? 0 == 0, result.imageRotation ?? 0 == 0 else {
                    throw RecordProblem(.boxForm, "a turned box cannot be kept")
                }
                let box = Box(x: x, y: y, width: width, height: height).scaled(
                    x: Double(picture.width) / 100, y: Double(picture.height) / 100)
                if let id = result.id { numbers[id] = regions.count }
                regions.append(
                    Region(
                        id: regions.count, box: try importer.checked(box, in: picture),
                        score: importer.score(result.score), category: value.rectanglelabels?.first))
            }
        }
        for result in results where result.type == "textarea" {
            guard let field = texts.first(where: { $0.name == result.fromName }), let id = result.id,
                let number = numbers[id], let text = result.value?.text
            else {
                importer.leaveOut("texts that belong to no region")
                continue
            }
            regions[number][keyPath: field.text] = text.all.joined(separator: "\n")
        }
        return regions
    }
}
