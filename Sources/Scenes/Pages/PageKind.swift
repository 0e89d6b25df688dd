import Imaging

/// What an example for the classifier of low-content pictures shows.
public enum PageKind: String, Sendable, Hashable, CaseIterable, Codable {
    // Little to see, on plain white.
    case text, code, table, form, chart, diagram, slide, receipt, barcode, drawing, logo, wordmark, blank
    // Worth describing; the last nine look like pages in one respect or another.
    case scene, closeUp, photo
    case brightPhoto, snow, whiteSky, interior, framed, captioned, webPage, collage, poster

    /// Kinds that a data engine drops.
    public static let lowContent: [PageKind] = [
        .text, .code, .table, .form, .chart, .diagram, .slide, .receipt, .barcode, .drawing, .logo, .wordmark, .blank,
    ]
    /// Kinds that it keeps.
    public static let content = allCases.filter { !$0.isLowContent }

    public var isLowContent: Bool { Self.lowContent.contains(self) }

    /// Whether lines of writing cover most of the page.
    var isFullOfText: Bool { [.text, .code, .table, .receipt].contains(self) }

    /// How often examples are of this kind, beside others of the same sort.
    var weight: Double {
        switch self {
        case .text, .logo: 3
        case .form, .chart, .slide, .wordmark: 1.5
        case .scene, .photo, .brightPhoto, .snow, .whiteSky, .interior: 2
        case .barcode, .receipt: 0.7
        default: 1
        }
    }
}

/// A picture of which it is known whether there is much to see.
public struct PageExample: Sendable {
    public let seed: UInt64
    public let kind: PageKind
    public let image: Image

    /// Whether a data engine should drop the picture.
    public var isLowContent: Bool { kind.isLowContent }
}
