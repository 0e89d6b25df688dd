import Downloading
import Foundation
import Imaging

import struct Annotations.Annotation

/// Module 1: fetches pictures, drops those that are not wanted, and gives all others in a form that every trainer reads.
///
/// What a source states about a picture is judged before anything is fetched, the header before anything is decoded. JPEG, PNG and WebP
/// files are kept byte for byte, unless they are turned by an EXIF note, of four inks, of more than 8 bits, or larger than wanted: these and
/// TIFF, GIF (its first frame) and HEIC are encoded anew, as PNG where the file was lossless and as JPEG where it was not.
public struct Collector: ImageCollector {
    public let settings: CollectionSettings
    private let fetcher: ItemFetcher
    private let judge: (any LowContentJudge)?

    /// - Parameters:
    ///   - judge: the classifier of low-content pictures; nil keeps them
    ///   - session: where downloads are shared with others; a new one otherwise
    /// - Throws: `CollectionError.invalidSetting`.
    public init(
        _ settings: CollectionSettings = .init(), judge: (any LowContentJudge)? = nil, session: DownloadSession? = nil
    ) throws {
        try settings.validate()
        (self.settings, self.judge) = (settings, judge)
        fetcher = ItemFetcher(
            session: try session ?? DownloadSession(settings.download), byteLimit: settings.maximumBytes)
    }

    public func collect(_ item: SourceItem) async throws -> CollectedImage {
        try checkStatement(item)
        let bytes = try await fetcher.bytes(of: item)
        let header = try wanted { try ImageHeader(decoding: bytes, limits: settings.decodingLimits) }
        try checkSize(header.width, header.height)
        let image = try wanted { try Image(decoding: bytes, limits: settings.decodingLimits) }
        try await checkContent(image)
        let (kept, encoding) = try fitted(image, header)
        let file = try encoding.map { try encoded(kept, as: $0, item.key) } ?? bytes
        return CollectedImage(
            bytes: file, format: Self.fileExtension(of: encoding?.format ?? header.format), width: kept.width,
            height: kept.height, sha256: Annotation.digest(of: file),
            perceptualHash: try wanted { try image.perceptualHash() })
    }

    // MARK: Filters

    /// Before anything is fetched.
    private func checkStatement(_ item: SourceItem) throws {
        if let score = item.unsafeScore, score > settings.maximumUnsafeScore {
            throw Drop(DropReason.notSafe, detail: "score \(score)")
        }
        if let score = item.watermarkScore, score > settings.maximumWatermarkScore {
            throw Drop(DropReason.watermark, detail: "score \(score)")
        }
        if let width = item.width, let height = item.height { try checkSize(width, height) }
    }

    private func checkSize(_ width: Int, _ height: Int) throws {
        let (shorter, longer) = (min(width, height), max(width, height))
        if shorter < settings.minimumSide { throw Drop(DropReason.tooSmall, detail: "\(width)x\(height) pixels") }
        if Double(longer) > settings.maximumAspectRatio * Double(shorter) {
            throw Drop(DropReason.tooLong, detail: "\(width)x\(height) pixels")
        }
    }

    private func checkContent(_ image: Image) async throws {
        guard let judge, settings.lowContentThreshold < 1 else { return }
        let probability = try await judge.lowContentProbability(image)
        // Not a number counts as low.
        if !(probability <= settings.lowContentThreshold) {
            throw Drop(DropReason.lowContent, detail: "probability \((probability * 1000).rounded() / 1000)")
        }
    }

    /// Runs `body`; what is wrong with the picture is a drop.
    private func wanted<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ImagingError {
            switch error {
            case .tooManyBytes: throw Drop(DropReason.tooManyBytes, detail: "\(error)")
            case .tooManyPixels, .invalidSize: throw Drop(DropReason.tooManyPixels, detail: "\(error)")
            case .empty, .unsupportedFormat: throw Drop(DropReason.noPicture, detail: "\(error)")
            case .damaged: throw Drop(DropReason.damaged, detail: "\(error)")
            default: throw error
            }
        }
    }

    // MARK: Form

    /// The picture as it is kept; the encoding is nil where the file stays as it is.
    private func fitted(_ image: Image, _ header: ImageHeader) throws -> (Image, ImageEncoding?) {
        let longer = max(image.width, image.height)
        let isTooLarge = settings.longestSide > 0 && longer > settings.longestSide
        let isRead = [.jpeg, .png, .webp].contains(header.format)
        if isRead, !isTooLarge, !header.isCMYK, header.bitsPerSample == 8, header.orientation == .up {
            return (image, nil)
        }
        let isLossless = [.png, .tiff, .gif].contains(header.format)
        let encoding: ImageEncoding = isLossless ? .png : .jpeg(quality: settings.jpegQuality)
        guard isTooLarge else { return (image, encoding) }
        func scaled(_ side: Int) -> Int { max(1, (side * settings.longestSide + longer / 2) / longer) }
        return (try image.resized(width: scaled(image.width), height: scaled(image.height)), encoding)
    }

    private func encoded(_ image: Image, as encoding: ImageEncoding, _ key: String) throws -> [UInt8] {
        do {
            return try image.encoded(as: encoding)
        } catch {
            throw CollectionError.encodingFailed(key: key, reason: "\(error)")
        }
    }

    private static func fileExtension(of format: ImageFormat) -> String { format == .jpeg ? "jpg" : format.rawValue }
}
