import Foundation

/// A whole file mapped read-only into memory.
///
/// Pages are read when touched, so opening a checkpoint of many gigabytes costs no time and no memory. The mapping
/// lives as long as this object. Replace a mapped file by renaming another over it, as `AtomicFile` does: a file that
/// is cut short in place while mapped makes the system stop the process when the lost pages are touched.
public final class MappedFile: Sendable {
    /// Where the file was found.
    public let url: URL

    // Sound to share: the mapping is private, its pages cannot be written, and it is fixed from `init` to `deinit`.
    private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    // Kept for `privateCopy(of:)`, since the path may lead to another file by then.
    private let descriptor: Int32

    /// Maps the file at `url`.
    ///
    /// - Throws: `CheckpointError` with kind `missingFile`, `notAFile`, `emptyFile` or `unreadable`.
    public init(url: URL) throws {
        let path = url.path
        // O_NONBLOCK: opening a named pipe must not wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw CheckpointError.system(
                code == ENOENT ? .missingFile : .unreadable, path: path, "cannot open the file", errno: code)
        }
        var isMapped = false
        defer { if !isMapped { close(descriptor) } }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CheckpointError.system(.unreadable, path: path, "cannot examine the file", errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw CheckpointError(
                .notAFile, path: path, "a regular file is needed, this is a \(isFolder ? "folder" : "device or pipe").")
        }
        guard status.st_size > 0 else {
            throw CheckpointError(.emptyFile, path: path, "the file is empty; was its download or copy interrupted?")
        }
        let count = Int(status.st_size)
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw CheckpointError.system(.unreadable, path: path, "cannot map the file into memory", errno: errno)
        }
        isMapped = true
        self.url = url
        self.descriptor = descriptor
        self.bytes = UnsafeRawBufferPointer(start: base, count: count)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        close(descriptor)
    }

    /// Size of the file in bytes.
    public var count: Int { bytes.count }

    /// The mapped bytes, valid only while this object is alive: whoever keeps the pointer keeps the object too.
    public var unsafeBytes: UnsafeRawBufferPointer { bytes }

    /// Calls `body` with the mapped bytes, which are valid until it returns.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    /// Maps part of the file once more, for a holder that may write to it.
    ///
    /// The pages are the file's own until they are written to; a written page becomes the holder's copy. The file and
    /// other mappings never change.
    /// - Parameter range: not empty and within the file.
    /// - Throws: `CheckpointError` with kind `unreadable`.
    func privateCopy(of range: Range<Int>) throws -> PrivateMapping {
        let pageStart = range.lowerBound - range.lowerBound % Int(sysconf(Int32(_SC_PAGESIZE)))
        let count = range.upperBound - pageStart
        let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, off_t(pageStart))
        guard let base, base != MAP_FAILED else {
            throw CheckpointError.system(
                .unreadable, path: url.path, "cannot map a tensor into memory", errno: errno)
        }
        return PrivateMapping(
            pages: UnsafeMutableRawBufferPointer(start: base, count: count), offset: range.lowerBound - pageStart)
    }
}

/// Part of a file, mapped for one holder who may write to its own copy of the pages.
final class PrivateMapping {
    /// The part that was asked for, valid while this object is alive.
    let bytes: UnsafeMutableRawBufferPointer
    private let pages: UnsafeMutableRawBufferPointer

    fileprivate init(pages: UnsafeMutableRawBufferPointer, offset: Int) {
        self.pages = pages
        bytes = UnsafeMutableRawBufferPointer(rebasing: pages[offset...])
    }

    deinit {
        munmap(pages.baseAddress, pages.count)
    }
}
