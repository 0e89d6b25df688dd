import Foundation

/// An ordinary file that is read in parts, from any thread.
public final class RandomAccessFile: Sendable {
    public let path: String
    /// Its length in bytes when it was opened.
    public let count: Int
    private let descriptor: Int32

    /// - Throws: `AnnotationsError.unusableFile`.
    public init(path: String) throws(AnnotationsError) {
        // Without O_NONBLOCK a named pipe would wait for a writer.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .unusableFile(path: path, reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        self.path = path
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw .unusableFile(path: path, reason: isFolder ? "is a folder" : "is not an ordinary file")
        }
        count = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// The bytes of a range that lies within the file.
    /// - Throws: `AnnotationsError.unusableFile` for any other range, and for a failing disk.
    public func bytes(at offset: Int, count: Int) throws(AnnotationsError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
            throw .unusableFile(
                path: path, reason: "has \(self.count) bytes, and not \(count) of them from byte \(offset)")
        }
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { break }
                filled += got
            }
        }
        if let failure {
            throw .unusableFile(
                path: path, reason: "cannot be read at byte \(offset): \(String(cString: strerror(failure)))")
        }
        guard bytes.count == count else { throw .unusableFile(path: path, reason: "has become shorter meanwhile") }
        return bytes
    }
}

/// A stretch of a file.
package struct FileExtent: Hashable, Sendable {
    package var offset: Int, count: Int

    package init(offset: Int, count: Int) { (self.offset, self.count) = (offset, count) }
}
