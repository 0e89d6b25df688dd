import Foundation

/// A folder that appears under its name with all its files, or not at all.
struct NewFolder {
    private let url: URL

    /// - Throws: `CommandLineError` when there are files already or the place cannot be written to.
    init(_ path: String) throws {
        url = URL(fileURLWithPath: path, isDirectory: true)
        try Folders.makeParent(of: url.path)
        guard FileManager.default.fileExists(atPath: url.path) else { return }
        try Folders.make(path)
        if try !FileManager.default.contentsOfDirectory(atPath: url.path).isEmpty {
            throw CommandLineError.notEmpty(folder: path)
        }
    }

    /// Makes the files in a hidden folder beside the place, which takes the name at the end. A signal waits until `body`,
    /// which looks at `Interrupt.isPending`, has returned.
    func fill(_ body: (URL) throws -> Void) throws {
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(
                ".\(url.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).part", isDirectory: true)
        try Interrupt.uninterrupted {
            defer { try? FileManager.default.removeItem(at: temporary) }
            try Folders.make(temporary.path)
            try body(temporary)
            // Only an empty folder can be in the way.
            rmdir(url.path)
            guard rename(temporary.path, url.path) == 0 else {
                throw CommandLineError.inaccessible(path: url.path, reason: String(cString: strerror(errno)))
            }
        }
    }
}
