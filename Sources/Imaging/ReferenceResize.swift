// Pillow's resampling of 8-bit pixels, to the last bit: the models were trained and published with it, so their inputs
// must not differ by a level. Two passes, along the rows first, the result between them rounded to 8 bits; weights are
// computed in double precision, then used as integers. Behaviour of Pillow 10.1.

/// The kernels of the reference preprocessing; both are widened when shrinking, so they do not alias.
public enum ResizeFilter: Sendable, CaseIterable {
    case bilinear, bicubic

    /// The kernel's radius in input pixels when enlarging.
    var radius: Double { self == .bilinear ? 1 : 2 }

    /// The kernel's value; bicubic is Keys' kernel with a = -0.5.
    func weight(at position: Double) -> Double {
        let t = abs(position)
        guard t < radius else { return 0 }
        guard self == .bicubic else { return 1 - t }
        let a = -0.5
        return t < 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : (((t - 5) * t + 8) * t - 4) * a
    }
}

extension Image {
    /// Resized with exactly Pillow's result (`Image.resize` of an 8-bit RGB or RGBA picture).
    ///
    /// Alpha is resized with premultiplied colour, so transparent pixels do not bleed.
    /// - Throws: `ImagingError.invalidSize`.
    public func resized(width: Int, height: Int, filter: ResizeFilter = .bicubic) throws -> Image {
        _ = try Image.byteCount(width: width, height: height, channels: channels)
        // Between the passes the picture has the new width and the old height.
        _ = try Image.byteCount(width: width, height: self.height, channels: channels)
        guard width != self.width || height != self.height else { return self }
        var result = channels == 4 ? premultiplied() : self
        if width != result.width {
            result = result.resampledRows(ResamplingTaps(from: result.width, to: width, filter: filter))
        }
        if height != result.height {
            result = result.resampledColumns(ResamplingTaps(from: result.height, to: height, filter: filter))
        }
        return channels == 4 ? result.unpremultiplied() : result
    }
}

extension Image {
    /// A smaller copy whose longer side has at most so many pixels; smaller pictures stay as they are.
    /// - Throws: `ImagingError.invalidSize`.
    public func reduced(toLongSide side: Int) throws -> Image {
        let longest = max(width, height)
        if longest <= side { return self }
        let scale = Double(side) / Double(longest)
        return try resized(
            width: max(1, Int((Double(width) * scale).rounded())),
            height: max(1, Int((Double(height) * scale).rounded())), filter: .bilinear)
    }

    /// In the middle of a square, as `paddedToSquare(color:)` and `resized` make it, to the last bit; but the square itself, which
    /// would be huge for a narrow picture, is never there as a whole.
    /// - Throws: `ImagingError.invalidSize`.
    public func resizedInSquare(side: Int, padding: Color, filter: ResizeFilter = .bicubic) throws -> Image {
        let longest = max(width, height)
        // 4096 pixels squared are 50 MB; smaller pictures are done in one go.
        guard width != height, longest > 4096, channels == 3 else {
            return try paddedToSquare(color: padding).resized(width: side, height: side, filter: filter)
        }
        _ = try Image.byteCount(width: side, height: longest, channels: channels)
        let (left, top) = ((longest - width) / 2, (longest - height) / 2)
        let taps = ResamplingTaps(from: longest, to: side, filter: filter)
        let empty = try Image(width: longest, height: 1, channels: .rgb, filledWith: padding)
        let emptyRow = empty.resampledRows(taps).pixels
        // Where the picture shows in a row; all else of a row is as in an empty one.
        let (shown, columns) = taps.reached(from: left..<left + width)
        let shownTaps = taps.part(shown, startingAt: columns.lowerBound)
        var rows: [UInt8] = []  // [longest, side, 3], after the first pass
        rows.reserveCapacity(longest * side * 3)
        for _ in 0..<top { rows += emptyRow }
        let bandHeight = max(1, (4 << 20) / (columns.count * 3))
        for start in Swift.stride(from: 0, to: height, by: bandHeight) {
            let count = min(bandHeight, height - start)
            var band = try Image(width: columns.count, height: count, channels: .rgb, filledWith: padding)
            for y in 0..<count {
                let target = (y * columns.count + left - columns.lowerBound) * 3, source = (start + y) * width * 3
                band.pixels.replaceSubrange(
                    target..<target + width * 3, with: pixels[source..<source + width * 3])
            }
            let resampled = band.resampledRows(shownTaps).pixels
            for y in 0..<count {
                rows += emptyRow[..<(shown.lowerBound * 3)]
                rows += resampled[y * shown.count * 3..<(y + 1) * shown.count * 3]
                rows += emptyRow[(shown.upperBound * 3)...]
            }
        }
        for _ in top + height..<longest { rows += emptyRow }
        return Image(uncheckedWidth: side, height: longest, channels: 3, pixels: rows).resampledColumns(taps)
    }
}

