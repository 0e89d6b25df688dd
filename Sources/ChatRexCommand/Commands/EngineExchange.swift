import Annotations
import ArgumentParser
import DataEngine
import Foundation

/// `chatrex engine export`: annotated pictures for other programs.
package struct EngineExportCommand: AsyncParsableCommand {
    /// What the command writes.
    enum Form: ExpressibleByArgument {
        case records(ExportFormat)
        /// Tables without pictures.
        case parquet

        init?(argument: String) {
            if argument == "parquet" {
                self = .parquet
            } else if let format = ExportFormat(rawValue: argument) {
                self = .records(format)
            } else {
                return nil
            }
        }

        static var allValueStrings: [String] { ExportFormat.allCases.map(\.rawValue) + ["parquet"] }
    }

    package static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write annotated pictures in the form of another program.",
        discussion: """
            FORMS
            \(FormatTable.text(ExportFormat.allCases.map { ($0.rawValue, "loses " + $0.loses) }))
              parquet        tables of annotations and of the index, without pictures; needs Scripts/engine/install.sh

            EXAMPLE
              chatrex engine export runs/engine --as coco --out runs/coco
              chatrex engine export runs/engine --as parquet --out runs/tables
            """)

    @Argument(help: "Output of the engine, or another folder of annotated pictures.")
    var folder: String

    @Option(name: [.customLong("as"), .customLong("format")], help: "The other form.")
    var form: Form

    @Option(name: .shortAndLong, help: ArgumentHelp("A new or empty folder.", valueName: "folder"))
    var out: String

    @Option(help: "What stands before the file name in the pictures' addresses for Label Studio.")
    var labelStudioPrefix = ExportSettings().labelStudioPrefix

    package init() {}

    package func run() async throws {
        let source = URL(fileURLWithPath: folder, isDirectory: true)
        switch form {
        case .parquet:
            let report = try await AnnotationTables.write(source, to: URL(fileURLWithPath: out, isDirectory: true))
            try Terminal.write("\(report)")
        case .records(let format):
            var settings = ExportSettings(), report = ExchangeReport()
            settings.labelStudioPrefix = labelStudioPrefix
            let set = try AnnotationSets.open(source)
            try NewFolder(out).fill { temporary in
                report = try AnnotationExchange.exportRecords(set, as: format, to: temporary, settings: settings)
            }
            // A signal waits while the folder is filled, and so would the terminal.
            try Terminal.write("\(report)")
        }
    }
}

/// `chatrex engine import`: annotated pictures of other programs.
package struct EngineImportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read annotated pictures of another program into shards.",
        discussion: """
            Writes what the engine writes: shards/*.tar, index.jsonl and shards.json, and an account of the import in import.json. The \
            output appears when it is whole; an import that was interrupted goes on when the command is repeated. Faulty records are \
            counted by kind, and some of each kind are named.

            FORMS
            \(FormatTable.text(ImportFormat.allCases.map { ($0.rawValue, $0.keeps) }))

            EXAMPLE
              chatrex engine import instances_val2017.json --format coco --pictures val2017 --out runs/coco
              chatrex engine import lvis_v1_train.json --format lvis --pictures coco --out runs/lvis
              chatrex engine import 'refcoco/refs(unc).p' --format refcoco --split train --pictures train2014 --out runs/refcoco
            """)

    @Argument(help: "The folder or its main file.")
    var source: String

    @Option(help: "The form that it has.")
    var format: ImportFormat

    @Option(name: .shortAndLong, help: ArgumentHelp("A new or empty folder.", valueName: "folder"))
    var out: String

    @Option(help: ArgumentHelp("Where the pictures lie. (default: beside the file)", valueName: "folder"))
    var pictures: String?

    @Option(help: "What the annotations say about where they come from.")
    var name: String?

    @Option(help: ArgumentHelp("Which split is taken, where a file holds several; 'all' for all.", valueName: "split"))
    var split: String?

    @Flag(help: "Take nothing where one record is faulty; otherwise faulty ones are named and left out.")
    var strict = false

    @Flag(help: "Cut boxes that reach out of their picture at its edge, if half of them lies within.")
    var cut = false

    @Option(help: "Pictures of a shard.")
    var shardSize = ShardSink.Limits().pictures

    package init() {}

    package func validate() throws {
        if shardSize < 1 { throw ValidationError("A shard holds at least one picture.") }
    }

    package func run() async throws {
        var settings = ImportSettings(), limits = ShardSink.Limits()
        settings.pictures = pictures
        settings.refusesBadRecords = strict
        settings.cutsBoxes = cut
        settings.split = split
        settings.source = name ?? format.rawValue
        limits.pictures = shardSize
        var shown = ContinuousClock.now
        let report = try AnnotationExchange.importRecords(
            format, from: URL(fileURLWithPath: source), to: URL(fileURLWithPath: out, isDirectory: true),
            settings: settings, limits: limits
        ) { records, report in
            let now = ContinuousClock.now
            if now - shown < .seconds(Terminal.isInteractive ? 1 : 30) { return }
            shown = now
            Terminal.showProgress(
                "\(records) records: \(report.pictures) pictures, \(report.regions) regions, \(report.records.issueCount) faulty"
            )
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
        if let status, status.completeParts < status.parts {
            Terminal.warn("\(status.completeParts) of \(status.parts) parts are complete; this describes what is there")
        }
        try DatasetCard(
            statistics: DatasetStatistics(of: set), drops: status?.drops ?? [:], failures: status?.failures ?? [:],
            settings: settings
        ).write(to: place)
        var gallery = GallerySettings()
        gallery.samples = samples
        let page = place.appendingPathComponent("gallery")
        // What an earlier card showed and this one does not is not to be published with it.
        for name in ["pictures", "index.html"] {
            try? FileManager.default.removeItem(at: page.appendingPathComponent(name))
        }
        if samples > 0 { try Gallery.write(set, title: settings.name, to: page, settings: gallery) }
        try Terminal.write(place.appendingPathComponent("README.md").path)
        if samples > 0 { try Terminal.write(page.appendingPathComponent("index.html").path) }
    }
}

extension ImportFormat: ExpressibleByArgument {}

/// Names of forms with a note on each.
private enum FormatTable {
    static func text(_ rows: [(name: String, note: String)]) -> String {
        rows.map { "  \($0.name.padding(toLength: 14, withPad: " ", startingAt: 0)) \($0.note)" }.joined(
            separator: "\n")
    }
}
