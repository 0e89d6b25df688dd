import Crypto
import Foundation

/// A short name for the contents of files, by which a run tells that it is gone on with by the same model on the same data.
public enum Fingerprint {
    /// Of a file, or of all files of a folder with their names: 16 hexadecimal digits.
    ///
    /// - Parameter limit: of a larger file, 64 parts that are spread over it are read, which is enough to tell weights apart.
    public static func of(_ url: URL, readingAtMost limit: Int = 64 << 20) throws -> String {
        var hash = SHA256()
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
            for name in try FileManager.default.subpathsOfDirectory(atPath: url.path).sorted()
            where !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
                let file = url.appendingPathComponent(name)
                // Follows links, as whoever loads the file does.
                guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue
                else { continue }
                hash.update(data: Data(name.utf8))
                try add(file, limit, to: &hash)
            }
        } else {
            try add(url, limit, to: &hash)
        }
        return hash.finalize().prefix(8).map { String(format: "%02x", $0) }.joined()
    }

    private static func add(_ file: URL, _ limit: Int, to hash: inout SHA256) throws {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        let size = try Int(handle.seekToEnd())
        hash.update(data: Data("\u{0}\(size)\u{0}".utf8))
        if size <= limit {
            try handle.seek(toOffset: 0)
            while let part = try handle.read(upToCount: 1 << 20), !part.isEmpty { hash.update(data: part) }
            return
        }
        let (count, length) = (64, max(1, limit / 64))
        for number in 0..<count {
            try handle.seek(toOffset: UInt64((size - length) * number / (count - 1)))
            if let part = try handle.read(upToCount: length) { hash.update(data: part) }
        }
    }
}