/// For each output sample of one axis, which inputs it reads and their integer weights.
private struct ResamplingTaps {
    /// Fraction bits of a weight: 8 of 32 bits hold the pixel, 2 are spare for overshoot.
    static let precision: Int32 = 22
    /// One half, so that the final shift rounds.
    static let half: Int32 = 1 << (precision - 1)

    /// First input and number of inputs of every output.
    private(set) var spans: [(start: Int, count: Int)] = []
    /// `stride` weights an output, the unused ones zero.
    private(set) var weights: [Int32] = []
    let stride: Int

    init(from inputCount: Int, to outputCount: Int, filter: ResizeFilter) {
        let scale = Double(inputCount) / Double(outputCount)
        let stretch = max(scale, 1)
        let support = filter.radius * stretch
        stride = min(Int(support.rounded(.up)) * 2 + 1, inputCount)
        spans.reserveCapacity(outputCount)
        weights = [Int32](repeating: 0, count: outputCount * stride)
        var exact = [Double](repeating: 0, count: stride)
        for output in 0..<outputCount {
            let center = (Double(output) + 0.5) * scale
            let start = max(Int(center - support + 0.5), 0)
            let count = min(Int(center + support + 0.5), inputCount) - start
            var sum = 0.0
            for tap in 0..<count {
                exact[tap] = filter.weight(at: (Double(tap + start) - center + 0.5) * (1 / stretch))
                sum += exact[tap]
            }
            for tap in 0..<count {
                let scaled = exact[tap] / sum * Double(1 << Self.precision)
                weights[output * stride + tap] = Int32(scaled + (scaled < 0 ? -0.5 : 0.5))
            }
            spans.append((start, count))
        }
    }

    /// The outputs that read any of some inputs, and all inputs that these outputs read.
    func reached(from inputs: Range<Int>) -> (outputs: Range<Int>, inputs: Range<Int>) {
        let reached = spans.indices.filter {
            spans[$0].start < inputs.upperBound && spans[$0].start + spans[$0].count > inputs.lowerBound
        }
        guard let first = reached.first, let last = reached.last else { return (0..<0, inputs) }
        let start = min(spans[first].start, inputs.lowerBound)
        return (first..<last + 1, start..<max(spans[last].start + spans[last].count, inputs.upperBound))
    }

    /// The taps of some outputs, for inputs of which the first ones are cut off.
    func part(_ outputs: Range<Int>, startingAt first: Int) -> ResamplingTaps {
        var part = self
        part.spans = spans[outputs].map { ($0.start - first, $0.count) }
        part.weights = Array(weights[outputs.lowerBound * stride..<outputs.upperBound * stride])
        return part
    }

    /// The 8-bit value of a weighted sum that began with `half`.
    @inline(__always)
    static func round(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: max(0, min(255, sum >> precision))) }
}

