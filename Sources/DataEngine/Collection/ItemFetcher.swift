import Annotations
import Downloading

/// Gets the bytes of pictures, wherever they are.
public struct ItemFetcher: Sendable {
    private let session: DownloadSession
    private let byteLimit: Int

    /// - Parameters:
    ///   - session: downloads what lies on other servers
    ///   - byteLimit: most bytes of a picture
    public init(session: DownloadSession, byteLimit: Int) {
        (self.session, self.byteLimit) = (session, byteLimit)
    }

    /// - Throws: `Drop` for what is not wanted or cannot be had at any time, `CollectionError.fetchFailed` for what may be had another time,
    ///   `CancellationError`.
    public func bytes(of item: SourceItem) async throws -> [UInt8] {
        switch item.location {
        case .file(let path):
            return try read(path) { file in (0, file.count) }
        case .member(let archive, _, let offset, let count):
            return try read(archive) { _ in (offset, count) }
        case .url(let address):
            do {
                let bytes = try await session.bytes(from: address)
                try check(bytes.count)
                return bytes
            } catch let error as DownloadError {
                throw Self.outcome(of: error, address)
            }
        }
    }

    private func read(_ path: String, _ range: (RandomAccessFile) -> (offset: Int, count: Int)) throws -> [UInt8] {
        do {
            let file = try RandomAccessFile(path: path)
            let (offset, count) = range(file)
            try check(count)
            return try file.bytes(at: offset, count: count)
        } catch let error as AnnotationsError {
            throw CollectionError.fetchFailed(place: path, reason: "\(error)")
        }
    }

    private func check(_ count: Int) throws {
        if count > byteLimit {
            throw Drop(DropReason.tooManyBytes, detail: "\(count) bytes, the limit is \(byteLimit)")
        }
    }

    private static func outcome(of error: DownloadError, _ address: String) -> any Error {
        let reason =
            switch error {
            case .invalidAddress, .hostNotAllowed, .privateAddress: DropReason.address
            case .unknownHost, .status(404, _), .status(410, _): DropReason.gone
            case .status(let code, _) where !error.isTransient && (400...499).contains(code): DropReason.refused
            case .tooManyBytes: DropReason.tooManyBytes
            case .wrongType: DropReason.noPicture
            case .disallowed: DropReason.robots
            default: ""
            }
        if reason.isEmpty { return CollectionError.fetchFailed(place: address, reason: error.description) }
        return Drop(reason, detail: error.description)
    }
}
