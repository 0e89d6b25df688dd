/// Whole pixels; `x` and `y` name the top left one.
public struct PixelRect: Sendable, Hashable {
    public var x: Int, y: Int, width: Int, height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// How stored rows and columns relate to the upright picture; raw values are those of EXIF.
public enum Orientation: Int, Sendable, CaseIterable {
    case up = 1, upMirrored, down, downMirrored, leftMirrored, right, rightMirrored, left

    /// Whether stored rows are columns of the upright picture.
    var isTurned: Bool { rawValue > 4 }
}

extension Image {
    /// The upright picture, where `self` is stored in the given orientation.
    public func oriented(_ orientation: Orientation) -> Image {
        let (w, h) = (width, height)
        // Where the result's pixel (0, 0) is stored, and the step in stored pixels to the next column and row.
        return switch orientation {
        case .up: self
        case .upMirrored: remapped(width: w, height: h, origin: w - 1, column: -1, row: w)
        case .down: remapped(width: w, height: h, origin: w * h - 1, column: -1, row: -w)
        case .downMirrored: remapped(width: w, height: h, origin: w * (h - 1), column: 1, row: -w)
        case .leftMirrored: remapped(width: h, height: w, origin: 0, column: w, row: 1)
        case .right: remapped(width: h, height: w, origin: w * (h - 1), column: -w, row: 1)
        case .rightMirrored: remapped(width: h, height: w, origin: w * h - 1, column: -w, row: -1)
        case .left: remapped(width: h, height: w, origin: w - 1, column: w, row: -1)
        }
    }

    /// Turned clockwise by a number of quarter turns, which may be negative.
    public func rotated(clockwiseQuarterTurns turns: Int) -> Image {
        switch turns & 3 {
        case 1: oriented(.right)
        case 2: oriented(.down)
        case 3: oriented(.left)
        default: self
        }
    }

    /// Left and right swapped.
    public func flippedHorizontally() -> Image { oriented(.upMirrored) }

    /// Top and bottom swapped.
    public func flippedVertically() -> Image { oriented(.downMirrored) }

    /// The pixels inside `region`.
    ///
    /// - Throws: `ImagingError.invalidRegion` unless the region is non-empty and inside the picture.
    public func cropped(to region: PixelRect) throws -> Image {
        guard region.x >= 0, region.y >= 0, region.width > 0, region.height > 0,
            region.x < width, region.width <= width - region.x,
            region.y < height, region.height <= height - region.y
        else {
            throw ImagingError.invalidRegion(region, width: width, height: height)
        }
        return remapped(
            width: region.width, height: region.height, origin: region.y * width + region.x, column: 1, row: width)
    }

    /// Padded to a square of the longer side. The picture is centred; an odd pixel goes to the right or bottom.
    ///
    /// - Throws: `ImagingError.invalidSize` where the square would be too large.
    public func paddedToSquare(color: Color) throws -> Image {
        guard width != height else { return self }
        let side = max(width, height)
        let kind: Channels = channels == 4 ? .rgba : .rgb
        var square = try Image(width: side, height: side, channels: kind, filledWith: color)
        let (left, top) = ((side - width) / 2, (side - height) / 2)
        let rowLength = width * channels
        for y in 0..<height {
            let start = ((top + y) * side + left) * channels
            square.pixels.replaceSubrange(
                start..<start + rowLength, with: pixels[y * rowLength..<(y + 1) * rowLength])
        }
        return square
    }

    /// A picture whose pixel (x, y) is the stored pixel `origin + x * column + y * row`; all must lie inside.
    private func remapped(width: Int, height: Int, origin: Int, column: Int, row: Int) -> Image {
        let count = width * height * channels
        let (channels, block) = (channels, 64)
        let result = withPixels { source in
            [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
                // In blocks, since turning a large picture row by row would miss the cache with every pixel.
                for top in Swift.stride(from: 0, to: height, by: block) {
                    for left in Swift.stride(from: 0, to: width, by: block) {
                        for y in top..<min(top + block, height) {
                            var output = (y * width + left) * channels
                            var input = (origin + y * row + left * column) * channels
                            for _ in left..<min(left + block, width) {
                                target[output] = source[input]
                                target[output + 1] = source[input + 1]
                                target[output + 2] = source[input + 2]
                                if channels == 4 { target[output + 3] = source[input + 3] }
                                output += channels
                                input += column * channels
                            }
                        }
                    }
                }
                initialized = count
            }
        }
        return Image(uncheckedWidth: width, height: height, channels: channels, pixels: result)
    }
}
