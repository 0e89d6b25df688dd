import Downloading
import Imaging

/// What the first module takes and what it drops.
public struct CollectionSettings: Codable, Sendable, Equatable {
    /// Pixels of the shorter side.
    public var minimumSide = 224
    /// Longer side over shorter side.
    public var maximumAspectRatio = 5.0
    /// Width times height.
    public var maximumPixels = 100_000_000
    /// Length of a file; for addresses, `download.byteLimit` counts too.
    public var maximumBytes = 64 << 20
    /// Pictures that their source gives a higher score for being not safe for work are dropped; what has none stays. A tag `NSFW` is 1,
    /// `UNSURE` is 0.5.
    public var maximumUnsafeScore = 0.4
    /// The same for watermarks; 1 takes all.
    public var maximumWatermarkScore = 1.0
    /// Pictures that the classifier gives a higher probability are dropped; 1 takes all and asks no classifier.
    public var lowContentThreshold = 0.5
    /// Larger pictures are scaled to this longer side; 0 keeps them.
    public var longestSide = 0
    /// Of pictures that are encoded anew as JPEG.
    public var jpegQuality = 95
    /// Whether pictures that look the same as an earlier one are dropped, not only equal files.
    public var dropsNearDuplicates = true
    /// Bits of 64 in which the perceptual hashes of such pictures differ at most.
    public var nearDuplicateBits = 4
    public var download = DownloadSettings()

    public init() {}

    /// - Throws: `CollectionError.invalidSetting` for the first setting that nothing can be collected with.
    public func validate() throws(CollectionError) {
        func require(_ holds: Bool, _ name: String, _ reason: String) throws(CollectionError) {
            if !holds { throw CollectionError.invalidSetting(name: name, reason: reason) }
        }
        try require(minimumSide >= 1, "minimumSide", "it must be at least 1")
        try require(maximumAspectRatio >= 1, "maximumAspectRatio", "it must be at least 1")
        try require(maximumPixels >= 1, "maximumPixels", "it must be at least 1")
        try require(maximumBytes >= 1, "maximumBytes", "it must be at least 1")
        try require((0...1).contains(maximumUnsafeScore), "maximumUnsafeScore", "it must be between 0 and 1")
        try require((0...1).contains(maximumWatermarkScore), "maximumWatermarkScore", "it must be between 0 and 1")
        try require((0...1).contains(lowContentThreshold), "lowContentThreshold", "it must be between 0 and 1")
        try require(
            longestSide == 0 || longestSide >= minimumSide, "longestSide", "it must be 0 or at least minimumSide")
        try require((1...100).contains(jpegQuality), "jpegQuality", "it must be between 1 and 100")
        try require(
            (0...DuplicateIndex.longestDistance).contains(nearDuplicateBits), "nearDuplicateBits",
            "it must be between 0 and \(DuplicateIndex.longestDistance)")
        do {
            try download.validate()
        } catch {
            guard case .invalidSetting(let name, let reason) = error else { return }
            throw .invalidSetting(name: "download." + name, reason: reason)
        }
    }

    var decodingLimits: DecodingLimits {
        DecodingLimits(maximumPixelCount: maximumPixels, maximumByteCount: maximumBytes)
    }
}
