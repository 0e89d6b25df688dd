/// The eleven basic colour terms.
public enum ColorName: String, Sendable, Hashable, CaseIterable, Codable {
    case red, orange, yellow, green, blue, purple, pink, brown, black, white, gray
}

/// How much of a sprite has a colour, 0...1 of its opaque pixels.
public struct ColorShare: Sendable, Hashable {
    public let color: ColorName
    public let share: Double
}

extension ColorName {
    /// The term that fits an 8-bit sRGB colour.
    static func nearest(red: Int, green: Int, blue: Int) -> ColorName {
        let high = max(red, green, blue), low = min(red, green, blue)
        let value = Double(high) / 255
        let saturation = high == 0 ? 0 : Double(high - low) / Double(high)
        if value < 0.2 { return .black }
        if saturation < 0.14 { return value > 0.8 ? .white : value < 0.3 ? .black : .gray }
        let hue = hue(red: red, green: green, blue: blue, high: high, low: low)
        if saturation < 0.24 {
            if value > 0.88 { return .white }
            return hue > 10 && hue < 50 ? .brown : .gray
        }
        return chromatic(hue: hue, saturation: saturation, value: value)
    }

    private static func chromatic(hue: Double, saturation: Double, value: Double) -> ColorName {
        switch hue {
        case ..<18, 346...:
            if value < 0.42 || (hue > 7 && hue < 18 && value < 0.85 && saturation < 0.72) { return .brown }
            return saturation < 0.5 && value > 0.7 ? .pink : .red
        case ..<40:
            // Brown is dark or dull orange.
            return value < 0.72 || saturation < 0.62 ? .brown : .orange
        case ..<48: return value < 0.55 || saturation < 0.45 ? .brown : value > 0.8 ? .yellow : .brown
        case ..<68: return value < 0.5 ? (hue < 58 ? .brown : .green) : .yellow
        case ..<165: return .green
        case ..<252: return .blue
        case ..<300: return .purple
        default: return value < 0.45 ? .purple : .pink
        }
    }

    /// Degrees on the colour wheel, red at 0.
    private static func hue(red: Int, green: Int, blue: Int, high: Int, low: Int) -> Double {
        let range = Double(high - low)
        if high == red {
            let hue = Double(green - blue) / range * 60
            return hue < 0 ? hue + 360 : hue
        }
        return high == green ? Double(blue - red) / range * 60 + 120 : Double(red - green) / range * 60 + 240
    }

    /// The shares of all colours in a picture with premultiplied alpha, largest first.
    static func shares(in level: SpriteLevel) -> [ColorShare] {
        var counts = [Int](repeating: 0, count: allCases.count)
        var total = 0
        for start in stride(from: 0, to: level.pixels.count, by: 4) where level.pixels[start + 3] >= 128 {
            let alpha = Int(level.pixels[start + 3])
            func straight(_ channel: Int) -> Int { min(255, Int(level.pixels[start + channel]) * 255 / alpha) }
            let name = nearest(red: straight(0), green: straight(1), blue: straight(2))
            counts[allCases.firstIndex(of: name) ?? 0] += 1
            total += 1
        }
        return zip(allCases, counts).filter { $0.1 > 0 }
            .sorted { $0.1 > $1.1 }
            .map { ColorShare(color: $0.0, share: Double($0.1) / Double(total)) }
    }
}
