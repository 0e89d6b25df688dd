import Boxes
import ChatRex
import Foundation
import Imaging
import UPN

/// Answers for people to read.
enum AnswerText {
    /// The lines about one picture under its name.
    static func block(_ picture: Picture, _ lines: [String], drawnTo target: String?) -> String {
        let title = "\(Terminal.printable(picture.path))  \(picture.image.width) x \(picture.image.height)"
        return ([title] + lines + (target.map { ["  drawn: " + Terminal.printable($0)] } ?? [])).joined(separator: "\n")
    }

    /// Detections in a table, and what was looked for in vain.
    static func detections(_ answer: GroundedAnswer, isComplete: Bool = true) -> [String] {
        var table = Table([("score", .right)] + boxColumns + [("phrase", .left)])
        for (phrase, object) in answer.detections { table.add([score(object.score)] + numbers(object.box) + [phrase]) }
        let absent = isComplete ? answer.groups.filter { $0.objects.isEmpty }.map(\.phrase) : []
        if absent.isEmpty { return table.lines }
        let more = absent.count > 10 ? " and \(absent.count - 10) more" : ""
        return table.lines + ["  not found: " + Terminal.printable(absent.prefix(10).joined(separator: "; ")) + more]
    }

    /// Numbers of objects.
    static func counts(_ counts: [PhraseCount]) -> [String] {
        var table = Table([("count", .right), ("phrase", .left)])
        for count in counts { table.add([String(count.count), count.phrase]) }
        return table.lines
    }

    /// The text of an answer, indented.
    static func text(_ answer: GroundedAnswer) -> [String] {
        answer.text.split(whereSeparator: \.isNewline).map { "  " + Terminal.printable(String($0)) }
    }

    /// Boxes with what is in each.
    static func regions(_ answers: [GroundedAnswer]) -> [String] {
        var table = Table([("region", .right)] + boxColumns + [("description", .left)])
        for answer in answers {
            guard let region = answer.mentions.first?.object else { continue }
            table.add([String(region.index)] + numbers(region.box) + [answer.text])
        }
        return table.lines
    }

    static func proposals(_ proposals: [Proposal]) -> [String] {
        var table = Table([("score", .right)] + boxColumns + [("granularity", .left)])
        for proposal in proposals {
            table.add([score(proposal.score)] + numbers(proposal.box) + [proposal.granularity.rawValue])
        }
        return table.lines
    }

    private static let boxColumns: [(title: String, alignment: Table.Alignment)] = [
        ("x1", .right), ("y1", .right), ("x2", .right), ("y2", .right),
    ]

    private static func numbers(_ box: Box) -> [String] { box.values(.xyxy).map { fixed($0, digits: 0) } }

    private static func score(_ value: Double) -> String { fixed(value, digits: 2) }

    private static func fixed(_ value: Double, digits: Int) -> String {
        let text = String(format: "%.\(digits)f", value)
        return text == "-0" ? "0" : text
    }
}

/// How many objects a phrase has.
struct PhraseCount: Encodable {
    var phrase: String
    var count: Int
}

/// What `--json` prints for one picture, on one line.
struct PictureRecord: Encodable {
    /// The picture as it was named, and its size in pixels.
    var source: String
    var width: Int, height: Int
    /// Where the annotated picture was written.
    var drawn: String?
    var counts: [PhraseCount]?
    var answer: GroundedAnswer?
    /// One answer a region; the first mention of each is the region.
    var regions: [GroundedAnswer]?
    var proposals: [Proposal]?

    init(_ picture: Picture, drawn: String?) {
        (source, width, height, self.drawn) = (picture.path, picture.image.width, picture.image.height, drawn)
    }
}

/// JSON as this program writes it: keys in order, so that equal results are equal texts.
enum JSONText {
    static func line(_ value: some Encodable) throws -> String {
        return String(decoding: try JSONEncoder.lines.encode(value), as: UTF8.self)
    }
}
