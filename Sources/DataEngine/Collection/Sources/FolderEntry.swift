import Foundation
import Imaging

/// A visible thing in a folder.
struct FolderEntry {
    enum Kind {
        /// Also by a link to it.
        case file
        /// A folder itself; links to folders are not followed, so that there is no going round.
        case folder
        /// A file whose name is not UTF-8.
        case unnameable
    }

    struct Unreadable: Error {
        let reason: String
    }

    let name: String
    let kind: Kind

    var isPicture: Bool { ImageFormat.fileExtensions.contains((name as NSString).pathExtension.lowercased()) }

    /// What a folder holds, in the order of the names' bytes.
    static func sorted(in folder: String) throws(Unreadable) -> [FolderEntry] {
        guard let stream = opendir(folder) else { throw Unreadable(reason: String(cString: strerror(errno))) }
        defer { closedir(stream) }
        var entries: [FolderEntry] = []
        errno = 0
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes.first == UInt8(ascii: ".") { continue }
            guard let name = String(bytes: bytes, encoding: .utf8) else {
                entries.append(FolderEntry(name: String(decoding: bytes, as: UTF8.self), kind: .unnameable))
                continue
            }
            if let kind = kind(of: join(folder, name)) { entries.append(FolderEntry(name: name, kind: kind)) }
            errno = 0
        }
        guard errno == 0 else { throw Unreadable(reason: String(cString: strerror(errno))) }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder == "." ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    private static func kind(of path: String) -> Kind? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        if status.st_mode & S_IFMT == S_IFDIR { return .folder }
        if status.st_mode & S_IFMT == S_IFLNK { guard stat(path, &status) == 0 else { return nil } }
        return status.st_mode & S_IFMT == S_IFREG ? .file : nil
    }
}
