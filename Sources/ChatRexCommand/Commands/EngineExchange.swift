import Annotations
import ArgumentParser
import DataEngine
import Foundation

/// `chatrex engine export`: annotated pictures for other programs.
package struct EngineExportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write annotated pictures in the form of another program.",
        discussion: """
            FORMS
            \(ExchangeFormat.table)

            EXAMPLE
              chatrex engine export runs/engine --format coco --out runs/coco
            """)

    @Argument(help: "Output of the engine, or another folder of annotated pictures.")
    var folder: String

    @Option(help: "The other form.")
    var format: ExchangeFormat

    @Option(name: .shortAndLong, help: ArgumentHelp("A new or empty folder.", valueName: "folder"))
    var out: String

    @Option(help: "What stands before the file name in the pictures' addresses for Label Studio.")
    var labelStudioPrefix = ExportSettings().labelStudioPrefix

    package init() {}

    package func run() throws {
        var settings = ExportSettings()
        settings.labelStudioPrefix = labelStudioPrefix
        let set = try AnnotationSets.open(URL(fileURLWithPath: folder, isDirectory: true))
        var report = ExchangeReport()
        try NewFolder(out).fill { temporary in
            report = try AnnotationExchange.exportRecords(set, as: format, to: temporary, settings: settings)
        }
        // A signal waits while the folder is filled, and so would the terminal.
        try Terminal.write("\(report)")
    }
}

/// `chatrex engine import`: annotated pictures of other programs.
package struct EngineImportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read annotated pictures of another program.",
        discussion: """
            FORMS
            \(ExchangeFormat.table)

            EXAMPLE
              chatrex engine import instances_val2017.json --format coco --pictures val2017 --out runs/coco
            """)

    @Argument(help: "The folder or its main file.")
    var source: String

    @Option(help: "The form that it has.")
    var format: ExchangeFormat

    @Option(name: .shortAndLong, help: ArgumentHelp("A new or empty folder.", valueName: "folder"))
    var out: String

    @Option(help: ArgumentHelp("Where the pictures lie. (default: beside the file)", valueName: "folder"))
    var pictures: String?

    @Option(help: "What the annotations say about where they come from.")
    var name: String?

    @Flag(help: "Take nothing where one record is faulty; otherwise faulty ones are named and left out.")
    var strict = false

    package init() {}

    package func run() throws {
        var settings = ImportSettings()
        settings.pictures = pictures
        settings.refusesBadRecords = strict
        settings.source = name ?? format.rawValue
        var report = ExchangeReport()
        try NewFolder(out).fill { temporary in
            report = try AnnotationExchange.importRecords(
                format, from: URL(fileURLWithPath: source), into: AnnotationFolderSink(temporary), settings: settings)
        }
        try Terminal.write("\(report)")
    }
}

/// `chatrex engine card`: a set described for people.
package struct EngineCardCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "card",
        abstract: "Describe annotated pictures: README.md, card.json and a gallery.",
        discussion: "EXAMPLE\n  chatrex engine card runs/engine --samples 100")

    @Argument(help: "Output of the engine, or another folder of annotated pictures.")
    var folder: String

    @Option(help: "Samples in the gallery, 0 for none.")
    var samples = GallerySettings().samples

    @Option(help: "The set's name.")
    var name: String?

    @Option(help: "The licence, as Hugging Face spells it.")
    var license = DatasetCardSettings().license

    package init() {}

    package func run() throws {
        let place = URL(fileURLWithPath: folder, isDirectory: true)
        let set = try AnnotationSets.open(place)
        var settings = DatasetCardSettings()
        settings.name = name ?? place.lastPathComponent
        settings.license = license
        // A folder of another origin has no run to tell of.
        let status = try? EngineStatus(OutputFolder(place))
        try DatasetCard(
            statistics: DatasetStatistics(of: set), drops: status?.drops ?? [:], failures: status?.failures ?? [:],
            settings: settings
        ).write(to: place)
        var gallery = GallerySettings()
        gallery.samples = samples
        let page = place.appendingPathComponent("gallery")
        if samples > 0 { try Gallery.write(set, title: settings.name, to: page, settings: gallery) }
        try Terminal.write(place.appendingPathComponent("README.md").path)
        if samples > 0 { try Terminal.write(page.appendingPathComponent("index.html").path) }
    }
}

extension ExchangeFormat: ExpressibleByArgument {}

extension ExchangeFormat {
    /// Names with what is lost on the way there and back.
    fileprivate static var table: String {
        allCases.map { "  \($0.rawValue.padding(toLength: 13, withPad: " ", startingAt: 0)) loses \($0.loses)" }
            .joined(separator: "\n")
    }
}
