import Annotations
import Boxes
import Checkpoints
import Foundation

import struct Annotations.Annotation

/// The folder that another form is written into.
struct ExportFolder {
    let url: URL

    /// - Throws: `ExchangeError.unwritable` where there is something in it already.
    init(_ url: URL) throws(ExchangeError) {
        self.url = url
        let files = FileManager.default
        do {
            try files.createDirectory(at: url, withIntermediateDirectories: true)
            let found = try files.contentsOfDirectory(atPath: url.path)
            if let first = found.first {
                throw ExchangeError.unwritable(path: url.path, reason: "it is not empty (\(first)); name a new folder")
            }
        } catch let error as ExchangeError {
            throw error
        } catch {
            throw .unwritable(path: url.path, reason: "\(error)")
        }
    }

    /// Calls `body` for every sample after its picture was written to `folder`.
    ///
    /// - Parameter losing: what the form has no place for, to be counted
    func forEachSample(
        of set: any AnnotationSet, pictures folder: String, losing: [AnnotationContent],
        _ report: inout ExchangeReport,
        _ body: (Annotation, inout ExchangeReport) throws -> Void
    ) throws {
        let pictures = url.appendingPathComponent(folder)
        do {
            try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        } catch {
            throw ExchangeError.unwritable(path: pictures.path, reason: "\(error)")
        }
        for index in 0..<set.count {
            let sample = try set.sample(at: index), name = sample.annotation.fileName
            guard sample.annotation.hasPlainNames else {
                throw AnnotationsError.badRecord(
                    place: set.place(of: index), problem: .init(.name, "its key is no plain name"))
            }
            try write(Data(sample.picture), to: folder + "/" + name)
            report.pictures += 1
            report.leaveOut(losing, of: sample.annotation)
            try body(sample.annotation, &report)
        }
    }

    func write(_ data: Data, to name: String) throws(ExchangeError) {
        let place = url.appendingPathComponent(name)
        do {
            try data.write(to: place)
        } catch {
            throw .unwritable(path: place.path, reason: "\(error)")
        }
    }

    /// Writes a JSON array element by element: `opening`, elements, `closing`.
    func writeElements<Element: Encodable>(
        to name: String, opening: String = "[\n", closing: String = "\n]\n",
        _ body: ((Element) throws -> Void) throws -> Void
    ) throws {
        let encoder = JSONEncoder.lines
        try AtomicFile.write(to: url.appendingPathComponent(name)) { file in
            try file.write(opening)
            var isFirst = true
            try body { element in
                if !isFirst { try file.write(",\n") }
                isFirst = false
                try file.write(encoder.encode(element))
            }
            try file.write(closing)
        }
    }
}
