import Checkpoints
import Foundation
import Imaging

import struct Annotations.Annotation

/// The collected pictures of a part until they are packed: one file for each, named by its place in the source.
package struct PictureStore: Sendable {
    private let folder: URL

    package init(_ folder: URL) throws {
        self.folder = folder
        try OutputFolder.make(folder)
    }

    private func url(_ ordinal: Int) -> URL {
        // At most a thousand files in a folder.
        folder.appendingPathComponent("\(ordinal / 1000)", isDirectory: true).appendingPathComponent("\(ordinal)")
    }

    /// - Throws: `EngineError.inaccessible`, such as when the disk is full.
    package func save(_ bytes: [UInt8], _ ordinal: Int) throws {
        let url = url(ordinal)
        try OutputFolder.make(url.deletingLastPathComponent())
        do {
            try Data(bytes).write(to: url, options: .atomic)
        } catch {
            throw EngineError.inaccessible(path: url.path, reason: (error as NSError).localizedDescription)
        }
    }

    /// The bytes that were saved; nil when they are gone or were damaged, such as by a power cut.
    func bytes(_ ordinal: Int, sha256: String) -> [UInt8]? {
        guard let data = try? Data(contentsOf: url(ordinal)) else { return nil }
        let bytes = [UInt8](data)
        return Annotation.digest(of: bytes) == sha256 ? bytes : nil
    }

    /// Leaves the folder, in which another picture may be about to be saved.
    package func remove(_ ordinal: Int) { unlink(url(ordinal).path) }

    /// Removes the pictures that nothing waits for, of which a kill may leave some, and empty folders. Only while nothing is saved.
    package func removeAll(but isWanted: (Int) throws -> Bool) throws {
        let files = FileManager.default
        for group in (try? files.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? [] {
            for file in (try? files.contentsOfDirectory(at: group, includingPropertiesForKeys: nil)) ?? [] {
                if let ordinal = Int(file.lastPathComponent), try isWanted(ordinal) { continue }
                unlink(file.path)
            }
            rmdir(group.path)
        }
    }
}
