import Annotations
import Foundation

/// Annotated pictures from and to other forms.
public enum AnnotationExchange {
    /// Reads another form into a sink, picture by picture.
    ///
    /// - Parameters:
    ///   - place: the folder, or its main file
    ///   - sink: finished at the end; when this throws, it is not
    /// - Throws: `ExchangeError`; what the sink throws.
    public static func importRecords(
        _ format: ImportFormat, from place: URL, into sink: any AnnotationSink,
        settings: ImportSettings = ImportSettings()
    ) throws -> ExchangeReport {
        let importer = RecordImporter(place: place, settings: settings, sink: sink)
        try read(format, place, importer)
        return try importer.finish()
    }

    static func read(_ format: ImportFormat, _ place: URL, _ importer: RecordImporter) throws {
        guard FileManager.default.fileExists(atPath: place.path) else {
            throw ExchangeError.unusableFile(path: place.path, reason: "there is no such file or folder")
        }
        switch format {
        case .coco: try COCOExchange.read(place, .coco, importer)
        case .lvis: try COCOExchange.read(place, .lvis, importer)
        case .objects365: try COCOExchange.read(place, .objects365, importer)
        case .openImages: try OpenImagesImport.read(place, importer)
        case .refCOCO: try RefCOCOImport.read(place, importer)
        case .visualGenome: try VisualGenomeImport.read(place, importer)
        case .yolo: try YOLOExchange.read(place, importer)
        case .llava: try LLaVAExchange.read(place, importer)
        case .labelStudio: try LabelStudioExchange.read(place, importer)
        case .fiftyOne: try FiftyOneExchange.read(place, importer)
        case .rexverse: try RexverseExchange.read(place, importer)
        case .folder: try readFolder(place, importer)
        }
    }

    /// Writes annotated pictures in another form into a new or empty folder.
    ///
    /// - Throws: `ExchangeError` where the folder cannot be written to or is not empty, `AnnotationsError` for a set that cannot be read.
    public static func exportRecords(
        _ set: any AnnotationSet, as format: ExportFormat, to folder: URL,
        settings: ExportSettings = ExportSettings()
    ) throws -> ExchangeReport {
        let output = try ExportFolder(folder)
        switch format {
        case .coco: return try COCOExchange.write(set, to: output)
        case .yolo: return try YOLOExchange.write(set, to: output)
        case .llava: return try LLaVAExchange.write(set, to: output)
        case .labelStudio: return try LabelStudioExchange.write(set, to: output, settings: settings)
        case .fiftyOne: return try FiftyOneExchange.write(set, to: output, settings: settings)
        case .rexverse: return try RexverseExchange.write(set, to: output)
        case .folder: return try writeFolder(set, to: output)
        }
    }

    private static func readFolder(_ place: URL, _ importer: RecordImporter) throws {
        let set = try AnnotationSets.open(place)
        for index in 0..<set.count {
            try importer.record(set.place(of: index)) {
                let sample = try set.sample(at: index)
                try importer.add(whole: sample.annotation, picture: sample.picture)
            }
        }
    }

    private static func writeFolder(_ set: any AnnotationSet, to output: ExportFolder) throws -> ExchangeReport {
        var sink = try AnnotationFolderSink(output.url), report = ExchangeReport()
        for index in 0..<set.count {
            let sample = try set.sample(at: index)
            try sink.add(sample.annotation, picture: sample.picture)
            report.pictures += 1
            report.regions += sample.annotation.regions.count
        }
        try sink.finish()
        return report
    }
}