extension Image {
    /// The horizontal pass.
    private func resampledRows(_ taps: ResamplingTaps) -> Image {
        let newWidth = taps.spans.count
        let (width, height, channels) = (width, height, channels)
        let count = newWidth * height * channels
        let result = withPixels { source in
            [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
                taps.weights.withUnsafeBufferPointer { weights in
                    for y in 0..<height {
                        let row = source + y * width * channels
                        var output = y * newWidth * channels
                        for (x, span) in taps.spans.enumerated() {
                            let first = row + span.start * channels
                            let base = x * taps.stride
                            if channels == 3 {
                                var (red, green, blue) = (ResamplingTaps.half, ResamplingTaps.half, ResamplingTaps.half)
                                for tap in 0..<span.count {
                                    let weight = weights[base + tap]
                                    red &+= Int32(first[3 * tap]) &* weight
                                    green &+= Int32(first[3 * tap + 1]) &* weight
                                    blue &+= Int32(first[3 * tap + 2]) &* weight
                                }
                                target[output] = ResamplingTaps.round(red)
                                target[output + 1] = ResamplingTaps.round(green)
                                target[output + 2] = ResamplingTaps.round(blue)
                            } else {
                                var sum = SIMD4<Int32>(repeating: ResamplingTaps.half)
                                for tap in 0..<span.count {
                                    let pixel = UnsafeRawPointer(first + 4 * tap)
                                        .loadUnaligned(as: SIMD4<UInt8>.self)
                                    sum &+= SIMD4<Int32>(truncatingIfNeeded: pixel) &* weights[base + tap]
                                }
                                for channel in 0..<4 {
                                    target[output + channel] = ResamplingTaps.round(sum[channel])
                                }
                            }
                            output += channels
                        }
                    }
                }
                initialized = count
            }
        }
        return Image(uncheckedWidth: newWidth, height: height, channels: channels, pixels: result)
    }

    /// The vertical pass: whole rows are added up, so the channels do not matter.
    private func resampledColumns(_ taps: ResamplingTaps) -> Image {
        let newHeight = taps.spans.count
        let rowLength = width * channels
        let count = newHeight * rowLength
        let result = withPixels { source in
            [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
                taps.weights.withUnsafeBufferPointer { weights in
                    for (y, span) in taps.spans.enumerated() {
                        let first = source + span.start * rowLength
                        let base = y * taps.stride
                        let output = y * rowLength
                        var x = 0
                        while x + 16 <= rowLength {
                            var sum = SIMD16<Int32>(repeating: ResamplingTaps.half)
                            for tap in 0..<span.count {
                                let pixels = UnsafeRawPointer(first + tap * rowLength + x)
                                    .loadUnaligned(as: SIMD16<UInt8>.self)
                                sum &+= SIMD16<Int32>(truncatingIfNeeded: pixels) &* weights[base + tap]
                            }
                            let levels = (sum &>> SIMD16(repeating: ResamplingTaps.precision))
                                .clamped(lowerBound: SIMD16(repeating: 0), upperBound: SIMD16(repeating: 255))
                            UnsafeMutableRawBufferPointer(target).storeBytes(
                                of: SIMD16<UInt8>(truncatingIfNeeded: levels), toByteOffset: output + x,
                                as: SIMD16<UInt8>.self)
                            x += 16
                        }
                        while x < rowLength {
                            var sum = ResamplingTaps.half
                            for tap in 0..<span.count {
                                sum &+= Int32(first[tap * rowLength + x]) &* weights[base + tap]
                            }
                            target[output + x] = ResamplingTaps.round(sum)
                            x += 1
                        }
                    }
                }
                initialized = count
            }
        }
        return Image(uncheckedWidth: width, height: newHeight, channels: channels, pixels: result)
    }
}

// MARK: Alpha

extension Image {
    /// Colour times alpha, rounded as Pillow rounds. RGBA only.
    private func premultiplied() -> Image {
        mappingPixels { color, alpha in
            let product = UInt32(color) * UInt32(alpha) + 128
            return UInt8(truncatingIfNeeded: ((product >> 8) + product) >> 8)
        }
    }

    /// Colour divided by alpha again. RGBA only.
    private func unpremultiplied() -> Image {
        mappingPixels { color, alpha in
            alpha == 0 || alpha == 255 ? color : UInt8(min(255 * UInt32(color) / UInt32(alpha), 255))
        }
    }

    /// Changes red, green and blue, each given with its pixel's alpha.
    private func mappingPixels(_ change: (_ color: UInt8, _ alpha: UInt8) -> UInt8) -> Image {
        var result = self
        result.pixels.withUnsafeMutableBufferPointer { pixels in
            for pixel in stride(from: 0, to: pixels.count, by: 4) {
                let alpha = pixels[pixel + 3]
                for channel in pixel..<pixel + 3 { pixels[channel] = change(pixels[channel], alpha) }
            }
        }
        return result
    }
}
