import Foundation

/// A file that is read piece by piece, from any thread.
final class ReadOnlyFile: Sendable {
    let path: String
    /// Bytes, when it was opened.
    let count: Int
    private let descriptor: Int32

    /// - Throws: `AnnotationSetError.unusableFile`.
    init(_ path: String) throws(AnnotationSetError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .unusableFile(path: path, reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        let isOrdinary = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        (self.path, count) = (path, isOrdinary ? Int(status.st_size) : 0)
        if !isOrdinary { throw .unusableFile(path: path, reason: "is not an ordinary file") }
    }

    deinit { close(descriptor) }

    /// Exactly `length` bytes from `offset`.
    /// - Throws: `AnnotationSetError.unusableFile` where the file ends before.
    func bytes(at offset: Int, length: Int) throws(AnnotationSetError) -> [UInt8] {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else {
            throw .unusableFile(path: path, reason: "ends before byte \(offset) + \(length)")
        }
        var result = [UInt8](repeating: 0, count: length)
        var filled = 0
        while filled < length {
            let got = result.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, length - filled, off_t(offset + filled))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                let reason = got < 0 ? String(cString: strerror(errno)) : "it has become shorter"
                throw .unusableFile(path: path, reason: "cannot be read at byte \(offset + filled): \(reason)")
            }
            filled += got
        }
        return result
    }
}
