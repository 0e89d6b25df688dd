import Boxes
import Imaging

/// A region with its surroundings.
public struct RegionCrop: Sendable, Equatable {
    /// Where it is in the picture.
    public var area: PixelRect
    /// The region in pixels of the crop, before it is scaled.
    public var box: Box

    /// - Throws: `Drop` for a region that is too small.
    public init(_ box: Box, inWidth width: Int, height: Int, _ settings: RegionCropSettings) throws {
        let (fullWidth, fullHeight) = (Double(width), Double(height))
        let inside = try box.region(
            inWidth: fullWidth, height: fullHeight, minimumSide: Double(settings.minimumRegionSide))
        let margin = settings.margin * max(inside.width, inside.height)
        let left = max(0, (inside.x1 - margin).rounded(.down)), top = max(0, (inside.y1 - margin).rounded(.down))
        let right = min(fullWidth, (inside.x2 + margin).rounded(.up))
        let bottom = min(fullHeight, (inside.y2 + margin).rounded(.up))
        area = PixelRect(x: Int(left), y: Int(top), width: Int(right - left), height: Int(bottom - top))
        self.box = inside.translated(x: -left, y: -top)
    }

    /// The crop as it is sent to a model.
    func picture(of image: Image, _ settings: RegionCropSettings) throws -> Image {
        let crop = try image.cropped(to: area)
        let scaled = try crop.scaledToFit(minimumSide: settings.minimumSide, maximumSide: settings.maximumSide)
        if !settings.outlinesBox { return scaled }
        let outline = box.scaled(
            x: Double(scaled.width) / Double(area.width), y: Double(scaled.height) / Double(area.height))
        return scaled.draw(
            [Annotation(x1: outline.x1, y1: outline.y1, x2: outline.x2, y2: outline.y2, colorKey: "region")])
    }
}

extension Box {
    /// The part of a region that the picture shows.
    /// - Throws: `Drop` for one that is too small to be described.
    func region(inWidth width: Double, height: Double, minimumSide: Double) throws(Drop) -> Box {
        let inside = isFinite ? clipped(toWidth: width, height: height) : Box(x1: 0, y1: 0, x2: 0, y2: 0)
        guard min(inside.width, inside.height) >= minimumSide else {
            throw Drop.regionTooSmall(inside.width, inside.height)
        }
        return inside
    }
}
