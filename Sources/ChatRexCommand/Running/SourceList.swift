import Foundation
import Imaging

/// The picture files that a command line names, by file, folder or pattern.
package struct SourceList {
    /// Each file once, in the order named; within a folder or pattern by name.
    package private(set) var paths: [String] = []
    /// What named no picture.
    package private(set) var problems: [CommandLineError] = []

    /// - Parameter recursive: whether the subfolders of a folder count.
    package init(_ names: [String], recursive: Bool = false) {
        var seen: Set<String> = []
        for name in names {
            for path in expand(name, recursive) where seen.insert(path).inserted { paths.append(path) }
        }
    }

    private mutating func expand(_ name: String, _ recursive: Bool) -> [String] {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) {
            return isFolder.boolValue ? pictures(in: name, recursive) : [name]
        }
        // A name that is no pattern is left to the decoder, which says why it cannot be read.
        guard name.contains(where: { "*?[".contains($0) }) else { return [name] }
        let matches = Self.matches(of: name)
        if matches.isEmpty { problems.append(.noMatch(pattern: name)) }
        return matches
    }

    private mutating func pictures(in folder: String, _ recursive: Bool) -> [String] {
        var files: [String] = []
        do {
            files = try Self.files(in: folder, recursive).filter {
                ImageFormat.fileExtensions.contains(($0 as NSString).pathExtension.lowercased())
            }
        } catch {
            problems.append(.inaccessible(path: folder, reason: Folders.reason(error)))
            return []
        }
        if files.isEmpty { problems.append(.noPicture(folder: folder, isRecursive: recursive)) }
        return files.sorted().map { folder == "." ? $0 : (folder as NSString).appendingPathComponent($0) }
    }

    /// Visible files below a folder, relative to it. Links to folders are not followed, so that there is no going round.
    private static func files(in folder: String, _ recursive: Bool) throws -> [String] {
        var files: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where !name.hasPrefix(".") {
            let path = (folder as NSString).appendingPathComponent(name)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
            if !isFolder.boolValue {
                files.append(name)
            } else if recursive, (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil {
                files += try Self.files(in: path, true).map { name + "/" + $0 }
            }
        }
        return files
    }

    /// Files that a shell pattern matches.
    private static func matches(of pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { index in
            guard let path = result.gl_pathv[index].map({ String(cString: $0) }) else { return nil }
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
                ? path : nil
        }
    }
}
