import ArgumentParser
import Foundation

/// Where results go.
package struct OutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Folder for annotated pictures, or a file: .jpg, .png or .webp for one picture, .json for JSON results.",
            valueName: "path"))
    var out: String?

    @Flag(name: .customLong("json"), help: "Print JSON, one line a picture.")
    var wantsJSON = false

    package init() {}

    package func validate() throws {
        if let out, out.isEmpty { throw ValidationError("--out names no place.") }
    }

    /// Whether `--out` names a file for the results themselves.
    var namesDocument: Bool { (out as NSString?)?.pathExtension.lowercased() == "json" }

    var isJSON: Bool { wantsJSON || namesDocument }

    /// Where the results are written.
    func sink() throws -> ResultSink { try ResultSink(file: namesDocument ? out : nil) }

    /// Where files about pictures are written, if they are.
    /// - Parameter folder: the place where `--out` is not given; without one nothing is written then.
    func plan(for sources: SourceList, byDefault folder: String? = nil) throws -> PicturePlan? {
        guard !sources.paths.isEmpty, !namesDocument, let place = out ?? folder else { return nil }
        return try PicturePlan(sources: sources.paths, out: place)
    }
}
