import Foundation
import Imaging

/// Where annotated pictures and label files go. Decided before anything is computed, so that a bad place is reported at once.
package struct PicturePlan {
    /// The folder of pictures where `--out` is not given.
    package static let defaultFolder = "chatrex-out"

    /// The folder that all files go to.
    package let folder: String
    private let names: [String: String]
    /// Picture formats that a user may well name, but that are not written; a folder of such a name would surprise.
    private static let unwritable: Set<String> = ["bmp", "tif", "tiff", "gif", "heic", "heif", "avif", "pdf", "svg"]

    /// - Parameters:
    ///   - sources: the pictures to be read.
    ///   - out: a folder, or for a single source a file with the extension of a picture.
    /// - Throws: `CommandLineError`; no file is ever planned over one of the sources.
    package init(sources: [String], out: String) throws {
        if Self.unwritable.contains((out as NSString).pathExtension.lowercased()) {
            throw ImagingError.unknownExtension(path: out)
        }
        if Self.namesPicture(out), !Self.isFolder(out) {
            guard sources.count == 1 else {
                throw CommandLineError.inaccessible(
                    path: out, reason: "\(sources.count) pictures do not fit in one file; name a folder")
            }
            folder = URL(fileURLWithPath: out).deletingLastPathComponent().relativePath
            names = [sources[0]: (out as NSString).lastPathComponent]
        } else {
            folder = out
            names = Self.distinctNames(sources)
        }
        try Folders.make(folder)
        let inputs = Set(sources.compactMap(FileIdentity.init))
        for name in names.values.map({ path(of: $0) }) {
            if let identity = FileIdentity(name), inputs.contains(identity) {
                throw CommandLineError.overwritesInput(path: name)
            }
        }
    }

    /// The file for the annotated version of a source.
    package func picture(for source: String) -> String {
        path(of: names[source] ?? (source as NSString).lastPathComponent)
    }

    /// The name of a source's files without an extension.
    package func stem(for source: String) -> String {
        (picture(for: source) as NSString).lastPathComponent.withoutExtension
    }

    private func path(of name: String) -> String {
        folder == "." ? name : (folder as NSString).appendingPathComponent(name)
    }

    /// The sources' own names, numbered where they repeat, in a format that can be written.
    private static func distinctNames(_ sources: [String]) -> [String: String] {
        var taken: Set<String> = [], names: [String: String] = [:]
        for source in sources {
            let name = (source as NSString).lastPathComponent, stem = name.withoutExtension
            let suffix = namesPicture(name) ? (name as NSString).pathExtension : "png"
            var number = 1, candidate = stem
            // Label files have the stem alone, and some file systems know no case.
            while !taken.insert(candidate.lowercased()).inserted {
                number += 1
                candidate = "\(stem)-\(number)"
            }
            names[source] = "\(candidate).\(suffix)"
        }
        return names
    }

    private static func namesPicture(_ path: String) -> Bool { (try? ImageEncoding(path: path)) != nil }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}

extension String {
    fileprivate var withoutExtension: String { (self as NSString).deletingPathExtension }
}

/// A file, by whatever name.
private struct FileIdentity: Hashable {
    let device: UInt64, number: UInt64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}
