/// Angles without the C library, whose `sin` differs in the last digit from machine to machine.
enum SceneMath {
    /// Sine and cosine of an angle in radians, -π...π, to about 1e-9.
    static func sineAndCosine(_ angle: Double) -> (sine: Double, cosine: Double) {
        // Series of the half angle, then the formulae for the double angle.
        let x = angle / 2, square = x * x
        var sine = 0.0, cosine = 0.0
        for n in stride(from: 8, through: 0, by: -1) {
            let k = Double(2 * n)
            sine = 1 - square / ((k + 2) * (k + 3)) * sine
            cosine = 1 - square / ((k + 1) * (k + 2)) * cosine
        }
        sine *= x
        return (2 * sine * cosine, 1 - 2 * sine * sine)
    }

    /// Mean of a value between two ends, weighted towards the lower end as a logarithmic scale would be.
    static func skewed(_ range: ClosedRange<Double>, _ unit: Double) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * unit * unit
    }
}

/// An sRGB colour, 0...255 each, not yet rounded.
struct Paint: Sendable {
    var red: Double, green: Double, blue: Double

    init(_ red: Double, _ green: Double, _ blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Hue 0..<360, saturation and value 0...1.
    init(hue: Double, saturation: Double, value: Double) {
        func channel(_ n: Double) -> Double {
            let k = (n + hue / 60).truncatingRemainder(dividingBy: 6)
            return 255 * (value - value * saturation * max(0, min(k, 4 - k, 1)))
        }
        self.init(channel(5), channel(3), channel(1))
    }

    /// A colour such as walls, cloth and paper have: rarely vivid.
    static func random(_ random: inout SceneRandom, value: ClosedRange<Double> = 0.25...0.98) -> Paint {
        Paint(
            hue: random.double(0...359.9), saturation: 0.75 * random.unit() * random.unit(), value: random.double(value)
        )
    }

    func mixed(with other: Paint, _ share: Double) -> Paint {
        Paint(
            red + (other.red - red) * share, green + (other.green - green) * share, blue + (other.blue - blue) * share)
    }

    /// Lighter or darker by a number of levels.
    func shifted(by levels: Double) -> Paint {
        Paint(red + levels, green + levels, blue + levels)
    }
}

extension UInt8 {
    /// The nearest byte; NaN becomes 0.
    init(saturating value: Double) {
        self = value >= 255 ? 255 : value > 0 ? UInt8(value + 0.5) : 0
    }

    init(saturating value: Int) {
        self = UInt8(Swift.max(0, Swift.min(255, value)))
    }
}
