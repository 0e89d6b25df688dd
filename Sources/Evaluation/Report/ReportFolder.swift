import Checkpoints
import Foundation
import Imaging

/// A report as files: `report.json` for programs, `report.md`, and `index.html` with `charts/` and `pictures/` beside it.
public struct ReportFolder: Sendable {
    public let url: URL
    /// Longer side of the small pictures, pixels, and their JPEG quality.
    public var pictureSide = 640, quality = 80

    public init(_ url: URL) {
        self.url = url
    }

    /// A picture that could be shown.
    struct ShownPicture {
        /// Relative to the report.
        var file: String
        /// Of the original, which boxes are measured in.
        var width: Int, height: Int
    }

    /// Writes the files, over those of an earlier report.
    ///
    /// - Parameter picture: loads a picture by `ReportPicture.image`; nil where there are none. What it throws leaves the picture away: a
    ///   report is not lost by it.
    public func write(_ report: EvaluationReport, picture: ((Int) throws -> Image)? = nil) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try removeFormerPictures()
        let shown = try picture.map { try writePictures(report, $0) } ?? [:]
        try writeCharts(report)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try write(encoder.encode(report.json) + Data("\n".utf8), "report.json")
        try write(Data(report.markdown(pictures: shown.mapValues(\.file)).utf8), "report.md")
        try write(Data(report.page(pictures: shown).utf8), "index.html")
    }

    private static let (prefix, suffix) = ("report-picture-", ".jpg")

    /// Only files of names that this type gives: the folder may hold others.
    private func removeFormerPictures() throws {
        let place = url.appendingPathComponent("pictures")
        for name in (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
        where name.hasPrefix(Self.prefix) && name.hasSuffix(Self.suffix) {
            try FileManager.default.removeItem(at: place.appendingPathComponent(name))
        }
    }

    static func place(of chart: ReportChart) -> String { "charts/\(chart.name).svg" }

    private func write(_ data: Data, _ name: String) throws {
        try AtomicFile.write(data, to: url.appendingPathComponent(name))
    }

    private func writeCharts(_ report: EvaluationReport) throws {
        let charts = report.sections.flatMap { section -> [ReportChart] in
            if case .charts(let charts) = section.content { charts } else { [] }
        }
        if charts.isEmpty { return }
        try FileManager.default.createDirectory(
            at: url.appendingPathComponent("charts"), withIntermediateDirectories: true)
        for chart in charts { try write(Data(chart.chart.svg().utf8), Self.place(of: chart)) }
    }

    private func writePictures(
        _ report: EvaluationReport, _ load: (Int) throws -> Image
    ) throws -> [Int: ShownPicture] {
        let wanted = Set(
            report.sections.flatMap { section -> [Int] in
                if case .pictures(let pictures) = section.content { pictures.map(\.image) } else { [] }
            })
        if wanted.isEmpty { return [:] }
        try FileManager.default.createDirectory(
            at: url.appendingPathComponent("pictures"), withIntermediateDirectories: true)
        var shown: [Int: ShownPicture] = [:]
        for image in wanted.sorted() {
            guard let picture = try? load(image) else { continue }
            let file = "pictures/\(Self.prefix)\(image)\(Self.suffix)"
            try picture.reduced(toLongSide: pictureSide).write(
                to: url.appendingPathComponent(file).path, encoding: .jpeg(quality: quality))
            shown[image] = ShownPicture(file: file, width: picture.width, height: picture.height)
        }
        return shown
    }
}
